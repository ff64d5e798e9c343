"""The page of all targets with their findings, the worst first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pprof_exporter.escaping import html_text, url_query
from pprof_exporter.scrape import TargetState
from pprof_exporter.time_slices import TimeSlices
from pprof_exporter.verdicts import BAD, Level, Verdict, snapshot_of, verdicts, worst_level
from pprof_exporter.web.pages.formatting import LEVEL_WORDS, badge, target_path
from pprof_exporter.web.pages.layout import page

TARGETS_PER_PAGE = 100
_ORDER = (*BAD, Level.UNKNOWN, Level.HEALTHY, Level.NOT_APPLICABLE)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Filter of the page: targets whose name or labels hold `text`, or that are as bad as `level`."""

    text: str = ""
    level: Level | None = None
    page: int = 1


def wanted_of(query: Mapping[str, str]) -> Wanted:
    """The filter that the query states; invalid parts are ignored."""
    level, number = query.get("level", ""), query.get("page", "")
    return Wanted(
        query.get("q", ""),
        next((known for known in Level if known == level), None),
        int(number) if number.isascii() and number.isdigit() and len(number) < 9 else 1,
    )


@dataclass(frozen=True, slots=True)
class _Row:
    state: TargetState
    level: Level
    bad: tuple[Verdict, ...]


async def targets_page(states: Sequence[TargetState], now: float, wanted: Wanted, problems: Sequence[str] = ()) -> str:
    """HTML of the page, with `problems` of the exporter itself. Lets other work run meanwhile."""
    own = "".join(f'<p class="chips">{badge(Level.CRITICAL)} {html_text(problem)}</p>' for problem in problems)
    if not states:
        return page("Targets", own + _NOTHING)
    found: list[_Row] = []
    slices = TimeSlices()
    for state in states:
        found.append(_row(state, now))
        await slices.pause()
    levels = Counter(row.level for row in found)
    rows = [row for row in found if _shown(row, wanted)]
    rows.sort(key=lambda row: (_ORDER.index(row.level), -len(row.bad), row.state.target.name))
    pages = max(1, -(-len(rows) // TARGETS_PER_PAGE))
    number = min(max(1, wanted.page), pages)
    shown = rows[(number - 1) * TARGETS_PER_PAGE : number * TARGETS_PER_PAGE]
    table = "".join(map(_html, shown)) or '<tr><td colspan="4">No matching targets.</td></tr>'
    return page(
        "Targets",
        f"{own}{_summary(levels, wanted)}{_search(wanted)}"
        '<div class="scroll"><table class="stack"><thead><tr><th>Target</th><th>State</th><th>Findings</th>'
        f'<th class="n">Goroutines</th></tr></thead><tbody>{table}</tbody></table></div>'
        f"{_pages(number, pages, wanted)}",
        here="/targets",
    )


_NOTHING = "<h2>Targets</h2><p>No targets. To add one: <code>pprof-exporter localhost:6060</code>.</p>"


def _row(state: TargetState, now: float) -> _Row:
    found = verdicts(snapshot_of(state, now))
    return _Row(state, worst_level(found), tuple(verdict for verdict in found if verdict.level in BAD))


def _shown(row: _Row, wanted: Wanted) -> bool:
    target = row.state.target
    text = " ".join((target.name, *(f"{name}={value}" for name, value in target.labels)))
    return wanted.text.lower() in text.lower() and wanted.level in (None, row.level)


def _html(row: _Row) -> str:
    name = row.state.target.name
    labels = "".join(
        f"<span class=label>{html_text(key)}={html_text(value)}</span>" for key, value in row.state.target.labels
    )
    wrong = "".join(f"<li>{_said(verdict)}</li>" for verdict in row.bad)
    goroutines = row.state.index.counts.get("goroutine", "") if row.state.index else ""
    return (
        f'<tr><td><a href="{target_path(name)}">{html_text(name)}</a> {labels}</td>'
        f"<td>{badge(row.level)}</td><td>{f'<ul class=bare>{wrong}</ul>' if wrong else ''}</td>"
        f'<td class="n" data-name="goroutines">{goroutines}</td></tr>'
    )


def _said(verdict: Verdict) -> str:
    return f'<span class="dot {verdict.level}"></span><b>{verdict.failure_mode.id}</b> {html_text(verdict.said)}'


def _summary(levels: Counter[Level], wanted: Wanted) -> str:
    chips = [
        badge(level, f"{levels[level]} {LEVEL_WORDS[level]}", _link(wanted, level=level, page=1))
        for level in _ORDER
        if levels[level]
    ]
    everything = f'<a href="{_link(wanted, level=None, page=1)}">all</a>' if wanted.level else ""
    return f'<h2>Targets</h2><p class="chips">{" ".join(chips)} {everything}</p>'


def _search(wanted: Wanted) -> str:
    level = f'<input type="hidden" name="level" value="{wanted.level}">' if wanted.level else ""
    return (
        '<form class="search" action="/targets"><label>Name or label <input type="search" name="q" '
        f'value="{html_text(wanted.text)}"></label>{level} <button>Filter</button></form>'
    )


def _pages(number: int, pages: int, wanted: Wanted) -> str:
    if pages == 1:
        return ""
    before = f'<a href="{_link(wanted, page=number - 1)}">Previous</a>' if number > 1 else ""
    after = f'<a href="{_link(wanted, page=number + 1)}">Next</a>' if number < pages else ""
    return f'<p class="chips">{before} Page {number} of {pages} {after}</p>'


def _link(wanted: Wanted, *, page: int, level: Level | str | None = "") -> str:
    chosen = wanted.level if level == "" else level
    query = {"q": wanted.text, "level": chosen or "", "page": page if page > 1 else ""}
    text = url_query({key: value for key, value in query.items() if value != ""})
    return html_text(f"/targets?{text}" if text else "/targets")
