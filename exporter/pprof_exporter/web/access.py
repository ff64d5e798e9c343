"""Who may read evidence, and who may request captures: heap profiles can reveal secrets."""

from __future__ import annotations

from dataclasses import dataclass, field

from aiohttp import web

from pprof_exporter.config.listen_address import is_loopback
from pprof_exporter.inputs.url_characters import BadUrl
from pprof_exporter.inputs.urls import parse_url
from pprof_exporter.web.bearer_token import Bearer
from pprof_exporter.web.replies import PagePaths, text_reply
from pprof_exporter.web.security import WebSecurity

_ADVICE = (
    "Set basic_auth_users in --web.config.file, or listen on loopback only, as in --web.listen-address=127.0.0.1:9717."
)
_STRANGER = "This exporter only serves the local machine. Use the name localhost or its address."


@dataclass(frozen=True, slots=True)
class AccessRules:
    """How the exporter is reached.

    `security` is checked for every request. `loopback`: only this machine can connect. `bearer` authorises
    requests for captures. `paths`: under which path the pages are served, and what stands before their links.
    """

    security: WebSecurity = field(default_factory=WebSecurity)
    loopback: bool = False
    bearer: Bearer | None = None
    paths: PagePaths = field(default_factory=PagePaths)

    def refuse_reading(self, request: web.Request) -> web.Response | None:
        """None, or why this request may not read evidence."""
        if self.security.now.authenticates:
            return None
        if not self.loopback:
            text = f"Profiles can contain secrets, and this exporter has no authentication. {_ADVICE}"
            return text_reply(text, 403)
        return None if _by_own_name(request) else text_reply(_STRANGER, 403)

    async def refuse_asking(self, request: web.Request) -> web.Response | None:
        """None, or why this request may not request a capture."""
        if self.bearer is not None and await self.bearer.allows(request):
            return None
        if self.security.now.authenticates:
            return None
        if self.bearer is not None:
            challenge = {"WWW-Authenticate": 'Bearer realm="pprof-exporter"'}
            return text_reply("The token is missing or wrong.", 401, challenge)
        if not self.loopback:
            text = (
                f"Without authentication anyone could request captures. Set token_file for the webhook. Or: {_ADVICE}"
            )
            return text_reply(text, 403)
        return None if _by_own_name(request) else text_reply(_STRANGER, 403)


def _by_own_name(request: web.Request) -> bool:
    """Whether the request was sent to loopback, and not to a name of a page elsewhere that leads here too."""
    try:
        host = parse_url(f"http://{request.host}").host
    except BadUrl:
        return False
    return host is not None and is_loopback(host)
