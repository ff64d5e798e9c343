"""Names of functions as text, with what they say about a frame; remembered, since profiles repeat them."""

from __future__ import annotations

from pprof_exporter.profile.function_names.traits import traits_of
from pprof_exporter.profile.remembered import LARGEST_MODULES, MOST_MODULES, remember_small

UNKNOWN_FUNCTION = "<unknown>"

_MOST_BYTES = 8 * 1024 * 1024
# A tuple, and an entry of a dictionary.
_ENTRY = 200
_LONGEST = 512


class Names:
    """Texts and traits of names by their bytes. Bounded: forgets all when it is full, and never holds a long one."""

    def __init__(self) -> None:
        self.known: dict[bytes, tuple[str, int]] = {}
        self._bytes = 0

    def learn(self, data: bytes) -> tuple[str, int]:
        """Text and traits of a name that is not known."""
        text = text_of(data)
        name = (text, traits_of(text))
        if len(data) <= _LONGEST:
            if self._bytes > _MOST_BYTES:
                self.known.clear()
                self._bytes = 0
            self.known[data] = name
            self._bytes += data.__sizeof__() + text.__sizeof__() + _ENTRY
        return name


NAMES = Names()


def text_of(data: bytes) -> str:
    r"""A string of a profile. Bytes that are not UTF-8 become `\xNN`, so that no two names become one."""
    return data.decode("utf-8", "backslashreplace")


def name_without_symbol(file: str) -> str:
    """The name for a frame without a symbol in a file, as in the reports of `go tool pprof`."""
    return f"[{file.replace(chr(92), '/').rsplit('/', 1)[-1]}]" if file else UNKNOWN_FUNCTION


@remember_small(lambda data: sum(map(len, data)), largest=LARGEST_MODULES, most=MOST_MODULES)
def mapped_files(data: tuple[bytes, ...]) -> tuple[tuple[str, str], ...]:
    """Files and build ids by turns, as pairs of texts: the same object each time for the modules of one process."""
    texts = tuple(map(text_of, data))
    return tuple(zip(texts[::2], texts[1::2], strict=True))
