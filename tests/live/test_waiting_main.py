"""The main goroutine of a healthy program may wait for ever; what is leaked beside it is counted exactly."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pprof_exporter.cli import main
from tests.lab import go
from tests.live.test_check import BUSY_MACHINE, QUICK

NEWEST = go.VERSIONS[-1]
"""With the goroutineleak profile."""

SOURCE = """package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"syscall"
)

func nothing()  { select {} }
func receive()  { <-make(chan struct{}) }
func group()    { var all sync.WaitGroup; all.Add(1); all.Wait() }
func inlined()  { func() { nothing() }() }
func signals()  { caught := make(chan os.Signal, 1); signal.Notify(caught, syscall.SIGTERM); <-caught }
func finished() { done, stop := signal.NotifyContext(context.Background(), os.Interrupt); defer stop(); <-done.Done() }

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go http.Serve(listener, nil)
	leaks, _ := strconv.Atoi(os.Args[2])
	for range leaks {
		go nothing()
		go receive()
		go group()
	}
	fmt.Println(listener.Addr())
	map[string]func(){
		"nothing": nothing, "receive": receive, "group": group, "inlined": inlined, "signals": signals,
		"finished": finished,
	}[os.Args[1]]()
}
"""
WAYS = ("nothing", "receive", "group", "inlined", "signals", "finished")


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return go.build_empty(NEWEST, tmp_path_factory.mktemp("waiting") / "main", source=SOURCE)


@contextlib.contextmanager
def waiting(program: Path, way: str, leaks: int) -> Iterator[str]:
    """The address of the program, whose main waits in this way."""
    with subprocess.Popen([program, way, str(leaks)], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield f"http://{process.stdout.readline().strip()}"
        finally:
            process.kill()


@pytest.mark.parametrize("leaks", [0, 2])
def test_main_is_no_leak_however_it_waits(program: Path, leaks: int, capsys: pytest.CaptureFixture[str]) -> None:
    with contextlib.ExitStack() as stack:
        urls = [stack.enter_context(waiting(program, way, leaks)) for way in WAYS]
        code = main(["check", *QUICK, *BUSY_MACHINE, *urls], {})
    found = json.loads(capsys.readouterr().out)["targets"]
    said = [verdict["said"] for target in found for verdict in target["verdicts"] if verdict["mode"] == "F10"]
    assert len(said) == len(WAYS)
    assert [f"{3 * leaks} goroutines are leaked" in one for one in said] == [leaks > 0] * len(WAYS), said
    assert code == (1 if leaks else 0)
