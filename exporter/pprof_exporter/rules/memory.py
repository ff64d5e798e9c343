"""F11: the cost of garbage collection, and of the profilers of the runtime themselves."""

from __future__ import annotations

from pprof_exporter.rules.model import Alert, RecordingRule, RuleGroup, Severity

GROUP = RuleGroup(
    "pprof-memory",
    (
        RecordingRule(
            "target:pprof_cpu_gc_samples:ratio_increase30m",
            """
            increase(pprof_cpu_gc_samples_total[30m])
              / (increase(pprof_cpu_samples_total[30m]) >= <cpu_enough_samples>)
            """,
        ),
        Alert(
            "PprofGcPressure",
            "F11",
            Severity.WARNING,
            """
            target:pprof_cpu_gc_samples:ratio_increase30m > <gc_samples>
              and on (job, instance, target)
                increase(pprof_cpu_sampled_seconds_total[30m])
                  > <gc_busy> * increase(pprof_cpu_profiled_seconds_total[30m])
            """,
            "15m",
            "{{ $labels.target }} spends much of its CPU time on garbage collection",
            """
            {{ $value | humanizePercentage }} of the CPU samples of {{ $labels.target }} in the last half hour are
            garbage collection. To see what allocates, run go tool pprof -sample_index=alloc_space on its allocs
            profile.
            """,
            keep_firing_for="30m",
        ),
        Alert(
            "PprofProfilerMemoryHigh",
            "F11",
            Severity.WARNING,
            "pprof_profiler_memory_bytes > <profiler_memory>",
            "30m",
            "The profilers inside {{ $labels.target }} use much memory",
            """
            The heap, block and mutex profilers of {{ $labels.target }} hold {{ $value | humanize1024 }}B of records,
            one for each stack. Since Go 1.23 a record has up to 128 frames (golang/go 69590). Restart the service with
            GODEBUG=profstackdepth=32 to limit them to 32 frames, as in Go 1.22.
            """,
            keep_firing_for="30m",
        ),
    ),
)
