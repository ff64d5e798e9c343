"""What a failed reply shows beyond its reason: which other protocol, format or server answered, and what to do then.

A reason is a label value and stands for many causes. A hint names one of them, from the first bytes that came, from the
words of the server, or from OpenSSL's code of an error. Its advice takes the place of that of the reason.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from pprof_exporter.catalog.vocabulary import Reason


class Hint(StrEnum):
    """What was recognised. `shows` completes "it shows that ..." without a full stop, `advice` is a sentence."""

    TLS_PORT = (
        "tls_port",
        "the port speaks TLS",
        "Use https in the target's URL, or scheme: https in its job.",
    )
    PLAIN_PORT = (
        "plain_port",
        "the port speaks plain HTTP",
        "Use http in the target's URL, or scheme: http in its job.",
    )
    HTTP2 = (
        "http2",
        "the port speaks HTTP/2 only",
        "Check the port of the target: gRPC servers answer so. If it serves pprof, allow HTTP/1.1 too.",
    )
    SSH = ("ssh", "an SSH server listens on this port", "Correct the port of the target.")
    BANNER = (
        "banner",
        "a server of another protocol greets on this port",
        "Correct the port of the target.",
    )
    CERTIFICATE_EXPIRED = (
        "certificate_expired",
        "the server's certificate has expired or is not valid yet",
        "Renew the certificate, and compare the clocks of the two hosts.",
    )
    CERTIFICATE_AUTHORITY = (
        "certificate_authority",
        "no known authority signed the server's certificate",
        "Set tls_config.ca_file to the certificate of its authority.",
    )
    CERTIFICATE_NAME = (
        "certificate_name",
        "the server's certificate is for another name",
        "Use a name of the certificate in the target's address, or set tls_config.server_name.",
    )
    CLIENT_CERTIFICATE = (
        "client_certificate",
        "the server wants a client certificate",
        "Set tls_config.cert_file and tls_config.key_file of the job.",
    )
    PPROF_INDEX = (
        "pprof_index",
        "the page is the index page of pprof itself",
        (
            "pprof.Index knows profiles by the path /debug/pprof/NAME alone. Mount pprof there, or register "
            "pprof.Profile, pprof.Trace, pprof.Cmdline and pprof.Handler(NAME) under the other path."
        ),
    )
    LOGIN_PAGE = (
        "login_page",
        "the page asks for a login",
        "Give the exporter credentials, or an address behind the login.",
    )
    DEBUG_TEXT = (
        "debug_text",
        "it is the text form of a profile, as with debug=1 or debug=2",
        "Remove the parameter debug from the address.",
    )
    UTF16 = (
        "utf16",
        "it is UTF-16 text, as PowerShell's > and Out-File write it",
        "Save the profile with `curl.exe -o FILE URL` or `Invoke-WebRequest URL -OutFile FILE`.",
    )
    DECODED_AS_TEXT = (
        "decoded_as_text",
        "it is a gzip file that something read and wrote as text",
        "The bytes are lost. Save the reply as it is, with `curl -o FILE URL` or -OutFile in PowerShell.",
    )
    SVG = (
        "svg",
        "it is an SVG picture",
        "Use the profile from which the picture was made.",
    )
    ZIP = ("zip", "it is a zip archive", "Unpack it, and use the profiles in it.")
    JFR = (
        "jfr",
        "it is a recording of Java Flight Recorder",
        "Convert it to pprof with jfrconv of async-profiler.",
    )
    PERF_DATA = (
        "perf_data",
        "it is a perf.data file of Linux perf",
        "Convert it with perf_to_profile, as `go tool pprof` does.",
    )
    GPERFTOOLS = (
        "gperftools",
        "it is in the binary format of gperftools",
        "Convert it with `pprof -proto`.",
    )
    JEMALLOC = (
        "jemalloc",
        "it is the text of jemalloc's heap profiler",
        "Read it with jeprof, or serve it as profile.proto; in Rust the crate jemalloc_pprof does that.",
    )
    OTLP = (
        "otlp",
        "it is a message that carries profiles to a store, such as OTLP's",
        "Use the endpoint or file of the profile itself.",
    )
    TRACE = (
        "trace",
        "it is an execution trace of Go",
        "Ask for the profile, or read the trace with `go tool trace`.",
    )
    EXECUTABLE = ("executable", "it is an executable", "Use a profile of the program.")
    JSON = (
        "json",
        "it is JSON",
        "Check which server answers at this path. Profiles of V8 and speedscope are not supported.",
    )

    shows: str
    advice: str

    def __new__(cls, value: str, shows: str, advice: str) -> Self:
        """A row of the table."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.shows, member.advice = shows, advice
        return member


def seen(text: str, hint: Hint | None) -> str:
    """A text on what was observed, and what a hint adds to it. Without a full stop."""
    return f"{text}; {hint.shows}" if hint else text


def advice_on(reason: Reason, hint: Hint | None) -> str:
    """What to do: the advice of the hint takes the place of that of the reason."""
    return (hint or reason).advice


def explained(reason: Reason, hint: Hint | None = None, detail: str = "", advice: str = "") -> str:
    """What was observed and what to do, for people. `detail` is of the one failure, and may quote the server.

    `advice` takes the place of that of hint or reason.
    """
    text = f"{reason.meaning}: {detail.rstrip('. ')}" if detail else reason.meaning
    return f"{seen(text, hint)}. {advice or advice_on(reason, hint)}"
