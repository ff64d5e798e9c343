"""The runbooks as pages, so that the link in a notification works wherever the exporter is reached."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache
from typing import TYPE_CHECKING

from aiohttp import web

from pprof_exporter.config import Target
from pprof_exporter.escaping import html_text
from pprof_exporter.web.pages.layout import page
from pprof_exporter.web.replies import html_reply, text_reply

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

    from pprof_exporter.rules import Alert

# Most exporters show no runbook: the rules and the Markdown parser are loaded for the first page.
_TO_DOCUMENTATION = re.compile(r"\[([^\]]+)\]\(\.\./[^)]*\)")


def runbook_routes(targets: Callable[[], Iterable[Target]]) -> list[web.RouteDef]:
    """`/runbooks/`, and `/runbooks/ALERT?target=NAME`, whose commands then have the target in them."""

    async def index(request: web.Request) -> web.Response:
        return html_reply(request, index_page())

    async def runbook(request: web.Request) -> web.Response:
        named = request.query.get("target")
        target = next((target for target in targets() if target.name == named), None)
        html = runbook_page(request.match_info["alert"].removesuffix(".md"), target)
        if html is None:
            return text_reply("No such runbook; see /runbooks/.", 404)
        return html_reply(request, html)

    return [web.get("/runbooks/", index), web.get("/runbooks/{alert}", runbook)]


def index_page() -> str:
    """All runbooks, by failure mode."""
    summaries: dict[str, tuple[str, str]] = {}
    for alert in _alerts():
        summaries.setdefault(alert.name, (alert.mode, ", ".join(severities(alert.name))))
    rows = "".join(
        f'<tr><td><a href="/runbooks/{name}">{name}</a></td><td>{severity}</td><td>{mode or "the exporter"}</td></tr>'
        for name, (mode, severity) in summaries.items()
    )
    table = f"<table><tr><th>Alert</th><th>Severity</th><th>Failure mode</th></tr>{rows}</table>"
    return page("Runbooks", here="/runbooks/", body=f'<h2>Runbooks</h2><div class="scroll">{table}</div>')


def severities(alert: str) -> list[str]:
    """How severe an alert of this name can be, the mildest first."""
    return [found.severity.value for found in _alerts() if found.name == alert]


def runbook_page(alert: str, target: Target | None) -> str | None:
    """The runbook of an alert, with the target in its commands; None if there is no such page."""
    from pprof_exporter.rules.runbooks import EXAMPLE_TARGET, EXAMPLE_URL, runbook  # noqa: PLC0415

    text = runbook(alert)
    if text is None:
        return None
    html = _html(text)
    if target is not None:
        from pprof_exporter.web.pages.formatting import evidence_path  # noqa: PLC0415

        url = str(target.url.with_user(None)).rstrip("/")
        html = html.replace(EXAMPLE_URL, html_text(url)).replace(EXAMPLE_TARGET, html_text(target.name))
        kept = f'<a href="{html_text(evidence_path(target.name))}">Saved profiles of {html_text(target.name)}</a>'
        html = f"<p>{kept}</p>{html}"
    return page(alert, f'<div class="text">{html}</div>')


def _html(text: str) -> str:
    """The Markdown as HTML, its headings one level lower, since the page has a title already."""
    # The exporter serves the runbooks and not the rest of the documentation.
    markdown = _markdown()
    tokens = markdown.parse(_TO_DOCUMENTATION.sub(r"\1", text))
    for token in tokens:
        if token.tag in ("h1", "h2", "h3"):
            token.tag = f"h{int(token.tag[1]) + 1}"
    html: str = markdown.renderer.render(tokens, markdown.options, {})
    return html


def _alerts() -> tuple[Alert, ...]:
    from pprof_exporter.rules import ALERTS  # noqa: PLC0415

    return ALERTS


@cache
def _markdown() -> MarkdownIt:
    from markdown_it import MarkdownIt  # noqa: PLC0415

    return MarkdownIt("commonmark", {"html": False}).enable("table")
