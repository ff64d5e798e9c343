"""F1 to F4, F8 and F9: the accuracy of profiles."""

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
            The share of the process's CPU time that its CPU profiles account for. If the sampling clock ticks less
            often than once a period (usually 10 ms), the totals of the flame graph shrink, and its shape stays. Go 1.16
            to 1.21 on Windows ticks at 64 Hz instead of 100 Hz: 36 % is missing.
            """,
        computed="""
            CPU time is read before and after the window: from `process_cpu_seconds_total` of the metrics page
            (`source="metrics"`), else from the operating system if the target listens on the exporter's machine
            (`source="process"`).

            ```
            used      = CPU seconds between the two readings * window / seconds between them
            accounted = CPU time of all samples, except lost events (F2)
                        and, on Windows, samples whose leaf is a system call
            coverage  = accounted / used
            rate      = coverage * 1e9 / period
            ```

            On Windows the profiler also samples threads in a system call that use no CPU, which would hide a loss: 4
            goroutines asleep in a system call for 2 s made 696 samples and used 0.12 s. Samples of system calls that
            use CPU look the same. If `accounted` is below 90 % of `used` and these samples could be all that is
            missing, `used` goes only to `pprof_cpu_undecided_seconds_total`.

            Coverage and rate need at least 100 expected samples. A window with a restart or a change of source does not
            count.

            A metrics page without an answer, or with status 500 and above, is retried at the next profile. After three
            such failures in a row, or one answer without the CPU time, the operating system is the source for ten
            minutes or until the target comes up again.
            """,
        cannot_know="""
            Without a source there are no series: neither 0 nor healthy. On Windows, threads outside Go use CPU time and
            are never sampled: programs with much C code show less. A Windows thread that waits for a processor is
            sampled: coverage above 1 is no fault. For Windows programs that spend their time in system calls, use F3.
            The functions of missing samples are unknown.
            """,
        healthy="""
            Linux, five loads: 0.94 to 0.99. Windows builds under Wine: 1.00 to 1.08; 1.15 with more busy threads than
            processors. Live tests accept 0.85 to 1.15 on Linux, 0.85 to 1.8 on Windows (one busy thread, loaded
            machine); Go's own test accepts 10 %. A Windows build whose two goroutines only woke each other used 0.5 s
            per 5 s window; its samples stood for 0.04 s outside system calls and 0.8 s within. A real Windows kernel
            was not measured; the 64 Hz are from Go's sources and the issue.
            """,
        issues=("golang/go#61665", "golang/go#35057", "golang/go#58336", "hashicorp/nomad#23323"),
    ),
    FailureMode(
        id="F2",
        title="CPU samples are lost or have no stack",
        families=(quality.CPU_LOST, quality.CPU_OPAQUE),
        meaning="""
            *Lost* samples were taken, but there was no room for their stack. *Opaque* samples have a catch-all name
            instead of a stack.
            """,
        computed="""
            CPU samples by name; each name has a series from 0 on, so the first loss is an increase.

            - lost, by the leaf: `runtime/pprof.lostProfileEvent`, `runtime._LostExternalCode`,
              `runtime._LostSIGPROFDuringAtomic64`
            - opaque, by the leaf or the root: `runtime._System`, `runtime._GC`, `runtime._ExternalCode`
            """,
        cannot_know="""
            Losses that the runtime did not notice (F1). Which code ran: the names only say why there is no stack.
            """,
        healthy="""
            Lost: 0 in every profile of the live tests, on both systems and in three versions of Go; the buffer of 1 MiB
            holds about 1,900 of the deepest samples. Opaque: below 0.05, more during garbage collection; 1 on a broken
            port to Windows (golang/go 42862).
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
            Whether samples are taken on time. Antivirus software, coarse timers, power throttling and suspended
            machines delay ticks; code between two late ticks is missing from the profile.
            """,
        computed="""
            A trace of one second is taken one second into a CPU profile of at least 3 s: when a target is new or has
            changed (F16, F17), and periodically if `--scrape.audit` is a duration.

            - A tick begins with a sample more than 0.55 periods after the first sample of the previous tick, on any
              thread: goroutines move between threads.
            - Intervals above 3 periods are gaps: the process may have been idle. They are counted and in the histogram,
              but in no other figure.
            - Late is above 1.5 periods. The rate is 1 / median of the intervals from 0.5 to 1.9 periods.
            - Figures need at least 20 intervals and, except on Windows, at most 2.5 busy threads: each thread has its
              own timer, and more ticks cannot be separated.
            """,
        cannot_know="""
            Traces of Go before 1.22 are not read. An idle target has no ticks. One second says nothing about the hours
            between audits. The cause of a late tick is not in the trace.
            """,
        healthy="""
            1 to 4 busy threads on two processors, Go 1.24 and 1.27, 1 to 2 s each, Windows builds under Wine: mean 9.3
            to 11.4 ms, standard deviation 1.7 to 3.5 ms, 84 to 123 Hz, up to 13 % late. A Linux kernel with 250 ticks a
            second alternates between 8 and 12 ms (standard deviation 2.0 ms): healthy.
            """,
        issues=("golang/go#44343", "golang/go#61042", "golang/go#61665", "golang/go#42502"),
    ),
    FailureMode(
        id="F4",
        title="Time stamps are wrong or out of order",
        families=(quality.CLOCK_SKEW, quality.CLOCK_REGRESSIONS, quality.WINDOW_ERROR, sampling.CLOCK_DRIFT),
        meaning="""
            Whether the target's clock agrees with the exporter's, goes forward, and measures the whole window.
            """,
        computed="""
            ```
            skew         = time_nanos - time of the request - offset
                           offset: until the connection stood (with a window), half of the latency (snapshot)
            regression   = time_nanos more than 32 ms before that of the previous profile of the kind
            window error = duration_nanos - seconds asked for
            drift        = lead of a clock over the monotonic clock in an audit (F3) / seconds
            ```

            32 ms are two steps of the Windows clock. Profiles without a time stamp are left out. Drift runs from the
            first to the last clock snapshot of a Go 1.25 trace, at least 0.1 s apart.
            """,
        cannot_know="""
            Which host's clock is wrong. The order of CPU samples: they have no time stamps. Half of the latency is a
            guess: a very slow reply shows as skew.
            """,
        healthy="""
            Skew on one host: 0.4 to 40 ms; Windows stamps in steps of up to 16 ms. Window error: up to 0.2 s up to Go
            1.25, which polls every 0.1 s; 0.03 s since 1.26 (measured: 1.144 s for 1 s, 2.137 s for 2 s; 3.002 s for 3
            s). Live tests accept 2 s of skew, an error from -0.05 to 1 s, no regression. Drift below 0.0156 is none: a
            clock step of up to 15.6 ms in the second of an audit.
            """,
        issues=("golang/go#63043",),
    ),
    FailureMode(
        id="F8",
        title="Symbols are missing",
        families=(quality.UNSYMBOLIZED, quality.INLINED),
        meaning="""
            Unsymbolized is the share of addresses without a function. Go names its own code: above 0 there is C code or
            a module of others. Inlined is 0 in a build with `-gcflags=-l` or `-N`.
            """,
        computed="""
            ```
            unsymbolized = value of samples with any location without a function name / value of all samples
            inlined      = locations with more than one line / all locations
            ```

            The value is the default sample type, or the last, as in tools. threadcreate, always without symbols, is
            left out. Below 20 locations inlined is chance, and left out.
            """,
        cannot_know="""
            Inlined depends on the program: compare it with its history (F20). Wrong symbols look healthy. Go leaves
            `has_functions` unset for modules in which nothing was looked up: no fault.
            """,
        healthy="""
            Unsymbolized: exactly 0 for pure Go, on both systems and in three versions; live tests demand it. Inlined: 0
            to 0.18 of the locations of recorded profiles, median 0.085; 0 for goroutines of an idle Windows program.
            """,
        issues=("golang/go#43296",),
    ),
    FailureMode(
        id="F9",
        title="Stacks are cut short",
        families=(quality.TRUNCATED,),
        meaning="""
            The share of the value in stacks as deep as the runtime records. Flame graphs show them as separate roots,
            and cumulative values are too small.
            """,
        computed="""
            ```
            truncated = value of the samples with at least `limit` frames, inlined ones included / value of all samples
            ```

            The limit is 64 frames for CPU profiles; for others 128 since Go 1.23, 32 before and, if the version is
            unknown, the first of 32 and 128 that no stack exceeds. There is no series for threadcreate, and if

            - a stack is deeper than every known limit: the program has set `GODEBUG=profstackdepth`,
            - a profile of bytes stands for fewer than 20 periods, about as many sampled allocations (a heap of a few
              MiB: one to three).
            """,
        cannot_know="""
            A whole stack of exactly the limit counts as cut. Go leaves out `runtime.goexit`: the last frame is the
            function that the goroutine was started with, in whole and cut stacks alike. The number of missing frames is
            not recorded.
            """,
        healthy="""
            0 in nearly every profile; live tests accept less than 0.1. Up to Go 1.22 the handler of a text page is 32
            frames deep while it flushes, and one of its allocations is sometimes sampled. Cut stacks were measured at
            exactly 64 frames in CPU profiles, 128 in others (Go 1.27). Deep recursion and long chains of middleware
            reach 64.
            """,
        issues=("golang/go#69590",),
    ),
)
