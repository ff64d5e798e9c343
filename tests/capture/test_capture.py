"""A capture as it is written and read back."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from pprof_exporter.capture.format import (
    FILE_NAMES,
    RecordedCanary,
    RecordedCpuUse,
    RecordedFetch,
    RecordedRound,
    TargetEntry,
)
from pprof_exporter.capture.reader import CaptureError, load_capture
from pprof_exporter.capture.recording_client import RecordingClient
from pprof_exporter.capture.writer import CaptureWriter, target_entries
from pprof_exporter.catalog import Outcome, Reason
from pprof_exporter.catalog.own_trouble import ExhaustedResource
from pprof_exporter.profile import System
from pprof_exporter.scrape.client.errors import ExporterExhausted, FetchError
from pprof_exporter.scrape.client.phases import Phases
from pprof_exporter.scrape.state.canary import During
from pprof_exporter.sealed_json import seal
from pprof_exporter.store import Fingerprint
from tests.recorded import RECORDINGS, reply
from tests.scrape.fakes import REFUSED, FakeClock, FakeFetcher, settings

PROGRAM = "linux-go1.27.3"
RECORDED = {
    "index": "index.html",
    "cpu": "cpu_burn2.pb.gz",
    "heap": "heap.pb.gz",
    "goroutine": "goroutine.pb.gz",
    "threadcreate": "threadcreate.pb.gz",
    "trace": "burn2.trace",
    "metrics": "metrics.txt",
    "memstats": "heap_debug1.txt",
}
TOOK = Phases(0.0, 0.001, 0.0, 0.002, 0.003)
SHOP = target_entries([("shop:6060", {"service": "shop"})])[0]


def bodies() -> dict[str, bytes]:
    return {FILE_NAMES[name]: (RECORDINGS / PROGRAM / file).read_bytes() for name, file in RECORDED.items()}


def one_round(number: int, *, more: tuple[RecordedFetch, ...] = ()) -> RecordedRound:
    cpu = reply(PROGRAM, "cpu_burn2.pb.gz")
    fetches = tuple(
        RecordedFetch(
            name, FILE_NAMES[name], reply(PROGRAM, file).started, 3.0 if name == "cpu" else 0.0, TOOK, Outcome.SUCCESS
        )
        for name, file in RECORDED.items()
    )
    return RecordedRound(
        round=number,
        at=cpu.started + 30 * number,
        fetches=fetches + more,
        canary=(
            RecordedCanary(During.REST, 0.002),
            RecordedCanary(During.REST, 0.004),
            RecordedCanary(During.PROFILE, None),
        ),
        cpu=RecordedCpuUse(cpu.cpu_seconds, "process"),
        fingerprint=Fingerprint(),
        go_version="1.27.3",
        system=System.LINUX,
    )


def writer(path: Path, *targets: TargetEntry) -> CaptureWriter:
    return CaptureWriter(path, targets or (SHOP,), exporter="0.1.0", created="2026-01-01T00:00:00+00:00")


def written(path: Path, rounds: int = 1) -> CaptureWriter:
    made = writer(path)
    for number in range(rounds):
        made.write(SHOP, one_round(number), bodies())
    return made


def test_what_was_written_is_read_back_with_its_signals(tmp_path: Path) -> None:
    written(tmp_path, rounds=2)
    (target,) = load_capture(tmp_path).targets
    assert (target.name, target.labels, target.system) == ("shop:6060", {"service": "shop"}, System.LINUX)
    assert target.go_version == "1.27.3"
    assert target.fingerprint.binary
    assert len(target.rounds) == 2
    first = target.rounds[0]
    assert first.signals["fetch_duration_seconds:heap"] == pytest.approx(0.006)
    assert first.signals["canary_duration_seconds:rest"] == pytest.approx(0.003)
    assert "canary_duration_seconds:profile" not in first.signals
    assert first.signals["cpu_coverage_ratio"] == pytest.approx(1, abs=0.15)
    assert first.signals["cpu_processors"] == pytest.approx(2, abs=0.4)
    assert first.signals["tick_rate_hertz"] > 72
    assert first.signals["profiled_goroutines"] > 0
    assert first.signals["heap_inuse_bytes"] > 0
    assert first.audit is not None
    assert sum(first.functions["cpu"].values()) == pytest.approx(1)
    assert first.files["heap"].read_bytes() == (RECORDINGS / PROGRAM / "heap.pb.gz").read_bytes()


def test_what_failed_has_no_signal_and_no_file(tmp_path: Path) -> None:
    refused = RecordedFetch("mutex", None, 1.0, 0, None, Outcome.FAILURE, Reason.HTTP_4XX, "HTTP 400")
    page = RecordedFetch("allocs", "allocs.pb.gz", 1.0, 0, TOOK, Outcome.FAILURE, Reason.HTML, "a page")
    writer(tmp_path).write(SHOP, one_round(0, more=(refused, page)), bodies() | {"allocs.pb.gz": b"<html>"})
    (found,) = load_capture(tmp_path).targets[0].rounds
    assert not [name for name in found.signals if name.endswith((":mutex", ":allocs"))]
    assert not {"mutex", "allocs"} & set(found.files)
    assert "heap" in found.files


def test_half_a_line_and_a_folder_without_a_line_are_no_round_and_go_when_the_capture_goes_on(tmp_path: Path) -> None:
    written(tmp_path, rounds=1)
    folder = tmp_path / SHOP.folder
    for left in ("0001", "0002.part"):
        (folder / left).mkdir()
        (folder / left / "heap.pb.gz").write_bytes(b"half")
    with (folder / "rounds.jsonl").open("ab") as lines:
        lines.write(b'{"round": 1, "at"')
    assert len(load_capture(tmp_path).targets[0].rounds) == 1
    again = writer(tmp_path)
    assert again.finished_rounds(SHOP) == 1
    assert sorted(found.name for found in folder.iterdir()) == ["0000", "rounds.jsonl"]
    again.write(SHOP, one_round(1), bodies())
    assert len(load_capture(tmp_path).targets[0].rounds) == 2


def test_a_capture_goes_on_with_the_same_targets_only(tmp_path: Path) -> None:
    written(tmp_path)
    with pytest.raises(CaptureError, match="holds a capture of shop:6060"):
        writer(tmp_path, dataclasses.replace(SHOP, name="other:6060"))


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(CaptureError, match="not empty and not a capture"):
        writer(tmp_path)
    assert [found.name for found in tmp_path.iterdir()] == ["letter.txt"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda manifest: manifest | {"format": "else"}, "this program reads"),
        (lambda manifest: manifest | {"version": 3}, "this program reads"),
        (lambda manifest: manifest | {"targets": [{"name": "a", "folder": "../b", "labels": {}}]}, "is missing"),
        (lambda _: {}, "not the manifest of a capture"),
    ],
)
def test_a_manifest_of_something_else_is_refused(tmp_path: Path, change: object, words: str) -> None:
    written(tmp_path)
    file = tmp_path / "manifest.json"
    assert callable(change)
    content = json.loads(file.read_text())
    del content["sha256"]
    file.write_bytes(seal(json.dumps(change(content)).encode()))
    with pytest.raises(CaptureError, match=words):
        load_capture(tmp_path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    written(tmp_path)
    (tmp_path / SHOP.folder / "0000" / "heap.pb.gz").unlink()
    with pytest.raises(CaptureError, match=r"heap\.pb\.gz: No such file"):
        load_capture(tmp_path)


def test_a_line_that_is_no_round_is_named(tmp_path: Path) -> None:
    written(tmp_path)
    with (tmp_path / SHOP.folder / "rounds.jsonl").open("ab") as lines:
        lines.write(b'{"round": "one"}\n')
    with pytest.raises(CaptureError, match=r"rounds\.jsonl:2: not a round"):
        load_capture(tmp_path)


def test_every_target_has_a_folder_of_its_own_on_every_file_system() -> None:
    names = ["[::1]:6060", "http://a/b", "a/../b", "Shop:1", "shop:1", "..", "x" * 300]
    folders = [entry.folder for entry in target_entries([(name, {}) for name in names])]
    assert len({folder.lower() for folder in folders}) == len(names)
    assert all(Path(folder).name == folder and ":" not in folder and len(folder) < 100 for folder in folders)


async def test_what_the_exporter_itself_lacked_is_no_part_of_a_capture(clock: FakeClock, fetcher: FakeFetcher) -> None:
    chosen = settings("shop:6060")
    (target,) = chosen.targets
    client = RecordingClient(fetcher, target, chosen, clock)
    fetcher.faults["shop:6060"] = lambda: ExporterExhausted(ExhaustedResource.DESCRIPTORS, "Too many open files")
    for path in ("heap", "cmdline"):
        with pytest.raises(ExporterExhausted):
            await client.get(target.url.joinpath(path), timeout=1)
    assert (client.fetches, client.canary, client.bodies) == ({}, [], {})
    fetcher.faults["shop:6060"] = REFUSED
    with pytest.raises(FetchError):
        await client.get(target.url.joinpath("heap"), timeout=1)
    assert client.fetches["heap"].reason is Reason.CONNECT
