"""One random damage to one file."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random

_PAGE = 4096


def damage(random: Random, file: Path, older: bytes) -> str:
    """Damage a file; returns how. `older` is its content at an earlier time."""
    before = file.read_bytes()
    how = random.choice(_WAYS)
    if how == "unreadable" and hasattr(os, "geteuid") and os.geteuid():
        file.chmod(0)
    elif how == "removed":
        file.unlink()
    elif how == "folder":
        file.unlink()
        file.mkdir()
        if random.random() < 0.5:
            (file / "x").write_bytes(b"x")
    else:
        after = older if how == "older" else _CONTENTS.get(how, _same)(random, before)
        file.write_bytes(after)
        return "none" if after == before else how
    return how


def _same(_: Random, data: bytes) -> bytes:
    return data


def _bit(random: Random, data: bytes) -> bytes:
    return _put(data, random.randrange(len(data) * 8) // 8, 1 << random.randrange(8)) if data else data


def _put(data: bytes, place: int, change: int) -> bytes:
    return data[:place] + bytes([data[place] ^ change]) + data[place + 1 :]


def _byte(random: Random, data: bytes) -> bytes:
    return _put(data, random.randrange(len(data)), random.randrange(256)) if data else data


def _bytes(random: Random, data: bytes) -> bytes:
    for _ in range(random.randint(2, 20)):
        data = _byte(random, data)
    return data


def _digit(random: Random, data: bytes) -> bytes:
    """Another digit in place of one: it changes figures in text, and leaves everything well-formed."""
    places = [place for place, byte in enumerate(data) if 48 <= byte < 58]
    place = random.choice(places) if places else -1
    return data[:place] + random.choice(b"0123456789").to_bytes() + data[place + 1 :] if places else data


def _piece(random: Random, data: bytes) -> tuple[int, int]:
    start = random.randrange(len(data) + 1)
    return start, min(len(data), start + int(random.expovariate(0.02)) + 1)


def _cut(random: Random, data: bytes) -> bytes:
    return data[: random.randrange(len(data) + 1)]


def _hole(random: Random, data: bytes) -> bytes:
    start, end = _piece(random, data)
    return data[:start] + data[end:]


def _inserted(random: Random, data: bytes) -> bytes:
    start, _ = _piece(random, data)
    return data[:start] + random.randbytes(random.randint(1, 50)) + data[start:]


def _doubled(random: Random, data: bytes) -> bytes:
    start, end = _piece(random, data)
    return data[:end] + data[start:]


def _zeros(random: Random, data: bytes) -> bytes:
    start, end = _piece(random, data)
    return data[:start] + bytes(end - start) + data[end:]


def _noise(random: Random, data: bytes) -> bytes:
    start, end = _piece(random, data)
    return data[:start] + random.randbytes(end - start) + data[end:]


def _page_of_zeros(random: Random, data: bytes) -> bytes:
    start = random.randrange(len(data) + 1) // _PAGE * _PAGE
    return data[:start] + bytes(len(data[start : start + _PAGE])) + data[start + _PAGE :]


def _pages_swapped(random: Random, data: bytes) -> bytes:
    pages = [data[start : start + _PAGE] for start in range(0, len(data), _PAGE)]
    if len(pages) > 1:
        one, other = random.sample(range(len(pages)), 2)
        pages[one], pages[other] = pages[other], pages[one]
    return b"".join(pages)


def _longer(random: Random, data: bytes) -> bytes:
    return data + random.randbytes(random.randint(1, 2 * _PAGE))


def _all_zeros(_: Random, data: bytes) -> bytes:
    return bytes(len(data))


def _text(random: Random, _: bytes) -> bytes:
    return b"<html>503 Service Unavailable</html>\n" * random.randint(1, 300)


def _empty(_: Random, __: bytes) -> bytes:
    return b""


_CONTENTS: dict[str, Callable[[Random, bytes], bytes]] = {
    "bit": _bit,
    "byte": _byte,
    "bytes": _bytes,
    "digit": _digit,
    "cut": _cut,
    "hole": _hole,
    "inserted": _inserted,
    "doubled": _doubled,
    "zeros": _zeros,
    "noise": _noise,
    "page of zeros": _page_of_zeros,
    "pages swapped": _pages_swapped,
    "longer": _longer,
    "all zeros": _all_zeros,
    "text": _text,
    "empty": _empty,
}
# Twice what happens most.
_WAYS = (*_CONTENTS, "older", "removed", "folder", "unreadable", "bit", "byte", "digit", "zeros", "noise", "cut")


def restore(sample: dict[str, bytes], root: Path) -> None:
    """Make the folder what the sample is."""
    shutil.rmtree(root, ignore_errors=True)
    for name, data in sample.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)


def taken(root: Path) -> dict[str, bytes]:
    """All files below a folder."""
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}
