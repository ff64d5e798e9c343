"""The limits of a process's cgroups, as version 1, version 2, containers and nested groups show them."""

from __future__ import annotations

import os
from pathlib import Path

import psutil
import pytest

from pprof_exporter.scrape.state.cgroup_limits import CgroupLimits, CpuBandwidth
from pprof_exporter.scrape.target.cgroup import CgroupReader

MIB = 2**20
PID = 4711
V2_MOUNT = "31 23 0:28 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
V1_MOUNTS = (
    "29 25 0:25 / /sys/fs/cgroup ro,nosuid shared:9 - tmpfs tmpfs ro,mode=755\n"
    "34 29 0:30 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:15 - cgroup cgroup rw,cpu,cpuacct\n"
    "35 29 0:32 / /sys/fs/cgroup/memory rw,nosuid shared:16 - cgroup cgroup rw,memory\n"
)
V1_UNLIMITED = "9223372036854771712\n"
STAT_V2 = "usage_usec 900\nuser_usec 500\nsystem_usec 400\nnr_periods 100\nnr_throttled 40\nthrottled_usec 2500000\n"
STAT_V1 = "nr_periods 100\nnr_throttled 40\nthrottled_time 2500000000\n"
THROTTLED = 100, 40, 2.5


class Tree:
    """A file system with `proc` and cgroups under a folder."""

    def __init__(self, root: Path, cgroup: str, mounts: str) -> None:
        self.root = root
        self.write(f"proc/{PID}/cgroup", cgroup)
        self.write("proc/self/mountinfo", "22 28 0:21 / /proc rw,relatime - proc proc rw\n" + mounts)

    def write(self, path: str, text: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")

    def group(self, path: str, **files: str) -> None:
        """A cgroup; `cpu__stat` is the file `cpu.stat`."""
        (self.root / path).mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            self.write(f"{path}/{name.replace('__', '.')}", text)

    def read(self) -> CgroupLimits | None:
        return CgroupReader(self.root).read(PID)


def test_a_service_of_systemd_has_its_limits(tmp_path: Path) -> None:
    tree = Tree(tmp_path, "0::/system.slice/shop.service\n", V2_MOUNT)
    folder = "sys/fs/cgroup/system.slice/shop.service"
    tree.group(folder, memory__max=f"{256 * MIB}\n", cpu__max="50000 100000\n", cpu__stat=STAT_V2)

    found = tree.read()

    assert found == CgroupLimits(256 * MIB, (CpuBandwidth(str(tmp_path / folder), 0.5, *THROTTLED),))
    assert found.processors == 0.5


def test_the_least_limit_of_the_ancestors_holds(tmp_path: Path) -> None:
    tree = Tree(tmp_path, "0::/kubepods/pod1/app\n", V2_MOUNT)
    tree.group("sys/fs/cgroup/kubepods", memory__max=f"{900 * MIB}\n", cpu__max="max 100000\n", cpu__stat=STAT_V2)
    tree.group("sys/fs/cgroup/kubepods/pod1", memory__max=f"{64 * MIB}\n", cpu__max="20000 100000\n", cpu__stat=STAT_V2)
    tree.group("sys/fs/cgroup/kubepods/pod1/app", memory__max="max\n", cpu__max="100000 100000\n", cpu__stat=STAT_V2)

    found = tree.read()

    assert found is not None
    assert found.memory_limit == 64 * MIB
    assert found.processors == 0.2
    assert [bandwidth.processors for bandwidth in found.bandwidths] == [1.0, 0.2], "the innermost first"


def test_a_container_with_a_namespace_of_its_own_sees_its_cgroup_as_the_root(tmp_path: Path) -> None:
    tree = Tree(tmp_path, "0::/\n", V2_MOUNT)
    tree.group("sys/fs/cgroup", memory__max=f"{128 * MIB}\n", cpu__max="10000 100000\n", cpu__stat=STAT_V2)

    found = tree.read()

    assert found is not None
    assert (found.memory_limit, found.processors) == (128 * MIB, 0.1)


def test_version_1_has_a_hierarchy_for_each_controller(tmp_path: Path) -> None:
    cgroup = "12:memory:/docker/abc\n4:cpu,cpuacct:/docker/abc\n1:name=systemd:/docker/abc\n0::/\n"
    tree = Tree(tmp_path, cgroup, V1_MOUNTS)
    tree.group("sys/fs/cgroup/memory", memory__limit_in_bytes=V1_UNLIMITED)
    tree.group("sys/fs/cgroup/memory/docker/abc", memory__limit_in_bytes=f"{64 * MIB}\n")
    folder = "sys/fs/cgroup/cpu,cpuacct/docker/abc"
    tree.group(folder, cpu__cfs_quota_us="150000\n", cpu__cfs_period_us="100000\n", cpu__stat=STAT_V1)

    assert tree.read() == CgroupLimits(64 * MIB, (CpuBandwidth(str(tmp_path / folder), 1.5, *THROTTLED),))


def test_a_container_of_version_1_mounts_only_its_own_cgroup(tmp_path: Path) -> None:
    mounts = V1_MOUNTS.replace("0:32 / ", "0:32 /docker/abc ")
    tree = Tree(tmp_path, "12:memory:/docker/abc/inner\n", mounts)
    tree.group("sys/fs/cgroup/memory/inner", memory__limit_in_bytes=V1_UNLIMITED)
    tree.group("sys/fs/cgroup/memory", memory__limit_in_bytes=f"{32 * MIB}\n")

    assert tree.read() == CgroupLimits(32 * MIB, ())


def test_a_cgroup_outside_of_what_is_mounted_is_unknown(tmp_path: Path) -> None:
    for path in ("/../other", "/docker/xyz"):
        tree = Tree(tmp_path, f"0::{path}\n", V2_MOUNT.replace("0:28 / ", "0:28 /docker/abc "))
        tree.group("sys/fs/cgroup", memory__max=f"{32 * MIB}\n")

        assert tree.read() is None


def test_no_limit_is_none_and_not_zero(tmp_path: Path) -> None:
    v2 = Tree(tmp_path / "v2", "0::/a\n", V2_MOUNT)
    v2.group("sys/fs/cgroup/a", memory__max="max\n", cpu__max="max 100000\n", cpu__stat=STAT_V2)
    v1 = Tree(tmp_path / "v1", "12:memory:/a\n4:cpu,cpuacct:/a\n", V1_MOUNTS)
    v1.group("sys/fs/cgroup/memory/a", memory__limit_in_bytes=V1_UNLIMITED)
    v1.group("sys/fs/cgroup/cpu,cpuacct/a", cpu__cfs_quota_us="-1\n", cpu__cfs_period_us="100000\n", cpu__stat=STAT_V1)

    assert v2.read() == v1.read() == CgroupLimits(None, ())


def test_a_mount_point_with_a_space_is_found(tmp_path: Path) -> None:
    tree = Tree(tmp_path, "0::/a\n", V2_MOUNT.replace("/sys/fs/cgroup", r"/host\040sys/cgroup"))
    tree.group("host sys/cgroup/a", memory__max=f"{MIB}\n")

    assert tree.read() == CgroupLimits(MIB, ())


@pytest.mark.parametrize("mounts", ["", "nonsense\n", "1 2 3 - cgroup2\n", V2_MOUNT])
@pytest.mark.parametrize("cgroup", ["", "\n", "0:\n", "::::\n", "0::/gone\n", "0::/a\x00b\n", "4:cpu:/\n", "\udcff"])
def test_whatever_the_system_shows_nothing_is_raised(tmp_path: Path, cgroup: str, mounts: str) -> None:
    tree = Tree(tmp_path, "", mounts)
    (tmp_path / f"proc/{PID}/cgroup").write_bytes(cgroup.encode("utf-8", "surrogateescape"))

    assert tree.read() is None


@pytest.mark.parametrize("text", ["", "x y\n", "50000\n", "50000 0\n", "-5 100000\n", "1" * 30 + " 100000\n"])
def test_a_malformed_limit_is_no_limit(tmp_path: Path, text: str) -> None:
    tree = Tree(tmp_path, "0::/a\n", V2_MOUNT)
    tree.group("sys/fs/cgroup/a", memory__max=text, cpu__max=text, cpu__stat=STAT_V2)

    found = tree.read()

    assert found is not None
    assert found.bandwidths == ()


def test_a_process_that_is_gone_has_no_cgroup(tmp_path: Path) -> None:
    assert CgroupReader(tmp_path).read(1) is None


@pytest.mark.skipif(not psutil.LINUX, reason="only Linux has cgroups")
def test_this_process_can_be_read() -> None:
    found = CgroupReader().read(os.getpid())

    assert found is None or found.memory_limit is None or found.memory_limit > MIB
