"""The pages of the last probes: all of them, and the log of one."""

from __future__ import annotations

import time

from pprof_exporter.catalog import ProbeResult
from pprof_exporter.escaping import html_text
from pprof_exporter.scrape.probing import Prober, ProbeRecord
from pprof_exporter.verdicts import Level
from pprof_exporter.verdicts.phrases import seconds
from pprof_exporter.web.pages.formatting import ago, badge
from pprof_exporter.web.pages.layout import page

_LEVELS = {ProbeResult.UP: Level.HEALTHY, ProbeResult.DOWN: Level.CRITICAL}
_HERE = "/probes"


def probes_page(prober: Prober, now: float) -> str:
    """HTML of the last probes."""
    entries = prober.history.entries()
    known = ", ".join(f"<code>{html_text(name)}</code>" for name in sorted(prober.modules))
    about = (
        f"<p>Modules: {known}. Probed targets with counters: {prober.target_count}. "
        f"Refused requests: {prober.results[ProbeResult.REFUSED]}.</p>"
    )
    return page("Probes", f"<h2>Probes</h2>{about}{_table(entries, now)}", here=_HERE)


def probe_page(entry: ProbeRecord, now: float) -> str:
    """HTML of one probe and its log."""
    at = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(entry.began))
    return page(
        f"Probe of {entry.target}",
        f"<h2>{html_text(entry.target)} {_badge(entry)}</h2>"
        f"<p>Module <code>{html_text(entry.module)}</code>, {at} UTC ({ago(now - entry.began)}), "
        f"took {seconds(entry.took)}.</p><pre>{html_text(entry.log)}</pre>"
        f'<p><a href="{_HERE}">All probes</a></p>',
    )


def _table(entries: list[ProbeRecord], now: float) -> str:
    if not entries:
        return "<p>No probes yet. To start one, open <code>/probe?target=localhost:6060</code>.</p>"
    rows = "".join(_row(entry, now) for entry in entries)
    return (
        '<div class="scroll"><table class="stack"><thead><tr><th>Target</th><th>Module</th><th>Result</th>'
        '<th class="n">Took</th><th>When</th><th></th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div><p class=small>Failed probes are kept longer.</p>"
    )


def _row(entry: ProbeRecord, now: float) -> str:
    return (
        f"<tr><td>{html_text(entry.target)}</td>"
        f'<td data-name="module">{html_text(entry.module)}</td>'
        f"<td>{_badge(entry)}</td>"
        f'<td class="n" data-name="took">{seconds(entry.took)}</td>'
        f"<td>{ago(now - entry.began)}</td>"
        f'<td><a href="{_HERE}/{entry.number}">Log</a></td></tr>'
    )


def _badge(entry: ProbeRecord) -> str:
    return badge(_LEVELS[entry.result], f"{entry.result}: {entry.reason}" if entry.reason else str(entry.result))
