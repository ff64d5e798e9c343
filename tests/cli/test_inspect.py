"""`inspect`: what it tells of a profile, in which form, and what it says of a file that is none."""

from __future__ import annotations

import gzip
import io
import json
import os
import subprocess
import sys
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from pprof_exporter.catalog import Reason
from pprof_exporter.catalog.hints import Hint
from pprof_exporter.cli import main
from tests.lab import PATIENCE
from tests.proto import profile_pb2
from tests.recorded import RECORDINGS, named

NEWEST = RECORDINGS / "linux-go1.27.3"
WINDOWS = RECORDINGS / "windows-go1.27.3"
HEAP = NEWEST / "heap_retained.pb.gz"
SHOWN = sorted(
    path
    for folder, pattern in ((NEWEST, "*.pb.gz"), (WINDOWS, "*.pb.gz"), (RECORDINGS / "foreign", "*.pb*"))
    for path in folder.glob(pattern)
)
KEYS = {
    "sample_types",
    "samples",
    "locations",
    "functions",
    "mappings",
    "time_nanos",
    "duration_nanos",
    "period",
    "period_type",
    "default_sample_type",
    "comments",
    "top",
    "signals",
}


def no_constant(word: str) -> None:
    pytest.fail(f"{word} is not JSON")


def told(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    assert main(["inspect", *argv], {}) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def facts_of(capsys: pytest.CaptureFixture[str], path: Path, *argv: str) -> dict[str, Any]:
    facts = json.loads(told(capsys, "--format", "json", *argv, str(path)), parse_constant=no_constant)
    assert isinstance(facts, dict)
    return facts


def one_stack(sample_type: bytes, function: bytes = b"f") -> bytes:
    made = profile_pb2.Profile(string_table=[b"", sample_type, b"count", function])
    made.sample_type.add(type=1, unit=2)
    made.function.add(id=1, name=3)
    made.location.add(id=1).line.add(function_id=1)
    made.sample.add(location_id=[1], value=[3])
    return made.SerializeToString()


@pytest.mark.parametrize("path", SHOWN, ids=named)
def test_json_has_exactly_the_promised_keys(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    facts = facts_of(capsys, path)
    assert set(facts) == KEYS
    assert all(set(kind) == {"type", "unit", "total"} for kind in facts["sample_types"])
    assert set(facts["period_type"]) == {"type", "unit"}
    assert all({"file", "build_id", "role"} <= set(mapping) for mapping in facts["mappings"])
    assert all({*mapping} <= {"file", "build_id", "role", "modified"} for mapping in facts["mappings"])
    assert set(facts["top"]) == {kind["type"] for kind in facts["sample_types"]}
    assert all(set(row) == {"function", "flat", "cum"} for rows in facts["top"].values() for row in rows)


def test_top_is_as_long_as_asked(capsys: pytest.CaptureFixture[str]) -> None:
    everything = facts_of(capsys, HEAP, "--top", "0")["top"]["alloc_space"]
    assert len(everything) > 10
    assert facts_of(capsys, HEAP)["top"]["alloc_space"] == everything[:10]
    assert facts_of(capsys, HEAP, "--top", "3")["top"]["alloc_space"] == everything[:3]
    assert [row["flat"] for row in everything] == sorted((row["flat"] for row in everything), reverse=True)


def test_names_stay_as_they_are_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    path = RECORDINGS / "foreign" / "python-austin.pb"
    assert facts_of(capsys, path)["sample_types"][0]["unit"] == "\u03bcs"
    odd = facts_of(capsys, RECORDINGS / "foreign" / "made-not-utf8.pb.gz", "--top", "0")
    assert any("\\xff\\xfe" in row["function"] for row in odd["top"]["cpu"])


@pytest.mark.parametrize("path", SHOWN, ids=named)
def test_text_names_the_totals_within_80_columns(
    path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    text = told(capsys, str(path))
    assert max(cell_len(line) for line in text.splitlines()) <= 80
    facts = facts_of(capsys, path)
    for kind in facts["sample_types"]:
        assert any(line.startswith(kind["type"]) for line in text.splitlines())
    assert f"{facts['samples']:,}" in text
    titles = {line.strip() for line in text.splitlines()}
    assert "modules" in titles
    assert ("signals" in titles) == bool(facts["signals"])


def test_text_is_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    text = told(capsys, str(WINDOWS / "cpu_burn1.pb.gz"))
    assert "cpu by function" in text
    assert "main.burn" in text
    assert "10 ms of cpu" in text
    assert r"C:\windows\system32\ntdll.dll" in text


@pytest.mark.parametrize("data", [HEAP.read_bytes(), gzip.decompress(HEAP.read_bytes())], ids=["gzip", "plain"])
def test_a_dash_reads_standard_input(
    data: bytes, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = facts_of(capsys, HEAP)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    assert json.loads(told(capsys, "--format", "json", "-")) == expected


def refusal(capsys: pytest.CaptureFixture[str], path: Path) -> str:
    assert main(["inspect", str(path)], {}) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith(f"pprof-exporter: {path}: ")
    return err


def test_a_missing_file_is_told_in_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert "No such file" in refusal(capsys, tmp_path / "absent.pb.gz")
    assert "directory" in refusal(capsys, tmp_path)


@pytest.mark.parametrize(
    ("data", "reason", "word"),
    [
        pytest.param(b"", Reason.EMPTY, "no bytes", id="empty"),
        pytest.param(HEAP.read_bytes()[:500], Reason.TRUNCATED, "no end", id="truncated"),
        pytest.param(b"\x1f\x8b\x08\x00" + b"\xff" * 50, Reason.GZIP, "", id="corrupt"),
        pytest.param((NEWEST / "index.html").read_bytes(), Reason.HTML, "page", id="page"),
        pytest.param((NEWEST / "goroutine_debug1.txt").read_bytes(), Reason.TEXT, "debug=1", id="debug=1"),
        pytest.param((NEWEST / "goroutine_leaks_debug2.txt").read_bytes(), Reason.TEXT, "debug=2", id="debug=2"),
        pytest.param(b'{"error": "no\nsuch\nprofile"}', Reason.TEXT, "no such profile", id="json"),
        pytest.param((NEWEST / "burn2.trace").read_bytes(), Reason.PROTO, "execution trace", id="trace"),
        pytest.param((RECORDINGS / "foreign" / "python-ddtrace.pprof.zst").read_bytes(), Reason.PROTO, "", id="zstd"),
        pytest.param(b"\x32\x01x", Reason.INVALID, "first string", id="invalid"),
    ],
)
def test_a_bad_file_is_told_in_one_line(
    data: bytes, reason: Reason, word: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)
    line = refusal(capsys, path)
    assert f": {reason}: " in line
    assert word in line
    assert line.rstrip().endswith((reason.advice, *(hint.advice for hint in Hint)))


def test_a_bad_flag_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["inspect", "--top", "-1", str(HEAP)], {})
    assert left.value.code == 2
    assert "-1" in capsys.readouterr().err


@pytest.mark.parametrize("name", [b"[/x]", b"[bold]cpu"])
def test_a_sample_type_is_no_markup(name: bytes, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "odd.pb"
    path.write_bytes(one_stack(name))
    assert name.decode() in told(capsys, str(path))


def test_a_function_name_is_no_markup(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "odd.pb"
    path.write_bytes(one_stack(b"samples", b"main.Map[/x]"))
    assert "main.Map[/x]" in told(capsys, str(path))


def test_escape_sequences_do_not_reach_the_terminal(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "odd.pb"
    path.write_bytes(one_stack("samples\x9b2J".encode(), b"main.\x1b]0;title\x07\x04"))
    text = told(capsys, str(path))
    assert not [character for character in text if character != "\n" and unicodedata.category(character) == "Cc"]
    assert r"main.\x1b]0;title\x07\x04" in text
    assert r"samples\x9b2J" in text


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_pipe_of_a_narrow_encoding_gets_the_report(form: str) -> None:
    path = RECORDINGS / "foreign" / "python-austin.pb"
    done = subprocess.run(
        [sys.executable, "-m", "pprof_exporter", "inspect", "--format", form, str(path)],
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "cp1252"},
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    assert b"Wall time" in done.stdout
