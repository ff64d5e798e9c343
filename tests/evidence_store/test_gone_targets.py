"""Evidence of targets that are gone takes little memory, and a bounded one."""

from __future__ import annotations

import gc
import sys
from contextlib import closing
from pathlib import Path

from pprof_exporter.evidence_store import EvidenceRetention, EvidenceStore
from tests.evidence_store.saved import bodies, finding

RETENTION = EvidenceRetention(findings=100)


def test_live_objects_do_not_grow_with_evidence_of_targets_that_were_replaced(tmp_path: Path) -> None:
    with closing(EvidenceStore.open(tmp_path, RETENTION, 0.0)) as store:

        def saved(numbers: range) -> int:
            for number in numbers:
                assert store.add(finding(f"shop-{number}:1", at=float(number)), bodies(5), float(number)) is not None
                if number % 10 == 0:
                    for one in store.findings()[:3]:
                        (tmp_path / one.id / "a.pb").write_bytes(b"other")
                        assert store.read(one, one.finding.files[0]) is None
            gc.collect()
            return len(gc.get_objects())

        before = saved(range(250))
        assert saved(range(250, 500)) - before < 100
        assert len(store.findings()) == RETENTION.findings
        assert len(store._damaged) <= RETENTION.findings


def test_a_finding_takes_little_memory_while_nobody_looks_at_it(tmp_path: Path) -> None:
    with closing(EvidenceStore.open(tmp_path, RETENTION, 0.0)) as store:
        saved = store.add(finding(), bodies(5, 6, 7), 1000.0)
        assert saved is not None
        assert len(gc.get_referents(saved)) < 10
        parts = [saved, *(one for one in gc.get_referents(saved) if one is not type(saved))]
        assert sum(map(sys.getsizeof, parts)) < 2000
        assert saved.finding == saved.finding
        assert [file.size for file in saved.finding.files] == [5, 6, 7]
