"""Which characters a URL holds as they are, and how others are encoded. Without yarl, for flags that are read early."""

from __future__ import annotations

import re
from urllib.parse import quote

_LONGEST = 8192
_SHOWN = 200
# The text may be no URL at all, so its password is looked for by position.
_PASSWORD = re.compile(r"\A((?:[A-Za-z][A-Za-z0-9+.-]*:)?(?://)?[^/?#@:\[\]]*:)[^/?#]*@")
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
# What needs no encoding in a path and in a query: validEncoded of net/url, and `?` in the query.
_IN_PATH = "%/:@!$&'()*+,;=[]~"
_IN_QUERY = _IN_PATH + "?"


class BadUrl(ValueError):
    """The text is not a URL. The message completes a sentence about it, and does not repeat a password in it."""


def shown(text: str) -> str:
    """Text that is no URL or no target, for a message: quoted, not too long, and without a password."""
    hidden = _PASSWORD.sub(r"\1<secret>@", text[:_LONGEST])
    return repr(hidden) if len(hidden) <= _SHOWN else f"{hidden[:_SHOWN]!r}..."


def escape_path(path: str) -> str:
    """The same path with what cannot be sent encoded, and nothing decoded. Raises `BadUrl`."""
    return _escape(path, _IN_PATH)


def escape_query(query: str) -> str:
    """The same for a query, which begins with `?` or is empty. Raises `BadUrl`."""
    return _escape(query, _IN_QUERY)


def check_characters(text: str) -> None:
    """Raise `BadUrl` for what no URL holds, encoded or not."""
    if len(text) > _LONGEST:
        raise BadUrl(f"it has more than {_LONGEST} characters")
    if any(character < " " or character == "\x7f" for character in text):
        raise BadUrl("it has control characters")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise BadUrl("it has half a surrogate pair, which is no character")


def _escape(text: str, safe: str) -> str:
    check_characters(text)
    broken = _BROKEN_ESCAPE.search(text)
    if broken is not None:
        raise BadUrl(f"{text[broken.start() : broken.start() + 3]!r} is not an escape; write %25 for a percent sign")
    return quote(text, safe=safe)
