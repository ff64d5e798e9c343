"""A secret: written in the configuration, or in a file of its own that is read each time it is needed."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from pprof_exporter.inputs.text_file import BadText, is_text, read_text

_LARGEST = 64 * 1024
# Shorter text is not searched for in messages: it would be found everywhere, and hides nothing.
_SHORTEST = 4


class BadSecret(Exception):
    """A secret that cannot be read now; the message names its file and shows nothing of what is in it."""


@dataclass(frozen=True, slots=True)
class Secret:
    """Text that is never shown. From a file, white space around it is left out, as in Prometheus."""

    text: str = field(default="", repr=False)
    file: Path | None = None

    def read(self) -> str:
        """The secret as it is now, fit for a header. Raises `BadSecret`."""
        if self.file is None:
            return self.text
        try:
            text = read_text(self.file, _LARGEST).strip()
        except OSError as error:
            raise BadSecret(f"{self.file}: {error.strerror or error}") from None
        except BadText as error:
            raise BadSecret(f"{self.file}: {error}; a secret is one short line") from None
        if not fits_header(text):
            raise BadSecret(f"{self.file}: more than one line, or control characters; write the secret on one line")
        return text


def fits_header(text: str) -> bool:
    """Whether a header can hold the text: a line break in it would begin another header, or another request."""
    return is_text(text) and all(character == "\t" or (character >= " " and character != "\x7f") for character in text)


def hide(text: str, *secrets: str) -> str:
    """The text without any of these, which a server may have repeated."""
    for secret in secrets:
        if len(secret) >= _SHORTEST:
            text = text.replace(secret, "<secret>")
    return text
