"""An exporter that is killed again and again while it keeps findings: what is left each time is told, as JSON.

`python -m tests.evidence_store.killed FOLDER TIMES`. Each time a process of its own writes without end into the
folder, and is killed after some milliseconds; then the folder is read as the next start would.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from pprof_exporter.evidence_store import EvidenceRetention, EvidenceStore
from tests.evidence_store.saved import bodies, finding, on_disk

# Full after a few findings, so that nearly each of them first removes another.
POLICY = EvidenceRetention(max_bytes=400_000)
SHORTEST, LONGEST = 0.025, 0.4
"""Seconds that it may live: longer, the less of a busy machine it gets."""


@contextlib.contextmanager
def writing(root: Path, seed: int) -> Iterator[int]:
    """Its process id; it has begun to write when the block begins."""
    said, says = os.pipe()
    process = os.fork()
    if not process:
        write(root, seed, says)
    os.close(says)
    os.read(said, 1)
    os.close(said)
    yield process
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)


def write(root: Path, seed: int, says: int) -> None:
    """Keep one finding after the other, until killed."""
    chance = random.Random(seed)
    evidence_store = EvidenceStore.open(root, POLICY, 1000.0)
    os.write(says, b"!")
    while True:
        sizes = [chance.randrange(60_000) for _ in range(chance.randrange(1, 4))]
        evidence_store.add(finding(target=chance.choice("abc")), bodies(*sizes), 1000.0)


def main(root: Path, times: int) -> None:
    """Kill it so many times, and print what was left."""
    chance = random.Random(1)
    leftovers = half = over = kept = bad = 0
    life = SHORTEST
    for seed in range(times):
        with writing(root, seed):
            time.sleep(chance.uniform(0, life))
        caught = any(path.name.startswith(".unfinished") for path in root.iterdir())
        leftovers += caught
        life = SHORTEST if caught else min(1.5 * life, LONGEST)
        over += on_disk(root) > POLICY.max_bytes
        evidence_store = EvidenceStore.open(root, POLICY, 1000.0)
        found = evidence_store.findings()
        bad += evidence_store.troubles.total()
        half += sum(evidence_store.read(one, file) is None for one in found for file in one.finding.files)
        over += on_disk(root) > evidence_store.disk_bytes
        kept += len(found)
        bad += {path.name for path in root.iterdir()} != {"lock", *(one.id for one in found)}
        evidence_store.close()
    print(json.dumps({"leftovers": leftovers, "half": half, "over": over, "kept": kept, "bad": bad}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
