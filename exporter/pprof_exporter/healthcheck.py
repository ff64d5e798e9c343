"""`pprof-exporter healthcheck`: requests a page of a running exporter to check that it is alive.

Containers run it every few seconds, so it loads the standard library only.
"""

from __future__ import annotations

import argparse
import http.client
import ssl
import sys
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

_LISTEN = "PPROF_EXPORTER_WEB_LISTEN_ADDRESS"
_ROUTE_PREFIX = "PPROF_EXPORTER_WEB_ROUTE_PREFIX"
_EXTERNAL_URL = "PPROF_EXPORTER_WEB_EXTERNAL_URL"
_URL = "PPROF_EXPORTER_HEALTHCHECK_URL"

# An exporter that requires a password is alive.
_ALIVE = (200, 401)


def run(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    """Exit code 0 if it answers, 1 if it does not, 2 for wrong arguments: what Docker wants of a health check."""
    parser = argparse.ArgumentParser(
        prog="pprof-exporter healthcheck",
        description="Check that the local exporter is alive. Exit code: 0 alive, 1 not alive.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--url",
        default=environ.get(_URL) or default_url(environ),
        help=f"URL of the exporter; certificates are not verified (default: %(default)s) [{_URL}]",
    )
    parser.add_argument("--timeout", type=_seconds, default=3.0, help="timeout in seconds (default: %(default)g)")
    options = parser.parse_args(argv)
    if urlsplit(options.url).scheme not in ("http", "https") or not urlsplit(options.url).hostname:
        parser.error(f"--url {options.url!r} is not a URL; write for example http://localhost:9717/-/healthy")
    problem = find_problem(options.url, options.timeout)
    print(ascii(problem)[1:-1] if problem else "healthy", file=sys.stderr if problem else sys.stdout)
    return 1 if problem else 0


def default_url(environ: Mapping[str, str]) -> str:
    """The address that the exporter of the same environment listens on, seen from the same machine."""
    first = environ.get(_LISTEN, ":9717").partition(",")[0].strip()
    host, _, port = first.rpartition(":")
    here = "127.0.0.1" if host in ("", "0.0.0.0") else "[::1]" if host == "[::]" else host  # noqa: S104 - not bound
    return f"http://{here}:{port}{_prefix(environ)}/-/healthy"


def _prefix(environ: Mapping[str, str]) -> str:
    """The prefix of its paths, as `config/listen_address.py` reads it; the exporter has checked it."""
    text = environ.get(_ROUTE_PREFIX) or urlsplit(environ.get(_EXTERNAL_URL, "")).path
    return f"/{bare}" if (bare := text.strip("/")) else ""


def find_problem(url: str, timeout: float) -> str | None:
    """What is wrong, in one line; None if all is well. `timeout` in seconds."""
    try:
        where = urlsplit(url)
        connection = _connection(where.scheme, where.hostname or "", where.port, timeout)
        try:
            connection.request("GET", where.path or "/-/healthy", headers={"Connection": "close"})
            status = connection.getresponse().status
        finally:
            connection.close()
    except (OSError, http.client.HTTPException, ValueError) as error:
        return f"{url}: {str(error) or type(error).__name__}"
    return None if status in _ALIVE else f"{url}: status {status}"


def _connection(scheme: str, host: str, port: int | None, timeout: float) -> http.client.HTTPConnection:
    if scheme == "http":
        return http.client.HTTPConnection(host, port, timeout=timeout)
    # Its certificate is for the name by which others call it, and no secret is sent.
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection(host, port, timeout=timeout, context=context)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0 and up to 3600")
    return seconds
