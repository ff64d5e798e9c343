"""JSON as Prometheus reads it (Go's encoding/json): without NaN and Infinity, which Python's reader takes."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from pprof_exporter.inputs.text_file import BadText, decode_text


class BadJson(ValueError):
    """The text is not JSON; the message says why and where."""


def parse_json(data: bytes | str) -> Any:
    """The document. Bytes may begin with a byte order mark. Raises `BadJson`."""
    try:
        text = decode_text(data) if isinstance(data, bytes) else data
        return json.loads(text, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        raise BadJson(f"line {error.lineno}: {error.msg[:1].lower()}{error.msg[1:]}") from None
    except BadText as error:
        raise BadJson(str(error)) from None
    except RecursionError:
        raise BadJson("nested too deeply") from None
    except ValueError as error:
        # Python refuses to read an integer of more than 4,300 digits.
        raise BadJson(str(error) if isinstance(error, _NoNumber) else "a number has too many digits") from None


class _NoNumber(ValueError):
    pass


def _no_number(name: str) -> NoReturn:
    raise _NoNumber(f"{name} is not a number of JSON")
