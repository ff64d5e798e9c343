"""Epochs of memory that are epochs of the file, although nothing says so but what they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pprof_exporter.store.epoch import Epoch, changed_parts


def twins_of(rows: Mapping[int, Epoch], loose: Iterable[Epoch]) -> dict[int, int]:
    """Epochs without a row, by the row that they share: with the same fingerprint, begun at about the same time.

    `rows` are those that no epoch has, `loose` the epochs without a row. Returns their ids.
    """
    by_service: dict[str, list[Epoch]] = {}
    for own in loose:
        by_service.setdefault(own.service, []).append(own)
    pairs = sorted(
        (abs(own.first_seen - epoch.first_seen), row, own.id)
        for row, epoch in rows.items()
        for own in by_service.get(epoch.service, ())
        if is_same(own, epoch)
    )
    twins: dict[int, int] = {}
    taken: set[int] = set()
    for _, row, own_id in pairs:
        if row not in twins and own_id not in taken:
            twins[row] = own_id
            taken.add(own_id)
    return twins


def is_same(one: Epoch, other: Epoch) -> bool:
    """Whether two epochs can be one: of the same service, with fingerprints that agree."""
    return one.service == other.service and not changed_parts(one.fingerprint, other.fingerprint)
