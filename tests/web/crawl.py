"""A visitor who follows every link of our pages, as a browser does, and notes where they lead."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import urljoin, urlsplit

from tests.web.links import links_of

Visit = Callable[[str], Awaitable[tuple[int, Mapping[str, str], str]]]
"""Status, headers and text for a URL, without following a redirect."""


async def visited_from(start: str, visit: Visit) -> dict[str, int]:
    """The status of every page that links lead to, by its URL; redirects are followed."""
    seen: dict[str, int] = {}
    ahead = [start]
    while ahead:
        url = ahead.pop()
        if url in seen:
            continue
        status, headers, text = await visit(url)
        seen[url] = status
        if 300 <= status < 400:
            ahead.append(urljoin(url, headers["Location"]))
        elif headers.get("Content-Type", "").startswith("text/html"):
            ahead += [link.partition("#")[0] for link in links_of(text, url)]
    return seen


def paths_below(seen: Mapping[str, int], root: str) -> set[str]:
    """The paths of all pages below a root, without their queries. Each has to be there and below it."""
    assert {status for status in seen.values() if not 300 <= status < 400} == {200}, seen
    paths = {urlsplit(url).path for url in seen}
    assert all(path.startswith(root) for path in paths), paths
    return {path.removeprefix(root) for path in paths}
