"""Loading the server: nothing stays changed for what comes after, and aiohttp's own TLS contexts trust nobody."""

from __future__ import annotations

import contextlib
import gc
import os
import subprocess
import sys
from types import ModuleType

import pytest

from pprof_exporter.cli.interpreter import quick_imports, share_lock_often

CONTEXTS = """
from pprof_exporter.cli.interpreter import quick_imports
with quick_imports():
    from aiohttp import connector
from pprof_exporter.config import DEFAULT_TLS, client_context
import ssl
print(connector._SSL_CONTEXT_VERIFIED.cert_store_stats()["x509"], connector._SSL_CONTEXT_VERIFIED.verify_mode.name,
      client_context(DEFAULT_TLS).cert_store_stats() == ssl.create_default_context().cert_store_stats())
"""


@pytest.mark.parametrize("set_before", [None, "/etc/own.pem"])
def test_environment_and_collector_are_as_before(monkeypatch: pytest.MonkeyPatch, set_before: str | None) -> None:
    if set_before is None:
        monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    else:
        monkeypatch.setenv("SSL_CERT_FILE", set_before)
    monkeypatch.delitem(sys.modules, "pprof_exporter.cli.serve", raising=False)
    before, usual = dict(os.environ), gc.get_threshold()
    with contextlib.suppress(ImportError), quick_imports():
        assert gc.get_threshold() != usual
        assert os.environ["SSL_CERT_FILE"] == os.devnull
        raise ImportError
    assert dict(os.environ) == before
    assert gc.get_threshold() == usual
    gc.unfreeze()


def test_a_running_server_changes_nothing_when_it_reads_its_settings_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pprof_exporter.cli.serve", ModuleType("serve"))
    before, usual, frozen = dict(os.environ), gc.get_threshold(), gc.get_freeze_count()
    with quick_imports():
        assert (dict(os.environ), gc.get_threshold()) == (before, usual)
    assert gc.get_freeze_count() == frozen


def test_a_context_of_aiohttp_refuses_and_ours_is_that_of_the_system() -> None:
    done = subprocess.run([sys.executable, "-c", CONTEXTS], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0", "CERT_REQUIRED", "True"]


def test_a_busy_thread_lets_the_event_loop_go_on_ten_times_sooner() -> None:
    before, usual = sys.getswitchinterval(), 0.005
    try:
        sys.setswitchinterval(usual)
        share_lock_often()
        assert sys.getswitchinterval() == pytest.approx(usual / 10)
    finally:
        sys.setswitchinterval(before)
