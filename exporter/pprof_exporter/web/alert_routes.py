"""`POST /-/alert`: the webhook of Alertmanager, which requests captures."""

from __future__ import annotations

from aiohttp import web

from pprof_exporter.web.evidence_access import EvidenceAccess
from pprof_exporter.web.replies import text_reply

ALERT_PATH = "/-/alert"
_OFF = "Profiles are not saved. Start the exporter with --storage.path to enable this."
_TYPE = "The message must be application/json, as Alertmanager sends it."


def alert_routes(evidence_access: EvidenceAccess) -> list[web.RouteDef]:
    """The one route."""

    async def alert(request: web.Request) -> web.Response:
        refused = await evidence_access.access.refuse_asking(request)
        if refused is not None:
            return refused
        if evidence_access.request_capture is None:
            return text_reply(_OFF, 403)
        # A browser sends this type for a page of another origin only after a preflight request, which is refused.
        if request.content_type != "application/json":
            return text_reply(_TYPE, 400)
        # Pydantic and the alerts are loaded for those who have this webhook.
        from pprof_exporter.evidence.alert_payload import BadPayload, read_payload  # noqa: PLC0415

        try:
            # The application bounds every body, see `client_max_size` of aiohttp.
            capture_request = read_payload(await request.read())
        except BadPayload as error:
            return text_reply(str(error), 400)
        answers = [f"{one.target} {evidence_access.request_capture(one)}." for one in capture_request]
        return text_reply("\n".join(answers) or "No firing alert names a target.")

    return [web.post(ALERT_PATH, alert)]
