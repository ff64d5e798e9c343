"""What a person reads: the templates, rendered by amtool, and mail and chat as they arrive."""

from __future__ import annotations

import json
import os
import re
import subprocess
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Literal

import pytest

from tests.deploy.shipped import FILE, FOLDER, TEMPLATES, configuration, routes
from tests.lab import PATIENCE
from tests.lab.alertmanager import running
from tests.lab.debian import Suite
from tests.lab.inbox import chat, mailbox
from tests.lab.prometheus import amtool

SUITES: tuple[Suite, ...] = ("stable", "sid")
UPGRADE = {"change": "operating_system", "signal": "fetch_duration_seconds:heap"}
WORSE = "The median of fetch_duration_seconds:heap of shop-1:6060 is 412ms now and was 6.1ms"


@pytest.fixture(params=SUITES)
def suite(request: pytest.FixtureRequest) -> Suite:
    found: Suite = request.param
    return found


def alert(
    name: str = "PprofUpgradeRegression", severity: str = "warning", target: str = "shop-1:6060", **others: str
) -> dict[str, Any]:
    """An alert as a template sees it; a key of `others` is a label, but for status, summary and description."""
    status = others.pop("status", "firing")
    annotations = {
        "summary": others.pop("summary", f"The heap of {target} is slow"),
        "description": others.pop("description", WORSE),
        "runbook_url": f"http://exporter:9717/runbooks/{name}",
    }
    labels = {"alertname": name, "severity": severity, "job": "exporters", "instance": "exporter:9717", **others}
    if target:
        labels |= {"target": target, "service": others.get("service", "shop")}
    return {
        "status": status,
        "labels": {label: value for label, value in labels.items() if value},
        "annotations": annotations,
        "startsAt": "2026-11-24T04:10:00Z",
        "endsAt": "2026-11-24T05:02:00Z" if status == "resolved" else "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus:9090/graph?g0.expr=x%3E1&g0.tab=1",
    }


