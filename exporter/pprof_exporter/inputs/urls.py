"""URLs as Go reads them (net/url, Go 1.24): what is no URL is refused in a sentence, a path is sent as it is written.

yarl decodes `%2F` in a path to a slash when the path is set again, resolves `..`, and raises IndexError for `http://@`.
So text is taken apart here, and yarl gets parts that need no more encoding.
"""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv6Address
from urllib.parse import unquote

from yarl import URL

from pprof_exporter.inputs.url_characters import BadUrl, check_characters, escape_path, escape_query

_ABSOLUTE = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)([^?#]*)(\?[^#]*)?(#.*)?", re.DOTALL)
_HOST_PORT = re.compile(r"(?:\[(?P<address>[^\[\]]*)\]|(?P<name>[^\[\]:]*))(?::(?P<port>[^:]*))?")
_ZONE = re.compile(r"(?P<address>[0-9A-Fa-f:.]+)(?:%(?:25)?(?P<zone>[A-Za-z0-9._~-]+))?")
_LABEL = re.compile(r"[A-Za-z0-9_-]{1,63}")


def parse_url(text: str) -> URL:
    """Read an absolute http or https URL. Raises `BadUrl`."""
    check_characters(text)
    found = _ABSOLUTE.fullmatch(text)
    if found is None:
        raise BadUrl("it must begin with http:// or https://")
    scheme, authority, path, query = found[1].lower(), found[2], found[3], found[4] or ""
    if scheme not in ("http", "https"):
        raise BadUrl(f"the scheme must be http or https, not {scheme[:40]!r}")
    user, _, rest = authority.rpartition("@")
    base = _base(scheme, user, *_host_port(rest))
    return URL(f"{base}{escape_path(path) or '/'}{escape_query(query)}", encoded=True)


def _base(scheme: str, user: str, host: str, port: int | None) -> str:
    name, colon, password = user.partition(":")
    try:
        url = URL.build(
            scheme=scheme,
            user=unquote(name) or None,
            password=unquote(password) if colon else None,
            host=host,
            port=port,
        )
        # IDNA makes `a/c` of one character, and the name in Unicode again is computed only when it is first used.
        usable = ":" in host or (_is_name(url.raw_host or "") and bool(url.host))
    except ValueError:
        usable = False
    else:
        if usable:
            return f"{scheme}://{url.raw_authority}"
    raise BadUrl("the host is not a name that DNS can hold")


def parse_reference(base: URL, text: str) -> URL:
    """The URL that a reply of `base` refers to, as in a redirect. Raises `BadUrl`."""
    if _ABSOLUTE.fullmatch(text):
        return parse_url(text)
    if text.startswith("//"):
        return parse_url(f"{base.scheme}:{text}")
    check_characters(text)
    if re.match(r"[^/?#]*:", text):
        raise BadUrl("the scheme must be http or https")
    written = text.partition("#")[0]
    path, mark, query = written.partition("?")
    reference = URL(escape_path(path) + escape_query(mark + query), encoded=True)
    return base.join(reference) if written else base


def below(url: URL, path: str) -> URL:
    """The URL of a relative path below a URL that ends with a slash."""
    return url.with_path(url.raw_path + escape_path(path), encoded=True)


def _host_port(text: str) -> tuple[str, int | None]:
    found = _HOST_PORT.fullmatch(text)
    if found is None:
        raise BadUrl("write HOST:PORT, with an IPv6 address in brackets, as in [::1]:6060")
    if found["address"] is not None:
        return _address(found["address"]), _port(found["port"])
    return _name(found["name"]), _port(found["port"])


def _address(text: str) -> str:
    found = _ZONE.fullmatch(text)
    try:
        IPv6Address(found["address"] if found else "")
    except AddressValueError:
        found = None
    if found is None:
        raise BadUrl("the brackets hold no IPv6 address")
    return f"{found['address']}%{found['zone']}" if found["zone"] else found["address"]


def _name(text: str) -> str:
    if not text:
        raise BadUrl("it has no host; write HOST:PORT or http://HOST:PORT/PATH")
    if text.isascii() and not _is_name(text):
        raise BadUrl("the host is not a name: its parts have 1 to 63 letters, digits, '-' and '_', with dots between")
    return text


def _is_name(text: str) -> bool:
    return len(text) <= 253 and all(_LABEL.fullmatch(label) for label in text.removesuffix(".").split("."))


def _port(text: str | None) -> int | None:
    if not text:
        return None
    number = text.lstrip("0")
    if not (text.isascii() and text.isdigit()) or not 0 < len(number) <= 5 or int(number) > 65535:
        raise BadUrl("the port must be a number from 1 to 65535")
    return int(number)
