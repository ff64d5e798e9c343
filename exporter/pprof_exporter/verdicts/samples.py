"""F1 to F4, F8 and F9: whether profiles are correct."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pprof_exporter.averages import median_of
from pprof_exporter.catalog import Family, content, quality, sampling
from pprof_exporter.health import TickAudit
from pprof_exporter.health.coverage import CLEARLY_COVERED
from pprof_exporter.health.known_bugs import TIMER_64HZ
from pprof_exporter.health.sampling_clock import MIN_INTERVALS
from pprof_exporter.profile import System
from pprof_exporter.verdicts.phrases import counted, joined, percent, seconds
from pprof_exporter.verdicts.snapshot import ENOUGH_PROFILES, ProfileSnapshot, TargetSnapshot
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
# Samples per second of CPU time that Go takes (runtime/pprof.StartCPUProfile).
_PROFILER_RATE = 100
# Of a window, for which no alert judges one alone: a starved machine delays the end of one by a second or two.
_CLEARLY_WRONG = 0.5
_GIVE_CPU_TIME = "Serve process_cpu_seconds_total on its metrics page."


def missing_samples(snapshot: TargetSnapshot, limit: VerdictLimits) -> CheckOutcome:
    """F1: CPU samples are missing."""
    cpu = snapshot.profiles.get("cpu")
    if cpu is None:
        return _NO_CPU_PROFILE
    compared = _compared(cpu)
    found = _coverage(snapshot, compared, limit) if compared else None
    if found is None or compared is None or _is_proof(found, compared, limit):
        return wrong((found,), _coverage_otherwise(snapshot, cpu, compared))
    return unknown(f"{found.said} {_few('profile', compared.profiles)}")


@dataclass(frozen=True, slots=True)
class _Compared:
    """The latest CPU profiles with a known coverage, together."""

    profiles: int
    samples: int
    used: float
    coverage: float
    profiled: float
    """Seconds that the profiles cover; 0 if unknown."""

    def is_at_least(self, load: str, limit: VerdictLimits) -> bool:
        """Whether the process was `busy` or `light` at least: by CPU time per profile, and by its share of the time."""
        return (
            self.used / self.profiles >= limit[f"cpu_used_{load}"]
            and self.used >= limit[f"cpu_{load}_processors"] * self.profiled
        )


def _compared(cpu: ProfileSnapshot) -> _Compared | None:
    found = [
        (one, used, coverage)
        for one in cpu.latest_few
        if (used := one.reading(sampling.CPU_USED)) is not None
        and (coverage := one.reading(sampling.CPU_COVERAGE)) is not None
    ]
    used = sum(used for _, used, _ in found)
    if not used:
        return None
    accounted = sum(used * coverage for _, used, coverage in found)
    samples = sum(one.samples for one, _, _ in found)
    profiled = sum(one.sums.get(content.CPU_PROFILED, 0) for one, _, _ in found)
    return _Compared(len(found), samples, used, accounted / used, profiled)


def _is_proof(found: Finding, compared: _Compared, limit: VerdictLimits) -> bool:
    """Whether the profiles are enough for this finding: a machine without time for it makes one profile odd."""
    if compared.profiles >= ENOUGH_PROFILES:
        return True
    if found.alert == "PprofCpuTimer64Hz":
        return not found.about
    return found.level is Level.CRITICAL and compared.is_at_least("busy", limit)


def _few(what: str, count: int) -> str:
    return f"{'One' if count == 1 else 'Two'} {what}{'' if count == 1 else 's'} cannot prove that: three are needed."


def _coverage(snapshot: TargetSnapshot, compared: _Compared, limit: VerdictLimits) -> Finding | None:
    within = f" in its latest {compared.profiles} CPU profiles" if compared.profiles > 1 else " in its CPU profile"
    if not compared.samples:
        said = f"The process used {seconds(compared.used)} of CPU time{within}, without one sample."
        return Finding(Level.CRITICAL, said, "PprofCpuNoSamples")
    on_windows, coverage = snapshot.system is System.WINDOWS, compared.coverage
    rate = _PROFILER_RATE * coverage
    if on_windows and limit["cpu_timer_lowest"] <= rate <= limit["cpu_timer_highest"]:
        said = f"The CPU profiler samples at {rate:.0f} Hz instead of 100 Hz: the timer of Go 1.16 to 1.21 on Windows."
        return Finding(Level.WARNING, said, "PprofCpuTimer64Hz", _other_go(snapshot))
    busy = compared.is_at_least("busy", limit)
    if not busy and (on_windows or not compared.is_at_least("light", limit)):
        return None
    lowest = "cpu_coverage_low_windows" if on_windows else "cpu_coverage_low" if busy else "cpu_coverage_low_light"
    if coverage < limit[lowest]:
        severe = busy and coverage < limit["cpu_coverage_very_low"]
        said = f"Samples account for {percent(coverage)} of the {seconds(compared.used)} of CPU time used{within}."
        return Finding(Level.CRITICAL if severe else Level.WARNING, said, "PprofCpuCoverageLow")
    return None


def _other_go(snapshot: TargetSnapshot) -> str:
    """The exact Go version, if it does not have the timer of 64 Hz; "" if it has it, or may have it."""
    exact = snapshot.go_version not in ("", "unknown") and not snapshot.go_version.endswith("+")
    return snapshot.go_version if exact and all(bug.id != TIMER_64HZ for bug in snapshot.bugs) else ""


def _coverage_otherwise(snapshot: TargetSnapshot, cpu: ProfileSnapshot, compared: _Compared | None) -> CheckOutcome:
    used = cpu.reading(sampling.CPU_USED)
    if compared is not None:
        said = f"Samples account for {percent(compared.coverage)} of the CPU time that the process used."
        if compared.coverage >= CLEARLY_COVERED:
            return healthy(said)
        if snapshot.system is System.WINDOWS:
            return unknown(f"{said} Short bursts of work cannot be judged on Windows. Repeat it under load.")
        return healthy(
            f"{said} That is usual for work in short bursts: Linux does not sample a burst between two kernel ticks."
        )
    if cpu.reading(sampling.CPU_UNDECIDED) is not None:
        return unknown(
            "Most samples are in system calls, where Windows does not tell work from waiting. F3 can still be judged."
        )
    if used is not None:
        return unknown(
            f"The process used {seconds(used)} of CPU time in the profile: too little to judge. Repeat it under load, "
            "or with a longer profile."
        )
    return unknown(f"The CPU time of the process is unknown. {_GIVE_CPU_TIME}")


def lost_samples(snapshot: TargetSnapshot, limit: VerdictLimits) -> CheckOutcome:
    """F2: samples are lost or opaque."""
    cpu = snapshot.profiles.get("cpu")
    if cpu is None:
        return _NO_CPU_PROFILE
    few = cpu.latest_few
    taken = sum(one.sums.get(content.CPU_SAMPLES, 0) for one in few)
    if taken < limit["cpu_enough_samples"]:
        which = f"latest {len(few)} CPU profiles have" if len(few) > 1 else "latest CPU profile has"
        return unknown(f"The {which} {taken:.0f} samples: too few to judge. Repeat it under load.")
    losses = sum(one.reading(quality.CPU_LOST) or 0 for one in few) / taken
    opaque = sum(one.reading(quality.CPU_OPAQUE) or 0 for one in few) / taken
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
        return _not_audited(snapshot)
    untold = untold_ticks(audit, processors, limit)
    if untold is not None or audit.stddev is None or audit.late_ratio is None:
        return unknown(untold or "")
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


def _not_audited(snapshot: TargetSnapshot) -> CheckOutcome:
    if why := snapshot.audit_off or snapshot.audit_failure:
        return unknown(f"The sampling clock was not audited: {why}.")
    if snapshot.up is None:
        return unknown("The sampling clock was not audited: an audit needs an execution trace.")
    return unknown(
        "The sampling clock has not been audited yet; an audit takes an execution trace during the next CPU profile."
    )


def untold_ticks(audit: TickAudit, processors: float | None, limit: VerdictLimits) -> str | None:
    """Why the ticks of an audit tell nothing, None if they do.

    The alert does not fire then either: a process that rests, or gets too little CPU, has fewer ticks by design.
    """
    if audit.interleaved:
        return "Too many threads were busy at a time in the latest audit, so their ticks cannot be told apart."
    if audit.stddev is None or audit.late_ratio is None:
        return (
            f"The latest audit had {counted(audit.ticks, 'tick')}, and more than {MIN_INTERVALS} in close succession "
            "are needed. Audit the process under load."
        )
    if processors is not None and processors < limit["tick_busy"]:
        return (
            f"The process used {processors:.2g} processors during the latest audit; {limit['tick_busy']:g} are needed "
            "to judge its ticks. Audit it under load."
        )
    return None


def clock_errors(snapshot: TargetSnapshot, limit: VerdictLimits) -> CheckOutcome:
    """F4: time stamps disagree with the clock."""
    skews = _values(snapshot, quality.CLOCK_SKEW)
    if not skews:
        return unknown("No profile with a time stamp has been fetched yet.")
    # The smallest of them: a profile that takes long is late, but only that profile.
    closest = min(skews, key=lambda name: abs(skews[name]))
    skew, largest = skews[closest], max(map(abs, skews.values()))
    cpu = snapshot.profiles.get("cpu")
    error, proven = _window_error(cpu, limit) if cpu else (None, False)
    backwards = [name for name, steps in _values(snapshot, quality.CLOCK_REGRESSIONS).items() if steps]
    findings = (
        Finding(
            Level.CRITICAL if abs(skew) > limit["clock_skew_severe"] else Level.WARNING,
            f"The clock of the target is {seconds(abs(skew))} {'ahead of' if skew > 0 else 'behind'} the exporter's by "
            f"the {'closest ' if len(skews) > 1 else ''}time stamp, that of {closest}.",
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
        Finding(Level.WARNING, f"{_of_window(error)}.", "PprofWindowWrong") if error is not None and proven else None,
    )
    if error is not None and not proven:
        one = "which one window does not prove: three are needed"
        return wrong(findings, unknown(f"{_of_window(error)}, {one}."))
    if largest <= limit["clock_skew"]:
        return wrong(findings, healthy(f"Time stamps differ from the exporter's clock by at most {seconds(largest)}."))
    return wrong(
        findings,
        healthy(
            f"The time stamp of {closest} differs from the exporter's clock by {seconds(abs(skew))}. Others differ by "
            f"up to {seconds(largest)}, as those of slow replies do."
        ),
    )


def _window_error(cpu: ProfileSnapshot, limit: VerdictLimits) -> tuple[float | None, bool]:
    """By how many seconds CPU profiles are too long or too short, and whether that is proven; None if they are not.

    The median of three to five windows proves it, as in the alert. One window that a busy machine delays does not.
    """
    errors = [error for one in cpu.latest_few if (error := one.reading(quality.WINDOW_ERROR)) is not None]
    if not errors:
        return None, False
    enough = len(errors) >= ENOUGH_PROFILES
    error = median_of(errors) if enough else errors[-1]
    if limit["window_too_short"] <= error <= limit["window_too_long"]:
        return None, False
    asked = cpu.sums.get(content.CPU_PROFILED, 0) - error
    return error, enough or abs(error) > _CLEARLY_WRONG * asked


def _of_window(error: float) -> str:
    return f"The CPU profile is {seconds(abs(error))} {'longer' if error > 0 else 'shorter'} than requested"


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
