"""F2: samples that the Go runtime itself counts as lost, or books under a catch-all name."""

from __future__ import annotations

from pprof_exporter.health.signal import Signal, main_value, ratio
from pprof_exporter.profile import Profile

# Leaf functions that stand for events which could not be recorded (runtime/cpuprof.go, runtime/pprof/proto.go).
LOST = frozenset({"runtime/pprof.lostProfileEvent", "runtime._LostExternalCode", "runtime._LostSIGPROFDuringAtomic64"})
# Leaf functions of samples whose stack could not be walked (runtime/proc.go sigprof).
OPAQUE = frozenset({"runtime._System", "runtime._GC", "runtime._ExternalCode"})


def losses(profile: Profile) -> list[Signal]:
    """Shares of lost and of opaque samples; None for a profile that is not of CPU time."""
    index = main_value(profile)
    if profile.sample_types[index].type != "cpu":
        return []
    total = lost = opaque = 0
    for sample in profile.samples:
        value = sample.values[index]
        total += value
        lines = sample.stack[0].lines if sample.stack else ()
        leaf = lines[0].function.name if lines else ""
        if leaf in LOST:
            lost += value
        elif leaf in OPAQUE:
            opaque += value
    return [
        Signal("lost_ratio", ratio(lost, total), "share of CPU samples that the runtime counted but could not record"),
        Signal("opaque_ratio", ratio(opaque, total), "share of CPU samples without a stack: runtime._System and alike"),
    ]
