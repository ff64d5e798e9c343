"""The format of logs, byte for byte: logfmt and JSON, our own events and those of libraries."""

from __future__ import annotations

import json
import logging
import re
from pathlib import PurePosixPath

import pytest

from pprof_exporter.cli.logs import set_up_logs
from pprof_exporter.event_log import LOG

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z")


def written(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Lines on standard error, with the time of each left out."""
    out, err = capsys.readouterr()
    assert out == ""
    lines = err.splitlines()
    assert all(len(TIME.findall(line)) == 1 for line in lines)
    return [TIME.sub("NOW", line) for line in lines]


def log_everything() -> None:
    LOG.info("listening", urls="http://localhost:9717", targets=2)
    target = LOG.bind(target="127.0.0.1:6060")
    target.warning("fetch failed", profile="heap", none=None, yes=True, no=False, empty="")
    target.debug("not shown")
    logging.getLogger("aiohttp.server").error("Error %s", "handling request")


def test_logfmt_has_time_level_and_message_first_then_the_fields_in_their_order(
    capsys: pytest.CaptureFixture[str],
) -> None:
    set_up_logs("info", "logfmt")
    log_everything()
    assert written(capsys) == [
        "ts=NOW level=info msg=listening urls=http://localhost:9717 targets=2",
        'ts=NOW level=warning msg="fetch failed" target=127.0.0.1:6060 profile=heap none=null yes=true no=false empty=',
        'ts=NOW level=error msg="Error handling request"',
    ]


def test_json_has_the_fields_first(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs("info", "json")
    log_everything()
    LOG.info("an object", path=PurePosixPath("/a"))
    assert written(capsys) == [
        '{"urls": "http://localhost:9717", "targets": 2, "level": "info", "ts": "NOW", "msg": "listening"}',
        (
            '{"target": "127.0.0.1:6060", "profile": "heap", "none": null, "yes": true, "no": false, "empty": "", '
            '"level": "warning", "ts": "NOW", "msg": "fetch failed"}'
        ),
        '{"level": "error", "ts": "NOW", "msg": "Error handling request"}',
        '{"path": "PurePosixPath(\'/a\')", "level": "info", "ts": "NOW", "msg": "an object"}',
    ]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("plain", "plain"),
        ("two words", '"two words"'),
        ("a=b", '"a=b"'),
        ('say "no"', r'"say \"no\""'),
        ("a\nb", r'"a\nb"'),
        ("null", '"null"'),
        ("\x1b]0;TITLE\x07", r'"\u001b]0;TITLE\u0007"'),
        ("\x7f\x9b\u202e\ufeff", r'"\u007f\u009b\u202e\ufeff"'),
        ("\ud800", r'"\ufffd"'),
        ("two lines\nlevel=info msg=forged", r'"two lines\nlevel=info msg=forged"'),
        ("C:\\x", "C:\\x"),
        ("C:\\my files", r'"C:\\my files"'),
    ],
)
def test_a_value_cannot_end_its_field_or_its_line(value: str, shown: str, capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs("info", "logfmt")
    LOG.info("event", field=value)
    assert written(capsys) == [f"ts=NOW level=info msg=event field={shown}"]


@pytest.mark.parametrize("form", ["logfmt", "json"])
def test_a_traceback_is_one_field_of_one_line(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs("info", form)
    try:
        _ = 1 // 0
    except ZeroDivisionError as error:
        LOG.exception("internal error", path="/")
        LOG.error("internal error", exc_info=error)
        logging.getLogger("asyncio").error("internal error", exc_info=error)
    lines = written(capsys)
    assert len(lines) == 3
    for line in lines:
        found = json.loads(line)["exception"] if form == "json" else line.partition(" exception=")[2]
        assert "Traceback (most recent call last):" in found
        assert "ZeroDivisionError: " in found


def test_a_level_hides_what_is_below_it(capsys: pytest.CaptureFixture[str]) -> None:
    for level, shown in (("debug", 4), ("info", 3), ("warn", 2), ("error", 1)):
        set_up_logs(level, "logfmt")
        for log in (LOG.debug, LOG.info, LOG.warning, LOG.error):
            log("event")
        assert len(written(capsys)) == shown
