"""The page at `/`: what is watched, and where to go on. One HTML file without any asset."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from pprof_exporter import __version__
from pprof_exporter.catalog import Outcome
from pprof_exporter.scrape import TargetState

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --good: #1a7f37; --bad: #cf222e; }
@media (prefers-color-scheme: dark) { :root { --good: #3fb950; --bad: #f85149; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { margin-bottom: 0; } h1 small { font-size: 1rem; font-weight: normal; opacity: .7; }
nav a { margin-right: 1rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .35rem .75rem .35rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { font-weight: 600; white-space: nowrap; }
td.n, th.n { text-align: right; padding-right: 1.5rem; }
.up { color: var(--good); } .down { color: var(--bad); } .unknown { opacity: .7; }
code { background: var(--soft); padding: .1rem .3rem; border-radius: .25rem; }
ul { margin: 0; padding-left: 1rem; }
"""


def landing_page(states: Sequence[TargetState]) -> str:
    """HTML of the page."""
    rows = "".join(_row(state) for state in states)
    table = (
        '<div class="scroll"><table><tr><th>Target</th><th>State</th><th class="n">Goroutines</th>'
        f'<th class="n">Profiles read</th><th>What went wrong last</th></tr>{rows}</table></div>'
        if states
        else "<p>No targets. Name one: <code>pprof-exporter localhost:6060</code>.</p>"
    )
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>pprof-exporter</title><style>{_STYLE}</style></head><body>
<h1>pprof-exporter <small>{escape(__version__)}</small></h1>
<p>Watches the health of Go profiling.</p>
<nav><a href="/metrics">Metrics</a><a href="/-/healthy">Health</a><a href="/-/ready">Readiness</a></nav>
<h2>Targets</h2>
{table}
</body></html>
"""


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
