"""A place for the file of statistics."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "history.db"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who holds the file in these tests does not let go of it in time."""
    monkeypatch.setattr("pprof_exporter.store.connection.LOCK_TIMEOUT", 0.05)
