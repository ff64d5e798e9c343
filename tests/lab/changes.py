"""What no program does to its profiles on command, done to them on their way."""

from __future__ import annotations

from random import Random

from tests.lab.rewrite import Change
from tests.proto.profile_pb2 import Profile, Sample


def thinned(share: float) -> Change:
    """Each event of a CPU profile is kept with this chance, as by a timer that ticks so much more slowly."""
    random = Random(64)

    def change(profile: Profile) -> None:
        for sample in profile.sample:
            count = sum(random.random() < share for _ in range(sample.value[0]))
            sample.value[:] = [count, count * profile.period]
        kept = [sample for sample in profile.sample if sample.value[0]]
        del profile.sample[:]
        profile.sample.extend(kept)

    return change


def _location_of(profile: Profile, function: str) -> int:
    """Add a function and a location in it; returns the id of the location."""
    profile.string_table.append(function.encode())
    number = 1 + max(*(known.id for known in profile.function), *(known.id for known in profile.location))
    name = len(profile.string_table) - 1
    profile.function.add(id=number, name=name, system_name=name)
    profile.location.add(id=number, mapping_id=1, address=0x1000).line.add(function_id=number)
    return number


def overflowed(profile: Profile) -> None:
    """A twentieth of the events found no room in the buffer (runtime/pprof/proto.go addCPUData)."""
    largest = _largest_first(profile)[0]
    lost = sum(sample.value[0] for sample in profile.sample) // 20
    largest.value[:] = [largest.value[0] - lost, (largest.value[0] - lost) * profile.period]
    profile.sample.add(
        location_id=[_location_of(profile, "runtime/pprof.lostProfileEvent")], value=[lost, lost * profile.period]
    )


def opaque(root: str, leaf: str | None = None) -> Change:
    """Stacks of more than half of the events could not be walked: Go writes where it was, and `root` below it.

    `leaf` stands for code outside the program (runtime/proc.go sigprof).
    """

    def change(profile: Profile) -> None:
        below = _location_of(profile, root)
        outside = _location_of(profile, leaf) if leaf else None
        total, cut = sum(sample.value[0] for sample in profile.sample), 0
        for sample in _largest_first(profile):
            if cut > 0.6 * total:
                break
            cut += sample.value[0]
            sample.location_id[:] = [outside or sample.location_id[0], below]

    return change


def _largest_first(profile: Profile) -> list[Sample]:
    return sorted(profile.sample, key=lambda sample: sample.value[0], reverse=True)


def shifted(seconds: float) -> Change:
    """The clock of the target is wrong by so much."""

    def change(profile: Profile) -> None:
        profile.time_nanos += round(seconds * 1e9)

    return change


def set_back_once() -> Change:
    """The second profile is older than the first, by so little that its clock is not skewed."""
    stamps: list[int] = []

    def change(profile: Profile) -> None:
        stamps.append(profile.time_nanos)
        if len(stamps) == 2:
            profile.time_nanos = stamps[0] - 200_000_000

    return change


def stripped(profile: Profile) -> None:
    """No function has a name."""
    for function in profile.function:
        function.name = function.system_name = 0
