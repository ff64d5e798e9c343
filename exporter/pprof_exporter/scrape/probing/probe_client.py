"""The HTTP client of one probe: it ends each request before the deadline of the probe, and logs it."""

from __future__ import annotations

from yarl import URL

from pprof_exporter.catalog import Reason
from pprof_exporter.clock import Clock
from pprof_exporter.scrape.client.body import Excerpt
from pprof_exporter.scrape.client.errors import FetchError
from pprof_exporter.scrape.client.fetcher import Getter, Reply
from pprof_exporter.scrape.probing.probe_log import ProbeLog
from pprof_exporter.scrape.probing.sockets import AddressGuard

# A window that ends at the deadline is useless: its reply comes later.
_AFTER_WINDOW = 0.3
# Seconds before the deadline at which a request times out, so that the log has its own reason.
_MARGIN = 0.1
_MIN_TIMEOUT = 0.05


class OutOfTime(Exception):
    """The time left in this probe is too short for the window."""


class ProbeClient:
    """Set `log`, `guard` and `deadline` (steady time) before each probe."""

    def __init__(self, getter: Getter, clock: Clock) -> None:
        self._getter = getter
        self._clock = clock
        self.log = ProbeLog(clock)
        self.guard = AddressGuard(())
        self.deadline = 0.0

    async def get(
        self,
        url: URL,
        *,
        query: dict[str, str] | None = None,
        timeout: float,
        window: float = 0,
        excerpt: Excerpt | None = None,
    ) -> Reply:
        """Fetch before the deadline. Raises `FetchError`, and `OutOfTime` if the window no longer fits."""
        began = self._clock.steady()
        left = self.deadline - began - window
        if window and left < _AFTER_WINDOW:
            raise OutOfTime
        request = {"path": url.path, **(query or {})}
        try:
            reply = await self._getter.get(
                url,
                query=query,
                timeout=max(_MIN_TIMEOUT, min(timeout, left - _MARGIN)),
                window=window,
                excerpt=excerpt,
            )
        except FetchError as error:
            if error.reason is Reason.CONNECT and self.guard.refused:
                error = FetchError(Reason.FORBIDDEN, self.guard.refused)
            took = f"{self._clock.steady() - began:.3f}"
            # Not the text of a reply, see `RedactedLog`.
            detail = error.detail if error.status is None else f"HTTP {error.status}"
            self.log.info("no reply", **request, reason=str(error.reason), detail=detail, took=took)
            raise error from None
        phases = {str(phase): f"{seconds:.4f}" for phase, seconds in reply.phases.items() if seconds}
        self.log.info("reply", **request, bytes=reply.size, **phases)
        return reply
