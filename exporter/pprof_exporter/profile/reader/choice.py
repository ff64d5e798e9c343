"""The two readers: compiled code where it could be built, the same in Python everywhere else.

Beside the compiled reader, the other one is loaded only for a message that is refused, to say why.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from pprof_exporter.profile.reader.columns import Columns

    PYTHON: Reader


class ReaderName(StrEnum):
    """Which reader it is: label of `pprof_exporter_build_info`."""

    NATIVE = "native"
    PYTHON = "python"


class Sums(Protocol):
    """The sums over columns; see `sums.py`. Each reader takes its own columns only."""

    def every_total(self, columns: Any, /) -> tuple[int, ...]: ...  # noqa: D102

    def weights(self, columns: Any, index: int, /) -> dict[str, tuple[int, int]]: ...  # noqa: D102

    def chosen(self, columns: Any, index: int, without: int, from_root: bool, /) -> dict[str, int]: ...  # noqa: D102, FBT001

    def with_leaf(self, columns: Any, index: int, traits: int, /) -> int: ...  # noqa: D102

    def with_any(self, columns: Any, index: int, traits: int, /) -> int: ...  # noqa: D102

    def ends(self, columns: Any, index: int, traits: int, /) -> dict[tuple[str, str], int]: ...  # noqa: D102

    def depths(self, columns: Any, index: int, /) -> dict[int, int]: ...  # noqa: D102

    def beginnings(self, columns: Any, index: int, /) -> dict[int, int]: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Reader:
    """One way to read a message into columns, and to sum them up."""

    name: ReaderName
    read: Callable[[bytes], Columns]
    """Raises `DecodeError` for a message that is not valid, or beyond the bounds."""
    sums: Sums


def _native() -> Reader | None:
    try:
        from pprof_exporter.profile.reader import _reading, _sums  # noqa: PLC0415
    except ImportError:  # Installed without a compiler.
        return None

    def read(body: bytes) -> Columns:
        try:
            return _reading.read(body)
        except _reading.Broken:
            _python().read(body)
            raise AssertionError(f"the compiled reader refuses {len(body)} bytes that are valid") from None

    return Reader(ReaderName.NATIVE, read, _sums)


def _python() -> Reader:
    from pprof_exporter.profile.reader import reading, sums  # noqa: PLC0415

    return Reader(ReaderName.PYTHON, reading.read, sums)


NATIVE = _native()
READER = NATIVE or _python()
"""The faster of the readers that are here."""


def __getattr__(name: str) -> Reader:
    if name == "PYTHON":
        return _python()
    raise AttributeError(name)
