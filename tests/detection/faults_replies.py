"""Faults of replies: what stands between the exporter and pprof, or answers in its place."""

from __future__ import annotations

from tests.detection import replies
from tests.detection.acts import (
    answering,
    answering_by,
    balanced,
    changed,
    each,
    healed,
    reachable,
    unbalanced,
    unreachable,
)
from tests.detection.gateway import EVERYTHING, late
from tests.detection.profiles import on_windows
from tests.detection.replies import status
from tests.detection.scenario import PROFILES, REPLIES, Act, Scenario
from tests.lab.rewrite import PROFILES as ALL_PROFILES


def _of_replies(
    name: str,
    mode: str,
    said: str,
    claimed: str,
    begin: Act,
    *,
    end: Act = healed,
    companions: tuple[str, ...] = (),
    from_start: bool = False,
    unclaimed: str = "",
    replicas: int = 1,
    shape: str = "redeploy",
) -> Scenario:
    return Scenario(
        name,
        REPLIES,
        said,
        mode=mode,
        claimed=(claimed,) if claimed else (),
        companions=companions,
        unclaimed=unclaimed,
        begin=begin,
        end=end,
        shape=shape,
        gateway=True,
        replicas=replicas,
        from_start=from_start,
    )


_MISSING = "404 page not found\n"

REPLY_FAULTS: tuple[Scenario, ...] = (
    _of_replies(
        "login page", "F13", "Each path answers 200 with a login page.", "PprofNotMounted",
        answering(replies.login_page, EVERYTHING),
    ),
    _of_replies(
        "login page from the start", "F13", "The same, and the target was never healthy.", "PprofNotMounted",
        answering(replies.login_page, EVERYTHING), from_start=True,
    ),
    _of_replies(
        "JSON to everything", "F13", "Each path answers 200 with a JSON document.", "PprofNotMounted",
        answering(replies.json_page, EVERYTHING),
    ),
    _of_replies(
        "HTML on the index page", "F13", "The index page is a web application. All profiles arrive.", "",
        answering(replies.login_page, ""),
        unclaimed="every profile arrives, as from a server without an index page",
    ),
    _of_replies(
        "404 to everything", "F13", "No path of pprof exists.", "PprofNotMounted",
        answering(status(404, _MISSING)),
    ),
    _of_replies(
        "404 from the start", "F13", "The same, and the target was never healthy.", "PprofNotMounted",
        answering(status(404, _MISSING)), from_start=True,
    ),
    _of_replies(
        "404 on heap", "F15", "One profile is listed and not served.", "PprofProfileRejected",
        answering(status(404, _MISSING), "heap"),
    ),
    _of_replies(
        "401 to everything", "F15", "The server asks for credentials.", "PprofProfileRejected",
        answering(status(401)),
    ),
    _of_replies(
        "403 to everything", "F15", "The server refuses the exporter.", "PprofProfileRejected",
        answering(status(403)),
    ),
    _of_replies(
        "403 on profile", "F15", "The server refuses CPU profiles.", "PprofProfileRejected",
        answering(status(403), "profile"),
    ),
    _of_replies(
        "405 on heap", "F15", "The router refuses GET on one profile.", "PprofProfileRejected",
        answering(status(405), "heap"),
    ),
    _of_replies(
        "500 on heap", "F13", "One profile fails in the server.", "PprofFetchFailing", answering(status(500), "heap"),
    ),
    _of_replies(
        "503 to everything", "F13", "The server is overloaded, or its back end is gone.", "PprofTargetDown",
        answering(status(503), EVERYTHING),
    ),
    _of_replies(
        "connections refused", "F13", "Nothing listens.", "PprofTargetDown", unreachable, end=reachable,
    ),
    _of_replies(
        "connections refused from the start", "F13", "Nothing ever listened.", "PprofTargetDown", unreachable,
        end=reachable, from_start=True,
    ),
    _of_replies(
        "connections reset", "F13", "Each connection is reset.", "PprofTargetDown",
        answering(replies.reset, EVERYTHING),
    ),
    _of_replies(
        "one fetch in five is cut", "F13", "Each fifth reply of each profile ends in the middle.", "PprofFetchFailing",
        answering(replies.one_in(5, replies.cut)),
    ),
    _of_replies(
        "heap is cut", "F13", "Each heap profile ends in the middle.", "PprofFetchFailing",
        answering(replies.cut, "heap"),
    ),
    _of_replies(
        "header without end", "F13", "The header of heap profiles arrives byte by byte.", "PprofFetchFailing",
        answering(replies.drip_header, "heap"),
    ),
    _of_replies(
        "body without end", "F13", "The body of heap profiles arrives byte by byte.", "PprofFetchFailing",
        answering(replies.drip_body, "heap"),
    ),
    _of_replies(
        "half a gzip", "F13", "Half of each heap profile arrives as if it were all.", "PprofDecodeFailing",
        answering(replies.cut_gzip, "heap"),
    ),
    _of_replies(
        "garbage", "F13", "Heap profiles are gzip of something else.", "PprofDecodeFailing",
        answering(replies.garbage, "heap"),
    ),
    _of_replies(
        "empty reply", "F13", "Heap profiles are empty.", "PprofDecodeFailing", answering(replies.empty, "heap"),
    ),
    _of_replies(
        "JSON on goroutine", "F13", "Goroutine profiles are JSON documents.", "PprofDecodeFailing",
        answering(replies.json_page, "goroutine"),
    ),
    _of_replies(
        "HTML on heap", "F13", "Heap profiles are a web page.", "PprofDecodeFailing",
        answering(replies.login_page, "heap"),
    ),
    _of_replies(
        "redirect", "F15", "Heap profiles are redirected to a login page on another host.", "PprofProfileRejected",
        answering(replies.redirect, "heap"),
    ),
    _of_replies(
        "huge reply", "F13", "Heap profiles have 64 MiB.", "PprofFetchFailing", answering(replies.huge, "heap"),
    ),
    _of_replies(
        "TLS expected", "F15", "A TLS port answers plain HTTP with 400.", "PprofProfileRejected",
        answering(replies.not_https, EVERYTHING),
    ),
    _of_replies(
        "late heap", "F5", "Heap profiles come 1.5 s later.", "PprofFetchSlow", answering(late(1.5), "heap"),
    ),
    _of_replies(
        "late block profile", "F5", "Block profiles come 0.6 s later.", "PprofFetchSlow",
        answering(late(0.6), "block"),
    ),
    _of_replies(
        "late replies", "F7", "Every reply comes 0.7 s later.", "PprofCanarySlow", answering(late(0.7)),
    ),
    _of_replies(
        "late while profiled", "F6", "Replies come 0.4 s later while a CPU profile runs.", "PprofProfilingPerturbs",
        answering_by(lambda gateway: replies.while_profiled(gateway, late(0.4))),
    ),
    _of_replies(
        "load balancer", "F16", "Two processes answer in turns at one address.", "PprofSeveralProcesses", balanced,
        end=unbalanced, replicas=2,
    ),
)  # fmt: skip

