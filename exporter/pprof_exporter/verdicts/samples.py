"""F1 to F4, F8 and F9: whether profiles are correct."""

from __future__ import annotations

from collections.abc import Mapping

from pprof_exporter.catalog import Family, content, quality, sampling
from pprof_exporter.profile import System
from pprof_exporter.verdicts.phrases import joined, percent, seconds
from pprof_exporter.verdicts.snapshot import ProfileSnapshot, TargetSnapshot
from pprof_exporter.verdicts.verdict import (
    CheckOutcome,
    Finding,
    Level,
    Note,
    VerdictLimits,
    healthy,
    noted,
    unknown,
    wrong,
)

_NO_CPU_PROFILE = unknown("No CPU profile has been read yet.")
_GIVE_CPU_TIME = "Serve process_cpu_seconds_total on its metrics page."


def missing_samples(snapshot: TargetSnapshot, limit: VerdictLimits) -> CheckOutcome:
    """F1: CPU samples are missing."""
    cpu = snapshot.profiles.get("cpu")
    if cpu is None:
        return _NO_CPU_PROFILE
    return wrong((_coverage(snapshot, cpu, limit),), _coverage_otherwise(cpu))


def _coverage(snapshot: TargetSnapshot, cpu: ProfileSnapshot, limit: VerdictLimits) -> Finding | None:
    used, coverage = cpu.reading(sampling.CPU_USED), cpu.reading(sampling.CPU_COVERAGE)
    rate = cpu.reading(sampling.CPU_RATE)
    if used is None or coverage is None:
        return None
    if not cpu.samples:
        said = f"The process used {seconds(used)} of CPU time during the latest CPU profile, which has no samples."
        return Finding(Level.CRITICAL, said, "PprofCpuNoSamples")
    on_windows = snapshot.system is System.WINDOWS
    if on_windows and rate is not None and limit["cpu_timer_lowest"] <= rate <= limit["cpu_timer_highest"]:
        said = f"The CPU profiler samples at {rate:.0f} Hz instead of 100 Hz: the timer of Go 1.16 to 1.21 on Windows."
        return Finding(Level.WARNING, said, "PprofCpuTimer64Hz")
    if coverage < limit["cpu_coverage_low"]:
        level = Level.CRITICAL if coverage < limit["cpu_coverage_very_low"] else Level.WARNING
        said = f"Samples account for {percent(coverage)} of the {seconds(used)} of CPU time that the process used."
        return Finding(level, said, "PprofCpuCoverageLow")
    return None


def _coverage_otherwise(cpu: ProfileSnapshot) -> CheckOutcome:
    coverage, used = cpu.reading(sampling.CPU_COVERAGE), cpu.reading(sampling.CPU_USED)
    if coverage is not None:
        return healthy(f"Samples account for {percent(coverage)} of the CPU time that the process used.")
    if cpu.reading(sampling.CPU_UNDECIDED) is not None:
        return unknown(
            "Most samples are in system calls, where Windows does not tell work from waiting. F3 can still be judged."
        )
    if used is not None:
        return unknown(
            f"The process used {seconds(used)} of CPU time in the profile: too little to judge. Repeat it under load."
        )
    return unknown(f"The CPU time of the process is unknown. {_GIVE_CPU_TIME}")


def lost_samples(snapshot: TargetSnapshot, limit: VerdictLimits) -> CheckOutcome:
    """F2: samples are lost or opaque."""
    cpu = snapshot.profiles.get("cpu")
    if cpu is None:
        return _NO_CPU_PROFILE
    taken = cpu.sums.get(content.CPU_SAMPLES, 0)
    if taken < limit["cpu_enough_samples"]:
        return unknown(f"The latest CPU profile has {taken:.0f} samples: too few to judge. Repeat it under load.")
    losses = (cpu.reading(quality.CPU_LOST) or 0) / taken
    opaque = (cpu.reading(quality.CPU_OPAQUE) or 0) / taken
    findings = (
        Finding(Level.WARNING, f"The Go runtime counts {percent(losses)} of the samples as lost.", "PprofSamplesLost")
        if losses > limit["samples_lost"]
        else None,
        Finding(
            Level.CRITICAL if opaque > limit["samples_opaque_severe"] else Level.WARNING,
            f"{percent(opaque)} of the samples have no stack and are under a catch-all name.",
            "PprofSamplesOpaque",
        )
        if opaque > limit["samples_opaque"]
        else None,
    )
    return wrong(
        findings, healthy(f"Of {taken:.0f} samples {percent(losses)} are lost and {percent(opaque)} have no stack.")
    )


