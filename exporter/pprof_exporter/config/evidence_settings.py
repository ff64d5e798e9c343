"""`evidence`: which raw profiles are saved, for how long, and where copies are sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from pydantic import Field, field_validator, model_validator
from yarl import URL

from pprof_exporter.config.strict import Duration, Size, Strict

_MIB = 2**20
_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class PushSettings:
    """A store of profiles that takes Pyroscope's POST /ingest. A password is read from its file when it is needed."""

    url: str
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    username: str = ""
    password_file: Path | None = None


@dataclass(frozen=True, slots=True)
class EvidenceSettings:
    """What is saved. Sizes are bytes, times seconds.

    `interval` is the least time between two findings of the same failure mode of a target, `capture_interval` between
    two captures of a target that alerts request; `memory` bounds the raw profiles that wait in memory.
    """

    enabled: bool = True
    max_bytes: int = 1024 * _MIB
    max_age: float = 14 * _DAY
    interval: float = 3600
    memory: int = 64 * _MIB
    capture_interval: float = 600
    token_file: Path | None = None
    push: PushSettings | None = None


class _Webhook(Strict):
    interval: Duration = Field(default=600, gt=0)
    token_file: Path | None = None


class _BasicAuth(Strict):
    username: str
    password_file: Path


class _Push(Strict):
    url: str
    headers: dict[str, str] = Field(default_factory=dict)
    basic_auth: _BasicAuth | None = None

    @field_validator("url")
    @classmethod
    def _is_url(cls, text: str) -> str:
        try:
            url = URL(text)
        except ValueError as error:
            raise ValueError(f"not a URL: {error}") from None
        if url.scheme not in ("http", "https") or not url.host:
            raise ValueError("write http://HOST:4040 or https://HOST")
        if url.user or url.password:
            raise ValueError("put user and password under basic_auth, with the password in a file")
        return text

    @model_validator(mode="after")
    def _one_line(self) -> _Push:
        for name, value in self.headers.items():
            if not name.isascii() or not name.replace("-", "").isalnum() or "\n" in value or "\r" in value:
                raise ValueError(f"{name!r}: a header name has letters, digits and -, and a value one line")
        return self

    def settings(self, folder: Path) -> PushSettings:
        auth = self.basic_auth
        return PushSettings(
            self.url,
            tuple(self.headers.items()),
            auth.username if auth else "",
            folder / auth.password_file if auth else None,
        )


class EvidenceModel(Strict):
    """Evidence: profiles that are saved on disk."""

    enabled: bool = True
    max_bytes: Size = Field(default=1024 * _MIB, gt=0)
    max_age: Duration = Field(default=14 * _DAY, gt=0)
    interval: Duration = Field(default=3600, gt=0)
    memory: Size = Field(default=64 * _MIB, gt=0)
    webhook: _Webhook = Field(default_factory=_Webhook)
    push: _Push | None = None

    def settings(self, folder: Path) -> EvidenceSettings:
        """The same for the rest of the program; relative paths are below `folder`, that of the configuration."""
        token = self.webhook.token_file
        return EvidenceSettings(
            enabled=self.enabled,
            max_bytes=self.max_bytes,
            max_age=self.max_age,
            interval=self.interval,
            memory=self.memory,
            capture_interval=self.webhook.interval,
            token_file=folder / token if token else None,
            push=self.push.settings(folder) if self.push else None,
        )
