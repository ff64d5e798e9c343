"""The limit of open files is raised as Go does, and divided between targets and the exporter's own pages."""

from __future__ import annotations

import math
import subprocess
import sys

import pytest

from pprof_exporter.descriptors import NO_LIMIT, DescriptorLimit, descriptor_limit, raise_descriptor_limit

UNIX = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
PROGRAM = """
import resource, sys
from pprof_exporter.descriptors import raise_descriptor_limit
soft, hard = map(int, sys.argv[1:])
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
before, now = raise_descriptor_limit()
print(before.most, now.most, *resource.getrlimit(resource.RLIMIT_NOFILE))
"""


@UNIX
@pytest.mark.parametrize(("soft", "hard"), [(48, 512), (512, 512)])
def test_the_soft_limit_becomes_the_hard_one(soft: int, hard: int) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(soft), str(hard)], capture_output=True, text=True, check=True
    )
    assert ended.stdout.split() == [str(soft), str(hard), str(hard), str(hard)]


@UNIX
def test_a_hard_limit_that_the_system_refuses_as_a_soft_one_leaves_what_macos_grants(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import resource  # noqa: PLC0415 - only on Unix

    limits = (256, resource.RLIM_INFINITY)

    def set_limit(_what: int, wanted: tuple[int, int]) -> None:
        nonlocal limits
        if wanted[0] == resource.RLIM_INFINITY:
            raise ValueError("current limit exceeds maximum limit")
        limits = wanted

    monkeypatch.setattr(resource, "getrlimit", lambda _what: limits)
    monkeypatch.setattr(resource, "setrlimit", set_limit)
    before, now = raise_descriptor_limit()
    assert (before.most, now.most) == (256, 10_240)


def test_where_there_is_no_such_limit_nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "resource", None)
    assert raise_descriptor_limit() == (NO_LIMIT, NO_LIMIT)
    assert descriptor_limit() == NO_LIMIT
    assert (NO_LIMIT.fetches, NO_LIMIT.for_targets) == (math.inf, math.inf)


@pytest.mark.parametrize("most", [16, 48, 256, 1024, 8192, 20_000, 1_048_576])
def test_each_kind_of_work_has_descriptors_of_its_own(most: int) -> None:
    limit = DescriptorLimit(most)
    assert limit.for_own_pages >= 4
    assert limit.for_targets + limit.for_own_pages == most
    # Fetches with a window have as many slots beside them.
    assert limit.fetches >= 1
    assert 2 * limit.fetches < limit.for_targets


def test_usual_limits_do_not_bound_the_default_of_256_fetches() -> None:
    assert DescriptorLimit(1024).fetches >= 256
