"""The page of one target: findings with their runbooks, then everything that was fetched from it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pprof_exporter.catalog import Outcome, sampling
from pprof_exporter.escaping import html_text
from pprof_exporter.evidence_store import SavedFinding
from pprof_exporter.scrape import FetchCounters, Identity, ProfileState, TargetState
from pprof_exporter.scrape.state.auxiliary import SamplingClockState
from pprof_exporter.store import Change
from pprof_exporter.verdicts import BAD, Level, Verdict, snapshot_of, verdicts, worst_level
from pprof_exporter.verdicts.phrases import seconds
from pprof_exporter.verdicts.samples import untold_ticks
from pprof_exporter.verdicts.verdict import VerdictLimits
from pprof_exporter.web.pages.charts import histogram_strip, latency_strip, share_bar
from pprof_exporter.web.pages.formatting import ago, badge, evidence_path, finding_path, runbook_path, utc_moment
from pprof_exporter.web.pages.layout import page

_FUNCTIONS = 5
_CHANGES = {
    Change.OPERATING_SYSTEM: "Operating system changed",
    Change.GO: "Go version changed",
    Change.MODULES: "Foreign modules changed",
    Change.BINARY: "Build changed",
}
_MIB = 2**20


def target_page(state: TargetState, now: float, kept: Sequence[SavedFinding] = ()) -> str:
    """HTML of the page. `kept` is the evidence of this target, the newest first."""
    found = verdicts(snapshot_of(state, now))
    name = state.target.name
    labels = "".join(
        f"<span class=label>{html_text(key)}={html_text(value)}</span>" for key, value in state.target.labels
    )
    body = (
        f"<h2>{html_text(name)} {badge(worst_level(found))}</h2><p>{labels} {_who(state.identity)}</p>"
        f"{_findings(found, name, kept)}{_fetches(state, now)}{_functions(state)}"
        f"{_ticks(state.sampling_clock, now)}{_changes(state.identity, now)}"
        f"{_evidence(name, kept)}"
    )
    return page(name, body, here="/targets")


def _who(known: Identity) -> str:
    if known.process.several:
        return "Several processes answer at this address."
    if known.system is None and not known.modules:
        return "No profile was read yet."
    system = known.system.value.capitalize() if known.system else "an unknown system"
    build = f", build <code>{html_text(known.build)}</code>" if known.build != "unknown" else ""
    return f"<b>{html_text(known.program)}</b> on {html_text(system)}, Go {html_text(known.go_version)}{build}"


def _findings(found: tuple[Verdict, ...], target: str, kept: Sequence[SavedFinding]) -> str:
    bad = [verdict for verdict in found if verdict.level in BAD]
    bad.sort(key=lambda verdict: BAD.index(verdict.level))
    cards = "".join(_card(verdict, target, kept) for verdict in bad) or "<p>No findings.</p>"
    well = [verdict for verdict in found if verdict.level is Level.HEALTHY]
    rest = [verdict for verdict in found if verdict.level is Level.UNKNOWN]
    absent = [verdict for verdict in found if verdict.level is Level.NOT_APPLICABLE]
    return (
        f"<h3>Findings</h3>{cards}{_list('Measured and healthy', well)}{_list('Unknown', rest)}"
        f"{_list('Not applicable', absent)}{_notes(found, target)}"
    )


def _card(verdict: Verdict, target: str, kept: Sequence[SavedFinding]) -> str:
    said = "".join(
        f"<p>{html_text(finding.said)} {_runbook(finding.alert, target)}</p>" for finding in verdict.findings
    )
    mode = verdict.failure_mode.id
    saved = next((one for one in kept if one.mode == mode), None)
    if saved is not None:
        said += f'<p><a href="{finding_path(saved.id)}">Saved profiles</a> of {utc_moment(saved.at)}</p>'
    return (
        f'<section class="card {verdict.level}" id="{mode}"><h4>{badge(verdict.level)} <b>{mode}</b> '
        f"{html_text(verdict.failure_mode.title)}</h4>{said}</section>"
    )


def _runbook(alert: str, target: str) -> str:
    return f'<a href="{runbook_path(alert, target)}">Runbook</a>'


def _evidence(target: str, kept: Sequence[SavedFinding]) -> str:
    if not kept:
        return ""
    times = f"{len(kept)} time{'' if len(kept) == 1 else 's'}"
    said = f"Profiles were saved {times}, last at {utc_moment(kept[0].at)}"
    return f'<h3>Evidence</h3><p>{said}: <a href="{html_text(evidence_path(target))}">all evidence</a>.</p>'


def _list(title: str, found: list[Verdict]) -> str:
    if not found:
        return ""
    rows = "".join(
        f'<tr id="{one.failure_mode.id}"><td><span class="dot {one.level}"></span><b>{one.failure_mode.id}</b></td>'
        f"<td>{html_text(one.failure_mode.title)}</td><td>{html_text(one.said)}</td></tr>"
        for one in found
    )
    return (
        f"<details><summary>{title}: {len(found)}</summary>"
        f'<div class="scroll"><table class="stack">{rows}</table></div></details>'
    )


def _notes(found: tuple[Verdict, ...], target: str) -> str:
    notes = [(verdict.failure_mode, note) for verdict in found for note in verdict.notes]
    if not notes:
        return ""
    rows = "".join(
        f"<tr><td><b>{mode.id}</b></td><td>{html_text(mode.title)}</td>"
        f"<td>{html_text(note.said)} {_runbook(note.alert, target) if note.alert else ''}</td></tr>"
        for mode, note in notes
    )
    return (
        f"<details><summary>Notes ({len(notes)}): facts on which you do not have to act</summary>"
        f'<div class="scroll"><table class="stack">{rows}</table></div></details>'
    )


def _fetches(state: TargetState, now: float) -> str:
    rows = "".join(_fetch(name, counters, now) for name, counters in state.counters.items() if counters.outcomes)
    if not rows:
        return "<h3>Fetches</h3><p>No fetch has finished yet.</p>"
    return (
        '<h3>Fetches</h3><div class="scroll"><table class="stack"><thead><tr><th>Fetch</th><th>Last success</th>'
        '<th class="n">Mean latency</th><th>Last 60</th><th class="n">Success, busy, failure</th><th>Last problem</th>'
        f"</tr></thead><tbody>{rows}</tbody></table></div>"
        "<p class=small>Latency does not include the window of a profile. A red bar is a failed fetch.</p>"
    )


def _fetch(name: str, counters: FetchCounters, now: float) -> str:
    outcomes = counters.outcomes
    success = outcomes[Outcome.SUCCESS]
    mean = counters.latency.sum / success if success else None
    latencies = counters.history.latest()
    known = [value for value in latencies if value is not None]
    said = f"{name}: {len(known)} fetches" + (f", slowest {seconds(max(known))}" if known else "")
    last = ago(now - counters.last_success) if counters.last_success is not None else "never"
    counts = f"{success}, {outcomes[Outcome.BUSY]}, {outcomes[Outcome.FAILURE]}"
    return (
        f"<tr><td>{html_text(name)}</td>"
        f'<td data-name="last success">{last}</td>'
        f'<td class="n" data-name="mean latency">{seconds(mean) if mean is not None else ""}</td>'
        f"<td>{latency_strip(latencies, said)}{_highest(known)}</td>"
        f'<td class="n" data-name="success, busy, failure">{counts}</td>'
        f"<td>{html_text(str(counters.last_failure)) if counters.last_failure else ''}</td></tr>"
    )


def _highest(latencies: list[float]) -> str:
    return f"<span class=small>up to {seconds(max(latencies))}</span>" if latencies else ""


def _functions(state: TargetState) -> str:
    tables = "".join(_ranking(profile) for profile in state.profiles.values() if profile.kind.name in _RANKED)
    return f'<h3>Functions</h3><div class="columns">{tables}</div>' if tables else ""


def _mebibytes(value: float) -> str:
    return f"{value / _MIB:.1f} MiB"


def _count(value: float) -> str:
    return f"{value:.0f}"


_RANKED: dict[str, tuple[str, Callable[[float], str]]] = {
    "cpu": ("CPU time", seconds),
    "heap": ("Live heap", _mebibytes),
    "goroutine": ("Goroutines", _count),
}


def _ranking(profile: ProfileState) -> str:
    title, shown = _RANKED[profile.kind.name]
    leaders = next((leaders for leaders in profile.top_functions if leaders), None)
    if not leaders:
        return ""
    total = sum(leaders.values()) or 1
    first = sorted(((name, value) for name, value in leaders.items() if value), key=lambda pair: -pair[1])[:_FUNCTIONS]
    rows = "".join(
        f'<tr><td class="n">{shown(value)}</td>'
        f"<td><code>{html_text(function)}</code>{share_bar(value / total)}</td></tr>"
        for function, value in first
    )
    return f"<div><h4>{title}</h4><table>{rows}</table></div>"


def _ticks(clock: SamplingClockState, now: float) -> str:
    audit = clock.latest
    if audit is None or clock.at is None:
        return ""
    untold = untold_ticks(audit, clock.processors, VerdictLimits())
    if untold is not None or audit.buckets is None:
        # A picture of the ticks of an idle program looks like a fault.
        return f"<h3>Sampling clock</h3><p>{untold or ''} Audited {ago(now - clock.at)}.</p>"
    bounds = [f"up to {seconds(bound)}" for bound in sampling.TICK_BUCKETS]
    titles = [*bounds, f"over {seconds(sampling.TICK_BUCKETS[-1])}"]
    picture = histogram_strip(audit.buckets, titles, "Intervals between ticks, from 0 to over 1 s")
    figures = f"{audit.ticks} ticks"
    if audit.mean is not None and audit.stddev is not None:
        figures += f", {seconds(audit.mean)} apart on average, standard deviation {seconds(audit.stddev)}"
    return (
        f"<h3>Sampling clock</h3><p>{picture}</p><p>{figures}; audited {ago(now - clock.at)}. "
        f"A healthy clock has intervals of about {seconds(audit.period)}.</p>"
    )


def _changes(known: Identity, now: float) -> str:
    if not known.last_change:
        return ""
    values = known.last_event.values if known.last_event else {}
    items = "".join(
        f"<li>{_CHANGES[change]}{_from_to(values.get(change))}, {ago(now - at)} ({utc_moment(at)})</li>"
        for change, at in sorted(known.last_change.items(), key=lambda pair: -pair[1])
    )
    return f"<h3>Changes</h3><ul>{items}</ul>"


def _from_to(values: tuple[str, str] | None) -> str:
    return f": {html_text(values[0])} → {html_text(values[1])}" if values else ""
