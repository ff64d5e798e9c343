"""The format and the coding of a metrics page that a client asks for.

As Prometheus's own exporters decide (`NegotiateIncludingOpenMetrics` in expfmt/encode.go of prometheus/common, and
`NegotiateContentEncoding` of golang/gddo in promhttp of client_golang): the highest weight first, then the first that
is known. No version is named that is not written, and protobuf, which is not written, is passed over. Two things
differ: what has a weight of 0 is never sent (RFC 9110, section 12.4.2), and OpenMetrics without a version is 1.0.0.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

Encoder = Callable[[Collector], bytes]

_ESCAPINGS = ("allow-utf-8", "underscores", "dots", "values")
_OPENMETRICS = {"": "1.0.0", "0.0.1": "0.0.1", "1.0.0": "1.0.0"}
"""What is answered, by what is asked. The text is the same: Prometheus reads both with one parser."""
# A comma or semicolon within quotes belongs to the value of a parameter.
_ELEMENT = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*")+')
_PARAMETER = re.compile(r'(?:[^;"]|"(?:[^"\\]|\\.)*")+')
_WEIGHT = re.compile(r"0(?:\.\d*)?|\.\d+|1(?:\.0*)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class PageFormat:
    """How a page is written, and what the reply calls it."""

    encode: Encoder
    content_type: str


@dataclass(frozen=True, slots=True)
class _Choice:
    value: str
    weight: float
    parameters: dict[str, str]


def negotiate_format(accept: str) -> PageFormat:
    """The format for an `Accept` header; the text format 0.0.4 if it has nothing that is known."""
    for choice in sorted(_choices(accept), key=lambda choice: -choice.weight):
        version = choice.parameters.get("version", "")
        escaping = choice.parameters.get("escaping", "")
        asked = f"escaping={escaping if escaping in _ESCAPINGS else 'underscores'}"
        if not choice.weight:
            continue
        if choice.value == "text/plain" and version in ("", "0.0.4"):
            break
        if choice.value == "text/plain" and version == "1.0.0":
            return PageFormat(*choose_encoder(f"text/plain; version=1.0.0; {asked}"))
        if choice.value == "application/openmetrics-text" and version in _OPENMETRICS:
            encode, content_type = choose_encoder(f"application/openmetrics-text; version=1.0.0; {asked}")
            return PageFormat(encode, content_type.replace("version=1.0.0", f"version={_OPENMETRICS[version]}"))
    return PageFormat(*choose_encoder("text/plain; version=0.0.4"))


def prefers_gzip(accept_encoding: str) -> bool:
    """Whether an `Accept-Encoding` header asks for gzip rather than for no coding, which is what others get."""
    weights = {choice.value.removeprefix("x-"): choice.weight for choice in reversed(list(_choices(accept_encoding)))}
    any_ = weights.get("*", 0.0)
    gzip, identity = weights.get("gzip", any_), weights.get("identity", any_)
    return gzip > identity or ("gzip" in weights and 0 < gzip == identity)


def _choices(header: str) -> Iterator[_Choice]:
    for element in _ELEMENT.findall(header):
        value, *others = [part.strip() for part in _PARAMETER.findall(element)] or [""]
        parameters = {}
        for part in others:
            name, equals, text = part.partition("=")
            if equals:
                parameters[name.strip().lower()] = _unquoted(text.strip())
        weight = parameters.pop("q", "1")
        # What is no weight says nothing, so the element is as good as absent.
        if value and _WEIGHT.fullmatch(weight):
            yield _Choice(value.lower(), float(weight), parameters)


def _unquoted(text: str) -> str:
    quoted = len(text) > 1 and text[0] == text[-1] == '"'
    return re.sub(r"\\(.)", r"\1", text[1:-1]) if quoted else text
