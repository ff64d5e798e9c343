"""Replies of our pages with text: HTML that was escaped where it was made, and sentences, which are escaped here.

Pages write links from the root of the exporter, as in `/targets`. Here each becomes the way from its page to there, so
that it works behind a proxy under any path: relative, or with the path of `--web.external-url`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from aiohttp import web

from pprof_exporter.escaping import terminal_lines

# Text cannot hold this: `html_text` escapes its quotes.
_OWN_LINK = re.compile(r'(?<= )(href|action)="/(?!/)')


@dataclass(frozen=True, slots=True)
class PagePaths:
    """`prefix` of every path that is served, and `external` path of the links; None: relative links."""

    prefix: str = ""
    external: str | None = None

    def below(self, sites: Iterable[str]) -> list[str]:
        """The URL of the pages on each site."""
        return [f"{site}{self.prefix}" for site in sites]

    def way_to_root(self, path: str) -> str:
        """What stands before a link on the page with this path."""
        if self.external is not None:
            return f"{self.external}/"
        return "../" * (path.removeprefix(self.prefix).count("/") - 1) or "./"


PATHS = web.AppKey("paths", PagePaths)


def html_reply(request: web.Request, document: str, headers: Mapping[str, str] | None = None) -> web.Response:
    """A page for people."""
    way = request.app[PATHS].way_to_root(request.rel_url.raw_path)
    text = _OWN_LINK.sub(rf'\1="{way}', document)
    return web.Response(text=text, content_type="text/html", charset="utf-8", headers=headers)


def text_reply(text: str, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """A sentence, or more text, for people who read it in a terminal; a last line end is added."""
    return web.Response(status=status, text=f"{terminal_lines(text)}\n", headers=headers)
