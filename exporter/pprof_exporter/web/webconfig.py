"""The web configuration file, in the format of prometheus/exporter-toolkit (docs/web-configuration.md)."""

from __future__ import annotations

import re
import ssl
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from pprof_exporter.config.config_error import ConfigError
from pprof_exporter.config.file_stamp import file_stamp
from pprof_exporter.config.secret import fits_header
from pprof_exporter.config.strict import ExistingFile, Strict, load_yaml
from pprof_exporter.config.tls import BadTls, load_pair, tls_version, trust
from pprof_exporter.config.units import parse_duration
from pprof_exporter.web.ciphers import CURVES, SUITES, TLS13_SUITES
from pprof_exporter.web.web_settings import WebConfig

_BCRYPT = re.compile(r"\$2[abxy]\$(0[4-9]|[12]\d|3[01])\$[./A-Za-z0-9]{53}")
_CLIENT_AUTH = {
    "NoClientCert": ssl.CERT_NONE,
    "VerifyClientCertIfGiven": ssl.CERT_OPTIONAL,
    "RequireAndVerifyClientCert": ssl.CERT_REQUIRED,
}
_UNVERIFIED = ("RequestClientCert", "RequireAnyClientCert")
_HEADERS: dict[str, tuple[str, ...]] = {
    "Content-Security-Policy": (),
    "X-Frame-Options": ("deny", "sameorigin"),
    "X-Content-Type-Options": ("nosniff",),
    "X-XSS-Protection": (),
    "Strict-Transport-Security": (),
}