def uneven_sampling(snapshot: TargetSnapshot, limit: VerdictLimits) -> CheckOutcome:
    """F3: samples are taken at uneven intervals."""
    audit, processors = snapshot.audit, snapshot.audit_processors
    if audit is None:
        if snapshot.audit_unsupported:
            return unknown(
                "The execution traces of this Go version cannot be read; build the program with Go 1.22 or later."
            )
        return unknown(
            "The sampling clock has not been audited yet; an audit takes a CPU profile and an execution trace."
        )
    if audit.stddev is None or audit.late_ratio is None:
        return unknown(
            "The latest audit had too few ticks, or too many busy threads at once, to judge the sampling clock."
        )
    if processors is not None and processors < limit["tick_busy"]:
        # The alert does not fire then either: a process that rests, or gets too little CPU, has fewer ticks by design.
        return unknown(
            "The process was not busy for the whole audit, so its ticks cannot be judged. Audit it under load."
        )
    findings = [
        Finding(Level.WARNING, f"The sampling clock ticks at only {audit.rate:.0f} Hz.", "PprofSamplingJitter")
        if audit.rate is not None and audit.rate < limit["tick_slow"]
        else None
    ]
    if processors is None:
        return wrong(findings, unknown(f"The CPU time of the process during the audit is unknown. {_GIVE_CPU_TIME}"))
    if audit.stddev > limit["tick_stddev"]:
        said = f"The time between ticks has a standard deviation of {seconds(audit.stddev)}."
        findings.append(Finding(Level.WARNING, said, "PprofSamplingJitter"))
    if audit.late_ratio > limit["tick_late"]:
        said = f"{percent(audit.late_ratio)} of the ticks come more than 1.5 periods after the tick before."
        findings.append(Finding(Level.WARNING, said, "PprofSamplingJitter"))
    rate = f" at {audit.rate:.0f} Hz" if audit.rate is not None else ""
    return wrong(
        findings, healthy(f"The sampling clock ticks{rate}, with a standard deviation of {seconds(audit.stddev)}.")
    )


def clock_errors(snapshot: TargetSnapshot, limit: VerdictLimits) -> CheckOutcome:
    """F4: time stamps disagree with the clock."""
    skews = list(_values(snapshot, quality.CLOCK_SKEW).values())
    if not skews:
        return unknown("No profile with a time stamp has been fetched yet.")
    # The smallest of them: a profile that takes long is late, but only that profile.
    skew = min(skews, key=abs)
    cpu = snapshot.profiles.get("cpu")
    error = cpu.reading(quality.WINDOW_ERROR) if cpu else None
    backwards = [name for name, steps in _values(snapshot, quality.CLOCK_REGRESSIONS).items() if steps]
    findings = (
        Finding(
            Level.CRITICAL if abs(skew) > limit["clock_skew_severe"] else Level.WARNING,
            f"The clock of the target is {seconds(abs(skew))} {'ahead of' if skew > 0 else 'behind'} the exporter's.",
            "PprofClockSkew",
        )
        if abs(skew) > limit["clock_skew"]
        else None,
        Finding(
            Level.WARNING,
            f"Time went backwards between the latest two profiles of {joined(backwards)}.",
            "PprofTimeWentBackwards",
        )
        if backwards
        else None,
        Finding(
            Level.WARNING,
            f"The CPU profile is {seconds(abs(error))} {'longer' if error > 0 else 'shorter'} than requested.",
            "PprofWindowWrong",
        )
        if error is not None and not limit["window_too_short"] <= error <= limit["window_too_long"]
        else None,
    )
    return wrong(findings, healthy(f"Time stamps differ from the exporter's clock by {seconds(abs(skew))}."))


def missing_symbols(snapshot: TargetSnapshot, limit: VerdictLimits) -> CheckOutcome:
    """F8: function names are missing."""
    shares = _shares(snapshot, quality.UNSYMBOLIZED, limit)
    findings = (
        Finding(
            Level.CRITICAL if share > limit["unsymbolized_severe"] else Level.WARNING,
            f"{percent(share)} of the {name} profile is in stacks without function names.",
            "PprofSymbolsMissing",
        )
        for name, share in shares.items()
        if share > limit["unsymbolized"]
    )
    return wrong(findings, _all_well(shares, "in stacks without function names"))


def truncated_stacks(snapshot: TargetSnapshot, limit: VerdictLimits) -> CheckOutcome:
    """F9: stacks are cut."""
    shares = _shares(snapshot, quality.TRUNCATED, limit)
    notes = (
        Note(f"{percent(share)} of the {name} profile is in truncated stacks.", "PprofStacksTruncated")
        for name, share in shares.items()
        if share > limit["stacks_truncated"]
    )
    return noted(_all_well(shares, "in truncated stacks"), notes)


def _values(snapshot: TargetSnapshot, family: Family) -> dict[str, float]:
    found = {name: profile.reading(family) for name, profile in snapshot.profiles.items()}
    return {name: value for name, value in found.items() if value is not None}


def _shares(snapshot: TargetSnapshot, family: Family, limit: VerdictLimits) -> dict[str, float]:
    """The share by profile, without a CPU profile of too few samples."""
    shares = _values(snapshot, family)
    cpu = snapshot.profiles.get("cpu")
    if cpu is not None and cpu.sums.get(content.CPU_SAMPLES, 0) < limit["cpu_enough_samples"]:
        shares.pop("cpu", None)
    return shares


def _all_well(shares: Mapping[str, float], what: str) -> CheckOutcome:
    if not shares:
        return unknown("No profile by which this can be judged has been read yet.")
    return healthy(f"The largest share {what} is {percent(max(shares.values()))} ({joined(shares)}).")
