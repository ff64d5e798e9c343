"""dns_sd_configs: A, AAAA or SRV records as targets."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from pprof_exporter.config import DnsSource, RecordType, TargetGroup
from pprof_exporter.scrape.discovery.groups import SourceError

if TYPE_CHECKING:
    import dns.resolver

_TIMEOUT = 10.0

Resolve = Callable[[str, RecordType], "Awaitable[dns.resolver.Answer]"]


async def resolve_records(name: str, type_: RecordType) -> dns.resolver.Answer:
    """Ask the name server of the system. Raises `dns.exception.DNSException` and `OSError`."""
    import dns.asyncresolver  # noqa: PLC0415 - only for those who use it

    return await dns.asyncresolver.Resolver().resolve(name, type_.value, lifetime=_TIMEOUT)


class DnsReader:
    """All names of one source. A name that cannot be resolved keeps its last targets."""

    def __init__(self, source: DnsSource, resolve: Resolve = resolve_records) -> None:
        self._source = source
        self._resolve = resolve
        self._groups: dict[str, TargetGroup] = {}
        self.read_interval = source.refresh

    async def read(self) -> list[TargetGroup]:
        """A group for each name. Raises `SourceError` if a name cannot be resolved."""
        import dns.exception  # noqa: PLC0415
        import dns.resolver  # noqa: PLC0415

        problems = []
        for name in self._source.names:
            try:
                self._groups[name] = await self._query(name)
            except dns.resolver.NXDOMAIN:
                # An answer: the name does not exist, so it has no targets.
                self._groups[name] = TargetGroup((), ())
            except (dns.exception.DNSException, OSError, ValueError) as error:
                problems.append(f"{name}: {error}")
        if problems:
            raise SourceError("; ".join(problems))
        return self.last_groups()

    def last_groups(self) -> list[TargetGroup]:
        """The last group of each name."""
        return list(self._groups.values())

    async def _query(self, name: str) -> TargetGroup:
        source = self._source
        answer = await self._resolve(name, source.type)
        if source.type is RecordType.SRV:
            targets = [f"{record.target.to_text(omit_final_dot=True)}:{record.port}" for record in answer]
        else:
            targets = [_host_port(record.address, source.port) for record in answer]
        return TargetGroup(tuple(sorted(targets)), (("__meta_dns_name", name),))


def _host_port(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
