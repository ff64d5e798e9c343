"""F13 to F15 and F19: profiles that do not come, and what fetching them costs."""

from __future__ import annotations

from pprof_exporter.catalog import fetching
from pprof_exporter.catalog.failure_modes.failure_mode import FailureMode

FAILURE_MODES = (
    FailureMode(
        id="F13",
        title="An endpoint is missing, or answers with something else",
        families=(
            fetching.UP,
            fetching.DOWN,
            fetching.AVAILABLE,
            fetching.FETCH_FAILURES,
            fetching.DECODE_FAILURES,
            fetching.FETCHES,
            fetching.LAST_SUCCESS,
        ),
        meaning="""
            Whether net/http/pprof is there at all, which profiles it has, and why one did not come. Each failure has
            one [reason](reasons.md) of a closed set, with advice: a route that is not registered is `not_mounted`, a
            login page is `html`, and neither is taken for a broken profile.
            """,
        computed="""
            `pprof_up` is 1 when the index page was read or any profile came; `pprof_down_info` has the reason for which
            the latest round found no index page. Where a web server answers and the index page is missing, profiles
            that answer keep the target up for three intervals. `pprof_profile_available` is whether the index page
            lists a profile; one that it does not list is not asked for.

            A fetch failure is no complete 200 reply; a decode failure is a complete reply that is no profile. Header
            `X-Go-Pprof: 1`, which net/http/pprof sets on its errors only, tells its 404 `Unknown profile`
            (`unknown_profile`) from that of a router (`not_mounted`). A redirect is `not_mounted` too.
            """,
        cannot_know="""
            Why a route is not registered. Who answers in place of the service: a proxy that speaks for it looks like
            the service. A profile that is empty because it was never switched on is F18.
            """,
        healthy="""
            `pprof_up` 1, no failures: so it is for every healthy program of the live tests. goroutineleak is not
            available before Go 1.27, and with routers that mount a fixed list of profiles (gin-contrib/pprof 71).
            """,
        issues=("gin-contrib/pprof#71",),
    ),
    FailureMode(
        id="F14",
        title="Two profilers fight for one process",
        families=(fetching.FETCHES,),
        meaning="""
            Go takes one CPU profile of a process at a time. Who comes second is refused, so that with two continuous
            profilers each has holes. `pprof_fetches_total{outcome="busy"}` counts how often the exporter came second.
            """,
        computed="""
            HTTP 500 with `X-Go-Pprof: 1` and a text that says `already in use`, `already enabled` or `already tracing`,
            as net/http/pprof writes it. It is an outcome of its own and no failure. The next try comes after twice the
            interval, four times and so on, with jitter, up to ten minutes by default. The exporter never asks for two
            CPU profiles of one target at once.
            """,
        cannot_know="""
            Who the other profiler is. How often the other one is refused because of the exporter: only its own log
            tells. A short profile of somebody else that falls between two of the exporter's is never noticed.
            """,
        healthy="""
            0. A person with `go tool pprof` now and then is welcome: 30 s of theirs cost the exporter a profile or two.
            """,
    ),
    FailureMode(
        id="F15",
        title="A server timeout cuts profiles",
        families=(fetching.FETCH_FAILURES, fetching.DECODE_FAILURES),
        meaning="""
            The server's `WriteTimeout` is shorter than a profile takes. Reason `write_timeout`: the server refused the
            window. Reason `truncated`: the reply was cut in its middle.
            """,
        computed="""
            - Up to Go 1.22, a window of `WriteTimeout` or more is refused with 400 and `profile duration exceeds
              server's WriteTimeout`: `pprof_fetch_failures_total{reason="write_timeout"}`.
            - Since Go 1.23 the handlers with a window extend the deadline, and do not fail.
            - A connection that is closed within the body is a fetch failure `truncated`; a complete body whose gzip
              stream has no end is a decode failure `truncated`.
            """,
        cannot_know="""
            The value of `WriteTimeout`: it is only known that the window was too long for it. Whether the server, a
            proxy between, or a crash of the process cut a reply.
            """,
        healthy="""
            0. The default window of 5 s passes under any `WriteTimeout` of more than that.
            """,
        issues=("golang/go#62358",),
    ),
    FailureMode(
        id="F19",
        title="Profiling itself costs too much",
        families=(
            fetching.PROFILING,
            fetching.DEFERRED,
            fetching.OVERDUE,
            fetching.SKIPPED,
        ),
        meaning="""
            What the exporter asks of a target, and what it puts off or leaves out to be gentle:
            `rate(pprof_profiling_seconds_total[1h])` is the share of its time for which a target is profiled.
            """,
        computed="""
            Profiling seconds are those in which at least one fetch that costs the target something was under way: CPU
            profiles, heap, allocs, block, mutex, goroutineleak, memory statistics and printed stacks. Such a fetch is
            put off (`pprof_fetches_deferred_total`), for 5 minutes at the most, when

            - `budget`: profiling took more than 15 % of the time; up to 5 minutes' worth is saved,
            - `slow`: the latest canary, of the last 90 s, was not answered or took more than 4 times the median of the
              last 20 and more than 0.25 s (while fewer than 5 are known: more than 1 s),
            - `cpu`: the target used more than 80 % of its processors within the latest CPU profile. CPU profiles are
              taken all the same, since they show with what.

            `pprof_fetches_overdue_total` counts those that were made because they had waited long enough.
            `pprof_fetches_skipped_total` counts those that were not made: an earlier one still ran, failures came
            before, the target is down, or (`guard`) there are more than 10,000 goroutines on Go before 1.19 or unknown,
            more than 100,000 heap records for heap and allocs, more than 1,000 goroutines for printed stacks.
            """,
        cannot_know="""
            The CPU time that profiling costs the target is not measured in operation; `make bench` measures it on a
            program of its own. Other profilers do not count towards the budget.
            """,
        healthy="""
            With default settings the windows alone are 5 s of every 60: 0.083; every other profile adds the few
            milliseconds of its latency. In a live test with a budget of 0.02, which saves 6 s, the exporter had spent 6
            to 12 s when it first put a profile off.
            """,
        issues=("golang/go#33250", "golang/go#50794", "golang/go#74872", "cockroachdb/cockroach#14602"),
    ),
)
