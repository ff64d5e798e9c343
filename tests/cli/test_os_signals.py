"""Signals where the system has them, and a way around where it has not."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from pprof_exporter.cli.os_signals import signal_handlers


def nothing() -> None:
    """Do nothing."""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_to_end_stops(number: signal.Signals) -> None:
    stop = asyncio.Event()
    with signal_handlers(stop.set, None):
        os.kill(os.getpid(), number)
        await asyncio.wait_for(stop.wait(), 60)


async def test_a_hangup_reloads_and_does_not_stop() -> None:
    stop, reloaded = asyncio.Event(), asyncio.Event()
    with signal_handlers(stop.set, reloaded.set):
        os.kill(os.getpid(), signal.SIGHUP)
        await asyncio.wait_for(reloaded.wait(), 60)
    assert not stop.is_set()


async def test_a_hangup_without_a_file_to_reload_is_ignored() -> None:
    with signal_handlers(nothing, None):
        os.kill(os.getpid(), signal.SIGHUP)
        await asyncio.sleep(0)


async def test_as_on_windows_without_hangup_and_without_handlers_of_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise NotImplementedError

    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "add_signal_handler", refuse)
    monkeypatch.setattr(loop, "remove_signal_handler", refuse)
    monkeypatch.delattr(signal, "SIGHUP")
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    stop = asyncio.Event()
    with signal_handlers(stop.set, nothing):
        signal.raise_signal(signal.SIGTERM)
        await asyncio.wait_for(stop.wait(), 60)
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
