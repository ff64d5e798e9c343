"""What runbooks have a person type works against a real Go program: every `curl`, `go tool` and `pprof-exporter`."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pprof_exporter.rules.runbooks import EXAMPLE_TARGET
from tests.docs.pages import RUNBOOKS, Block, blocks, commands, name, simple
from tests.lab import go
from tests.lab.debian import installed
from tests.lab.target import Target, running

pytestmark = pytest.mark.lab

KNOWN = re.compile(r"curl|go tool|pprof-exporter|sleep|head|tail|grep|sort|uniq|awk|date|cat|for|do|done")
"""What a command may begin with to be tried: the rest looks at a system that is not here."""
SHORTER = (
    (re.compile(r"\bsleep \d+"), "sleep 0.1"),
    (re.compile(r"\bseconds=\d+"), "seconds=1"),
    (re.compile(r"\bseq \d+"), "seq 2"),
    (re.compile(r"\bless$"), "cat"),
    (re.compile(r"pprof-exporter capture\b"), "pprof-exporter capture --rounds=1 --scrape.cpu-window=1s"),
)
ELSEWHERE = re.compile(r"http://(exporter|inventory):|/proc/")
"""What a command may not ask, since it is not here."""
WRONG = re.compile(
    r"not defined|unrecognized|unknown option|usage:|syntax error|command not found|curl: [(o]|malformed", re.IGNORECASE
)
"""Words of a program that does not understand what it is told. Finding nothing in a healthy program is no fault."""


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    installed("curl", "curl")
    with running(go.build(go.VERSIONS[-1])) as started:
        started.control("burn", threads=1)
        yield started


def script(page: Path, target: Target) -> str:
    """The commands of a page that can be tried, one after the other."""
    found: list[Block] = [block for block in blocks(page) if block.language == "console"]
    lines = []
    for command in (command for block in found for command in commands(block)):
        known = all(KNOWN.match(" ".join(words[:2])) for words in simple(command) if words)
        if known and not ELSEWHERE.search(command):
            shorter = command.replace(EXAMPLE_TARGET, target.url.removeprefix("http://"))
            for pattern, by in SHORTER:
                shorter = pattern.sub(by, shorter)
            lines.append(shorter)
    return "\n".join(lines)


@pytest.mark.parametrize("page", RUNBOOKS, ids=name)
def test_commands_on_the_example_target_work(page: Path, target: Target, tmp_path: Path) -> None:
    folders = [go.toolchain(go.VERSIONS[-1]).parent, Path(sys.executable).parent]
    path = os.pathsep.join([*map(str, folders), os.environ["PATH"]])
    environment = go._environment({"PATH": path, "PPROF_TMPDIR": str(tmp_path)})
    done = subprocess.run(
        ["bash", "-c", script(page, target)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=300,  # Since Go 1.25 the first `go tool pprof` builds it.
        check=False,
    )
    assert not WRONG.search(done.stderr), done.stderr


def test_there_are_commands_to_try(target: Target) -> None:
    tried = "\n".join(script(page, target) for page in RUNBOOKS)
    assert tried.count("curl ") > 30
    assert tried.count("go tool pprof ") > 20
    # A page that names another target than the example asks an address where nothing answers.
    assert "localhost:6060" not in tried
