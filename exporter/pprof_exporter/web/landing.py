"""The page at `/`: what is watched, and where to go on."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from pprof_exporter.catalog import Outcome
from pprof_exporter.scrape import TargetState
from pprof_exporter.web.page import page


def landing_page(states: Sequence[TargetState]) -> str:
    """HTML of the page."""
    rows = "".join(_row(state) for state in states)
    table = (
        '<div class="scroll"><table><tr><th>Target</th><th>State</th><th class="n">Goroutines</th>'
        f'<th class="n">Profiles read</th><th>What went wrong last</th></tr>{rows}</table></div>'
        if states
        else "<p>No targets. Name one: <code>pprof-exporter localhost:6060</code>.</p>"
    )
    return page("Targets", f"<h2>Targets</h2>{table}")


def _row(state: TargetState) -> str:
    name, word = {True: ("up", "up"), False: ("down", "down"), None: ("unknown", "not seen yet")}[state.up]
    goroutines = str(state.index.counts.get("goroutine", "")) if state.index else ""
    tallies = state.tallies()
    fetched = sum(profile.tally.outcomes[Outcome.SUCCESS] for profile in state.profiles.values())
    problems = "".join(
        f"<li>{escape(profile)}: {escape(tally.last_problem)}</li>" for profile, tally in tallies if tally.last_problem
    )
    said = f"<ul>{problems}</ul>" if problems else ""
    return (
        f"<tr><td>{escape(state.target.name)}</td><td class={name}>{word}</td>"
        f"<td class=n>{goroutines}</td><td class=n>{fetched}</td><td>{said}</td></tr>"
    )
