"""The sections that say how HTTP requests are made, in Prometheus's terms; the same for targets and for discovery."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Annotated, ClassVar, Literal

from pydantic import (
    AfterValidator,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from pprof_exporter.config.client_settings import Authorization, BasicAuth, ClientSettings, OAuth2
from pprof_exporter.config.proxy import Proxy, parse_exempt, parse_proxy, proxy_from
from pprof_exporter.config.secret import Secret, fits_header
from pprof_exporter.config.strict import ExistingFile, Strict, environment
from pprof_exporter.config.tls import BadTls, TlsSettings, client_context
from pprof_exporter.inputs.url_characters import BadUrl
from pprof_exporter.inputs.urls import parse_url

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# Headers that the exporter sets itself, or that frame a message.
_OWN_HEADERS = frozenset(
    {
        *("accept-encoding", "authorization", "connection", "content-encoding", "content-length", "content-type"),
        *("expect", "host", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer"),
        *("transfer-encoding", "upgrade", "user-agent", "www-authenticate"),
        *("x-prometheus-refresh-interval-seconds", "x-prometheus-scrape-timeout-seconds"),
    }
)


def _one_line(secret: SecretStr) -> SecretStr:
    if not fits_header(secret.get_secret_value()):
        raise ValueError("contains more than one line or control characters")
    return secret


def _from_environment(name: SecretStr, info: ValidationInfo) -> SecretStr:
    # The name is not repeated: if the secret itself was written here by mistake, it must not reach a log.
    value = environment(info).get(name.get_secret_value())
    if value is None:
        raise ValueError("no environment variable has this name")
    return _one_line(SecretStr(value))


_Text = Annotated[SecretStr, AfterValidator(_one_line)]
_Variable = Annotated[SecretStr, AfterValidator(_from_environment), WithJsonSchema({"type": "string"})]
"""The name of an environment variable; the model holds its value."""


def http_url(text: str) -> str:
    """The same text, or `ValueError` if it is not the URL of a page."""
    try:
        parse_url(text)
    except BadUrl as error:
        raise ValueError(f"not a URL: {error}; write http://HOST/PATH or https://HOST/PATH") from None
    return text


HttpUrl = Annotated[str, AfterValidator(http_url)]


def _secret(text: SecretStr | None, file: ExistingFile | None, variable: SecretStr | None) -> Secret:
    given = text or variable
    return Secret(given.get_secret_value() if given else "", file)


class BasicAuthModel(Strict):
    """Username and password."""

    exclusive = (("username", "username_file", "username_env"), ("password", "password_file", "password_env"))
    username: _Text | None = None
    username_file: ExistingFile | None = None
    username_env: _Variable | None = None
    password: _Text | None = None
    password_file: ExistingFile | None = None
    password_env: _Variable | None = None

    @model_validator(mode="after")
    def _consistent(self) -> BasicAuthModel:
        if ":" in self.settings().username.text:
            raise ValueError("a username cannot contain a colon: the rest would be read as the password")
        return self

    def settings(self) -> BasicAuth:
        """The same for the rest of the program."""
        return BasicAuth(
            _secret(self.username, self.username_file, self.username_env),
            _secret(self.password, self.password_file, self.password_env),
        )


class AuthorizationModel(Strict):
    """Authorization header with a given token."""

    exclusive = (("credentials", "credentials_file", "credentials_env"),)
    type: str = "Bearer"
    credentials: _Text | None = None
    credentials_file: ExistingFile | None = None
    credentials_env: _Variable | None = None

    @field_validator("type")
    @classmethod
    def _is_type(cls, text: str) -> str:
        if not _TOKEN.fullmatch(text):
            raise ValueError("write one word, for example Bearer")
        if text.lower() == "basic":
            raise ValueError("for Basic use basic_auth with username and password")
        return text

    @model_validator(mode="after")
    def _consistent(self) -> AuthorizationModel:
        if self.settings().credentials == Secret():
            raise ValueError("set credentials, credentials_file or credentials_env")
        return self

    def settings(self) -> Authorization:
        """The same for the rest of the program."""
        return Authorization(self.type, _secret(self.credentials, self.credentials_file, self.credentials_env))


class TlsModel(Strict):
    """Verification of the server certificate, and the client certificate of the exporter."""

    ca_file: ExistingFile | None = None
    cert_file: ExistingFile | None = None
    key_file: ExistingFile | None = None
    server_name: str = ""
    insecure_skip_verify: bool = False
    min_version: Literal["TLS12", "TLS13"] = "TLS12"
    max_version: Literal["TLS12", "TLS13"] = "TLS13"

    @model_validator(mode="after")
    def _usable(self) -> TlsModel:
        if (self.cert_file is None) is not (self.key_file is None):
            raise ValueError("cert_file and key_file are required together; set both or none")
        if self.min_version > self.max_version:
            raise ValueError("min_version is above max_version")
        if self.settings().files:
            try:
                client_context(self.settings())
            except BadTls as error:
                raise ValueError(str(error)) from None
        return self

    def settings(self) -> TlsSettings:
        """The same for the rest of the program."""
        return TlsSettings(**self.model_dump())


class ProxyModel(Strict):
    """Keys of a section whose requests can go through a proxy."""

    exclusive: ClassVar[tuple[tuple[str, ...], ...]] = (("proxy_url", "proxy_from_environment"),)
    proxy_url: SecretStr | None = None
    no_proxy: str | None = None
    proxy_from_environment: bool = False
    _proxy: Proxy | None = PrivateAttr(default=None)

    @field_validator("proxy_url")
    @classmethod
    def _is_proxy(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None:
            parse_proxy(url.get_secret_value())
        return url

    @model_validator(mode="after")
    def _proxy_consistent(self, info: ValidationInfo) -> ProxyModel:
        if self.no_proxy is not None and self.proxy_url is None:
            raise ValueError("no_proxy needs proxy_url; set proxy_url or remove no_proxy")
        if self.proxy_from_environment:
            self._proxy = proxy_from(environment(info))
        elif self.proxy_url is not None:
            url, exempt = parse_proxy(self.proxy_url.get_secret_value()), parse_exempt(self.no_proxy or "")
            self._proxy = Proxy(url, url, exempt, loopback=not exempt)
        return self


class OAuth2Model(ProxyModel):
    """OAuth 2.0 token, requested with client credentials."""

    exclusive = (*ProxyModel.exclusive, ("client_secret", "client_secret_file", "client_secret_env"))
    client_id: Annotated[str, Field(min_length=1)]
    client_secret: _Text | None = None
    client_secret_file: ExistingFile | None = None
    client_secret_env: _Variable | None = None
    token_url: HttpUrl
    scopes: list[str] = Field(default_factory=list)
    endpoint_params: dict[str, str] = Field(default_factory=dict)
    tls_config: TlsModel = Field(default_factory=TlsModel)

    def settings(self) -> OAuth2:
        """The same for the rest of the program."""
        return OAuth2(
            client_id=self.client_id,
            client_secret=_secret(self.client_secret, self.client_secret_file, self.client_secret_env),
            token_url=self.token_url,
            scopes=tuple(self.scopes),
            endpoint_params=tuple(sorted(self.endpoint_params.items())),
            tls=self.tls_config.settings(),
            proxy=self._proxy,
        )


class HeaderModel(Strict):
    """Values of one header."""

    values: list[_Text] = Field(default_factory=list)
    secrets: list[_Text] = Field(default_factory=list)
    files: list[ExistingFile] = Field(default_factory=list)
    envs: list[_Variable] = Field(default_factory=list)

    def all(self) -> list[Secret]:
        """Every value, in this order."""
        texts = [Secret(text.get_secret_value()) for text in (*self.values, *self.secrets, *self.envs)]
        return texts + [Secret(file=file) for file in self.files]


class CredentialsModel(Strict):
    """Keys of a section that says what goes along with requests."""

    exclusive: ClassVar[tuple[tuple[str, ...], ...]] = (("basic_auth", "authorization"),)
    basic_auth: BasicAuthModel | None = None
    authorization: AuthorizationModel | None = None
    tls_config: TlsModel = Field(default_factory=TlsModel)
    http_headers: dict[str, HeaderModel] = Field(default_factory=dict)

    @field_validator("http_headers")
    @classmethod
    def _sendable(cls, headers: dict[str, HeaderModel]) -> dict[str, HeaderModel]:
        for name in headers:
            if not _TOKEN.fullmatch(name):
                raise ValueError(f"{name!r} is not a header name")
            if name.lower() in _OWN_HEADERS:
                raise ValueError(f"the header {name} is set by the exporter or by another section; remove it here")
        return headers

    def client(self) -> ClientSettings:
        """The same for the rest of the program."""
        way_in = self.basic_auth or self.authorization
        return ClientSettings(
            auth=way_in.settings() if way_in else None,
            headers=tuple((name, value) for name, given in sorted(self.http_headers.items()) for value in given.all()),
            tls=self.tls_config.settings(),
        )


class HttpClientModel(CredentialsModel, ProxyModel):
    """Keys of a section that makes HTTP requests."""

    exclusive = (*ProxyModel.exclusive, ("basic_auth", "authorization", "oauth2"))
    oauth2: OAuth2Model | None = None
    follow_redirects: bool = False

    def client(self) -> ClientSettings:
        """The same for the rest of the program."""
        client = super().client()
        return replace(
            client,
            auth=self.oauth2.settings() if self.oauth2 else client.auth,
            proxy=self._proxy,
            follow_redirects=self.follow_redirects,
        )
