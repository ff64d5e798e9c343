"""Secrets in files, as editors and shells of every system write them, wherever one is read."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiohttp.test_utils import make_mocked_request

from pprof_exporter.config import BadSecret, PushSettings, Secret, TlsSettings, client_context
from pprof_exporter.config.file_stamp import file_stamp
from pprof_exporter.config.secret import fits_header
from pprof_exporter.config.tls import BadTls
from pprof_exporter.evidence.push import _credentials
from pprof_exporter.web.bearer_token import Bearer

PASSWORD = "s3cret"
WRITTEN = {
    "plain": b"s3cret",
    "with a line end": b"s3cret\n",
    "Out-File -Encoding utf8": b"\xef\xbb\xbfs3cret\r\n",
    "Out-File of PowerShell 5.1": "\ufeffs3cret\r\n".encode("utf-16-le"),
    "UTF-16, big end first": "\ufeffs3cret\n".encode("utf-16-be"),
}


@pytest.fixture(params=WRITTEN)
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "password"
    path.write_bytes(WRITTEN[request.param])
    return path


def test_a_secret_is_the_same_however_it_is_written(file: Path) -> None:
    assert Secret(file=file).read() == PASSWORD


async def test_so_is_the_token_of_the_webhook(file: Path) -> None:
    request = make_mocked_request("POST", "/-/alert", headers={"Authorization": f"Bearer {PASSWORD}"})
    assert await Bearer(file).allows(request)


def test_so_is_the_password_for_pushing(file: Path) -> None:
    given = _credentials(PushSettings("http://h", (), "scott", file))
    assert given == {"Authorization": "Basic c2NvdHQ6czNjcmV0"}


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ("s3cret".encode("utf-16-le"), "save it as UTF-8"),
        (b"s3cret\xff", "save it as UTF-8"),
        (b"s3cret\nmore", "more than one line"),
        (b"s3cret" * 20_000, "larger than 65536 bytes"),
    ],
)
def test_what_is_no_secret_is_refused_with_what_to_do(tmp_path: Path, data: bytes, says: str) -> None:
    path = tmp_path / "password"
    path.write_bytes(data)
    with pytest.raises(BadSecret, match=says) as caught:
        Secret(file=path).read()
    assert str(path) in str(caught.value)
    assert PASSWORD not in str(caught.value)
    with pytest.raises(OSError, match=says):
        _credentials(PushSettings("http://h", (), "scott", path))


def test_half_a_surrogate_pair_fits_no_header() -> None:
    assert not fits_header("a\udc80")
    assert fits_header("ä\t")


def test_a_certificate_behind_a_byte_order_mark_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    path.write_bytes(b"\xef\xbb\xbf-----BEGIN CERTIFICATE-----\n")
    with pytest.raises(BadTls, match="begins with a byte order mark; save it as ASCII"):
        client_context(TlsSettings(ca_file=path))


def test_a_zero_byte_in_the_name_of_a_file_is_no_other_error() -> None:
    with pytest.raises(BadSecret, match="zero byte in its name"):
        Secret(file=Path("a\0b")).read()
    assert file_stamp(Path("a\0b")) is None
