"""The metrics page: the families of a registry and the series of all targets, in the format that the client prefers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from prometheus_client.core import Metric
from prometheus_client.registry import Collector, CollectorRegistry

from pprof_exporter.catalog import FAMILIES, Family, MetricType, exporter
from pprof_exporter.exposition.fleet_series import FleetSeries
from pprof_exporter.exposition.negotiation import Encoder, negotiate_format
from pprof_exporter.exposition.pieces import PAGE_THREADS, DeflatedPiece, Deflater, gzipped, inflated
from pprof_exporter.exposition.sink import empty_metric
from pprof_exporter.scrape import Pool

_TARGET_FAMILIES = tuple(family for family in FAMILIES if family not in exporter.FAMILIES)
_END = b"# EOF\n"


@dataclass(frozen=True, slots=True)
class EncodedPage:
    """A page as pieces, by family."""

    content_type: str
    families: list[list[DeflatedPiece]]

    @property
    def size(self) -> int:
        """Size of the uncompressed page in bytes."""
        return sum(piece.size for family in self.families for piece in family)

    def gzipped(self) -> bytes:
        """The page as one gzip stream."""
        return gzipped(piece for family in self.families for piece in family)

    async def plain(self) -> AsyncIterator[bytes]:
        """The uncompressed page, family by family, so that a large page is never in memory as a whole."""
        for family in self.families:
            yield await PAGE_THREADS.run(partial(inflated, family))


class ExpositionPage:
    """Renders `/metrics`. The families of targets come from the pool, all others from the registry."""

    def __init__(self, registry: CollectorRegistry, pool: Pool) -> None:
        self._registry = registry
        self._fleet = FleetSeries(pool)
        self._heads: dict[str, dict[str, DeflatedPiece]] = {}

    async def reply(self, accept: str, names: Sequence[str] = ()) -> EncodedPage:
        """The current page. `accept` is the Accept header; `names` selects families by any of their names."""
        form = negotiate_format(accept)
        encode, content_type = form.encode, form.content_type
        blocks = await self._fleet.pieces()
        own = encode(_OtherFamilies(self._registry, frozenset(names)))
        deflater, ended = Deflater(), own.endswith(_END)
        heads = self._heads_of(content_type, encode)
        families = [[deflater.deflate(own.removesuffix(_END))]]
        for family in _wanted(names) if names else _TARGET_FAMILIES:
            pieces = [block[family.name] for block in blocks if family.name in block]
            if pieces:
                families.append([heads[family.name], *pieces])
        return EncodedPage(content_type, families + ([[deflater.deflate(_END)]] if ended else []))

    async def close(self) -> None:
        """Stop rendering ahead."""
        await self._fleet.close()

    def _heads_of(self, content_type: str, encode: Encoder) -> dict[str, DeflatedPiece]:
        if content_type not in self._heads:
            self._heads[content_type] = _heads(encode)
        return self._heads[content_type]


class _OtherFamilies(Collector):
    """A registry without the families of targets; `names` selects families by any of their names."""

    def __init__(self, registry: Collector, names: frozenset[str]) -> None:
        self._registry = registry
        self._names = names

    def collect(self) -> Iterable[Metric]:
        for metric in self._registry.collect():
            known = {metric.name, *(sample.name for sample in metric.samples)}
            if metric.name not in _TARGET_FAMILY_NAMES and (not self._names or known & self._names):
                yield metric


class _SingleMetric(Collector):
    def __init__(self, metric: Metric) -> None:
        self._metric = metric

    def collect(self) -> Iterable[Metric]:
        return [self._metric]


def _heads(encode: Encoder) -> dict[str, DeflatedPiece]:
    """HELP and TYPE of each family of targets, by family name."""
    deflater = Deflater()
    return {
        family.name: deflater.deflate(encode(_SingleMetric(empty_metric(family))).removesuffix(_END))
        for family in _TARGET_FAMILIES
    }


def _wanted(names: Sequence[str]) -> list[Family]:
    asked = set(names)
    return [family for family in _TARGET_FAMILIES if asked & _names(family)]


def _names(family: Family) -> set[str]:
    """Names that select a family: its name in both formats, and those of its series."""
    series = ("_bucket", "_count", "_sum") if family.type is MetricType.HISTOGRAM else ()
    return {family.name, empty_metric(family).name, *(family.name + suffix for suffix in series)}


_TARGET_FAMILY_NAMES = frozenset(empty_metric(family).name for family in _TARGET_FAMILIES)
