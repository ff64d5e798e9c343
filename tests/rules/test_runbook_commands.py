"""The log lines that runbooks look for are those that the exporter writes."""

from __future__ import annotations

import ast
import re

from tests.lab import PROJECT

_PACKAGE = PROJECT / "exporter" / "pprof_exporter"
_SEARCH = re.compile(r"journalctl -u pprof-exporter \| grep [^']*'([^']+)'")


def _logged() -> set[str]:
    """Messages of events, as `LOG.warning("listening", ...)` has them."""
    return {
        argument.value
        for file in _PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        for argument in node.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    }


def test_each_message_that_a_runbook_searches_for_is_logged() -> None:
    logged = _logged()
    searches = [
        (page.name, words)
        for page in sorted((PROJECT / "rules" / "runbooks").glob("*.md"))
        for found in _SEARCH.findall(page.read_text(encoding="utf-8"))
        for words in found.split("|")
    ]
    assert len(searches) > 5
    assert [search for search in searches if not any(search[1] in message for message in logged)] == []
