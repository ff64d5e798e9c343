"""Build information is read from executables of every format, and whatever is broken is no Go program."""

from __future__ import annotations

import io
import os
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pprof_exporter.profile import BuildInfo, KnownGoVersion, go_version_from_binary, read_build_info
from pprof_exporter.profile.goversion import GoVersion, VersionSource, combine_go_versions, go_version_from_metrics
from tests.profile.executables import BASE, DATA, MAGIC, Maker, blob, blob_of_pointers, elf, framed, mach_o, pe, varint

SHOP = BuildInfo("go1.27.3", "example.com/shop/cmd/shop", "example.com/shop", "v1.2.3")
NOTHING = KnownGoVersion()
AT = BASE + DATA
BOUND = (16 << 20) + (1 << 20)
"""Bytes that are read at most: what is searched, and a generous one for tables and strings."""

FORMATS: dict[str, Maker] = {
    "ELF": elf,
    "ELF without sections": partial(elf, sections=False),
    "ELF of 32 bits": partial(elf, wide=False),
    "ELF of 32 bits without sections": partial(elf, wide=False, sections=False),
    "ELF, big endian": partial(elf, order=">"),
    "ELF of 32 bits, big endian": partial(elf, wide=False, order=">"),
    "PE": pe,
    "PE of 32 bits": partial(pe, wide=False),
    "Mach-O": mach_o,
    "Mach-O of 32 bits": partial(mach_o, wide=False),
    "Mach-O, big endian": partial(mach_o, order=">"),
}
every_format = pytest.mark.parametrize("make", FORMATS.values(), ids=FORMATS.keys())


class CountedFile(io.BytesIO):
    """An open file that counts what is read."""

    total = 0
    largest = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.total += len(data)
        self.largest = max(self.largest, len(data))
        return data


def read(data: bytes) -> BuildInfo | None:
    file = CountedFile(data)
    found = read_build_info(file)
    assert file.total <= BOUND
    assert file.largest <= 1 << 20
    return found


@every_format
def test_every_format_is_read(make: Maker) -> None:
    assert read(make(blob())) == SHOP


@every_format
@pytest.mark.parametrize("size", [4, 8])
@pytest.mark.parametrize("order", ["<", ">"])
def test_programs_up_to_go_1_17_have_pointers(make: Maker, size: int, order: str) -> None:
    data = blob_of_pointers(AT, size=size, order=">" if order == ">" else "<")
    assert read(make(data)) == BuildInfo("go1.17.13", SHOP.path, SHOP.module, SHOP.module_version)


@every_format
def test_the_search_takes_the_first_aligned_magic(make: Maker) -> None:
    assert read(make(b"x" * 8 + MAGIC + b"y" * 10 + blob())) == SHOP
    assert read(make(b"x" * 8 + blob())) is None


@every_format
def test_the_search_goes_on_in_the_next_piece_and_ends_after_16_mib(make: Maker) -> None:
    assert read(make(bytes((1 << 20) - 16) + blob())) == SHOP
    assert read(make(bytes(3 << 20) + blob())) == SHOP
    assert read(make(bytes(16 << 20) + blob())) is None


@pytest.mark.parametrize("version", ["go1.25.5 X:nocoverageredesign", "devel go1.28-abcdef Mon Jan 1", "go1.26rc1"])
def test_the_version_is_told_as_the_binary_has_it(version: str) -> None:
    found = read(elf(blob(version)))
    assert found is not None
    assert found.go_version == version


@pytest.mark.parametrize(
    ("modules", "expected"),
    [
        (b"", ("", "", "")),
        (b"x" * 33, ("", "", "")),
        (framed(""), ("", "", "")),
        (framed("path\tcmd/go\n"), ("cmd/go", "", "")),
        (framed("path\tcommand-line-arguments\nmod\tshop\t(devel)\n"), ("command-line-arguments", "shop", "(devel)")),
        (framed("mod\tshop\n"), ("", "", "")),
        (framed("path\tshop\n" + "dep\texample.com/a\tv1.0.0\th1:x=\n" * 10_000), ("shop", "", "")),
    ],
    ids=["none", "no frame", "empty", "no main module", "development", "torn", "many"],
)
def test_modules_are_told_as_far_as_they_are_there(modules: bytes, expected: tuple[str, str, str]) -> None:
    assert read(pe(blob(modules=modules))) == BuildInfo("go1.27.3", *expected)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        MAGIC,
        blob()[:31],
        blob()[:40],
        blob()[:-1],
        blob(""),
        blob("g" * 2000),
        MAGIC + b"\x08\x02" + bytes(16) + varint(1 << 62) + b"go1.27.3",
        MAGIC + b"\x08\x02" + bytes(16) + b"\xff" * 10,
        MAGIC + b"\x08\x02" + bytes(16),
        MAGIC + b"\x03\x00" + bytes(16),
        MAGIC + b"\x08\x00" + b"\xff" * 16,
        blob_of_pointers(AT + 4096),
        blob_of_pointers(AT)[:50],
    ],
)
@every_format
def test_a_broken_blob_is_no_go_program(make: Maker, data: bytes) -> None:
    assert read(make(data)) is None


