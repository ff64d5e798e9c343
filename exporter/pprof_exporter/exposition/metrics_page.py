"""The metrics page: what a registry has, and the series of all targets, in the format that the client prefers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass

from prometheus_client.core import Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector, CollectorRegistry

from pprof_exporter.catalog import FAMILIES, Family, MetricType, exporter
from pprof_exporter.exposition.fleet_series import FleetSeries
from pprof_exporter.exposition.pieces import Piece, Press, gzipped, inflated
from pprof_exporter.exposition.sink import description
from pprof_exporter.scrape import Pool

_OF_TARGETS = tuple(family for family in FAMILIES if family not in exporter.FAMILIES)
_END = b"# EOF\n"
_FORMATS = 8

Encode = Callable[[Collector], bytes]


@dataclass(frozen=True, slots=True)
class EncodedPage:
    """A page as pieces, by family."""

    content_type: str
    families: list[list[Piece]]

    @property
    def size(self) -> int:
        """Bytes of all of it, not compressed."""
        return sum(piece.size for family in self.families for piece in family)

    def gzipped(self) -> bytes:
        """All of it, compressed."""
        return gzipped(piece for family in self.families for piece in family)

    async def plain(self) -> AsyncIterator[bytes]:
        """All of it, not compressed, family by family: a large page never is in memory as a whole."""
        for family in self.families:
            yield await asyncio.to_thread(inflated, family)


class ExpositionPage:
    """What is asked of `/metrics`. The families of targets come from the pool, all others from the registry."""

    def __init__(self, registry: CollectorRegistry, pool: Pool) -> None:
        self._registry = registry
        self._fleet = FleetSeries(pool)
        self._heads: dict[str, dict[str, Piece]] = {}

    async def reply(self, accept: str, names: Sequence[str] = ()) -> EncodedPage:
        """The page of now. `accept` is the header of that name; with `names` only families of which one is a name."""
        encode, content_type = choose_encoder(accept)
        blocks = await self._fleet.pieces()
        own = encode(_Others(self._registry, frozenset(names)))
        press, ended = Press(), own.endswith(_END)
        heads = self._heads_of(content_type, encode)
        families = [[press.piece(own.removesuffix(_END))]]
        for family in _wanted(names) if names else _OF_TARGETS:
            pieces = [block[family.name] for block in blocks if family.name in block]
            if pieces:
                families.append([heads[family.name], *pieces])
        return EncodedPage(content_type, families + ([[press.piece(_END)]] if ended else []))

    async def close(self) -> None:
        """End what goes on."""
        await self._fleet.close()

    def _heads_of(self, content_type: str, encode: Encode) -> dict[str, Piece]:
        if content_type not in self._heads:
            # The client may write any version there.
            if len(self._heads) >= _FORMATS:
                self._heads.clear()
            self._heads[content_type] = _heads(encode)
        return self._heads[content_type]


class _Others(Collector):
    """A registry without the families of targets; with names only families of which one is a name."""

    def __init__(self, registry: Collector, names: frozenset[str]) -> None:
        self._registry = registry
        self._names = names

    def collect(self) -> Iterable[Metric]:
        for metric in self._registry.collect():
            known = {metric.name, *(sample.name for sample in metric.samples)}
            if metric.name not in _BARE_NAMES and (not self._names or known & self._names):
                yield metric


class _One(Collector):
    def __init__(self, metric: Metric) -> None:
        self._metric = metric

    def collect(self) -> Iterable[Metric]:
        return [self._metric]


def _heads(encode: Encode) -> dict[str, Piece]:
    """What stands before the series of each family, by its name."""
    press = Press()
    return {family.name: press.piece(encode(_One(description(family))).removesuffix(_END)) for family in _OF_TARGETS}


def _wanted(names: Sequence[str]) -> list[Family]:
    asked = set(names)
    return [family for family in _OF_TARGETS if asked & _names(family)]


def _names(family: Family) -> set[str]:
    """Names by which a family may be asked for: its own, as OpenMetrics has it, and those of its series."""
    series = ("_bucket", "_count", "_sum") if family.type is MetricType.HISTOGRAM else ()
    return {family.name, description(family).name, *(family.name + suffix for suffix in series)}


_BARE_NAMES = frozenset(description(family).name for family in _OF_TARGETS)
