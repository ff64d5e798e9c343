"""F5, F6, F10 to F12 and F18: how a target is doing, and how quickly it answers."""

from __future__ import annotations

from pprof_exporter.catalog import content, fetching, quality, runtime
from pprof_exporter.catalog.failure_modes.failure_mode import FailureMode

FAILURE_MODES = (
    FailureMode(
        id="F5",
        title="Profiles come slowly",
        families=(
            fetching.FETCH_DURATION,
            fetching.FETCH_PHASE,
            runtime.LATENCY_DIFFERENCE,
            fetching.RESPONSE_BYTES,
            fetching.PROFILE_SIZE,
            content.PROFILE_RECORDS,
        ),
        meaning="""
            How long each endpoint takes beyond what the profile was asked to run, in which phase, and what of it one
            cause explains. On Windows, Go 1.20 and later list every loaded module for each binary profile and ask the
            file system about it: there file filters such as antivirus software sit in the way of all profiles alike.
            """,
        computed="""
            Successful fetches only. The time runs from the request to the last byte, less the window. The phases are
            resolve, connect, tls, first_byte (less the window) and transfer; each fetch has a connection of its own.
            Differences are of the latest latencies:

            ```
            modules    = threadcreate - threadcreate?debug=1     the text form lists no modules
            heap       = heap - threadcreate                     walking the heap records
            goroutines = goroutine - threadcreate                collecting the goroutines
            ```
            """,
        cannot_know="""
            One difference is made of two single requests, so that a negative or a large one may be chance: look at
            several. Slowness of the network is in every phase. That antivirus software is the cause stays an inference;
            modules that come from elsewhere (F17) and the moment of the change (F16) support it.
            """,
        healthy="""
            A Windows build under Wine with 13 to 23 modules: threadcreate 10.6 ms, its text form 1.95 ms, cmdline 1.96
            ms, heap 8.0 ms, goroutine 9.5 ms. CPU profiles of Go up to 1.25 come up to 0.2 s after their window. The
            live tests call a mean above 0.2 s slow, and above 2 s for CPU profiles.
            """,
        issues=("golang/go#61560", "golang/go#26055", "golang/go#43427", "golang/go#74872", "golang/go#63043"),
    ),
    FailureMode(
        id="F6",
        title="The service stalls while it is profiled, or altogether",
        families=(runtime.CANARY_DURATION, runtime.CANARY_FAILURES, fetching.WEDGED),
        meaning="""
            Whether users feel that a profile is taken: the time of a request that costs nothing, while a CPU profile
            runs (`during="profile"`) and while none runs (`during="rest"`), side by side. `pprof_wedged` tells the
            worst case: connections are accepted, and nothing answers.
            """,
        computed="""
            The canary is `/debug/pprof/cmdline`, which takes no lock of the scheduler and does not stop the world. By
            default it is timed every 30 s, and once in the middle of each CPU profile; by what runs at that moment it
            counts for one or the other. A canary during which a profile began or ended counts for neither. One that is
            not answered within the deadline is a failure.

            `pprof_wedged{profile="index"}` is 1 when the index page was asked for, a connection stood, and no reply
            began within the deadline. `pprof_wedged{profile="goroutine"}` is the same for the goroutine profile while
            the index page answers: then the world cannot be stopped. Without a connection there is no series, since
            then nothing answers for another reason.
            """,
        cannot_know="""
            The canary shares the way with the network and with the exporter's own event loop
            (`pprof_exporter_loop_lag_seconds`). It does not pass through the handlers of the service, which may wait
            for locks that the canary never meets. Stalls between two canaries are not seen.
            """,
        healthy="""
            A request for cmdline: 1.96 ms from a Windows build under Wine. Since Go 1.19 a goroutine profile stops the
            world for fixed, short moments only; before, for as long as there are goroutines: 130 to 300 ms for 100,000
            of them. In the live tests a program that is frozen is wedged, and well again once it runs.
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
            How many goroutines there are, what they wait for, which function they began with, and which of these grow.
            Goroutine profiles are exact, not sampled. Go 1.27 (1.26 as an experiment) can prove a leak: its
            goroutineleak profile asks the garbage collector for goroutines that nothing can ever wake.
            """,
        computed="""
            - `pprof_goroutines` is the count of the index page, which costs the target nothing; all else is from
              profiles.
            - States follow from the innermost functions: `runtime.gopark` called by `runtime.chanrecv` waits for a
              channel, by `runtime.netpollblock` for the network, and so on.
            - `pprof_function_goroutine_growth` names functions that had more goroutines at each of the last 5 fetches
              than at the one before, and at least 10 more in all. A sawtooth falls in between.
            - `pprof_leaked_goroutines` is the sum of the goroutineleak profile, fetched every 10 minutes, since each
              fetch runs a garbage collection. The count of the index page is not used: it is stale (golang/go 80311).
            - Creators and the longest wait come from `goroutine?debug=2`, only where the profile `stacks` is enabled
              and never above 1,000 goroutines, since the world stands still until that text is written.
            """,
        cannot_know="""
            The function that a goroutine began with is not the one that created it; only `debug=2` names that. A
            goroutine that global variables refer to is no leak to the garbage collector, however long it waits. Running
            and ready to run look the same. How long somebody waits is only known in whole minutes, from the next
            collection on.
            """,
        healthy="""
            No level is healthy as such. The live tests want the count right to within 8 of the program's own, and the
            states of goroutines leaked on purpose as they were made. The goroutineleak profile found 2,000 of 2,000
            such goroutines in 4.4 ms.
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
            How much the collector takes: the share of CPU samples, the time for which it stops the world, and how many
            of its pauses fell into a CPU profile. A window with long pauses in it is not like one without.
            """,
        computed="""
            `runtime.MemStats` at the end of `heap?debug=1`, every 5 minutes, since that stops the world for a moment.
            Its ring holds the last 256 pauses; each is counted once, and those that went by unseen in
            `pprof_gc_unseen_cycles_total`. Pauses from before the exporter's first look do not count.

            A pause falls into a CPU profile if it ended between the time stamp of the profile and the end of the time
            that it covers, both by the clock of the target. CPU samples of the collector are those with one of its
            functions anywhere on the stack: marking, assists, sweeping, scavenging.
            """,
        cannot_know="""
            A pause is the sum of both stops of one collection. Assists slow single goroutines without a pause; they
            show only as samples. `pprof_gc_cpu_ratio` is a mean since the start of the program. With Green Tea (Go
            1.26) other functions mark, and shares move without a fault.
            """,
        healthy="""
            It depends on how much a program allocates, so no figure is given as healthy. Go plans a quarter of the
            processors for marking while a collection runs, and assists come on top; pauses are usually far below a
            millisecond.
            """,
    ),
    FailureMode(
        id="F12",
        title="Memory grows without end",
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
            What is live, who allocated it, and which functions hold more at every look. The profiler of the target
            keeps records of its own, which can become a memory leak by themselves: `pprof_profiler_memory_bytes`.
            """,
        computed="""
            `inuse_space` and `inuse_objects` of the heap profile, `alloc_space` and `alloc_objects` of allocs, which Go
            scales up from samples. By function: booked on the innermost function, the largest by name and all the rest
            as `other`.

            `pprof_function_heap_growth_bytes` names functions whose live heap rose at each of the last 5 profiles that
            differ, by at least 1 MiB in all. Profiles between two collections are the same, and say nothing. Memory of
            the profiler (`BuckHashSys`) and the largest resident size are from `heap?debug=1`.
            """,
        cannot_know="""
            The heap profile is that of the last completed collection. It is an estimate from one sample in 512 KiB, by
            default: small sums are rough. Memory of C code, of mapped files and of stacks is not in it. Why something
            is still referred to is not in any profile.
            """,
        healthy="""
            A program that holds 16 MiB shows them to within 35 % in the live tests. Growth depends on the program:
            caches fill within a day. A profiler that takes 2 GiB for itself was reported in golang/go 69590.
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
            An empty block or mutex profile may mean that nobody waits, or that the program never called
            `runtime.SetBlockProfileRate` or `runtime.SetMutexProfileFraction`. This tells the two apart. It is a hint:
            off is the default of Go.
            """,
        computed="""
            - Mutex: records prove that it is on. A profile without records is asked for again as `mutex?debug=1`, whose
              third line states the rate; 0 is off.
            - Block: Go states its rate nowhere. Records prove that it is on. It is said to be off after 10 profiles
              without a record, at each of which the latest goroutine profile showed goroutines that wait in a channel,
              a select, a lock, a wait group or a condition.
            - Unknown has no series.
            """,
        cannot_know="""
            The rate of the block profile. A block profile that is on records a wait when it ends, and with a high rate
            only some: goroutines that wait for ever leave no record, so "off" can be wrong for a program in which
            nobody ever stops waiting. What was recorded before profiling was switched off stays in the profile.
            """,
        healthy="""
            Both off is what Go does by default; in the live tests mutex is off at first, and both are on once the
            program has switched them on and its workers contend. On Windows, Go 1.22 and later, before 1.27.2, can
            deadlock while mutex profiling is on: see `pprof_known_bug_info`.
            """,
        issues=("golang/go#80982",),
    ),
)
