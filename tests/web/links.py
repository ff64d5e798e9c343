"""Links of our pages, which are relative, as a browser resolves them."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import urljoin

_LINK = re.compile(r'(href|action)="([^"]*)"')


def with_whole_links(page: str, path: str) -> str:
    """The page with each link as it is from the root, for a page at `path`."""
    return _LINK.sub(lambda found: f'{found[1]}="{urljoin(path, found[2])}"', page)


def links_of(page: str, url: str) -> set[str]:
    """The whole URLs of all links and forms of a page."""
    return {urljoin(url, unescape(link)) for _, link in _LINK.findall(page)}
