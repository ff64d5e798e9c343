"""dns_sd_configs: A, AAAA or SRV records as targets."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import dns.asyncresolver
import dns.exception
import dns.rdatatype
import dns.resolver

from pprof_exporter.config import DnsSource, RecordType, TargetGroup
from pprof_exporter.scrape.discovery.groups import SourceError

_TIMEOUT = 10.0

Resolve = Callable[[str, RecordType], Awaitable[dns.resolver.Answer]]


async def system_resolver(name: str, type_: RecordType) -> dns.resolver.Answer:
    """Ask the name server that the system is set up for. Raises `dns.exception.DNSException` and `OSError`."""
    return await dns.asyncresolver.Resolver().resolve(name, type_.value, lifetime=_TIMEOUT)


class DnsReader:
    """All names of one source. A name that does not resolve keeps what it said before."""

    def __init__(self, source: DnsSource, resolve: Resolve = system_resolver) -> None:
        self._source = source
        self._resolve = resolve
        self._held: dict[str, TargetGroup] = {}
        self.next_in = source.refresh

    async def read(self) -> list[TargetGroup]:
        """A group for each name. Raises `SourceError` where some cannot be resolved."""
        troubles = []
        for name in self._source.names:
            try:
                self._held[name] = await self._ask(name)
            except dns.resolver.NXDOMAIN:
                # The server answered: there is no such name now, and so there are no targets.
                self._held[name] = TargetGroup((), ())
            except (dns.exception.DNSException, OSError, ValueError) as error:
                troubles.append(f"{name}: {error}")
        if troubles:
            raise SourceError("; ".join(troubles))
        return self.held()

    def held(self) -> list[TargetGroup]:
        """What every name gave last."""
        return list(self._held.values())

    async def _ask(self, name: str) -> TargetGroup:
        source = self._source
        answer = await self._resolve(name, source.type)
        if source.type is RecordType.SRV:
            targets = [f"{record.target.to_text(omit_final_dot=True)}:{record.port}" for record in answer]
        else:
            targets = [_joined(record.address, source.port) for record in answer]
        return TargetGroup(tuple(sorted(targets)), (("__meta_dns_name", name),))


def _joined(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
