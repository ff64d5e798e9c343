"""Findings to keep, and what lies on the disk."""

from __future__ import annotations

from pathlib import Path

from pprof_exporter.evidence_store import FindingRecord, Origin, ProfileRole, RawProfile


def finding(
    target: str = "shop:6060", mode: str = "F5", at: float = 1000.0, origin: Origin = Origin.FINDING
) -> FindingRecord:
    return FindingRecord(
        target=target,
        labels={"service": "shop"},
        origin=origin,
        mode=mode,
        level="warning",
        said="The heap profile took 3 s.",
        alert="PprofFetchSlow",
        runbook=f"/runbooks/PprofFetchSlow?target={target}",
        at=at,
        when="1970-01-01T00:16:40Z",
    )


def bodies(*sizes: int) -> list[tuple[RawProfile, ProfileRole]]:
    """A body for each size, of kinds of their own."""
    return [(RawProfile("abcdefghij"[i], 990.0, bytes([i]) * size), ProfileRole.SHOWS) for i, size in enumerate(sizes)]


def on_disk(root: Path) -> int:
    """Bytes of everything below a folder, leftovers included."""
    return sum(path.stat().st_size for path in root.rglob("*") if path.is_file())
