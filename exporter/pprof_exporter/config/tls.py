"""`tls_config`: how a client checks the server, and shows who it is itself.

OpenSSL is loaded with the first context: a wrong target is refused without.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pprof_exporter.inputs.text_file import is_marked

if TYPE_CHECKING:
    import ssl


class BadTls(Exception):
    """A certificate or key that cannot be used; the message names the file."""


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """What `tls_config` says. Without `ca_file`, the certificates of the system are believed."""

    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    server_name: str = ""
    insecure_skip_verify: bool = False
    min_version: str = "TLS12"
    max_version: str = "TLS13"

    @property
    def files(self) -> tuple[Path, ...]:
        """What a context is made of, besides these settings."""
        return tuple(file for file in (self.ca_file, self.cert_file, self.key_file) if file is not None)


DEFAULT_TLS = TlsSettings()


def tls_version(name: str) -> ssl.TLSVersion:
    """`TLS12` or `TLS13`, as both configuration files name them."""
    import ssl  # noqa: PLC0415

    return {"TLS12": ssl.TLSVersion.TLSv1_2, "TLS13": ssl.TLSVersion.TLSv1_3}[name]


def client_context(tls: TlsSettings) -> ssl.SSLContext:
    """A context for these settings. Reads their files; raises `BadTls`."""
    import ssl  # noqa: PLC0415

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = tls_version(tls.min_version)
    context.maximum_version = tls_version(tls.max_version)
    if tls.insecure_skip_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if tls.ca_file is None:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    else:
        trust(context, tls.ca_file)
    if tls.cert_file is not None and tls.key_file is not None:
        load_pair(context, tls.cert_file, tls.key_file)
    return context


def trust(context: ssl.SSLContext, file: Path) -> None:
    """Believe what the certificates in a file have signed, intermediate ones too, as Go does. Raises `BadTls`."""
    import ssl  # noqa: PLC0415

    _readable(file)
    try:
        context.load_verify_locations(file)
    except (ssl.SSLError, OSError) as error:
        raise BadTls(f"{file}: contains no readable certificate ({_why(error)})") from None
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN


def load_pair(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    """Show this certificate, and prove it with its key. Raises `BadTls`."""
    import ssl  # noqa: PLC0415

    _readable(certificate)
    _readable(key)
    try:
        # An empty password: OpenSSL would prompt on the terminal for that of an encrypted key.
        context.load_cert_chain(certificate, key, password="")
    except (ssl.SSLError, OSError, ValueError) as error:
        raise BadTls(f"{certificate} and {key}: not a certificate with its key, in PEM ({_why(error)})") from None


def _readable(file: Path) -> None:
    # The ssl module does not say which file it is that is missing.
    try:
        with file.open("rb") as stream:
            marked = is_marked(stream.read(3))
    except OSError as error:
        raise BadTls(f"{file}: {error.strerror or error}") from None
    if marked:
        # OpenSSL and Go find no certificate behind it.
        raise BadTls(f"{file}: begins with a byte order mark; save it as ASCII")


def _why(error: Exception) -> str:
    reason = getattr(error, "reason", None)
    return str(reason).lower().replace("_", " ") if reason else str(error)
