"""Where to listen."""

from __future__ import annotations

import pytest

from pprof_exporter.config.listen_address import BadAddress, Listen, parse_listen


@pytest.mark.parametrize(
    ("text", "listen"),
    [
        (":9717", Listen(None, 9717)),
        ("127.0.0.1:0", Listen("127.0.0.1", 0)),
        ("[::1]:9717", Listen("::1", 9717)),
        ("host.example:80", Listen("host.example", 80)),
    ],
)
def test_addresses_are_written_as_in_go(text: str, listen: Listen) -> None:
    assert parse_listen(text) == listen


@pytest.mark.parametrize("text", ["", "9717", "host", "host:", "host:http", ":65536", "::1:80", ":-1"])
def test_what_is_not_an_address_is_refused_with_examples(text: str) -> None:
    with pytest.raises(BadAddress, match=r"127\.0\.0\.1:9717|brackets"):
        parse_listen(text)
