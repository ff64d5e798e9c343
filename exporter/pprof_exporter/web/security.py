"""TLS and passwords from a web configuration file, in the format of prometheus/exporter-toolkit."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
import secrets
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import bcrypt
import structlog
from aiohttp import web
from pydantic import Field

from pprof_exporter.config import ConfigError, Strict, load_yaml

WebConfigError = ConfigError

_VERSIONS = {"TLS12": ssl.TLSVersion.TLSv1_2, "TLS13": ssl.TLSVersion.TLSv1_3}
_CLIENT_AUTH = {
    "NoClientCert": ssl.CERT_NONE,
    "VerifyClientCertIfGiven": ssl.CERT_OPTIONAL,
    "RequireAndVerifyClientCert": ssl.CERT_REQUIRED,
}


class _Tls(Strict):
    cert_file: Path
    key_file: Path
    client_ca_file: Path | None = None
    client_auth_type: Literal["NoClientCert", "VerifyClientCertIfGiven", "RequireAndVerifyClientCert"] = "NoClientCert"
    min_version: Literal["TLS12", "TLS13"] = "TLS12"
    max_version: Literal["TLS12", "TLS13"] = "TLS13"


class _WebConfig(Strict):
    tls_server_config: _Tls | None = None
    basic_auth_users: dict[str, str] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WebSecurity:
    """What guards the listener: a TLS context, and bcrypt hashes by user (none: no password is asked for)."""

    tls: ssl.SSLContext | None = None
    users: dict[str, str] = field(default_factory=dict, repr=False)

    @property
    def authenticates(self) -> bool:
        """Nobody gets an answer without a password or a certificate."""
        certified = self.tls is not None and self.tls.verify_mode is ssl.CERT_REQUIRED
        return bool(self.users) or certified


def load_web_config(path: Path) -> WebSecurity:
    """Read the file; certificates are looked for beside it. Raises `WebConfigError`."""
    config = load_yaml(path, _WebConfig)
    for user, hashed in config.basic_auth_users.items():
        try:
            bcrypt.checkpw(b"", hashed.encode())
        except ValueError:
            raise WebConfigError(f"{path}: basic_auth_users.{user}: not a bcrypt hash") from None
    try:
        tls = _context(config.tls_server_config, path.parent) if config.tls_server_config else None
    except OSError as error:
        raise WebConfigError(f"{path}: tls_server_config: {error}") from error
    return WebSecurity(tls, config.basic_auth_users)


def _context(config: _Tls, folder: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = _VERSIONS[config.min_version]
    context.maximum_version = _VERSIONS[config.max_version]
    context.load_cert_chain(folder / config.cert_file, folder / config.key_file)
    if config.client_ca_file:
        context.load_verify_locations(folder / config.client_ca_file)
    context.verify_mode = _CLIENT_AUTH[config.client_auth_type]
    return context


class PasswordGate:
    """Asks for a password, and remembers which ones were right: bcrypt is slow by design."""

    def __init__(self, users: dict[str, str]) -> None:
        self._users = users
        self._salt = secrets.token_bytes(16)
        self._right: set[bytes] = set()
        # Checked for unknown users, so that the time of the answer does not tell which users there are.
        self._nobody = bcrypt.hashpw(secrets.token_bytes(16), bcrypt.gensalt()).decode()

    async def allows(self, request: web.Request) -> bool:
        """Whether the request carries user and password of someone in the file."""
        given = _credentials(request.headers.get("Authorization", ""))
        if given is None:
            return False
        user, password = given
        mark = hmac.digest(self._salt, hashlib.sha256(user).digest() + password, "sha256")
        if mark in self._right:
            return True
        known = self._users.get(user.decode("utf-8", "replace"))
        # bcrypt reads 72 bytes at the most, and the library refuses more.
        right = await asyncio.to_thread(bcrypt.checkpw, password[:72], (known or self._nobody).encode())
        if right and known is not None:
            self._right.add(mark)
            return True
        return False


class Bearer:
    """A token in a file, which is read each time, so that it can be changed."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def allows(self, request: web.Request) -> bool:
        """Whether the request carries the token; nobody has an empty one, or that of a file which cannot be read."""
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return False
        try:
            token = (await asyncio.to_thread(self._path.read_bytes)).strip()
        except OSError as error:
            structlog.get_logger().warning("cannot read the token", file=str(self._path), detail=error.strerror)
            return False
        return bool(token) and hmac.compare_digest(token, given.strip().encode("utf-8", "surrogateescape"))


def _credentials(header: str) -> tuple[bytes, bytes] | None:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, colon, password = base64.b64decode(encoded, validate=True).partition(b":")
    except (binascii.Error, ValueError):
        return None
    return (user, password) if colon else None
