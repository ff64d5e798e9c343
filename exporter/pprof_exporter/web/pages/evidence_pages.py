"""The pages of evidence: the list of findings, and one finding with its files."""

from __future__ import annotations

from pprof_exporter.catalog.failure_modes import FAILURE_MODES
from pprof_exporter.catalog.vocabulary import Severity
from pprof_exporter.escaping import html_text, url_query
from pprof_exporter.evidence_store import EvidenceStore, FindingRecord, Origin, ProfileFile, ProfileRole, SavedFinding
from pprof_exporter.verdicts import Level
from pprof_exporter.web.pages.formatting import badge, byte_size, evidence_path, finding_path, target_path, utc_moment
from pprof_exporter.web.pages.layout import page

FINDINGS_PER_PAGE = 100
_TITLES = {mode.id: mode.title for mode in FAILURE_MODES}
_EMPTY = (
    "<p>No profiles are saved yet. When a finding turns bad, the profiles that show it and the previous ones are saved "
    "here.</p>"
)

OFF = page(
    "Evidence",
    "<h2>Evidence</h2><p>Profiles are not saved. With <code>--storage.path=FOLDER</code> the profiles that show a "
    "finding are saved on disk when it turns bad, and can be downloaded here.</p>",
    here="/evidence",
)


def list_page(evidence_store: EvidenceStore, target: str | None, number: int) -> str:
    """HTML of all saved findings, or of those of a target, the newest first."""
    found = evidence_store.findings(target or None)
    pages = max(1, -(-len(found) // FINDINGS_PER_PAGE))
    number = min(max(1, number), pages)
    rows = "".join(map(_row, found[(number - 1) * FINDINGS_PER_PAGE : number * FINDINGS_PER_PAGE]))
    table = (
        '<div class="scroll"><table class="stack"><thead><tr><th>When</th><th>Target</th><th>Finding</th>'
        f'<th class="n">Files</th><th class="n">Size</th></tr></thead><tbody>{rows}</tbody></table></div>'
    )
    trouble = (
        f"<p class=warning>Latest problem: {html_text(evidence_store.last_trouble)}.</p>"
        if evidence_store.last_trouble
        else ""
    )
    return page(
        f"Evidence of {target}" if target else "Evidence",
        f"<h2>Evidence</h2>{_chosen(target)}{trouble}{table if rows else _EMPTY}{_pages(number, pages, target)}",
        here="/evidence",
    )


def _chosen(target: str | None) -> str:
    if not target:
        return ""
    return f'<p class="chips">Target <b>{html_text(target)}</b> <a href="/evidence">all targets</a></p>'


def _row(kept: SavedFinding) -> str:
    finding = kept.finding
    return (
        f'<tr><td><a href="{finding_path(kept.id)}">{utc_moment(finding.at)}</a></td>'
        f'<td data-name="target"><a href="{html_text(evidence_path(finding.target))}">'
        f"{html_text(finding.target)}</a></td>"
        f"<td>{_level(finding)} <b>{html_text(finding.mode)}</b> {html_text(finding.said)}</td>"
        f'<td class="n" data-name="files">{len(finding.files)}</td>'
        f'<td class="n" data-name="size">{byte_size(finding.size)}</td></tr>'
    )


def _pages(number: int, pages: int, target: str | None) -> str:
    if pages == 1:
        return ""

    def link(to: int, word: str) -> str:
        query = url_query({**({"target": target} if target else {}), "page": to})
        return f'<a href="{html_text(f"/evidence?{query}")}">{word}</a>'

    before = link(number - 1, "Previous") if number > 1 else ""
    after = link(number + 1, "Next") if number < pages else ""
    return f'<p class="chips">{before} Page {number} of {pages} {after}</p>'


def finding_page(kept: SavedFinding) -> str:
    """HTML of one finding."""
    finding = kept.finding
    what = _TITLES.get(finding.mode) or finding.alert or "Capture"
    why = "Saved when the verdict turned bad." if finding.origin is Origin.FINDING else "Requested by an alert."
    runbook = f' <a href="{html_text(finding.runbook)}">Runbook</a>' if finding.runbook else ""
    card = (
        f'<section class="card {_class(finding)}"><h4>{_level(finding)} '
        f"<b>{html_text(finding.mode)}</b> {html_text(what)}</h4>"
        f"<p>{html_text(finding.said)}{runbook}</p></section>"
    )
    return page(
        f"Evidence of {finding.target}",
        f'<h2><a href="{target_path(finding.target)}">{html_text(finding.target)}</a></h2>'
        f"<p>{utc_moment(finding.at)}. {why}</p>{card}"
        f"{_files(kept)}{_missing(finding)}{_commands(kept)}{_process(finding)}"
        f'<p><a href="{html_text(evidence_path(finding.target))}">All evidence of {html_text(finding.target)}</a></p>',
        here="/evidence",
    )


def _level(finding: FindingRecord) -> str:
    # Evidence of a change or of an alert of severity info has no level of a finding.
    return badge(_class(finding), "information" if finding.level == Severity.INFO else "")


def _class(finding: FindingRecord) -> Level:
    return next((level for level in Level if level == finding.level), Level.UNKNOWN)


def _files(kept: SavedFinding) -> str:
    rows = "".join(
        f'<tr><td><a href="{finding_path(kept.id, file.name)}" download>{file.name}</a></td>'
        f'<td data-name="role">{_ROLES[file.role]}</td><td data-name="requested">{utc_moment(file.asked_at)}</td>'
        f'<td class="n" data-name="size">{byte_size(file.size)}</td>'
        f'<td data-name="SHA-256"><span class=small>{html_text(file.sha256[:16])}…</span></td></tr>'
        for file in kept.finding.files
    )
    return (
        '<h3>Profiles</h3><div class="scroll"><table class="stack"><thead><tr><th>File</th><th>Role</th>'
        f'<th>Requested</th><th class="n">Size</th><th>SHA-256</th></tr></thead><tbody>{rows}</tbody></table></div>'
    )


_ROLES = {ProfileRole.SHOWS: "shows the finding", ProfileRole.BEFORE: "before"}


def _missing(finding: FindingRecord) -> str:
    items = "".join(f"<li><b>{html_text(kind)}</b>: {html_text(why)}</li>" for kind, why in finding.missing.items())
    return f"<p>Missing:</p><ul>{items}</ul>" if items else ""


def _commands(kept: SavedFinding) -> str:
    """Commands that open the files once they are downloaded."""
    files = kept.finding.files
    lines = [f"go tool trace {_saved(kept, file)}" for file in files if file.kind == "trace"]
    profiles = [file for file in files if file.kind != "trace"]
    first = next((file for file in profiles if file.role is ProfileRole.SHOWS), next(iter(profiles), None))
    if first is not None:
        lines.insert(0, f"go tool pprof -http=: {_saved(kept, first)}")
        before = next((file for file in profiles if file.kind == first.kind and file.role is not first.role), None)
        if before is not None:
            lines.insert(1, f"go tool pprof -http=: -diff_base={_saved(kept, before)} {_saved(kept, first)}")
    return f"<pre><code>{html_text(chr(10).join(lines))}</code></pre>" if lines else ""


def _saved(kept: SavedFinding, file: ProfileFile) -> str:
    return f"{kept.id}-{file.name}"


def _process(finding: FindingRecord) -> str:
    known = finding.process
    rows = {
        "Program": known.program,
        "Build": known.build,
        "Go": known.go,
        "System": known.system,
        "Unchanged since": utc_moment(known.epoch) if known.epoch is not None else "unknown",
        "Alert": finding.alert or "none",
    }
    html = "".join(f"<tr><td>{name}</td><td>{html_text(value)}</td></tr>" for name, value in rows.items())
    return f"<h3>Process</h3><table>{html}</table>"
