"""/probe: one round of the target that Prometheus names, in the manner of the blackbox exporter."""

from __future__ import annotations

import math

from aiohttp import hdrs, web

from pprof_exporter.catalog import ProbeResult
from pprof_exporter.clock import Clock
from pprof_exporter.config import DEFAULT_MODULE
from pprof_exporter.exhaustion import exhausted_resource
from pprof_exporter.exposition import ProbeCollector, negotiate_format
from pprof_exporter.scrape.probing import BadProbe, Overloaded, ProbeAnswer, Prober, ProbeRequest
from pprof_exporter.web.metrics_handler import gzip_wanted
from pprof_exporter.web.replies import text_reply

_TIMEOUT = "X-Prometheus-Scrape-Timeout-Seconds"
_PARAMETERS = ("target", "module", "service", "debug")


class ProbeHandler:
    """Answers /probe."""

    def __init__(self, prober: Prober, clock: Clock) -> None:
        self._prober = prober
        self._clock = clock

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Metrics of the target, or a sentence: 400 and 403 for a wrong request, 503 without room for it."""
        prober = self._prober
        try:
            _check_names(request)
            debug = _debug(request)
            probe_request = prober.read(
                _one(request, "target"), _one(request, "module", DEFAULT_MODULE), _one(request, "service", "")
            )
            answer = await prober.probe(probe_request, prober.timeout(probe_request, _scrape_timeout(request)))
        except BadProbe as error:
            prober.results[ProbeResult.REFUSED] += 1
            return _sentence(error.status, error.sentence)
        except Overloaded as error:
            prober.results[ProbeResult.OVERLOADED] += 1
            return _sentence(503, str(error))
        except Exception as error:  # noqa: BLE001 - any error ends one probe and not the exporter
            prober.supervisor.internal_error(error, path=request.path)
            if (resource := exhausted_resource(error)) is not None:
                prober.results[ProbeResult.OVERLOADED] += 1
                return _sentence(503, f"The exporter itself has a problem: {resource.meaning}.")
            prober.results[ProbeResult.ERROR] += 1
            return _sentence(500, "An internal error ended this probe; see the log of the exporter.")
        prober.results[ProbeResult.UP if answer.state.up else ProbeResult.DOWN] += 1
        return self._debug_page(probe_request, answer) if debug else self._metrics(request, answer)

    def _metrics(self, request: web.Request, answer: ProbeAnswer) -> web.Response:
        form = negotiate_format(",".join(request.headers.getall(hdrs.ACCEPT, [])))
        body = form.encode(ProbeCollector(answer.state, self._clock.now()))
        headers = {hdrs.CONTENT_TYPE: form.content_type, hdrs.VARY: "Accept, Accept-Encoding"}
        response = web.Response(body=body, headers=headers)
        if gzip_wanted(request):
            response.enable_compression(web.ContentCoding.gzip)
        return response

    def _debug_page(self, probe_request: ProbeRequest, answer: ProbeAnswer) -> web.Response:
        metrics = negotiate_format("").encode(ProbeCollector(answer.state, self._clock.now())).decode()
        enabled = (
            f"  {name}: interval {profile.interval:g}s" + (f", window {profile.window:g}s" if profile.window else "")
            for name, profile in probe_request.module.profiles.items()
            if profile.enabled
        )
        module = "\n".join((f"{probe_request.module.name}:", f"  path: {probe_request.module.path}", *enabled))
        return text_reply(
            f"Logs for the probe:\n{answer.log.text}\n\n\n"
            f"Metrics that would have been returned:\n{metrics}\n\n\nModule configuration:\n{module}"
        )


def _one(request: web.Request, name: str, default: str | None = None) -> str:
    """The one value of a parameter. Raises `BadProbe`."""
    values = request.query.getall(name, [])
    if len(values) > 1:
        raise BadProbe(400, f"The parameter {name} occurs {len(values)} times; pass it once.")
    value = values[0] if values else default
    if value is None or (default is None and not value):
        raise BadProbe(400, f"The parameter {name} is missing; write for example /probe?target=localhost:6060.")
    return value


def _check_names(request: web.Request) -> None:
    for name in request.query:
        if name not in _PARAMETERS:
            from difflib import get_close_matches  # noqa: PLC0415 - for a mistake only

            close = get_close_matches(name, _PARAMETERS, n=1)
            hint = f"did you mean {close[0]}?" if close else f"choose from {', '.join(_PARAMETERS)}."
            raise BadProbe(400, f"Unknown parameter of /probe; {hint}")


def _debug(request: web.Request) -> bool:
    value = _one(request, "debug", "false")
    if value not in ("true", "false"):
        raise BadProbe(400, "The parameter debug must be true or false.")
    return value == "true"


def _scrape_timeout(request: web.Request) -> float | None:
    """The scrape timeout that Prometheus states, in seconds; None for other clients."""
    text = request.headers.get(_TIMEOUT)
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise BadProbe(400, f"The header {_TIMEOUT} must be a number of seconds above 0.")
    return seconds


def _sentence(status: int, text: str) -> web.Response:
    return text_reply(text, status)