@pytest.mark.parametrize("data", [b"", b"MZ", b"\x7fELF", b"#!/bin/sh\nexit\n", b"\xcf\xfa\xed\xfe", b"\0" * 64])
def test_other_files_are_no_go_programs(data: bytes, tmp_path: Path) -> None:
    assert read(data) is None
    file = tmp_path / "file"
    file.write_bytes(data)
    assert read_build_info(file) is None


@every_format
@given(data=st.data())
def test_truncated_files_are_no_go_programs(make: Maker, data: st.DataObject) -> None:
    whole = make(blob())
    cut = data.draw(st.one_of(st.integers(0, 0x400), st.integers(DATA, len(whole) - 1)))
    assert read(whole[:cut]) is None


@every_format
@given(
    changes=st.lists(
        st.tuples(
            st.one_of(st.integers(0, 0x300), st.integers(DATA, DATA + 200)),
            st.one_of(st.binary(min_size=1, max_size=8), st.sampled_from([b"\xff" * 4, b"\xff" * 8, bytes(8)])),
        ),
        min_size=1,
        max_size=6,
    ),
    pointers=st.booleans(),
)
def test_changed_files_raise_nothing(make: Maker, changes: list[tuple[int, bytes]], pointers: bool) -> None:  # noqa: FBT001 - drawn
    data = bytearray(make(blob_of_pointers(AT) if pointers else blob()))
    for at, replaced in changes:
        data[at : at + len(replaced)] = replaced
    found = read(bytes(data))
    assert found is None or 0 < len(found.go_version) <= 1024


@given(
    st.sampled_from([b"\x7fELF\x02\x01", b"\x7fELF\x01\x02", b"MZ", b"\xcf\xfa\xed\xfe", b"\xfe\xed\xfa\xce"]),
    st.binary(),
)
def test_any_content_after_a_magic_raises_nothing(magic: bytes, rest: bytes) -> None:
    read(magic + rest)


def test_tables_that_claim_to_be_huge_are_not_read() -> None:
    # 65,535 commands, each with 65,535 sections that overlap.
    segment = elf(blob())
    huge = bytearray(mach_o(blob()))
    huge[16:20] = b"\xff\xff\xff\x7f"
    huge[32 + 64 : 32 + 68] = b"\xff\xff\xff\x7f"
    assert read(bytes(huge)) is None
    many = bytearray(segment + bytes(8 << 20))
    many[56:58] = b"\xff\xff"
    assert read(bytes(many)) == SHOP


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    assert read_build_info(tmp_path) is None
    os.mkfifo(tmp_path / "pipe")
    assert read_build_info(tmp_path / "pipe") is None
    with pytest.raises(FileNotFoundError):
        read_build_info(tmp_path / "missing")


def test_the_version_of_a_binary_is_exact_unless_it_is_of_a_branch() -> None:
    known = go_version_from_binary(SHOP)
    assert known == KnownGoVersion(GoVersion(1, 27, 3), None, VersionSource.BINARY)
    assert go_version_from_binary(None) == go_version_from_binary(BuildInfo("devel go1.28-abc")) == NOTHING


def test_the_page_is_believed_before_the_binary_and_the_binary_before_a_bound() -> None:
    binary, page = go_version_from_binary(SHOP), go_version_from_metrics("go1.26.1")
    assert combine_go_versions([binary, page]) == combine_go_versions([page, binary]) == page
    bound = KnownGoVersion(None, GoVersion(1, 26), VersionSource.TRACE)
    assert combine_go_versions([bound, binary]) == KnownGoVersion(
        GoVersion(1, 27, 3), GoVersion(1, 26), VersionSource.BINARY
    )


def test_a_binary_older_than_what_the_profiles_prove_is_that_of_another_program() -> None:
    proxy = go_version_from_binary(BuildInfo("go1.22.1"))
    bound = KnownGoVersion(None, GoVersion(1, 26), VersionSource.TRACE)
    assert combine_go_versions([proxy, bound]) == bound
