"""F5, F6, F10 to F12 and F18: the state of the target itself, and its latency."""

from __future__ import annotations

from pprof_exporter.catalog import content, fetching, quality, runtime
from pprof_exporter.catalog.failure_modes.failure_mode import FailureMode

FAILURE_MODES = (
    FailureMode(
        id="F5",
        title="Profiles are slow",
        families=(
            fetching.FETCH_DURATION,
            fetching.FETCH_PHASE,
            runtime.LATENCY_DIFFERENCE,
            fetching.RESPONSE_BYTES,
            fetching.PROFILE_SIZE,
            content.PROFILE_RECORDS,
        ),
        meaning="""
            The latency of each endpoint, by phase and by cause.
            """,
        computed="""
            Successful fetches only, each with its own connection. Differences are of the latest latencies:

            ```
            modules    = threadcreate - threadcreate?debug=1     the text form lists no modules
            heap       = heap - threadcreate                     walking the heap records
            goroutines = goroutine - threadcreate                collecting the goroutines
            ```
            """,
        cannot_know="""
            A difference of two single requests may be chance: compare several. Every phase contains network latency.
            Antivirus software is an inference, which foreign modules (F17) and the time of the change (F16) support.
            """,
        healthy="""
            A Windows build under Wine with 13 to 23 modules: threadcreate 10.6 ms, its text form 1.95 ms, cmdline 1.96
            ms, heap 8.0 ms, goroutine 9.5 ms. CPU profiles up to Go 1.25 come up to 0.2 s late. Live tests call a mean
            above 0.2 s slow, 2 s for CPU profiles.
            """,
        issues=("golang/go#61560", "golang/go#26055", "golang/go#43427", "golang/go#74872", "golang/go#63043"),
    ),
    FailureMode(
        id="F6",
        title="The service stalls",
        families=(runtime.CANARY_DURATION, runtime.CANARY_FAILURES, fetching.WEDGED),
        meaning="""
            Whether users notice CPU profiles: the latency of a cheap request during them and at rest. The worst case is
            a target that accepts connections and never answers.
            """,
        computed="""
            The canary is `/debug/pprof/cmdline`, which takes no scheduler lock and does not stop the world. It runs
            every 30 s by default, and in the middle of each CPU profile. If a profile began or ended meanwhile, it does
            not count. It fails at the deadline.

            `pprof_wedged{profile="index"}` is 1 if a connection stood and the index page sent nothing before the
            deadline; `{profile="goroutine"}` if the goroutine profile did so while the index page answers.
            """,
        cannot_know="""
            The canary includes the network and the exporter's event loop (`pprof_exporter_loop_lag_seconds`). It does
            not wait for handlers and locks of the service. Stalls between two canaries are not seen.
            """,
        healthy="""
            cmdline: 1.96 ms from a Windows build under Wine. A goroutine profile stops the world for short, fixed
            moments since Go 1.19; before, for 130 to 300 ms with 100,000 goroutines. In the live tests a frozen program
            is wedged until it runs again.
            """,
        issues=(
            "golang/go#80982",
            "golang/go#80665",
            "golang/go#36492",
            "golang/go#42528",
            "golang/go#52178",
            "golang/go#58646",
            "golang/go#75583",
            "golang/go#33250",
        ),
    ),
    FailureMode(
        id="F10",
        title="Goroutines pile up",
        families=(
            content.GOROUTINES,
            content.PROFILED_GOROUTINES,
            quality.GOROUTINE_STATES,
            content.GOROUTINE_GROWTH,
            content.FUNCTION_GOROUTINES,
            content.LEAKED_GOROUTINES,
            content.CREATORS,
            content.LONGEST_WAIT,
            content.THREADS_CREATED,
        ),
        meaning="""
            The number of goroutines, what they wait for, which functions started them, and which of these grow.
            """,
        computed="""
            - `pprof_goroutines` is from the index page, which costs the target nothing; all else is from profiles.
            - States follow from the innermost functions: `runtime.gopark` called by `runtime.chanrecv` waits for a
              channel, by `runtime.netpollblock` for the network, and so on.
            - Growth: functions with more goroutines at each of the last 5 fetches than at the previous one, and at
              least 10 more in all. A sawtooth falls in between.
            - Leaks: the goroutineleak profile, every 10 minutes, since a fetch runs a garbage collection. The count of
              the index page is stale (golang/go 80311).
            - Creators and longest waits: `goroutine?debug=2`, never above 1,000 goroutines: the world stands still
              while it is written.
            """,
        cannot_know="""
            The creator of a goroutine, without `debug=2`. Goroutines reachable from global variables are no leak to the
            garbage collector. Running and ready to run look the same. Waits have whole minutes, from the next
            collection on.
            """,
        healthy="""
            No level as such. Live tests want the count within 8 of the program's own, and the right states of
            goroutines leaked on purpose. The goroutineleak profile found 2,000 of 2,000 in 4.4 ms.
            """,
        issues=("golang/go#80311", "golang/go#58646", "cockroachdb/cockroach#14602"),
    ),
    FailureMode(
        id="F11",
        title="Garbage collection disturbs profiles",
        families=(
            runtime.GC_PAUSE,
            runtime.GC_IN_WINDOW,
            quality.CPU_GC,
            runtime.GC_CPU,
            runtime.GC_CYCLES,
            runtime.GC_FORCED,
            runtime.GC_UNSEEN,
            runtime.NEXT_GC,
        ),
        meaning="""
            The collector's share of CPU samples, its pauses, and those within a CPU profile. A window with long pauses
            cannot be compared with one without.
            """,
        computed="""
            `runtime.MemStats` of `heap?debug=1`, every 5 minutes, since it stops the world for a moment.

            A pause falls into a CPU profile if it ended between its time stamp and the end of its duration, both by the
            target's clock. CPU samples of the collector have one of its functions anywhere on the stack: marking,
            assists, sweeping, scavenging.
            """,
        cannot_know="""
            A pause is the sum of both stops of a collection. Assists slow goroutines without a pause; only samples show
            them. With Green Tea (Go 1.26) other functions mark, and shares move without a fault.
            """,
        healthy="""
            It depends on allocation; there is no healthy figure. Go plans a quarter of the processors for marking, and
            assists come on top. Pauses are usually far below a millisecond.
            """,
    ),
    FailureMode(
        id="F12",
        title="Memory grows without bound",
        families=(
            content.HEAP_INUSE_BYTES,
            content.HEAP_INUSE_OBJECTS,
            content.HEAP_GROWTH,
            content.FUNCTION_HEAP,
            content.ALLOCATED_BYTES,
            content.ALLOCATED_OBJECTS,
            content.FUNCTION_ALLOCATED,
            runtime.MAX_RSS,
            runtime.PROFILER_MEMORY,
        ),
        meaning="""
            The live heap, the functions that allocated it, those that hold more in every profile, and the records of
            the target's own profiler, which can leak too.
            """,
        computed="""
            Go scales `inuse_*` of heap and `alloc_*` of allocs up from samples. Values belong to the innermost
            function.

            Growth: functions whose live heap rose in each of the last 5 profiles that differ, by at least 1 MiB in all.
            Profiles between two collections are equal. The profiler's memory (`BuckHashSys`) and the largest resident
            size are from `heap?debug=1`.
            """,
        cannot_know="""
            The heap profile is that of the last completed collection, by default from one sample in 512 KiB: small sums
            are rough. It has no memory of C code, mapped files and stacks. No profile shows what refers to an object.
            """,
        healthy="""
            Live tests: 16 MiB held are shown within 35 %. Caches fill within a day. A profiler that took 2 GiB was
            reported in golang/go 69590.
            """,
        issues=("golang/go#69590", "golang/go#42347", "golang/go#74872"),
    ),
    FailureMode(
        id="F18",
        title="Block or mutex profiling is off",
        families=(
            runtime.CONTENTION_PROFILING,
            content.CONTENTION_SECONDS,
            content.CONTENTIONS,
            content.FUNCTION_CONTENTION,
            content.SAMPLES,
        ),
        meaning="""
            Whether an empty block or mutex profile means no waiting, or that profiling is off. A hint: off is the
            default of Go.
            """,
        computed="""
            - Mutex: on with any record; else by the rate in the third line of `mutex?debug=1` (0 is off).
            - Block: on with any record; Go states no rate. Off after 10 profiles without a record, at each of which the
              latest goroutine profile had goroutines that wait in a channel, a select, a lock, a wait group or a
              condition.
            """,
        cannot_know="""
            The rate of the block profile. It records a wait when it ends, with a high rate only some: "off" can be
            wrong if goroutines wait for ever. Records from before profiling was switched off stay.
            """,
        healthy="""
            In the live tests mutex is off at first; both are on once the program has switched them on and its workers
            contend. Go 1.22 and later on Windows, before 1.27.2, can deadlock while mutex profiling is on: see
            `pprof_known_bug_info`.
            """,
        issues=("golang/go#80982",),
    ),
)
