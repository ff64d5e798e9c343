"""Targets are those that files, servers and DNS list now; a source in trouble keeps what it listed last."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dns.exception
import dns.name
import dns.resolver
import pytest
from aiohttp import web
from pytest_aiohttp.plugin import AiohttpServer

from pprof_exporter.config import (
    DiscoverySource,
    DnsSource,
    FileSource,
    HttpSource,
    Job,
    Mechanism,
    RecordType,
    Settings,
    Target,
    TargetGroup,
    parse_target,
)
from pprof_exporter.config.relabel import Rule
from pprof_exporter.scrape.discovery import Discovery, Rejection
from tests.scrape.fakes import FakeClock, FakeFetcher, pool_of, settle
from tests.scrape.fakes import settings as settings_of


@dataclass
class Scene:
    """A discovery whose targets are noted, on a clock that moves when told."""

    folder: Path
    clock: FakeClock
    discovery: Discovery
    applied: list[Settings]

    def use(self, *sources: DiscoverySource, rules: tuple[Rule, ...] = (), targets: tuple[str, ...] = ()) -> None:
        job = Job("shop", sources=sources, rules=rules)
        self.discovery.apply(replace(settings_of(*targets), jobs=(job,)))

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text)
        # Two writes within one tick of the file system's clock look the same.
        stamp = path.stat().st_mtime_ns + len(self.applied) * 10_000_000 + 1
        os.utime(path, ns=(stamp, stamp))
        return path

    @property
    def targets(self) -> tuple[Target, ...]:
        return self.applied[-1].targets

    @property
    def names(self) -> list[str]:
        return [target.name for target in self.targets]

    async def until(self, holds: Callable[[], object]) -> None:
        """Let time pass, real time too for threads and sockets, until the condition holds."""
        loop = asyncio.get_running_loop()
        end = loop.time() + 60
        while not holds():
            assert loop.time() < end, f"it never held; the targets are {self.names}"
            await self.clock.advance(0.5)
            await asyncio.sleep(0.005)

    async def rest(self) -> None:
        """Let everything happen that is due within a minute."""
        for _ in range(30):
            await self.clock.advance(2)
            await asyncio.sleep(0.003)

    def failures(self, mechanism: Mechanism) -> int:
        return self.discovery.refreshes["shop", mechanism].failed


Answers = dict[str, Any]


@pytest.fixture
def answers() -> Answers:
    return {}


@pytest.fixture
async def scene(tmp_path: Path, answers: Answers) -> AsyncIterator[Scene]:
    async def resolve(name: str, type_: RecordType) -> Any:
        answer = answers.get(f"{type_} {name}", dns.resolver.NXDOMAIN())  # type: ignore[no-untyped-call]
        if isinstance(answer, Exception):
            raise answer
        return answer

    clock = FakeClock()
    applied: list[Settings] = []
    discovery = Discovery(applied.append, clock, tmp_path, resolve)
    yield Scene(tmp_path, clock, discovery, applied)
    await discovery.close()


def listed(*targets: str, **labels: str) -> str:
    return json.dumps([{"targets": targets, "labels": labels}])


FILES = FileSource(("targets.json",), 300)


async def test_a_file_lists_targets_with_labels(scene: Scene) -> None:
    scene.write("targets.json", listed("shop-1:6060", "shop-2:6060", team="web"))
    scene.use(FILES)
    await scene.until(lambda: scene.names == ["shop-1:6060", "shop-2:6060"])

    assert scene.targets[0].labels == (("team", "web"),)
    assert scene.discovery.target_counts == {"shop": 2}


async def test_yaml_and_patterns_are_read_too(scene: Scene) -> None:
    scene.write("a.yml", "- targets: [a:1]\n  labels: {team: web}\n")
    scene.write("b.yaml", "- targets: [b:1]\n")
    scene.use(FileSource(("*.y*ml",), 300))

    await scene.until(lambda: scene.names == ["a:1", "b:1"])


async def test_a_file_that_changes_is_read_again(scene: Scene) -> None:
    scene.write("targets.json", listed("a:1"))
    scene.use(FILES)
    await scene.until(lambda: scene.names == ["a:1"])
    scene.write("targets.json", listed("a:1", "b:1"))

    await scene.until(lambda: scene.names == ["a:1", "b:1"])


async def test_a_file_that_is_gone_takes_its_targets_along_and_is_told_of(scene: Scene) -> None:
    path = scene.write("targets.json", listed("a:1"))
    scene.use(FILES)
    await scene.until(lambda: scene.names == ["a:1"])
    path.unlink()

    await scene.until(lambda: scene.names == [])
    assert scene.failures(Mechanism.FILE)


@pytest.mark.parametrize(
    "half",
    ['[{"targets": ["b:1', "", "{}", '[{"targets": "b:1"}]', '[{"target": ["b:1"]}]', '[{"targets": [1]}]', "[[]]"],
)
async def test_a_file_that_is_half_written_keeps_what_it_said(scene: Scene, half: str) -> None:
    scene.write("targets.json", listed("a:1"))
    scene.write("other.json", listed("x:1"))
    scene.use(FileSource(("targets.json", "other.json"), 300))
    await scene.until(lambda: sorted(scene.names) == ["a:1", "x:1"])
    scene.write("targets.json", half)
    scene.write("other.json", listed("y:1"))
    await scene.until(lambda: "y:1" in scene.names)

    assert "a:1" in scene.names
    assert scene.failures(Mechanism.FILE)
    scene.write("targets.json", listed("b:1"))
    await scene.until(lambda: "b:1" in scene.names)


@pytest.fixture
async def sd_server(aiohttp_server: AiohttpServer) -> tuple[str, dict[str, Any]]:
    state: dict[str, Any] = {"reply": lambda: web.json_response([]), "asked": []}

    async def answer(request: web.Request) -> web.StreamResponse:
        state["asked"].append(request)
        reply: web.StreamResponse = state["reply"]()
        return reply

    app = web.Application()
    app.router.add_get("/sd", answer)
    server = await aiohttp_server(app)
    return str(server.make_url("/sd")), state


async def test_a_url_lists_targets(scene: Scene, sd_server: tuple[str, dict[str, Any]]) -> None:
    url, state = sd_server
    state["reply"] = lambda: web.json_response([{"targets": ["a:1"], "labels": {"team": "web"}}])
    scene.use(HttpSource(url, 60))
    await scene.until(lambda: scene.names == ["a:1"])

    assert state["asked"][0].headers["X-Prometheus-Refresh-Interval-Seconds"] == "60"
    assert scene.targets[0].labels == (("team", "web"),)


async def test_a_url_is_requested_as_it_is_written(scene: Scene, sd_server: tuple[str, dict[str, Any]]) -> None:
    url, state = sd_server
    state["reply"] = lambda: web.json_response([{"targets": ["a:1"]}])
    scene.use(HttpSource(url.replace("/sd", "/%73d?of=a%2Fb"), 60))
    await scene.until(lambda: scene.names == ["a:1"])

    assert state["asked"][0].raw_path == "/%73d?of=a%2Fb"


@pytest.mark.parametrize(
    "reply",
    [
        lambda: web.Response(status=500),
        lambda: web.Response(text="[]"),
        lambda: web.Response(text="[{", content_type="application/json"),
        lambda: web.json_response({"targets": ["b:1"]}),
        lambda: web.Response(status=302, headers={"Location": "/loop"}),
    ],
    ids=["status", "type", "half", "shape", "redirect"],
)
async def test_a_url_that_fails_keeps_the_last_good_list(
    scene: Scene, sd_server: tuple[str, dict[str, Any]], reply: Callable[[], web.Response]
) -> None:
    url, state = sd_server
    state["reply"] = lambda: web.json_response([{"targets": ["a:1"]}])
    scene.use(HttpSource(url, 10))
    await scene.until(lambda: scene.names == ["a:1"])
    state["reply"] = reply
    await scene.until(lambda: scene.failures(Mechanism.HTTP) > 1)

    assert scene.names == ["a:1"]


async def test_a_url_that_cannot_be_reached_keeps_the_last_good_list(
    scene: Scene, aiohttp_server: AiohttpServer
) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.json_response([{"targets": ["a:1"]}])

    app = web.Application()
    app.router.add_get("/sd", answer)
    server = await aiohttp_server(app)
    scene.use(HttpSource(str(server.make_url("/sd")), 10))
    await scene.until(lambda: scene.names == ["a:1"])
    await server.close()
    await scene.until(lambda: scene.failures(Mechanism.HTTP) > 1)

    assert scene.names == ["a:1"]


def srv(target: str, port: int) -> SimpleNamespace:
    return SimpleNamespace(target=dns.name.from_text(target), port=port)


async def test_srv_records_bring_their_port_and_others_are_given_one(scene: Scene, answers: Answers) -> None:
    answers["SRV _pprof.shop"] = [srv("b.shop.", 7), srv("a.shop.", 6)]
    answers["A shop"] = [SimpleNamespace(address="10.0.0.1")]
    answers["AAAA shop"] = [SimpleNamespace(address="fd00::1")]
    scene.use(
        DnsSource(("_pprof.shop",), RecordType.SRV, 0, 30),
        DnsSource(("shop",), RecordType.A, 6060, 30),
        DnsSource(("shop",), RecordType.AAAA, 6060, 30),
    )

    await scene.until(lambda: sorted(scene.names) == ["10.0.0.1:6060", "[fd00::1]:6060", "a.shop:6", "b.shop:7"])


async def test_a_name_server_in_trouble_keeps_the_last_good_list(scene: Scene, answers: Answers) -> None:
    answers["A shop"] = [SimpleNamespace(address="10.0.0.1")]
    scene.use(DnsSource(("shop",), RecordType.A, 1, 30))
    await scene.until(lambda: scene.names == ["10.0.0.1:1"])
    answers["A shop"] = dns.exception.Timeout()  # type: ignore[no-untyped-call]
    await scene.until(lambda: scene.failures(Mechanism.DNS) > 1)

    assert scene.names == ["10.0.0.1:1"]


async def test_a_name_that_is_gone_has_no_targets(scene: Scene, answers: Answers) -> None:
    answers["A shop"] = [SimpleNamespace(address="10.0.0.1")]
    scene.use(DnsSource(("shop",), RecordType.A, 1, 30))
    await scene.until(lambda: scene.names == ["10.0.0.1:1"])
    del answers["A shop"]

    await scene.until(lambda: scene.names == [])
    assert scene.failures(Mechanism.DNS) == 0


async def test_what_is_discovered_is_relabelled_and_meta_labels_do_not_stay(scene: Scene) -> None:
    scene.write("targets.json", listed("shop-1:6060", "shop-2:6060", zone="north", job="x", function="y"))
    scene.use(
        FILES,
        rules=(
            Rule(source_labels=("__address__",), regex="(.*):.*", target_label="target"),
            Rule(source_labels=("__meta_filepath",), regex=".*/(.*)", target_label="file"),
            Rule(target_label="__scheme__", replacement="https"),
            Rule(target_label="__metrics_path__", replacement="/in/pprof"),
        ),
    )
    await scene.until(lambda: scene.names == ["shop-1", "shop-2"])

    first = scene.targets[0]
    assert str(first.url) == "https://shop-1:6060/in/pprof/"
    assert dict(first.labels) == {"zone": "north", "file": "targets.json", "exported_function": "y"}


async def test_what_is_no_target_is_counted_and_harms_no_other(scene: Scene) -> None:
    scene.write("targets.json", listed("a:1", "b:x", "ftp://c:1", "", "d:1?x"))
    scene.use(FILES)
    await scene.until(lambda: scene.names == ["a:1"])

    assert scene.discovery.rejected == {Rejection.INVALID: 3}


def told(caplog: pytest.LogCaptureFixture) -> str:
    return "\n".join(text for record in caplog.records for text in map(str, vars(record).get("fields", {}).values()))


ODD = ("[::1]@", "http://[", "//", "shop:0", "shop:99999", "shop:6060x", "\u2100:1", "xn--:1", "\x00", "a" * 10_000_000)


async def test_targets_however_odd_are_rejected_by_name_and_stop_no_other(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    scene.write("targets.json", listed("a:1", *ODD, "b%3A:1", "h\ud800:1", "c:1"))
    scene.use(FILES)
    await scene.until(lambda: scene.names == ["a:1", "c:1"])

    assert scene.discovery.rejected == {Rejection.INVALID: len(ODD) + 2}
    assert "'[::1]@' is not a target: it has no host" in told(caplog)
    assert len(told(caplog)) < 50_000


@pytest.mark.parametrize("label", ["\ud800", "x" * 70_000], ids=["half a surrogate pair", "70,000 characters"])
async def test_a_label_that_cannot_be_used_rejects_its_targets_by_name(
    scene: Scene, label: str, caplog: pytest.LogCaptureFixture
) -> None:
    groups = [{"targets": ["bad:1"], "labels": {"zone": label}}, {"targets": ["good:1"]}]
    scene.write("targets.json", json.dumps(groups))
    scene.use(FILES)
    await scene.until(lambda: scene.names == ["good:1"])

    assert scene.discovery.rejected == {Rejection.INVALID: 1}
    assert "'bad:1': its label 'zone' has" in told(caplog)


async def test_rules_that_let_a_label_grow_without_end_reject_the_target(scene: Scene) -> None:
    doubled = Rule(source_labels=("zone",), target_label="zone", replacement="$1$1")
    scene.write("targets.json", json.dumps([{"targets": ["a:1"], "labels": {"zone": "xx"}}, {"targets": ["b:1"]}]))
    scene.use(FILES, rules=(doubled,) * 60)
    await scene.until(lambda: scene.names == ["b:1"])


@pytest.mark.parametrize(
    "bad", ["!!bool foo", "!!int x", '"\\ud800"', "*a", "&x [*x]", "{<<: 1}", "[" * 2_000, "{}", "\x07"]
)
async def test_a_list_on_which_the_yaml_library_fails_counts_and_the_next_good_one_is_taken(
    scene: Scene, bad: str
) -> None:
    scene.write("a.yml", "- targets: [a:1]\n")
    scene.use(FileSource(("a.yml",), 300))
    await scene.until(lambda: scene.names == ["a:1"])
    scene.write("a.yml", f"- targets: [b:1]\n  labels: {{x: {bad}}}\n")
    await scene.until(lambda: scene.failures(Mechanism.FILE))
    assert scene.names == ["a:1"]
    scene.write("a.yml", "- targets: [c:1, d:1]\n")
    await scene.until(lambda: scene.names == ["c:1", "d:1"])


async def test_labels_of_a_yaml_file_are_the_text_that_they_are_written_as(scene: Scene) -> None:
    scene.write("a.yml", "- targets: [a:1]\n- targets: [b:1]\n  labels: {release: 1.10, canary: true, serial: 007}\n")
    scene.use(FileSource(("a.yml",), 300))
    await scene.until(lambda: scene.names == ["a:1", "b:1"])

    assert dict(scene.targets[1].labels) == {"release": "1.10", "canary": "true", "serial": "007"}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize(("name", "text"), [("a.yml", "- targets: [a:1]\r\n"), ("a.json", listed("a:1"))])
async def test_lists_with_a_byte_order_mark_are_read(scene: Scene, name: str, text: str, encoding: str) -> None:
    (scene.folder / name).write_bytes(text.encode(encoding))
    scene.use(FileSource((name,), 300))
    await scene.until(lambda: scene.names == ["a:1"])


async def test_of_two_targets_with_one_name_the_first_is_watched_and_the_other_counted(scene: Scene) -> None:
    scene.write(
        "targets.json", json.dumps([{"targets": ["a:1", "flag:1"]}, {"targets": ["a:1"], "labels": {"x": "y"}}])
    )
    scene.use(FILES, targets=("flag:1",))
    await scene.until(lambda: scene.names == ["flag:1", "a:1"])

    assert scene.targets[1].labels == ()
    assert scene.discovery.rejected == {Rejection.DUPLICATE: 1}


async def test_a_source_that_stays_keeps_its_targets_over_a_reload(
    scene: Scene, sd_server: tuple[str, dict[str, Any]]
) -> None:
    url, state = sd_server
    state["reply"] = lambda: web.json_response([{"targets": ["a:1"]}])
    scene.use(HttpSource(url, 3600))
    await scene.until(lambda: scene.names == ["a:1"])
    state["reply"] = lambda: web.Response(status=500)
    scene.use(HttpSource(url, 3600), targets=("new:1",))

    assert scene.names == ["new:1", "a:1"]
    scene.use(targets=("new:1",))
    assert scene.names == ["new:1"]


async def test_five_hundred_targets_replaced_leave_the_others_alone() -> None:
    clock = FakeClock()
    pool = pool_of(clock, FakeFetcher(clock))
    await settle()
    job = Job("shop")

    async def apply(numbers: range) -> None:
        groups = [TargetGroup(tuple(f"host-{number}:1" for number in numbers))]
        pool.apply(replace(settings_of(), targets=job.resolve(groups).targets))
        await clock.advance(1)

    await apply(range(1000))
    staying = {state.target.name: state for state in pool.states}
    await apply(range(500, 1500))

    now = {state.target.name: state for state in pool.states}
    assert len(now) == 1000
    assert all(now[f"host-{number}:1"] is staying[f"host-{number}:1"] for number in range(500, 1000))
    await pool.close(0)


async def test_ten_thousand_discovered_targets_are_taken_over(scene: Scene) -> None:
    scene.write("targets.json", listed(*(f"host-{number}:6060" for number in range(10_000))))
    scene.use(FILES)

    await scene.until(lambda: len(scene.targets) == 10_000)


def test_a_target_given_as_a_url_keeps_its_password_out_of_its_labels() -> None:
    found = Job("shop").resolve([TargetGroup(("https://me:secret@shop:1/in/pprof",))])

    (target,) = found.targets
    assert str(target.url) == "https://me:secret@shop:1/in/pprof/"
    assert "secret" not in repr(target)
    assert target == parse_target("https://me:secret@shop:1/in/pprof")


class Surprise(Exception):
    """A fault of ours."""


async def test_an_error_of_ours_while_a_list_is_read_is_a_failed_refresh_and_the_next_good_list_is_taken(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.write("targets.json", listed("a:1"))
    scene.use(FILES)
    await scene.until(lambda: scene.names == ["a:1"])

    def surprise(*_: object) -> None:
        raise Surprise

    with monkeypatch.context() as broken:
        broken.setattr("pprof_exporter.scrape.discovery.file_sd.parse_text", surprise)
        scene.write("targets.json", listed("b:1"))
        await scene.until(lambda: scene.failures(Mechanism.FILE) > 1)
        assert scene.names == ["a:1"]
    await scene.until(lambda: scene.names == ["b:1"])


async def test_a_job_whose_list_cannot_become_targets_counts_as_failed_and_holds_up_no_other(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.write("targets.json", listed("a:1"))
    scene.write("other.json", listed("x:1"))
    jobs = (Job("shop", sources=(FILES,)), Job("other", sources=(FileSource(("other.json",), 300),)))
    scene.discovery.apply(replace(settings_of(), jobs=jobs))
    await scene.until(lambda: scene.names == ["a:1", "x:1"])
    resolve = Job.resolve

    def surprise(job: Job, groups: object) -> object:
        if job.name == "shop":
            raise Surprise
        return resolve(job, groups)  # type: ignore[arg-type] # as given

    with monkeypatch.context() as broken:
        broken.setattr(Job, "resolve", surprise)
        scene.write("targets.json", listed("b:1"))
        scene.write("other.json", listed("y:1"))
        await scene.until(lambda: scene.names == ["a:1", "y:1"])
        before = scene.discovery.refreshes["shop", Mechanism.FILE].refreshed
        failed = scene.failures(Mechanism.FILE)
        await scene.until(lambda: scene.failures(Mechanism.FILE) > failed + 1)
        assert scene.discovery.refreshes["shop", Mechanism.FILE].refreshed == before
        assert scene.discovery.refreshes["other", Mechanism.FILE].failed == 0
    await scene.until(lambda: scene.names == ["b:1", "y:1"])
    before = scene.discovery.refreshes["shop", Mechanism.FILE].refreshed
    await scene.until(lambda: scene.discovery.refreshes["shop", Mechanism.FILE].refreshed > before)
