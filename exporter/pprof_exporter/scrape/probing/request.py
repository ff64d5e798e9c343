"""Reads the target of a probe. Any client of /probe can choose it, so it is not trusted.

Ambiguous notations are refused: user, percent signs, unusual numbers. Errors repeat text only after it was found to be
an address.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from ipaddress import AddressValueError, IPv4Address, IPv6Address, ip_address

from pprof_exporter.config import AllowRule, BadTarget, ProbeModule, Target, parse_target
from pprof_exporter.scrape.probing.addresses import why_forbidden

_MAX_LENGTH = 512
_PARTS = re.compile(
    r"(?:(?P<scheme>[a-z][a-z0-9+.-]*)://)?"
    r"(?P<host>\[[^\]/]*\]|[^:/\[\]]*)(?::(?P<port>\d{1,5}))?"
    r"(?P<path>/.*)?",
    re.IGNORECASE,
)
_NAME = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.?")
# As browsers distinguish numbers from names: by the last label (https://url.spec.whatwg.org/#ends-in-a-number-checker).
_NUMBER = re.compile(r"(?:.*\.)?(?:\d+|0x[0-9a-f]*)\.?")
_PATH = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+/?")
_MOUNT = "/debug/pprof/"
_SERVICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,199}")


class BadProbe(Exception):
    """A request that is refused, with an HTTP status and a sentence that says why."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class ProbeRequest:
    """A request whose target is allowed, as far as can be checked without a name server."""

    target: Target
    module: ProbeModule
    rules: tuple[AllowRule, ...]


def read_request(text: str, service: str, module: ProbeModule, everywhere: AllowRule) -> ProbeRequest:
    """Read the parameters `target` and `service` ("": none). Raises `BadProbe`."""
    if len(text) > _MAX_LENGTH or not text.isascii() or not text.isprintable() or " " in text:
        raise BadProbe(400, "The target must be HOST:PORT or a URL, in at most 512 ASCII characters without spaces.")
    if "@" in text:
        raise BadProbe(400, "Remove user and password from the target: Prometheus would log them.")
    if "?" in text or "#" in text:
        raise BadProbe(400, "Remove everything from '?' or '#' in the target; the exporter adds its own parameters.")
    if service and not _SERVICE.fullmatch(service):
        raise BadProbe(400, "A service name has up to 200 letters and digits, with . _ / - between them.")
    found = _PARTS.fullmatch(text)
    if found is None:
        raise BadProbe(400, "The target is not an address; write HOST:PORT or http://HOST:PORT/PATH.")
    scheme = (found["scheme"] or "http").lower()
    if scheme not in ("http", "https"):
        raise BadProbe(400, "The scheme of the target must be http or https.")
    port = int(found["port"] or (443 if scheme == "https" else 80))
    if not 0 < port < 65536:
        raise BadProbe(400, "The port of the target must be a number from 1 to 65535.")
    host = _host(found["host"].lower())
    rules = (everywhere, module.allowed)
    path = _path(found["path"] or "/", module)
    for rule in rules:
        _check(rule, scheme, host, port)
    _check_address(host, rules)
    try:
        target = parse_target(f"{scheme}://{host}:{port}{path}", labels={"service": service} if service else None)
    except BadTarget:
        raise BadProbe(400, "The target is not an address; write HOST:PORT or http://HOST:PORT/PATH.") from None
    return ProbeRequest(target, module, rules)


def _host(text: str) -> str:
    """The host in its canonical form: IPv6 in brackets and compressed."""
    if text.startswith("["):
        try:
            address = IPv6Address(text[1:-1])
        except AddressValueError:
            address = None
        if address is None or address.scope_id is not None:
            raise BadProbe(400, "The brackets contain no IPv6 address, or one with a zone.")
        return f"[{address.compressed}]"
    if _NUMBER.fullmatch(text):
        try:
            return str(IPv4Address(text))
        except AddressValueError:
            raise BadProbe(400, "Write an IPv4 address as four decimal numbers, as in 192.0.2.7.") from None
    if len(text) > 253 or not _NAME.fullmatch(text):
        raise BadProbe(400, "The target has no host; write HOST:PORT or http://HOST:PORT/PATH.")
    return text


def _path(path: str, module: ProbeModule) -> str:
    """The path of pprof: that of the module, or one that ends like the default path of net/http/pprof."""
    if path == "/":
        return module.path
    if not _PATH.fullmatch(path):
        raise BadProbe(400, "The path of the target may contain only letters, digits and / . _ ~ -.")
    whole = path.rstrip("/") + "/"
    if whole != module.path and not whole.endswith(_MOUNT):
        raise BadProbe(403, f"The path of the target must end in {_MOUNT}, or be that of the module: {module.path}.")
    return whole


def _check(rule: AllowRule, scheme: str, host: str, port: int) -> None:
    if rule.schemes and scheme not in rule.schemes:
        raise BadProbe(403, f"The scheme {scheme} is not in allowed.schemes.")
    bare = host.strip("[]").rstrip(".")
    if rule.hosts and not any(fnmatchcase(bare, pattern) for pattern in rule.hosts):
        raise BadProbe(403, f"The host {bare} is not in allowed.hosts.")
    if rule.ports and not any(first <= port <= last for first, last in rule.ports):
        raise BadProbe(403, f"The port {port} is not in allowed.ports.")


def _check_address(host: str, rules: tuple[AllowRule, ...]) -> None:
    try:
        address = ip_address(host.strip("[]"))
    except ValueError:
        # A name: its addresses are checked when the probe connects (see `sockets`).
        return
    problem = why_forbidden(address, rules)
    if problem is not None:
        raise BadProbe(403, f"This target is not allowed: {problem}.")
