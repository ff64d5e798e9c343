"""The units of systemd, and Prometheus and Alertmanager from Debian, until an alert has come and gone."""

from __future__ import annotations

import re
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.docs.pages import commands, under
from tests.lab import PROJECT, go
from tests.walk.asking import EXPORTER, alerts, got, has_every_profile, is_powerless, is_up
from tests.walk.diary import Astray, Diary, expect, until
from tests.walk.machine import Booted, are_free, fresh

PACKAGES = ("ca-certificates", "dbus", "python3", "python3-venv", "systemd", "systemd-sysv")
_PAGE = PROJECT / "deploy" / "systemd" / "README.md"
_UNIT = "pprof-exporter"
_SERVICE = """\
[Service]
ExecStart=/usr/local/bin/shop -listen localhost:6060
DynamicUser=yes
"""
_SETTINGS = "/etc/default/pprof-exporter"
_SERVERS = "With Prometheus and Alertmanager of Debian"
_ALERT = "PprofTargetDown"


def walk(root: Path, diary: Diary) -> None:
    """Every command of the page, in its order; between them, whether they did what the page says."""
    are_free([6060, 9717, 9090, 9093])
    with diary.step("a Debian with Python and systemd (debootstrap), and a Go service on it"):
        machine = fresh(root, PACKAGES)
        shutil.copy(go.build(go.VERSIONS[-1]), root / "usr/local/bin/shop")
        (root / "etc/systemd/system/shop.service").write_text(_SERVICE)
    with machine.booted() as booted:
        booted.run("systemctl start shop")
        with diary.step("the unit installed and started, until it says that the service is up"):
            _follow(booted, "systemd")
            until("the service is up", lambda: is_up("localhost:6060"), within=60)
        _is_confined(booted)
        _is_managed(booted)
        with diary.step("Prometheus and Alertmanager installed and configured, until every profile is in Prometheus"):
            _follow(booted, _SERVERS)
            until("every profile is in Prometheus", has_every_profile, within=300)
        with diary.step("from the end of the service to the alert in Alertmanager"):
            booted.run("systemctl stop shop")
            until(f"{_ALERT} fires", lambda: _ALERT in alerts(), within=600)
        expect(_ALERT in _follow(booted, _SERVERS, "$ "), "amtool does not show the alert")
        with diary.step("from the start of the service until the alert is gone"):
            booted.run("systemctl start shop")
            until(f"{_ALERT} is resolved", lambda: _ALERT not in alerts(), within=600)
        with diary.step("the socket installed; five restarts, and no scrape fails"):
            _follow(booted, "Through a socket")
            with _scraped_without_end():
                for _ in range(5):
                    booted.run(f"systemctl restart {_UNIT}")
                    time.sleep(2)
        with diary.step("all of it taken off again"):
            _follow(booted, "Take it off again")
            left = booted.run(
                f"find / -xdev -name '*{_UNIT}*' -not -path '/root/*' -not -path '/proc/*'; id {_UNIT} 2>&1 || true"
            )
            expect("/" not in left, f"something is left of it:\n{left}")


def _follow(machine: Booted, heading: str, prompt: str = "# ") -> str:
    """Run the commands of a section of the page, each of which must succeed; returns what they printed."""
    return "".join(machine.run(command) for block in under(_PAGE, heading) for command in commands(block, prompt))


def _is_confined(machine: Booted) -> None:
    """The service is a user that may do nothing, on a file system that it cannot write, with system calls filtered."""
    process = machine.run(f"systemctl show --value --property MainPID {_UNIT}").strip()
    status = machine.run(f"cat /proc/{process}/status")
    expect(is_powerless(status), f"it could do more than it should:\n{status}")
    inside = f"nsenter --target {process} --mount sh -c"
    expect("Read-only" in machine.run(f"{inside} 'touch /etc/x 2>&1 || true'"), "it can write to /etc")
    expect(machine.run(f"{inside} 'ls -A /root /home'").split() == ["/home:", "/root:"], "it sees who lives here")
    said = machine.run(f"systemd-analyze security --no-pager {_UNIT}")
    running, written = (
        float(re.findall(pattern, text)[0])
        for pattern, text in ((r"exposure level for \S+: ([\d.]+)", said), (r"exposure ([\d.]+)", _PAGE.read_text()))
    )
    expect(running <= written, f"it exposes {running}, and the page says {written}")


def _is_managed(machine: Booted) -> None:
    """It reads again when told, comes back when killed, and stays down when its settings are wrong."""
    machine.run(f"systemctl reload {_UNIT}")
    time.sleep(1)
    machine.run(f"systemctl is-active {_UNIT}")
    machine.run(f"systemctl kill --signal KILL {_UNIT}")
    until("it is started again", lambda: got(EXPORTER, "/-/healthy"), within=30)
    machine.run(f"sed -i.bak 's|^TARGETS=.*|TARGETS=ftp://shop|' {_SETTINGS} && systemctl restart {_UNIT} || true")
    until("it has failed", lambda: _state(machine)["Result"] == "exit-code", within=30)
    time.sleep(7)  # It would be started again after five.
    state = _state(machine)
    expect(state["ExecMainStatus"] == "2" and state["ActiveState"] == "failed", f"wrong settings: {state}")
    said = machine.run(f"journalctl --no-pager --lines 20 --unit {_UNIT}")
    expect("ftp" in said and "Traceback" not in said, f"it does not say what is wrong:\n{said}")
    machine.run(f"mv {_SETTINGS}.bak {_SETTINGS} && systemctl reset-failed {_UNIT} && systemctl start {_UNIT}")


def _state(machine: Booted) -> dict[str, str]:
    said = machine.run(f"systemctl show --property ActiveState,Result,ExecMainStatus {_UNIT}")
    return dict(line.split("=", 1) for line in said.splitlines())


@contextmanager
def _scraped_without_end() -> Iterator[None]:
    """Scrape over and over, each time on a connection of its own; raise `Astray` if one of them fails."""
    done, failed = threading.Event(), list[Exception]()

    def scrape() -> None:
        while not done.wait(0.1):
            try:
                got(EXPORTER, "/metrics")
            except OSError as error:
                failed.append(error)

    thread = threading.Thread(target=scrape)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
    if failed:
        raise Astray(f"{len(failed)} scrapes failed, the first: {failed[0]!r}")
