"""A stranger's walk, timed: a fresh Debian with Python alone, the README, the service, an alert that comes and goes.

`python -m tests.walk` as root on Debian with debootstrap. It makes a root of its own in a temporary folder, follows the
README and deploy/systemd in it by chroot, and prints what each step took. There is no systemd as process 1 in it: the
command of the unit is started with its user and environment. The Go service, which a stranger has, is built before.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.lab import PROJECT, Missing, debian, free_port, go, run, target

ALERT = "PprofTargetWedged"
USER = "pprof-exporter"
RECOMMENDED = "--no-install-recommends prometheus prometheus-alertmanager"
# How this machine reaches its package index, whatever that is.
_NETWORK = ("etc/resolv.conf", "etc/hosts", "etc/pip.conf", "etc/xdg/pip", "etc/ssl/certs")


class Walk:
    """Steps in a root folder, with what each took."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.started = time.monotonic()
        self.log = root.with_name("log").open("wb")

    @contextlib.contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Say what a step took."""
        began = time.monotonic()
        yield
        now = time.monotonic()
        print(f"| {text} | {now - began:.0f} s | {now - self.started:.0f} s |", flush=True)

    def environ(self) -> dict[str, str]:
        """What a shell of root has, and how pip reaches its index here."""
        own = {name: value for name, value in os.environ.items() if name in ("PIP_CERT", "PIP_DEFAULT_TIMEOUT")}
        return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8", **own}

    def do(self, command: str) -> None:
        """Run a command line in the root, in the checkout there."""
        words = ["chroot", str(self.root), "sh", "-ec", f"cd /root/pprof-exporter; {command}"]
        subprocess.run(words, env=self.environ(), check=True, stdout=self.log, stderr=self.log)

    @contextlib.contextmanager
    def running(self, command: str, *, user: str = "root", folder: str = "/root/pprof-exporter") -> Iterator[None]:
        """Have a command line run in the root while the block does."""
        words = ["chroot", f"--userspec={user}", str(self.root), "sh", "-ec", f"cd {folder}; exec {command}"]
        out = self.log
        with subprocess.Popen(words, env=self.environ(), stdout=out, stderr=out, start_new_session=True) as process:
            try:
                yield
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGTERM)
                process.wait(timeout=60)


def main() -> int:
    """Walk; exit code 0 when the alert came and went."""
    if os.geteuid() != 0 or shutil.which("debootstrap") is None:
        raise Missing("a walk needs root and debootstrap")
    program = go.build(go.VERSIONS[-1])
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        walk = Walk(Path(folder) / "root")
        print("| step | took | since the start |\n| --- | --- | --- |")
        with walk.step("a fresh Debian with Python"):
            _bootstrap(walk.root)
        walk.started = time.monotonic()
        with walk.step("`make demo`, until it shows profiles"), walk.running("make demo"):
            _until(lambda: "pprof_profile_samples" in _get("http://127.0.0.1:9717/metrics"), 1200)
        service = stack.enter_context(target.running(program))
        ports = {name: free_port() for name in ("exporter", "prometheus", "alertmanager")}
        with walk.step("installed as deploy/systemd/README.md says, until it shows the service"):
            _install(walk, service.url.removeprefix("http://"), ports["exporter"])
            stack.enter_context(walk.running(_start_command(), user=f"{USER}:{USER}", folder="/"))
            _until(lambda: "\npprof_up{" in _get(f"http://127.0.0.1:{ports['exporter']}/metrics"), 300)
        with walk.step("Prometheus and Alertmanager from Debian, with the rules"):
            walk.do(f"apt-get update -q; DEBIAN_FRONTEND=noninteractive apt-get install -qy {RECOMMENDED}")
            _monitor(walk, stack, ports)
            _until(lambda: _query(ports, "pprof_up") == [1.0], 300)
        with walk.step(f"the service freezes, until {ALERT} is told"):
            service.pause()
            _until(lambda: ALERT in _alerts(ports), 1200)
        with walk.step("it goes on, until the alert is gone"):
            service.resume()
            _until(lambda: ALERT not in _alerts(ports), 1200)
    return 0


def _bootstrap(root: Path) -> None:
    words = debian._source(None).split()
    mirror, release = next((word, words[at + 1]) for at, word in enumerate(words) if "://" in word)
    packages = "--include=python3,python3-venv,make,ca-certificates"
    # What it mounts goes with the namespace.
    alone = ["unshare", "--mount", "--propagation", "private"]
    run([*alone, "debootstrap", "--variant=minbase", packages, release, root, mirror], timeout=1800)
    (root / "usr" / "sbin" / "policy-rc.d").write_text("#!/bin/sh\nexit 101\n")
    (root / "usr" / "sbin" / "policy-rc.d").chmod(0o755)
    for name in _NETWORK:
        source, to = Path("/") / name, root / name
        if source.is_dir():
            shutil.copytree(source, to, dirs_exist_ok=True)
        elif source.exists():
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, to)
    checkout = root / "root" / "pprof-exporter"
    checkout.mkdir(parents=True)
    files = run(["git", "ls-files", "-z"], cwd=PROJECT).split("\0")
    for name in filter(None, files):
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT / name, checkout / name)


def _install(walk: Walk, address: str, port: int) -> None:
    """The console lines of the README, but for those that speak to systemd."""
    text = (PROJECT / "deploy" / "systemd" / "README.md").read_text()
    lines = re.findall(r"^# (.+)$", text.partition("```console\n")[2].partition("```")[0], re.MULTILINE)
    for line in lines:
        if line.startswith("systemd-sysusers"):
            root = f"--root={walk.root}"
            run(["systemd-sysusers", root])
            run(["systemd-tmpfiles", "--create", root, walk.root / "etc" / "tmpfiles.d" / "pprof-exporter.conf"])
        elif not line.startswith(("systemctl", "journalctl")):
            walk.do(line)
    settings = walk.root / "etc" / "default" / "pprof-exporter"
    text = settings.read_text().replace("TARGETS=localhost:6060", f"TARGETS={address}")
    settings.write_text(f"{text}PPROF_EXPORTER_WEB_LISTEN_ADDRESS=127.0.0.1:{port}\n")
    settings.chmod(0o644)


def _start_command() -> str:
    unit = (PROJECT / "deploy" / "systemd" / "pprof-exporter.service").read_text()
    (command,) = re.findall(r"^ExecStart=(.+)$", unit, re.MULTILINE)
    (file,) = re.findall(r"^EnvironmentFile=-(.+)$", unit, re.MULTILINE)
    (storage,) = re.findall(r"^Environment=(PPROF_EXPORTER_STORAGE_PATH=.+)$", unit, re.MULTILINE)
    return f"sh -ec 'set -a; . {file}; {storage.replace('%S', '/var/lib')}; exec {command}'"


def _monitor(walk: Walk, stack: contextlib.ExitStack, ports: dict[str, int]) -> None:
    """Both with the configuration of deploy/, at other addresses; Alertmanager with receivers that send nothing."""
    changes = {"9717": ports["exporter"], "9093": ports["alertmanager"]}
    for name in ("prometheus/prometheus.yml", "prometheus/targets/exporters.yml"):
        file = walk.root / "root" / "pprof-exporter" / "deploy" / name
        text = file.read_text()
        for old, new in changes.items():
            text = text.replace(f"localhost:{old}", f"127.0.0.1:{new}")
        file.write_text(text)
    (walk.root / "root" / "pprof-exporter/deploy/compose/templates").symlink_to("../alertmanager/templates")
    listen = "--web.listen-address=127.0.0.1:"
    prometheus = "prometheus --config.file=deploy/prometheus/prometheus.yml --storage.tsdb.path=/tmp/p"
    stack.enter_context(walk.running(f"{prometheus} {listen}{ports['prometheus']}"))
    alertmanager = "prometheus-alertmanager --config.file=deploy/compose/alertmanager.yml --storage.path=/tmp/a"
    alone = "--cluster.listen-address="
    stack.enter_context(walk.running(f"{alertmanager} {alone} {listen}{ports['alertmanager']}"))


def _query(ports: dict[str, int], expression: str) -> list[float]:
    found = json.loads(_get(f"http://127.0.0.1:{ports['prometheus']}/api/v1/query?query={expression}"))
    return [float(series["value"][1]) for series in found["data"]["result"]]


def _alerts(ports: dict[str, int]) -> set[str]:
    found = json.loads(_get(f"http://127.0.0.1:{ports['alertmanager']}/api/v2/alerts?active=true"))
    return {alert["labels"]["alertname"] for alert in found}


def _get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as reply:
        text: str = reply.read().decode()
    return text


def _until(holds: Callable[[], bool], within: float) -> None:
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            if holds():
                return
        time.sleep(0.5)
    raise AssertionError(f"not within {within:g} s")


if __name__ == "__main__":
    sys.exit(main())
