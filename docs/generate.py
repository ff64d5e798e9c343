"""Write the references that come from the code: `make docs`. A test fails when a page is not what this writes."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from pprof_exporter.catalog import SECTIONS, Deferral, Family, MetricType, Outcome, Phase, Reason, Skip
from pprof_exporter.profile import KINDS, Kind
from pprof_exporter.rules import GROUPS, render

DOCS = Path(__file__).parent
RULES = DOCS.parent / "rules"
_MARK = "<!-- Written by docs/generate.py from the catalogue; change that, then run `make docs`. -->"

_ABOUT = """\
The labels that a target has in the configuration are added to each of its series. A value that is not known now has no
series: content of a profile that was not read for two and a half intervals vanishes, and so does everything of a target
that is no longer configured."""


def pages() -> dict[Path, str]:
    """Every generated page with its text."""
    return {
        DOCS / "metrics.md": metrics(),
        DOCS / "reasons.md": reasons(),
        RULES / "pprof.rules.yaml": render(GROUPS),
    }


def metrics() -> str:
    """The metric reference."""
    parts = [
        "# Metrics",
        _MARK,
        _ABOUT,
    ]
    for title, families in SECTIONS.items():
        parts += [f"## {title}", *map(_family, families)]
    parts += ["## Label values", *_vocabulary(), "## Profiles", _profiles()]
    return "\n\n".join(parts) + "\n"


def reasons() -> str:
    """What each failure reason means, and what to do."""
    rows = "\n".join(f"| `{reason}` | {_sentence(reason.meaning)} | {reason.advice} |" for reason in Reason)
    return f"""# Why a fetch failed

{_MARK}

Every failure has one of these reasons: as label `reason` of `pprof_fetch_failures_total` (no complete reply came) or
`pprof_decode_failures_total` (a complete reply is not a profile), in the log, and on the page of targets. `busy` is
counted as an outcome of its own, since it is not a fault of the target.

| reason | what was seen | what to do |
| --- | --- | --- |
{rows}
"""


def _family(family: Family) -> str:
    facts = [family.type.value, *([f"in {family.unit}"] if family.unit else [])]
    labels = ", ".join(f"`{label}`" for label in family.labels) or "none"
    bounds = f" Bounds: {', '.join(f'{bound:g}' for bound in family.buckets)}." if family.buckets else ""
    kind = "gauge that is 1" if family.type is MetricType.INFO else ", ".join(facts)
    return f"### `{family.name}`\n\n{family.help}{bounds}\n\nType: {kind}. Labels: {labels}."


def _vocabulary() -> list[str]:
    sets: dict[str, type[StrEnum]] = {
        "outcome": Outcome,
        "phase": Phase,
        "reason` of `pprof_fetches_skipped_total": Skip,
    }
    sets["reason` of `pprof_fetches_deferred_total"] = Deferral
    lines = [f"- `{label}`: {', '.join(f'`{value}`' for value in values)}" for label, values in sets.items()]
    return ["\n".join([*lines, "- `reason` elsewhere: see [reasons](reasons.md)"])]


def _profiles() -> str:
    rows = "\n".join(_profile(kind) for kind in KINDS.values())
    return f"| profile | path | every | window | values |\n| --- | --- | --- | --- | --- |\n{rows}"


def _profile(kind: Kind) -> str:
    window = f"{kind.window:g} s" if kind.window else ""
    values = ", ".join(f"`{value.family.name}`" for value in kind.values)
    return f"| `{kind.name}` | `/debug/pprof/{kind.path}` | {kind.interval:g} s | {window} | {values} |"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
