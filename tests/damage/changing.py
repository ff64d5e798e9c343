"""Random damages of what was written, each to one file of a copy."""

from __future__ import annotations

import shutil
import traceback
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.damage.damages import damage, restore, taken
from tests.damage.kept import Kept

_STEPS = 10


@dataclass(slots=True)
class Damaged:
    """What became of the cases of one kind of file."""

    cases: int = 0
    whole: int = 0
    """Nothing was missing."""
    counted: int = 0
    """Something was counted or refused."""
    wrong: list[str] = field(default_factory=list)
    """Cases after which something false was shown, missing things were not counted, or an error escaped."""
    ways: Counter[str] = field(default_factory=Counter)


def change(kept: Kept, root: Path, numbers: Iterable[int], seed: int = 0) -> dict[str, Damaged]:
    """Damage each kind of file once for each number; what became of them, by kind of file."""
    sample, older = _samples(kept, root / "sample")
    kinds: dict[str, list[str]] = {}
    for file in sample:
        kinds.setdefault(kept.kind(file), []).append(file)
    found = {kind: Damaged() for kind in kinds}
    for number in numbers:
        for kind, files in kinds.items():
            random = Random(f"{kept.name} {kind} {seed} {number}")
            restore(sample, root / "damaged")
            file = random.choice(files)
            how = damage(random, root / "damaged" / file, older.get(file, b""))
            _judge(kept, root / "damaged", found[kind], kind, f"{kept.name} {number} {file} {how}", how)
    shutil.rmtree(root / "damaged", ignore_errors=True)
    return found


def _samples(kept: Kept, root: Path) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """The files, and the same at an earlier time."""
    snapshots: list[dict[str, bytes]] = []

    def look(step: int) -> None:
        # While it is open, so that a write-ahead log is there.
        if step in (_STEPS // 2, _STEPS):
            snapshots.append(taken(root))

    kept.write(root, 0, _STEPS, look)
    older, sample = snapshots
    shutil.rmtree(root)
    return sample, older


def _judge(kept: Kept, root: Path, found: Damaged, kind: str, case: str, how: str) -> None:
    found.cases += 1
    found.ways[how] += 1
    try:
        reading = kept.read(root, {0: _STEPS})
    except Exception:  # noqa: BLE001 - what escapes is what is looked for
        found.wrong.append(f"{case}: {traceback.format_exc()}")
        return
    found.whole += not reading.missing
    found.counted += bool(reading.counted)
    if reading.false:
        found.wrong.append(f"{case}: {'; '.join(reading.false)}")
    elif reading.missing and not reading.counted and kept.is_checked(kind, how, reading.missing):
        found.wrong.append(f"{case}: {reading.missing} missing, and nothing counted")
    elif bool(reading.counted) != bool(reading.told):
        found.wrong.append(f"{case}: {reading.counted} counted, and told {reading.told!r}")