def rendered(suite: Suite, folder: Path, name: str, *alerts: dict[str, Any]) -> str:
    """A template, with these alerts as one group."""
    common = dict(set.intersection(*(set(one["labels"].items()) for one in alerts)))
    data = {"receiver": "team", "alerts": alerts, "commonLabels": common, "externalURL": "http://alertmanager:9093"}
    file = folder / "data.json"
    file.write_text(json.dumps(data))
    kind: Literal["html", "text"] = "html" if name.endswith("html") else "text"
    glob = f"--template.glob={FOLDER / 'templates' / '*.tmpl'}"
    text = f'--template.text={{{{ template "{name}" . }}}}'
    options = [glob, text, f"--template.type={kind}", f"--template.data={file}"]
    done = subprocess.run(
        [str(amtool(suite)), "template", "render", *options],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_every_template_that_the_configuration_uses_exists() -> None:
    used = set(re.findall(r'{{ template "([^"]+)"', FILE.read_text()))
    defined = {name for file in TEMPLATES for name in re.findall(r'{{ define "([^"]+)"', file.read_text())}
    assert used
    assert used <= defined


# The title


def test_a_title_has_the_count_the_worst_severity_and_where(suite: Suite, tmp_path: Path) -> None:
    two = [alert("PprofFetchSlow"), alert("PprofFetchSlow", target="shop-2:6060")]
    assert rendered(suite, tmp_path, "pprof.title", *two) == "[warning, 2 firing] PprofFetchSlow of shop"
    worse = alert("PprofFetchSlow", "critical", target="shop-3:6060")
    assert rendered(suite, tmp_path, "pprof.title", *two, worse) == "[critical, 3 firing] PprofFetchSlow of shop"


def test_the_title_of_an_upgrade_names_the_change(suite: Suite, tmp_path: Path) -> None:
    two = [alert(**UPGRADE), alert(target="shop-2:6060", **UPGRADE)]
    title = "[warning, 2 firing] PprofUpgradeRegression of shop since a change of the operating system"
    assert rendered(suite, tmp_path, "pprof.title", *two) == title


def test_the_title_of_one_alert_is_its_summary(suite: Suite, tmp_path: Path) -> None:
    assert rendered(suite, tmp_path, "pprof.title", alert()) == "[warning] The heap of shop-1:6060 is slow"
    gone = alert(status="resolved")
    assert rendered(suite, tmp_path, "pprof.title", gone) == "[resolved] The heap of shop-1:6060 is slow"


def test_a_title_tells_what_is_resolved(suite: Suite, tmp_path: Path) -> None:
    one, gone = alert("PprofFetchSlow"), alert("PprofFetchSlow", target="shop-2:6060", status="resolved")
    title = "[warning, 1 firing] PprofFetchSlow of shop, 1 resolved"
    assert rendered(suite, tmp_path, "pprof.title", one, gone) == title
    assert rendered(suite, tmp_path, "pprof.title", gone, gone) == "[resolved] PprofFetchSlow of shop"


def test_the_colour_follows_the_worst_severity(suite: Suite, tmp_path: Path) -> None:
    warning, critical, info = alert(), alert(severity="critical"), alert(severity="info")
    colors = [
        rendered(suite, tmp_path, "pprof.color", *alerts)
        for alerts in ([warning, critical], [info, warning], [info], [alert(status="resolved", severity="critical")])
    ]
    assert len(set(colors)) == 4
    assert all(re.fullmatch(r"#[0-9a-f]{6}", color) for color in colors)


# The text


def test_chat_has_summary_figures_since_when_and_runbook_under_the_target(suite: Suite, tmp_path: Path) -> None:
    fleet = alert("PprofFleetRegression", target="", instance="", summary="Worse on 3 targets", description="Three.")
    lagging = alert("PprofExporterLagging", target="", summary="Late", description="By 1s.")
    several = [alert(), alert(target="shop-2:6060", severity="critical"), fleet, lagging]
    since, runbooks = "(since 24 Nov 04:10 UTC)", "http://exporter:9717/runbooks"
    link = f"<{runbooks}/PprofUpgradeRegression|runbook>"
    saved = "http://exporter:9717/evidence?target"
    assert rendered(suite, tmp_path, "pprof.chat", *several).splitlines() == [
        "*shop-1:6060* (shop, scraped by exporter:9717)",
        f":large_orange_circle: The heap of shop-1:6060 is slow {since} {link} <{saved}=shop-1%3A6060|saved profiles>",
        f">{WORSE}",
        "*shop-2:6060* (shop, scraped by exporter:9717)",
        f":red_circle: The heap of shop-2:6060 is slow {since} {link} <{saved}=shop-2%3A6060|saved profiles>",
        f">{WORSE}",
        "*Job exporters*",
        f":large_orange_circle: Worse on 3 targets {since} <{runbooks}/PprofFleetRegression|runbook>",
        ">Three.",
        "*Exporter exporter:9717*",
        f":large_orange_circle: Late {since} <{runbooks}/PprofExporterLagging|runbook>",
        ">By 1s.",
    ]


@pytest.mark.parametrize("name", ["pprof.chat", "pprof.mail.text", "pprof.mail.html"])
def test_alerts_of_a_target_stand_together(suite: Suite, tmp_path: Path, name: str) -> None:
    mixed = [
        alert(target="a:1", summary="plum"),
        alert(target="b:1", summary="berry"),
        alert(target="a:1", summary="cherry"),
        alert(target="a:1", summary="damson", instance="other:9717"),
    ]
    text = rendered(suite, tmp_path, name, *mixed)
    assert re.findall(r"plum|berry|cherry|damson", text) == ["plum", "cherry", "berry", "damson"]
    assert text.count("scraped by") == 3


@pytest.mark.parametrize("name", ["pprof.chat", "pprof.mail.text", "pprof.mail.html"])
def test_what_is_resolved_is_marked_comes_last_and_is_short(suite: Suite, tmp_path: Path, name: str) -> None:
    gone = alert(target="a:1", summary="it was slow", description="figures", status="resolved")
    text = rendered(suite, tmp_path, name, gone, alert(target="b:1", summary="it is slow"))
    assert text.index("it is slow") < text.index("Resolved") < text.index("it was slow")
    assert "24 Nov 04:10 to 24 Nov 05:02 UTC" in text
    assert "figures" not in text


@pytest.mark.parametrize("name", ["pprof.chat", "pprof.mail.text", "pprof.mail.html"])
def test_one_click_leads_to_the_saved_profiles_of_the_target(suite: Suite, tmp_path: Path, name: str) -> None:
    saved = "http://exporter:9717/evidence?target=shop-1%3A6060"
    assert saved in rendered(suite, tmp_path, name, alert())
    elsewhere = alert()
    elsewhere["annotations"]["runbook_url"] = "https://wiki.example/runbooks/PprofUpgradeRegression"
    assert "/evidence" not in rendered(suite, tmp_path, name, elsewhere)
    assert "/evidence" not in rendered(suite, tmp_path, name, alert("PprofExporterLagging", target=""))
    odd = rendered(suite, tmp_path, name, alert(target="a b/<c>&|:1"))
    assert "target=a" in odd
    assert "b%2F%3Cc%3E%26%7C%3A1" in odd


def test_names_from_a_target_are_text_and_not_markup(suite: Suite, tmp_path: Path) -> None:
    odd = alert(summary="main.Map[<K>] & co", description="<script>alert(1)</script>")
    text = rendered(suite, tmp_path, "pprof.chat", odd)
    assert "main.Map[&lt;K&gt;] &amp; co" in text
    assert ">&lt;script&gt;alert(1)&lt;/script&gt;" in text
    html = rendered(suite, tmp_path, "pprof.mail.html", odd)
    assert "main.Map[&lt;K&gt;] &amp; co" in html
    assert "<script>" not in html
    assert "<script>" in rendered(suite, tmp_path, "pprof.mail.text", odd)


def test_no_colour_or_link_of_the_mail_is_taken_for_unsafe(suite: Suite, tmp_path: Path) -> None:
    """Where html/template does not trust a value, it writes ZgotmplZ."""
    html = rendered(suite, tmp_path, "pprof.mail.html", alert(), alert(severity="critical"), alert(status="resolved"))
    assert "ZgotmplZ" not in html
    assert 'href="http://alertmanager:9093/#/alerts?receiver=team"' in html
    assert 'href="http://exporter:9717/runbooks/PprofUpgradeRegression"' in html
    assert 'href="http://exporter:9717/evidence?target=shop-1%3A6060"' in html
    assert 'href="http://prometheus:9090/graph?g0.expr=x%3E1&amp;g0.tab=1"' in html


@pytest.mark.parametrize(("name", "limit"), [("pprof.chat", 20), ("pprof.mail.text", 100), ("pprof.mail.html", 100)])
def test_of_very_many_alerts_the_first_are_shown(suite: Suite, tmp_path: Path, name: str, limit: int) -> None:
    many = [alert(target=f"shop-{number}:6060", summary=f"alert {number};") for number in range(500)]
    begun = os.times().children_user
    text = rendered(suite, tmp_path, name, *many)
    assert os.times().children_user - begun < 5
    assert text.count("alert ") == limit
    assert f"he first {limit} of 500." in text
    just = rendered(suite, tmp_path, name, *many[:limit])
    assert just.count("alert ") == limit
    assert "he first" not in just


# As it arrives


def test_mail_and_chat_arrive(suite: Suite) -> None:
    with mailbox() as mails, chat() as messages:
        config = configuration()
        config["global"] = {
            "smtp_smarthost": mails.address,
            "smtp_from": "alertmanager@example.org",
            "smtp_require_tls": False,
            "slack_api_url": f"http://{messages.address}/",
        }
        for route in routes(config):
            route.update(group_wait="1s", group_interval="1s")
        with running(config, suite, templates=TEMPLATES) as server:
            sent = alert("PprofFetchSlow", profile="heap", summary="Die Fläche of shop-1:6060 is slow")
            server.post([{key: sent[key] for key in ("labels", "annotations")}])
            mail, message = mails.first(), messages.first()

    check_mail(mail)
    (attachment,) = message["attachments"]
    assert message["channel"] == "#pprof"
    assert attachment["title"] == "[warning] Die Fläche of shop-1:6060 is slow"
    assert attachment["text"].startswith(
        "*shop-1:6060* (shop, scraped by exporter:9717)\n:large_orange_circle: Die Fläche"
    )
    assert attachment["title_link"].endswith("/#/alerts?receiver=team")


def check_mail(mail: EmailMessage) -> None:
    assert mail["To"] == "team@example.org"
    assert mail["Subject"] == "[warning] Die Fläche of shop-1:6060 is slow"
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert "- Warning: Die Fläche of shop-1:6060 is slow" in plain.get_content()
    assert "<strong" in html.get_content()
    assert "Die Fläche of shop-1:6060 is slow" in html.get_content()
