"""Nothing is missing where parts of the package have to agree."""

from __future__ import annotations

from importlib import import_module

import pytest

from tests.seams.__main__ import SEAMS


@pytest.mark.parametrize("seam", SEAMS)
def test_the_package_has_no_hole(seam: str) -> None:
    assert import_module(f"tests.seams.{seam}").holes() == []
