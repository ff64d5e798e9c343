"""Evidence: findings with their profiles."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random

from pprof_exporter.evidence_store import (
    EvidenceRetention,
    EvidenceStore,
    FindingRecord,
    Process,
    ProfileRole,
    RawProfile,
)
from tests.damage.kept import Reading
from tests.evidence_store.saved import finding

# More than is written here, so that nothing is removed for its age or size.
_RETENTION = EvidenceRetention()
_NOW = 2000.0


class Findings:
    """Each step saves one finding, with one to three profiles."""

    name = "evidence"

    def write(self, root: Path, run: int, steps: int | None, done: Callable[[int], None]) -> None:
        store = EvidenceStore.open(root, _RETENTION, _NOW)
        for step in itertools.count() if steps is None else range(steps):
            store.add(_finding(run, step), _profiles(run, step), _NOW)
            done(step + 1)
        store.close()

    def read(self, root: Path, written: dict[int, int]) -> Reading:
        reading = Reading()
        store = EvidenceStore.open(root, _RETENTION, _NOW)
        found = 0
        for saved in store.findings():
            run, step = saved.finding.process.build.partition("-")[::2]
            profiles = _profiles(int(run), int(step))
            read = [store.read(saved, file) for file in saved.finding.files]
            if replace(saved.finding, files=()) != _finding(int(run), int(step)):
                reading.false.append(f"{saved}")
            if any(data not in (None, body.data) for data, (body, _) in zip(read, profiles, strict=True)):
                reading.false.append(f"a profile of {saved}")
            found += sum(data is not None for data in read)
        # Once more: what is known to be damaged is not counted again.
        counted = store.troubles.total()
        for saved in store.findings():
            for file in saved.finding.files:
                store.read(saved, file)
        if store.troubles.total() != counted:
            reading.false.append("a damaged file was counted twice")
        expected = sum(len(_profiles(run, step)) for run, steps in written.items() for step in range(steps))
        reading.missing = max(0, expected - found)
        new = store.add(finding("next"), [(RawProfile("heap", 1.0, b"next"), ProfileRole.SHOWS)], _NOW)
        if new is not None and store.read(new, new.finding.files[0]) != b"next":
            reading.false.append("after the start, a finding cannot be read")
        reading.counted, reading.told = store.troubles.total(), store.last_trouble
        store.close()
        again = EvidenceStore.open(root, _RETENTION, _NOW)
        if new not in again.findings() or again.troubles:
            reading.false.append(f"after the next start: {again.troubles} {again.last_trouble}")
        again.close()
        return reading

    def kind(self, file: str) -> str:
        name = file.rpartition("/")[2]
        return name if name in ("lock", "manifest.json") else "profile"

    def is_checked(self, kind: str, how: str, missing: int) -> bool:
        return True


def _finding(run: int, step: int) -> FindingRecord:
    made = finding(f"shop-{run}:{step}", mode=f"F{step % 16}", at=1000.0 + step)
    return replace(made, said=f"The heap profile took {step} s.", process=Process(build=f"{run}-{step}", epoch=900.0))


def _profiles(run: int, step: int) -> list[tuple[RawProfile, ProfileRole]]:
    random = Random(f"{run} {step}")
    return [
        (RawProfile(kind, 990.0 + step, random.randbytes(random.randrange(1, 20_000))), ProfileRole.SHOWS)
        for kind in ("heap", "cpu", "goroutine")[: 1 + step % 3]
    ]
