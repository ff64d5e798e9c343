"""What has broken parsers: texts, scalars of YAML, bytes; and how a document is damaged."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

TEXTS: tuple[str, ...] = (
    "",
    " ",
    "\x00",
    "\x1b]0;title\x07",
    "\x85",
    "\u2028",
    "\u202e",
    "\ufeff",
    "\ufffe",
    "\ud800",
    "\udfff\ud800",
    "\U0010ffff",
    "é" * 50,
    "a" * 70_000,
    "-" * 300,
    "[" * 2_000,
    "{" * 2_000,
    "9" * 5_000,
    "1e999",
    "-0",
    "NaN",
    "\r\n",
    "\t",
    "%",
    "%2F",
    "%zz",
    "$1${1}$$${x}$",
    "\\",
    "'\"`",
    "é\u0301",
)
"""Texts that break readers of text."""

SCALARS: tuple[str, ...] = (
    "2024-02-30",
    "2024-99-99T99:99:99Z",
    "9999-12-31T23:59:59+99:99",
    "0001-01-01T00:00:00+23:59",
    "!!bool foo",
    "!!int foo",
    "!!int ''",
    "!!float x",
    "!!null x",
    "!!binary '*'",
    "!!binary é",
    "!!timestamp 1",
    "!!timestamp x",
    "!!set {a}",
    "!!omap [a]",
    "!!pairs [a: b]",
    "!!python/object:os.system x",
    "!foo bar",
    "!<tag:yaml.org,2002:int> a",
    "!!str",
    "!!map x",
    "!!seq x",
    "!!merge x",
    "!!value x",
    "=",
    "<<",
    "~",
    "*a",
    "&a",
    "? a",
    "{? [a]: b}",
    "{[a]: b}",
    "{<<: 1}",
    "{<<: [1, {a: b}]}",
    "&x [*x]",
    "&y {y: *y}",
    "&z {<<: *z}",
    "0x",
    "0b",
    "0b2",
    "0o9",
    "0_",
    "_0",
    "1_0",
    "-.inf",
    ".nan",
    "1:60:60",
    "190:20:30.15",
    "1.10",
    "007",
    "0x1F",
    "yes",
    "Off",
    "NULL",
    "20261128",
    "'\\x'",
    '"\\x"',
    '"\\ud800"',
    '"\\UFFFFFFFF"',
    '"\\U00110000"',
    '"\\x00"',
    "|\n  a",
    ">9\n a",
    "@",
    "`",
    "%",
    "9" * 5_000,
    "[" * 400 + "]" * 400,
    "{a: " * 400 + "}" * 400,
    "1" + ":59" * 3_000,
)
"""Scalars and flow nodes on which constructors of YAML have raised more than they document."""

_BYTES: tuple[bytes, ...] = (
    b"\x00",
    b"\xff",
    b"\xfe\xff",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\xed\xa0\x80",
    b"\xc0\x80",
    b"\x80",
    b"\xf4\x90\x80\x80",
    b"\r",
    b"\t",
    b"\x85",
    b"\n---\n",
    b"\n...\n",
    b"%YAML 9.9\n",
    b"%TAG ! x\n",
    b"<<: *a",
    b"&a ",
    b"*a",
    b"!!",
    b"? ",
    b": ",
    b"- ",
    b"{",
    b"}",
    b"[",
    b"]",
    b'"',
    b"'",
    b"#",
    b"|",
    b">",
)


def text(random: Random, usual: Sequence[str]) -> str:
    """One of the usual texts, mostly; else one that is known to break readers, alone or within a usual one."""
    chosen = random.choice(usual)
    if random.random() < 0.85:
        return chosen
    nasty = random.choice(TEXTS) if random.random() < 0.7 else chr(random.randrange(0x110000))
    place = random.randrange(len(chosen) + 1)
    return nasty if random.random() < 0.4 else chosen[:place] + nasty + chosen[place:]


def damaged(random: Random, data: bytes) -> bytes:
    """The same bytes, most often untouched; else with one to four places cut, doubled, changed or spliced."""
    if random.random() < 0.5:
        return data
    for _ in range(random.randint(1, 4)):
        start = random.randrange(len(data) + 1)
        end = min(len(data), start + int(random.expovariate(0.1)))
        match random.randrange(6):
            case 0:
                data = data[:start] + data[end:]
            case 1:
                data = data[:end] + data[start:]
            case 2:
                data = data[:start] + random.choice(_BYTES) + data[start:]
            case 3:
                data = data[:start] + random.randbytes(1) + data[start + 1 :]
            case 4:
                data = data[:start] + random.choice(SCALARS).encode() + data[end:]
            case 5 if random.random() < 0.1:
                data = data.decode("utf-8", "replace").encode(random.choice(("utf-16", "utf-16-be", "utf-8-sig")))
    return data