class TlsServerConfig(Strict):
    """Certificates, and what is negotiated."""

    cert_file: ExistingFile
    key_file: ExistingFile
    client_ca_file: ExistingFile | None = None
    client_auth_type: str = "NoClientCert"
    client_allowed_sans: list[str] = Field(default_factory=list)
    min_version: Literal["TLS12", "TLS13"] = "TLS12"
    max_version: Literal["TLS12", "TLS13"] = "TLS13"
    cipher_suites: list[str] = Field(default_factory=list)
    prefer_server_cipher_suites: bool = True
    curve_preferences: list[str] = Field(default_factory=list, max_length=1)

    @model_validator(mode="before")
    @classmethod
    def _in_files(cls, given: Any) -> Any:
        for name in ("cert", "key", "client_ca"):
            if isinstance(given, dict) and name in given:
                raise ValueError(f"use {name}_file instead of {name}: Python reads it from a file only")
        return given

    @field_validator("client_auth_type")
    @classmethod
    def _possible(cls, text: str) -> str:
        if text in _UNVERIFIED:
            raise ValueError(
                f"{text!r} is not supported: Python's ssl verifies every certificate; "
                f"write one of {', '.join(_CLIENT_AUTH)}"
            )
        if text not in _CLIENT_AUTH:
            raise ValueError(f"write one of {', '.join(_CLIENT_AUTH)}")
        return text

    @field_validator("cipher_suites")
    @classmethod
    def _known_suites(cls, names: list[str]) -> list[str]:
        for name in names:
            if name not in SUITES and name not in TLS13_SUITES:
                raise ValueError(f"{name!r} is not one of {', '.join([*SUITES, *sorted(TLS13_SUITES)])}")
        return names

    @field_validator("curve_preferences")
    @classmethod
    def _known_curves(cls, names: list[str]) -> list[str]:
        for name in names:
            if name not in CURVES:
                raise ValueError(f"{name!r} is not one of {', '.join(CURVES)}")
        return names

    @model_validator(mode="after")
    def _consistent(self) -> TlsServerConfig:
        if self.min_version > self.max_version:
            raise ValueError("min_version is above max_version")
        if self.client_auth_type != "NoClientCert" and self.client_ca_file is None:
            raise ValueError(f"client_auth_type {self.client_auth_type} needs a client_ca_file")
        if self.client_ca_file is not None and self.client_auth_type == "NoClientCert":
            raise ValueError("client_ca_file is set, but client_auth_type requests no certificate; remove one")
        if self.client_allowed_sans and self.client_auth_type != "RequireAndVerifyClientCert":
            raise ValueError("client_allowed_sans needs client_auth_type RequireAndVerifyClientCert")
        self.context()
        return self

    @property
    def files(self) -> tuple[Path, ...]:
        """What the context is made of, besides these settings."""
        return tuple(file for file in (self.cert_file, self.key_file, self.client_ca_file) if file is not None)

    def context(self) -> ssl.SSLContext:
        """A new context. Raises `ValueError`."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = tls_version(self.min_version)
        context.maximum_version = tls_version(self.max_version)
        context.verify_mode = _CLIENT_AUTH[self.client_auth_type]
        suites = [SUITES[name] for name in self.cipher_suites if name in SUITES]
        try:
            load_pair(context, self.cert_file, self.key_file)
            if self.client_ca_file is not None:
                trust(context, self.client_ca_file)
            if suites:
                context.set_ciphers(":".join(suites))
            for name in self.curve_preferences:
                context.set_ecdh_curve(CURVES[name])
        except (BadTls, ssl.SSLError) as error:
            raise ValueError(str(error)) from None
        if self.prefer_server_cipher_suites:
            context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
        else:
            context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
        return context


class HttpServerConfig(Strict):
    """Headers of every reply. `http2` is taken and changes nothing: pages are served over HTTP/1.1."""

    http2: bool = True
    headers: dict[str, str] = Field(default_factory=dict)

    @field_validator("headers")
    @classmethod
    def _allowed(cls, headers: dict[str, str]) -> dict[str, str]:
        for name, value in headers.items():
            if name not in _HEADERS:
                raise ValueError(f"{name!r} is not one of {', '.join(_HEADERS)}")
            if value and _HEADERS[name] and value.lower() not in _HEADERS[name]:
                raise ValueError(f"the value of {name} must be {' or '.join(_HEADERS[name])}")
            if not fits_header(value):
                raise ValueError(f"the value of {name} has more than one line, or control characters")
        return headers


def _interval(value: object) -> object:
    return 0.0 if value in ("0", "0s") else parse_duration(value) if isinstance(value, str) else value


class RateLimit(Strict):
    """Burst of requests, and one more after each interval; 0: no limit."""

    interval: Annotated[float, BeforeValidator(_interval), Field(ge=0)] = 0
    burst: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _possible(self) -> RateLimit:
        if self.interval and not self.burst:
            raise ValueError("a burst of 0 refuses every request; write 1 or more")
        return self


class WebConfigFile(Strict):
    """The whole file."""

    tls_server_config: TlsServerConfig | None = None
    http_server_config: HttpServerConfig = Field(default_factory=HttpServerConfig)
    basic_auth_users: dict[str, str] = Field(default_factory=dict)
    rate_limit: RateLimit = Field(default_factory=RateLimit)

    @field_validator("basic_auth_users")
    @classmethod
    def _hashed(cls, users: dict[str, str]) -> dict[str, str]:
        for user, hashed in users.items():
            if not _BCRYPT.fullmatch(hashed):
                raise ValueError(f"the password of {user!r} is not a bcrypt hash; create one with htpasswd -nBC 10 ''")
        return users


def read_web_config(path: Path) -> WebConfig:
    """Read the file; paths of certificates are relative to it. Raises `ConfigError`."""
    stamp = file_stamp(path)
    if stamp is not None and stamp.size == 0:
        raise ConfigError(f"{path}: the file is empty; write {{}} for pages without TLS and passwords")
    file = load_yaml(path, WebConfigFile)
    tls = file.tls_server_config
    try:
        context = tls.context() if tls else None
    except ValueError as error:
        raise ConfigError(f"{path}: tls_server_config: {error}") from None
    return WebConfig(
        users=file.basic_auth_users,
        headers=file.http_server_config.headers,
        interval=file.rate_limit.interval,
        burst=file.rate_limit.burst,
        allowed_sans=frozenset(tls.client_allowed_sans) if tls else frozenset(),
        context=context,
        files=tls.files if tls else (),
    )