MODULE_FAULTS: tuple[Scenario, ...] = (
    Scenario(
        "late modules",
        PROFILES,
        "On Windows, every profile comes 0.4 s later, since its modules are looked up.",
        mode="F5",
        claimed=("PprofProfileCostly",),
        companions=("PprofFetchSlow",),
        begin=answering(replies.looking_up_modules(0.4), *ALL_PROFILES),
        end=lambda life: life.proxy.answer(late(0), *ALL_PROFILES),
        gateway=True,
        windows=True,
    ),
    Scenario(
        "Windows update",
        PROFILES,
        "ntdll.dll and kernel32.dll are replaced, and heap profiles come 0.4 s later from then on.",
        mode="F20",
        claimed=("PprofUpgradeRegression",),
        begin=each(
            changed(on_windows("2026-11-11 10:00:00.25 +0000 UTC"), *ALL_PROFILES), answering(late(0.4), "heap")
        ),
        end=each(changed(on_windows(), *ALL_PROFILES), lambda life: life.proxy.answer(late(0), "heap")),
        gateway=True,
        windows=True,
    ),
    Scenario(
        "foreign module",
        PROFILES,
        "A library of an antivirus is loaded into a process on Windows.",
        mode="F17",
        unclaimed="a fact that slows nothing by itself: PprofForeignModule has severity info",
        begin=changed(on_windows("2026-10-14 09:12:41.5 +0000 UTC", "C:\\Program Files\\AV\\hook.dll"), *ALL_PROFILES),
        end=changed(on_windows(), *ALL_PROFILES),
        gateway=True,
        windows=True,
    ),
)
