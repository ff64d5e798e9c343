"""F13 to F15 and F19: failing fetches, and the cost of profiling."""

from __future__ import annotations

from pprof_exporter.catalog import fetching
from pprof_exporter.catalog.failure_modes.failure_mode import FailureMode

FAILURE_MODES = (
    FailureMode(
        id="F13",
        title="A pprof endpoint is missing or returns something else",
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
            Whether net/http/pprof is there, which profiles it has, and the [reason](reasons.md) of each failure.
            """,
        computed="""
            `pprof_up` is 1 if the index page was read or any profile came. If a web server answers without an index
            page, profiles keep the target up for three intervals. Profiles that the index page does not list are not
            fetched.

            A fetch failure is an incomplete or non-200 reply; a decode failure is a complete reply that is no profile.
            net/http/pprof sets the header `X-Go-Pprof: 1` on its errors only: this separates its 404
            (`unknown_profile`) from a router's (`not_mounted`). A redirect is `not_mounted` too.
            """,
        cannot_know="""
            Why a route is not registered. Whether a proxy answers for the service. An empty profile may be off: F18.
            """,
        healthy="""
            `pprof_up` 1 and no failures: every healthy program of the live tests. goroutineleak is missing before Go
            1.27, and with routers that mount a fixed list of profiles (gin-contrib/pprof 71).
            """,
        issues=("gin-contrib/pprof#71",),
    ),
    FailureMode(
        id="F14",
        title="Two profilers compete for one process",
        families=(fetching.FETCHES,),
        meaning="""
            Go takes one CPU profile at a time and refuses a second: two continuous profilers both have holes.
            """,
        computed="""
            HTTP 500 with `X-Go-Pprof: 1` and `already in use`, `already enabled` or `already tracing` in the text. It
            is the outcome `busy`, and no failure. The next try comes after twice the interval, then four times and so
            on, with jitter, by default up to ten minutes. The exporter never fetches two CPU profiles of one target at
            once.
            """,
        cannot_know="""
            Which profiler is the other, and how often it is refused: see its log. Its short profiles between two of the
            exporter's are not noticed.
            """,
        healthy="""
            0. The 30 s of an occasional `go tool pprof` cost the exporter a profile or two.
            """,
    ),
    FailureMode(
        id="F15",
        title="A server timeout cuts profiles",
        families=(fetching.FETCH_FAILURES, fetching.DECODE_FAILURES),
        meaning="""
            The server's `WriteTimeout` is shorter than a profile takes. `write_timeout`: the server refused the window.
            `truncated`: the reply was cut.
            """,
        computed="""
            - Up to Go 1.22, a window of `WriteTimeout` or more is refused with 400 and `profile duration exceeds
              server's WriteTimeout`. Since Go 1.23 handlers with a window extend the deadline.
            - A connection closed within the body is a fetch failure `truncated`; a complete body with an unfinished
              gzip stream is a decode failure `truncated`.
            """,
        cannot_know="""
            The value of `WriteTimeout`. Whether the server, a proxy or a crash cut a reply.
            """,
        healthy="""
            0. The default window of 5 s passes under any greater `WriteTimeout`.
            """,
        issues=("golang/go#62358",),
    ),
    FailureMode(
        id="F19",
        title="Profiling costs too much",
        families=(fetching.PROFILING, fetching.DEFERRED, fetching.OVERDUE, fetching.SKIPPED),
        meaning="""
            The load of the exporter on a target, and what it defers or skips to limit it.
            `rate(pprof_profiling_seconds_total[1h])` is the share of time in which a target is profiled.
            """,
        computed="""
            CPU profiles, heap, allocs, block, mutex, goroutineleak, memory statistics and printed stacks count as
            profiling. They are deferred, for at most 5 minutes, for

            - `budget`: profiling took more than 15 % of the time; up to 5 minutes' worth is saved,
            - `slow`: the latest canary, of the last 90 s, failed, or took more than 4 times the median of the last 20
              and more than 0.25 s (with fewer than 5 known: more than 1 s),
            - `cpu`: the target used more than 80 % of its processors in the latest CPU profile. CPU profiles still run:
              they show the cause.

            The guard skips goroutines above 10,000 on Go before 1.19 or unknown, heap and allocs above 100,000 heap
            records, printed stacks above 1,000 goroutines.
            """,
        cannot_know="""
            The CPU time that profiling costs; `make bench` measures it on its own program. Other profilers do not count
            towards the budget.
            """,
        healthy="""
            By default the windows are 5 s of every 60: 0.083. Every other profile adds a few milliseconds. In a live
            test with a budget of 0.02, which saves 6 s, the exporter had spent 6 to 12 s at the first deferral.
            """,
        issues=("golang/go#33250", "golang/go#50794", "golang/go#74872", "cockroachdb/cockroach#14602"),
    ),
)
