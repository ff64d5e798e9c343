"""Large profiles of a made-up program, the same for a seed."""

from __future__ import annotations

import gzip
import random

from tests.proto import profile_pb2

PACKAGES, TYPES = 40, 200
"""Names are spread over so many packages and types."""


def cpu_profile(samples: int, *, depth: int = 30, seed: int = 1) -> bytes:
    """A gzipped CPU profile of so many different stacks, `depth` deep on average.

    Every stack shares its outer frames with an earlier one, as calls do; one location in ten holds an inlined call, one
    sample in ten has labels.
    """
    chance = random.Random(seed)  # noqa: S311 - not a secret
    functions = max(200, samples // 8)
    locations = 2 * functions
    made = profile_pb2.Profile(period=10_000_000, time_nanos=1_795_470_000 * 10**9, duration_nanos=30 * 10**9)
    strings = ["", "samples", "count", "cpu", "nanoseconds", "/srv/service", "handler", "/checkout"]
    made.sample_type.add(type=1, unit=2)
    made.sample_type.add(type=3, unit=4)
    made.period_type.type, made.period_type.unit = 3, 4
    made.mapping.add(id=1, memory_start=0x400000, memory_limit=0x900000, filename=5, has_functions=True)
    for number in range(functions):
        package = f"example.com/service/package{number % PACKAGES}"
        strings += [f"{package}.(*Type{number % TYPES}).Method{number}", f"{package}/file{number % TYPES}.go"]
        name, file = len(strings) - 2, len(strings) - 1
        made.function.add(id=number + 1, name=name, system_name=name, filename=file, start_line=number)
    for number in range(locations):
        location = made.location.add(id=number + 1, mapping_id=1, address=0x400000 + 16 * number)
        for _ in range(2 if chance.random() < 0.1 else 1):
            location.line.add(function_id=chance.randrange(functions) + 1, line=chance.randrange(1000))
    stacks = [[1]]
    for _ in range(samples):
        deep = max(1, round(chance.gauss(depth, depth / 4)))
        shared = chance.choice(stacks)[-chance.randint(1, deep) :]
        stack = [chance.randrange(locations) + 1 for _ in range(deep - len(shared))] + shared
        stacks.append(stack)
        count = chance.randint(1, 20)
        sample = made.sample.add(location_id=stack, value=[count, count * made.period])
        if chance.random() < 0.1:
            sample.label.add(key=6, str=7)
    made.string_table.extend(text.encode() for text in strings)
    return gzip.compress(made.SerializeToString())
