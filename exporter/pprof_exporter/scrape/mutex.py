"""The mutex profile, and whether it is on at all."""

from __future__ import annotations

from pprof_exporter.profile import DecodeError, read_mutex_rate
from pprof_exporter.scrape.errands import ReadProfile
from pprof_exporter.scrape.failure import FetchError


class ReadMutexProfile(ReadProfile):
    """The profile; one without records is asked for its rate as well, in a text that is then three lines long."""

    async def run(self) -> None:
        """Fetch, decode and judge the profile, and note what it says."""
        await super().run()
        tools, latest = self._tools, self._profile.latest
        if latest is None or latest.samples:
            return
        try:
            async with tools.place():
                reply = await tools.fetcher.get(
                    tools.target.url.joinpath(self.path), query={"debug": "1"}, patience=tools.settings.timeout
                )
            rate = read_mutex_rate(reply.body)
        except (FetchError, DecodeError):
            rate = None
        tools.state.contention.mutex_rate(rate)
