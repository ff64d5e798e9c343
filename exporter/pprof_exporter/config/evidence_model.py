"""`evidence` of the configuration file: the sections, and the settings made of them."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, field_validator, model_validator

from pprof_exporter.config.evidence_settings import EvidenceSettings, PushSettings
from pprof_exporter.config.strict import Duration, Size, Strict
from pprof_exporter.inputs.url_characters import BadUrl
from pprof_exporter.inputs.urls import parse_url

_DEFAULT = EvidenceSettings()


class _Webhook(Strict):
    interval: Duration = Field(default=_DEFAULT.capture_interval, gt=0)
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
            url = parse_url(text)
        except BadUrl as error:
            raise ValueError(f"not a URL: {error}; write http://HOST:4040 or https://HOST") from None
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

    enabled: bool = _DEFAULT.enabled
    max_bytes: Size = Field(default=_DEFAULT.max_bytes, gt=0)
    max_age: Duration = Field(default=_DEFAULT.max_age, gt=0)
    interval: Duration = Field(default=_DEFAULT.interval, gt=0)
    memory: Size = Field(default=_DEFAULT.memory, gt=0)
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
