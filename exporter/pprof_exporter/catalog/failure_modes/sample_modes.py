"""F1 to F4, F8 and F9: whether a profile says the truth."""

from __future__ import annotations

from pprof_exporter.catalog import content, quality, sampling
from pprof_exporter.catalog.failure_modes.failure_mode import FailureMode

FAILURE_MODES = (
    FailureMode(
        id="F1",
        title="CPU samples are missing",
        families=(
            sampling.CPU_COVERAGE,
            sampling.CPU_RATE,
            sampling.CPU_ACCOUNTED,
            sampling.CPU_UNDECIDED,
            sampling.CPU_USED,
            quality.CPU_BLOCKED,
            content.CPU_SAMPLES,
            content.CPU_SAMPLED,
            content.CPU_PROFILED,
            content.FUNCTION_CPU,
        ),
        meaning="""
            How much of the CPU time that a process really used its CPU profiles account for. Each sample stands for one
            period, usually 10 ms; when the sampling clock ticks less often, the profile shows less time and does not
            say so. Go 1.16 to 1.21 on Windows samples by a timer of 15.625 ms, which makes 64 Hz out of 100 Hz: 36 % of
            the CPU time is gone. The shape of a flame graph stays, its totals shrink.
            """,
        computed="""
            The CPU time of the process is read before and after the window: `process_cpu_seconds_total` of the target's
            own metrics page (`source="metrics"`), or, where there is none and the target listens on the exporter's
            machine, the operating system (`source="process"`).

            ```
            used      = CPU seconds between the two readings * window / seconds between them
            accounted = CPU time of all samples, less those whose leaf is a lost event (F2),
                        less, on Windows, those whose leaf is an entry to a system call
            coverage  = accounted / used
            rate      = coverage * 1e9 / period
            ```

            On Windows the profiler also samples threads that sit in a system call and use no CPU. They are counted in
            `pprof_cpu_blocked_samples_total` and taken off, or they would hide a loss: 4 goroutines that slept in a
            system call for 2 s made 696 samples there, and used 0.12 s. But the kernel may also work for a thread in a
            system call, and nothing tells such a sample from the others. So where `accounted` is below 90 % of `used`
            and those samples could be all that is missing, nothing is claimed: `used` goes to
            `pprof_cpu_undecided_seconds_total` alone.

            Coverage and rate are given if at least 100 samples were to be expected from `used`; the two counters add up
            all profiles, so that PromQL makes the ratio over any time. Nothing is said of a window in which the process
            restarted or the source changed.

            A page that gives no answer, or an error of 500 and above, is asked again at the next profile. After three
            silences in a row, or one answer that does not tell the CPU time, it is left alone for ten minutes, or until
            the target comes up again; meanwhile the operating system is asked.
            """,
        cannot_know="""
            Without a metrics page (`--scrape.metrics-path`, `metrics_page`), and on another machine, nobody tells the
            CPU time: then there are no such series, which is neither 0 nor healthy. On Windows the threads that are not
            Go's use CPU time and are never sampled, so that a program with much C code shows less. A thread on Windows
            that waits for a processor is sampled as if it ran, so that coverage above 1 is no fault there. Of a program
            on Windows that spends its time in system calls coverage says nothing; the sampling clock (F3) does. Which
            functions the missing samples belong to cannot be known.
            """,
        healthy="""
            Linux, five loads: 0.94 to 0.99. Windows builds under Wine, after blocked threads are taken off: 1.00 to
            1.08, 1.15 when more threads than processors are busy. The live tests accept 0.85 to 1.15 on Linux and 0.85
            to 1.8 on Windows for one busy thread on a loaded machine. Go's own test wants the magnitude right within 10
            %. A Windows build of which two goroutines did nothing but wake each other up used 0.5 s in each window of
            5 s; its samples stood for 0.04 s outside system calls and 0.8 s within them. A real Windows kernel was not
            measured; the 64 Hz are from Go's sources and the issue.
            """,
        issues=("golang/go#61665", "golang/go#35057", "golang/go#58336", "hashicorp/nomad#23323"),
    ),
    FailureMode(
        id="F2",
        title="The runtime loses samples, or cannot tell whose they are",
        families=(quality.CPU_LOST, quality.CPU_OPAQUE),
        meaning="""
            Go writes down what it could not record. *Lost* samples were taken, and there was no room for their stack.
            *Opaque* samples have no stack: they stand under a catch-all name, and nobody can say which code ran.
            """,
        computed="""
            Samples of CPU profiles by name, added up over profiles; each name has a series from 0 on, so that the first
            loss is an increase.

            - lost, by the leaf: `runtime/pprof.lostProfileEvent`, `runtime._LostExternalCode`,
              `runtime._LostSIGPROFDuringAtomic64`
            - opaque, by the leaf or the root: `runtime._System`, `runtime._GC`, `runtime._ExternalCode`

            Divide by `pprof_cpu_samples_total` for a share.
            """,
        cannot_know="""
            Only losses that the runtime itself noticed are here; a clock that ticks too seldom loses samples without
            any mark (F1). The names tell why a stack could not be walked, not which code it was.
            """,
        healthy="""
            Lost: 0 in every profile of the live tests, on both systems and in three versions of Go. The buffer for
            events has 1 MiB, about 1,900 samples of the greatest depth. Opaque: below 0.05 of the samples, more while a
            program collects garbage; on a broken port to Windows all of them were (golang/go 42862).
            """,
        issues=("golang/go#42862",),
    ),
    FailureMode(
        id="F3",
        title="The sampling clock is uneven",
        families=(
            sampling.TICK_INTERVAL,
            sampling.TICK_STATISTIC,
            sampling.TICK_RATE,
            sampling.TICK_LATE,
            sampling.TICK_GAPS,
            sampling.TICK_PROCESSORS,
            sampling.AUDITS,
            sampling.LAST_AUDIT,
        ),
        meaning="""
            Whether samples are taken at the times at which they should be. Antivirus software that holds threads, a
            coarse timer, power throttling or a suspended virtual machine make ticks late; what runs between two late
            ticks is missing from the profile.
            """,
        computed="""
            A CPU profile has no time per sample. An execution trace has, so a trace of one second is taken one second
            into a CPU profile of at least 3 s: when a target is first seen, after each change of it (F16, F17), and
            every so often if `--scrape.audit` names a time.

            - A tick begins with a sample more than 0.55 periods after the first sample of the tick before. Intervals
              run from tick to tick over all threads, since goroutines move between threads.
            - Intervals above 3 periods are gaps, in which the process may have been idle. They are counted, and stay
              out of mean, standard deviation, median, p99 and late ratio, but not out of the histogram.
            - `pprof_tick_late_ratio` is the share above 1.5 periods. `pprof_tick_rate_hertz` is one by the median of
              the intervals from 0.5 to 1.9 periods.
            - Figures need at least 20 intervals. On systems other than Windows, where each thread has a timer of its
              own, they are left out when more than 2.5 threads were busy at a time: then ticks cannot be told apart.

            `pprof_tick_audit_busy_processors` says how many processors the target kept busy meanwhile, if its CPU time
            is known. Below one, ticks without a sample are only natural.
            """,
        cannot_know="""
            Go before 1.22 writes another trace format, which is not read: those audits end as `unsupported`. An idle
            target has no ticks to measure. The second of the audit says nothing of the hours between two audits. Who
            made a tick late is not in the trace.
            """,
        healthy="""
            1 to 4 busy threads on two processors, Go 1.24 and 1.27, 1 to 2 s each, Windows builds under Wine: mean 9.3
            to 11.4 ms, standard deviation 1.7 to 3.5 ms, rate 84 to 123 Hz, up to 13 % later than 1.5 periods. A Linux
            kernel with 250 ticks a second makes intervals of 8 and 12 ms by turns, with a standard deviation of 2.0 ms:
            that is healthy.
            """,
        issues=("golang/go#44343", "golang/go#61042", "golang/go#61665", "golang/go#42502"),
    ),
    FailureMode(
        id="F4",
        title="Time stamps are wrong or out of order",
        families=(quality.CLOCK_SKEW, quality.CLOCK_REGRESSIONS, quality.WINDOW_ERROR, sampling.CLOCK_DRIFT),
        meaning="""
            Whether the clock in the profiles agrees with the exporter's, goes forward, and measures a window as long as
            it was. A skewed clock puts profiles beside the wrong logs and charts; a window that is too short was ended
            by the program or its server, one that is too long hints at a suspended machine.
            """,
        computed="""
            ```
            skew         = time_nanos - time of the request - offset
                           offset: until the connection stood, for a profile with a window;
                                   half of the latency, for a snapshot
            regression   = time_nanos lies more than 32 ms before that of the same profile fetched earlier
            window error = duration_nanos - seconds asked for
            drift        = seconds by which the trace clock, or the wall clock, ran ahead of the monotonic clock
                           in an audit (F3), per second; from the first snapshot of the clocks to the last
            ```

            32 ms are two steps of the Windows clock. Profiles without a time stamp are left out. Drift needs Go 1.25,
            which writes such snapshots into traces, and at least 0.1 s between the first and the last.
            """,
        cannot_know="""
            Whose clock is wrong: the skew is that of both hosts together. Single samples of a CPU profile have no time
            stamp, so that their order cannot be wrong, nor checked. Half of the latency is a guess; a very slow reply
            shows as some skew.
            """,
        healthy="""
            Skew on one host: 0.4 to 40 ms. Windows stamps in steps of up to 16 ms. Window error: up to 0.2 s with Go up
            to 1.25, which polls every 0.1 s, and within 0.03 s since 1.26 (measured: 1.144 s for 1 s, 2.137 s for 2 s,
            against 3.002 s for 3 s). The live tests accept a skew of 2 s and an error from -0.05 to 1 s, and no
            regression at all. One step of a clock is 15.6 ms at worst, so that over the second of an audit a drift
            below 0.0156 is none.
            """,
        issues=("golang/go#63043",),
    ),
    FailureMode(
        id="F8",
        title="Symbols are missing",
        families=(quality.UNSYMBOLIZED, quality.INLINED),
        meaning="""
            Whether a reader of the profile sees functions or only addresses. Go symbolises its own code within the
            process, so a share above 0 means code without Go's tables: C code, or modules of others. The share of
            locations with inlined calls tells whether the build still inlines: it falls to 0 when a program was built
            with `-gcflags=-l` or `-N`.
            """,
        computed="""
            ```
            unsymbolized = value of the samples with any location that has no function name / value of all samples
            inlined      = locations with more than one line / all locations
            ```

            The value is the one that tools show first: the default sample type, or the last. threadcreate is left out,
            since Go always writes it without symbols. Of fewer than 20 locations the inlined share is chance, and not
            given.
            """,
        cannot_know="""
            The inlined share depends on the program: only its own history (F20) makes it a signal. Symbols that are
            there and wrong look healthy. A mapping whose `has_functions` is not set is no sign of trouble: Go leaves
            that unset for modules in which nothing was looked up.
            """,
        healthy="""
            Unsymbolized: exactly 0 in every profile of pure Go programs, on both systems and in three versions; the
            live tests demand it. Inlined: 0 to 0.18 of the locations of recorded profiles, 0.085 at the median;
            goroutines of an idle program on Windows have none.
            """,
        issues=("golang/go#43296",),
    ),
    FailureMode(
        id="F9",
        title="Stacks are cut short",
        families=(quality.TRUNCATED,),
        meaning="""
            Share of the value in stacks as deep as the runtime records at all. Their outer callers are missing, so that
            flame graphs show them as roots of their own and cumulative values are too small.
            """,
        computed="""
            ```
            truncated = value of the samples with at least `limit` frames, inlined ones included / value of all samples
            ```

            Go writes no mark where it cuts. The limit is 64 frames for CPU profiles in every version, and for the
            others 128 since Go 1.23 and 32 before. Where the profile does not show the version, it is the first of 32
            and 128 that no stack exceeds. There is no series if a stack is deeper than every known limit, since then
            the program has set one of its own with `GODEBUG=profstackdepth`; nor if a profile of bytes stands for
            fewer than 20 periods, which is about as many sampled allocations: a heap of a few MiB is one to three of
            them. threadcreate is left out.
            """,
        cannot_know="""
            A stack of exactly the limit that is whole counts as cut. Whether a stack ends at its root cannot be seen:
            Go leaves out `runtime.goexit`, so that the last frame is whatever function the goroutine was started with.
            How many frames are missing is not recorded.
            """,
        healthy="""
            0 in nearly every profile of the live tests, which accept less than 0.1: in Go up to 1.22 the handler of a
            text page is 32 frames deep while it flushes its answer, and now and then one of its allocations is sampled.
            Stacks that are cut were measured at exactly 64 frames in CPU profiles and 128 in the others (Go 1.27). Deep
            recursion, and frameworks with long chains of middleware, reach 64.
            """,
        issues=("golang/go#69590",),
    ),
)
