"""Build information of real binaries is what `go version -m` prints."""

from __future__ import annotations

from pathlib import Path

import pytest

from pprof_exporter.profile import BuildInfo, GoVersion, go_version_from_binary, read_build_info
from tests.lab import LAB
from tests.lab.debian import unpacked
from tests.lab.go import VERSIONS, build_empty, toolchain, version_of

NEWEST = VERSIONS[-1]
BUILDS = {
    "Linux": ("linux", ()),
    "Linux, stripped": ("linux", ("-ldflags=-s -w",)),
    "Linux, position independent": ("linux", ("-buildmode=pie",)),
    "Linux, position independent, stripped": ("linux", ("-buildmode=pie", "-ldflags=-s -w")),
    "Windows": ("windows", ()),
    "Windows, stripped": ("windows", ("-ldflags=-s -w",)),
}


def as_go_reads(program: Path) -> BuildInfo | None:
    printed = version_of(program)
    if not printed:
        return None
    [version], *lines = printed
    fields = {name: values for name, *values in reversed(lines)}
    module, module_version = fields.get("mod", ["", ""])[:2]
    return BuildInfo(version, fields.get("path", [""])[0], module, module_version)


def agreed(program: Path) -> BuildInfo:
    """What both read, which must be the same."""
    ours = read_build_info(program)
    assert ours is not None
    assert ours == as_go_reads(program)
    return ours


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", BUILDS)
def test_builds_of_every_version_agree_with_go(version: str, kind: str, tmp_path: Path) -> None:
    goos, flags = BUILDS[kind]
    found = agreed(build_empty(version, tmp_path / "build", *flags, goos=goos))
    assert found.go_version == f"go{version}"
    assert found.path == found.module == "example.com/empty"


@pytest.mark.parametrize(("goos", "goarch"), [("linux", "s390x"), ("darwin", "arm64")])
def test_builds_for_other_systems_agree_with_go(goos: str, goarch: str, tmp_path: Path) -> None:
    assert agreed(build_empty(NEWEST, tmp_path / "build", goos=goos, goarch=goarch)).go_version == f"go{NEWEST}"


def test_builds_with_paths_agree_with_go(tmp_path: Path) -> None:
    assert agreed(build_empty(NEWEST, tmp_path / "build", "-trimpath=false")).go_version == f"go{NEWEST}"


@pytest.mark.parametrize("version", [VERSIONS[0], NEWEST])
def test_an_experiment_is_part_of_the_version(version: str, tmp_path: Path) -> None:
    build = agreed(build_empty(version, tmp_path / "build", experiment="boringcrypto"))
    assert build.go_version in (f"go{version} X:boringcrypto", f"go{version}-X:boringcrypto")
    assert go_version_from_binary(build).exact == GoVersion.parse(f"go{version}")


def test_the_commands_of_all_toolchains_here_agree_with_go() -> None:
    for version in VERSIONS:
        toolchain(version)
    for command in sorted((LAB / "go").glob("*/go/bin/go")):
        assert agreed(command).go_version == f"go{command.parents[2].name}"


def test_packaged_programs_agree_with_go() -> None:
    found = agreed(unpacked(["prometheus"]) / "usr" / "bin" / "prometheus")
    assert found.path == "github.com/prometheus/prometheus/cmd/prometheus"


def test_a_program_without_sections_is_still_read(tmp_path: Path) -> None:
    program = build_empty(NEWEST, tmp_path / "build")
    whole, content = agreed(program), bytearray(program.read_bytes())
    content[40:48] = bytes(8)  # Offset of the section table.
    content[60:64] = bytes(4)  # Number of sections, and which has the names.
    program.write_bytes(content)
    assert read_build_info(program) == whole


@pytest.mark.parametrize("program", ["/bin/ls", "/bin/sh", __file__])
def test_other_programs_are_none_of_go(program: str) -> None:
    assert read_build_info(Path(program)) is None


def test_a_truncated_program_is_read_whole_or_not_at_all(tmp_path: Path) -> None:
    program = build_empty(NEWEST, tmp_path / "build")
    whole, content = agreed(program), program.read_bytes()
    for sixteenths in range(16):
        program.write_bytes(content[: len(content) * sixteenths // 16])
        assert read_build_info(program) in (None, whole)
