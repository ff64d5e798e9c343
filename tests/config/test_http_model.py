"""How requests are made: every setting arrives, what contradicts itself is refused by line, no secret is shown."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives import serialization
from yarl import URL

from pprof_exporter.config import (
    Authorization,
    BadSecret,
    BasicAuth,
    ConfigError,
    HttpSource,
    Job,
    OAuth2,
    Secret,
    Settings,
)
from pprof_exporter.config.file import load_config
from pprof_exporter.config.proxy import parse_exempt, proxy_from

SECRET = "s3cret-Xyzzy"
JOB = """\
scrape_configs:
  - job_name: shop
    static_configs:
      - targets: [shop:6060]
"""


def load(folder: Path, text: str, environ: dict[str, str] | None = None) -> Settings:
    path = folder / "config.yaml"
    path.write_text(JOB + textwrap.indent(textwrap.dedent(text), "    "), encoding="utf-8")
    return load_config(path, Settings((), {}), environ)


def job(folder: Path, text: str, environ: dict[str, str] | None = None) -> Job:
    return load(folder, text, environ).jobs[0]


@pytest.fixture
def certificates(tmp_path: Path) -> Path:
    authority = trustme.CA()
    pair = authority.issue_cert("exporter.example")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    pair.private_key_pem.write_to_path(tmp_path / "key.pem")
    pair.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    return tmp_path


def test_user_and_password_come_from_text_files_and_variables(tmp_path: Path) -> None:
    (tmp_path / "password").write_text(f"{SECRET}\n")
    given = job(tmp_path, "basic_auth: {username_env: WHO, password_file: password}", {"WHO": "scott"}).client.auth

    assert isinstance(given, BasicAuth)
    assert given.username.read() == "scott"
    assert given.password.read() == SECRET
    (tmp_path / "password").write_text("another")
    assert given.password.read() == "another"


def test_every_setting_arrives_at_the_job_its_targets_and_its_discovery(certificates: Path) -> None:
    client = """\
        authorization: {type: Token, credentials: abc}
        tls_config: {ca_file: ca.pem, cert_file: cert.pem, key_file: key.pem, server_name: shop, min_version: TLS13}
        proxy_url: http://me:pass@proxy:3128
        no_proxy: localhost,.internal
        http_headers:
          X-Scope: {values: [one, two], files: [ca.txt]}
        follow_redirects: true
    """
    (certificates / "ca.txt").write_text("three")
    found = job(
        certificates,
        textwrap.dedent(client)
        + "params: {tenant: [a, b], zone: [n]}\nhttp_sd_configs:\n  - url: http://sd/list\n"
        + textwrap.indent(textwrap.dedent(client), "    "),
    )
    (target,) = found.resolve(found.static).targets
    (source,) = found.sources
    assert isinstance(source, HttpSource)
    assert target.client == found.client == source.client
    assert found.client.auth == Authorization("Token", Secret("abc"))
    assert found.client.follow_redirects
    assert [(name, value.read()) for name, value in found.client.headers] == [
        ("X-Scope", "one"),
        ("X-Scope", "two"),
        ("X-Scope", "three"),
    ]
    tls = found.client.tls
    assert (tls.ca_file, tls.cert_file) == (certificates / "ca.pem", certificates / "cert.pem")
    assert (tls.server_name, tls.min_version) == ("shop", "TLS13")
    assert found.client.proxy is not None
    assert found.client.proxy.for_url(URL("https://shop:1/")) == URL("http://me:pass@proxy:3128")
    assert target.params == (("tenant", "a"), ("tenant", "b"), ("zone", "n"))


def test_relabelling_can_change_the_first_value_of_a_parameter(tmp_path: Path) -> None:
    found = job(
        tmp_path,
        """\
        params: {tenant: [a, b]}
        relabel_configs:
          - {source_labels: [__param_tenant, __address__], target_label: __param_tenant}
          - {target_label: __param_zone, replacement: north}
          - {target_label: __param_seconds, replacement: "900"}
        """,
    )
    (target,) = found.resolve(found.static).targets
    assert target.params == (("tenant", "a;shop:6060"), ("tenant", "b"), ("zone", "north"))
    assert target.labels == ()


def test_oauth2_has_a_connection_of_its_own(certificates: Path) -> None:
    found = job(
        certificates,
        """\
        oauth2:
          client_id: exporter
          client_secret_env: SECRET
          token_url: https://login.example/token
          scopes: [profiles, read]
          endpoint_params: {audience: shop}
          tls_config: {ca_file: ca.pem}
          proxy_url: proxy:3128
        """,
        {"SECRET": SECRET},
    ).client
    assert isinstance(found.auth, OAuth2)
    assert found.auth.client_secret.read() == SECRET
    assert found.auth.scopes == ("profiles", "read")
    assert found.auth.tls.ca_file == certificates / "ca.pem"
    assert found.auth.proxy is not None
    assert found.proxy is None


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("basic_auth: {}\nauthorization: {credentials: a}", 6, "basic_auth and authorization are mutually exclusive"),
        ("oauth2: {client_id: a, token_url: 'http://x/'}\nbasic_auth: {}", 5, "basic_auth and oauth2 are"),
        ("follow_redirects: false\nbasic_auth: {password: a, password_file: secret}", 6, "password and password_file"),
        ("basic_auth: {username: a, username_file: secret}", 5, "username and username_file are mutually exclusive"),
        ("basic_auth: {username: 'a:b'}", 5, "a username cannot contain a colon"),
        ("authorization: {type: basic, credentials: a}", 5, "for Basic use basic_auth"),
        ("authorization: {}", 5, "set credentials, credentials_file or credentials_env"),
        ("authorization:\n  credentials: a\n  credentials_file: secret", 7, "are mutually exclusive"),
        ("authorization:\n  credentials_env: NOT_SET", 6, "no environment variable has this name"),
        ("authorization:\n  credentials_file: absent", 6, "absent: No such file"),
        ('authorization: {credentials: "a\\r\\nX-Admin: 1"}', 5, "more than one line"),
        ("basic_auth: {usrname: a}", 5, "did you mean 'username'?"),
        ("basic_aut: {}", 5, "did you mean 'basic_auth'?"),
        ("oauth2: {client_id: a}", 5, "token_url: field required"),
        ("oauth2: {client_id: a, token_url: 'ftp://x'}", 5, "write http://HOST/PATH"),
        ("oauth2:\n  client_id: a\n  token_url: http://x/\n  scope: [a]", 8, "did you mean 'scopes'?"),
        ("tls_config:\n  ca_file: absent.pem", 6, "absent.pem: No such file"),
        ("tls_config:\n  ca_file: secret", 5, "contains no readable certificate"),
        ("tls_config: {cert_file: secret}", 5, "are required together"),
        ("tls_config: {cert_file: secret, key_file: secret}", 5, "not a certificate with its key"),
        ("tls_config: {min_version: TLS10}", 5, "input should be 'TLS12' or 'TLS13'"),
        ("tls_config: {min_version: TLS13, max_version: TLS12}", 5, "min_version is above max_version"),
        ("proxy_url: 'socks5://x:1'", 5, "only plain HTTP proxies"),
        ("no_proxy: localhost", 2, "no_proxy needs proxy_url"),
        ("proxy_url: x:1\nproxy_from_environment: true", 6, "are mutually exclusive"),
        ("http_headers: {'X Y': {values: [a]}}", 5, "is not a header name"),
        ('http_headers: {"X\\r\\nY": {values: [a]}}', 5, "is not a header name"),
        ("http_headers: {host: {values: [a]}}", 5, "the header host is set by the exporter"),
        ('http_headers: {X-A: {values: ["a\\nb"]}}', 5, "more than one line"),
        ("params: {seconds: ['900']}", 5, "seconds is a parameter of net/http/pprof"),
        ("params: {a: b}", 5, "input should be a valid list"),
    ],
)
def test_what_contradicts_itself_is_refused_with_its_line(tmp_path: Path, text: str, line: int, says: str) -> None:
    (tmp_path / "secret").write_text(SECRET)
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    said = str(caught.value)
    assert said.startswith(f"{tmp_path / 'config.yaml'}:{line}: scrape_configs.0")
    assert says in said
    assert SECRET not in said


@pytest.mark.parametrize(
    "text",
    [
        f"basic_auth: {{password: {SECRET}, password_file: absent}}",
        f"basic_auth: {{password: [{SECRET}]}}",
        f"basic_auth: {{password_env: {SECRET}}}",
        f"authorization: {{credentials: '{SECRET}\n\n'}}",
        f"authorization: {SECRET}",
        f"authorization: {{credentials: *{SECRET}}}",
        f"authorization: {{credentials: !{SECRET} a}}",
        f"oauth2: {{client_id: a, client_secret: {SECRET}, token_url: x}}",
        f"proxy_url: 'socks5://a:{SECRET}@x:1'",
        f"proxy_url: 'http://a:{SECRET}@[x:1'",
        f"http_sd_configs: [{{url: 'ftp://a:{SECRET}@x'}}]",
        f"http_sd_configs: [{{url: 'http://a:{SECRET}@[x'}}]",
        f"http_headers: {{X-A: {{secrets: '{SECRET}'}}}}",
        f"params: {{token: {SECRET}}}",
    ],
)
def test_an_error_shows_no_secret(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    assert SECRET not in str(caught.value)
    assert SECRET not in repr(caught.value.__cause__)


def test_no_secret_is_in_what_settings_print(tmp_path: Path) -> None:
    found = load(
        tmp_path,
        f"""\
        basic_auth: {{username: {SECRET}, password: {SECRET}}}
        proxy_url: http://me:{SECRET}@proxy:1
        http_headers: {{X-Key: {{secrets: [{SECRET}], values: [{SECRET}]}}}}
        params: {{token: [{SECRET}]}}
        http_sd_configs:
          - url: http://me:{SECRET}@sd/?key={SECRET}
            oauth2:
              {{client_id: a, client_secret: {SECRET}, token_url: 'http://{SECRET}/', endpoint_params: {{a: {SECRET}}}}}
        """,
    )
    assert SECRET not in repr(found)


def test_a_key_with_a_password_is_refused_and_nobody_is_asked_for_it(certificates: Path) -> None:
    key = serialization.load_pem_private_key((certificates / "key.pem").read_bytes(), None)
    (certificates / "locked.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"x")
        )
    )
    with pytest.raises(ConfigError, match="not a certificate with its key"):
        load(certificates, "tls_config: {cert_file: cert.pem, key_file: locked.pem}")


@pytest.mark.parametrize(
    ("body", "says"),
    [(b"a\r\nb", "more than one line"), (b"\xff", "not UTF-8"), (b"x" * 70_000, "larger than")],
)
def test_a_file_that_holds_no_secret_is_told_by_its_name_alone(tmp_path: Path, body: bytes, says: str) -> None:
    file = tmp_path / "token"
    file.write_bytes(body)
    with pytest.raises(BadSecret, match=says) as caught:
        Secret(file=file).read()
    assert str(file) in str(caught.value)


@pytest.mark.parametrize(
    ("exempt", "url", "direct"),
    [
        ("", "http://shop/", False),
        ("*", "http://shop/", True),
        ("shop", "http://shop:1/", True),
        ("shop", "http://a.shop/", True),
        ("shop", "http://workshop/", False),
        (".shop", "http://shop/", False),
        ("*.shop", "http://a.shop/", True),
        ("shop:80", "http://shop:81/", False),
        ("shop:80", "http://shop/", True),
        ("10.0.0.0/8", "http://10.1.2.3/", True),
        ("10.0.0.0/8", "http://11.1.2.3/", False),
        ("10.1.2.3:80", "http://10.1.2.3/", True),
        ("fd00::/8", "http://[fd00::1]/", True),
        ("[fd00::1]:80", "http://[fd00::1]/", True),
        ("a, SHOP ,b", "http://shop./", True),
        ("", "http://127.0.0.1/", True),
        ("", "http://localhost:1/", True),
    ],
)
def test_exceptions_from_a_proxy_are_those_of_go(exempt: str, url: str, *, direct: bool) -> None:
    proxy = proxy_from({"http_proxy": "proxy:1", "NO_PROXY": exempt})
    assert proxy is not None
    assert (proxy.for_url(URL(url)) is None) is direct
    assert proxy.for_url(URL("https://shop/")) is None
    assert proxy_from({}) is None
    assert parse_exempt("") == ()


def test_limits_can_be_set_in_sizes_that_prometheus_knows(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("limits: {concurrency: 7, wire_bytes: 8MB, inflated_bytes: 16MiB}")
    limits = load_config(path, Settings((), {})).limits
    assert (limits.concurrency, limits.wire_bytes, limits.inflated_bytes) == (7, 8 * 2**20, 16 * 2**20)
    assert limits.concurrency_per_host == 8
    path.write_text("limits: {wire_bytes: 8 apples}")
    with pytest.raises(ConfigError, match=r"yaml:1: limits.wire_bytes: '8 apples' is not a size"):
        load_config(path, Settings((), {}))
