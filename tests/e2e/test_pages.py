"""The HTML pages in a real browser: on a screen and on a phone, light and dark, with nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab import exporter, go
from tests.lab.chromium import browsing
from tests.lab.exporter import Exporter
from tests.lab.target import running


@pytest.fixture(scope="module")
def watching(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Exporter, str]]:
    """An exporter that has something to show of a program, and its name."""
    storage = tmp_path_factory.mktemp("storage")
    with running(go.build(go.VERSIONS[-1])) as target:
        target.control("leak", how="lost", n=3)
        with exporter.running(target.url, f"--storage.path={Path(storage)}") as program:
            name = target.url.removeprefix("http://")
            program.wait_for(lambda now: now.value("pprof_fetches_total", profile="cpu", outcome="success") == 1)
            program.get(f"/probe?target={name}&module=cheap")
            yield program, name


@pytest.mark.parametrize("width", [1400, 390], ids=["screen", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_pages_fit_and_need_nothing_from_elsewhere(
    watching: tuple[Exporter, str], width: int, scheme: str
) -> None:
    program, name = watching
    async with browsing() as tab:
        for path in ("/targets", f"/targets/{name}", "/probes", "/evidence", "/runbooks/", "/runbooks/PprofClockSkew"):
            seen = await tab.see(program.url + path, width=width, dark=scheme == "dark")
            assert "pprof-exporter" in seen.title, path
            assert seen.room == width, path
            assert seen.width <= width, f"{path} is {seen.width} wide"
            assert seen.background.endswith("true") is (scheme == "dark")
            assert {url.split("/")[2] for url in seen.asked} == {program.url.split("/")[2]}, seen.asked
            assert [text for text in seen.complaints if "favicon" not in text and "404" not in text] == [], path
