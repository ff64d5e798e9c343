"""The mutex profile, and whether it is on at all."""

from __future__ import annotations

from pprof_exporter.profile import DecodeError, read_mutex_rate
from pprof_exporter.scrape.client.errors import FetchError
from pprof_exporter.scrape.target.collector import ProfileCollector


class MutexCollector(ProfileCollector):
    """The profile; one without records is asked for its rate as well, in a text that is then three lines long."""

    async def run(self) -> None:
        """Fetch, decode and judge the profile, and note what it says."""
        await super().run()
        context, latest = self._context, self._profile.latest
        if latest is None or latest.samples:
            return
        try:
            async with context.place():
                reply = await context.fetcher.get(
                    context.target.url.joinpath(self.path), query={"debug": "1"}, timeout=context.settings.timeout
                )
            rate = read_mutex_rate(reply.body)
        except (FetchError, DecodeError):
            rate = None
        context.state.contention.mutex_rate(rate)
