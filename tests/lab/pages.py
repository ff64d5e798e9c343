"""What the page of a target in a running exporter finds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape
from urllib.parse import quote

from tests.lab.exporter import Exporter

_CARD = re.compile(r'<section class="card (?P<level>\w+)" id="(?P<mode>F\d+)">(?P<body>.*?)</section>', re.DOTALL)
# A paragraph without a runbook is a link to what was saved.
_SAID = re.compile(r'<p>([^<]*?) ?<a href="[^"]*">Runbook</a></p>', re.DOTALL)
_ROW = re.compile(r'<tr id="(?P<mode>F\d+)">(?P<cells>.*?)</tr>', re.DOTALL)
_TAG = re.compile(r"<[^>]*>")


@dataclass(frozen=True, slots=True)
class Card:
    """The findings of one failure mode: `mode` as in F20, `level` as in warning, one text for each finding."""

    mode: str
    level: str
    said: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TargetPage:
    """What is wrong, and what each other failure mode says, by its name."""

    cards: tuple[Card, ...]
    well: dict[str, str]
    """Healthy or unknown."""
    text: str
    """The whole page without its tags."""

    def found(self, *levels: str) -> set[str]:
        """Failure modes with findings of these levels; of any without."""
        return {card.mode for card in self.cards if not levels or card.level in levels}


def target_page(exporter: Exporter, target: str) -> TargetPage:
    """Read the page of a target, by its name."""
    html, _ = exporter.get(f"/targets/{quote(target)}")
    cards = tuple(
        Card(card["mode"], card["level"], tuple(_text(said) for said in _SAID.findall(card["body"])))
        for card in _CARD.finditer(html)
    )
    well = {row["mode"]: _text(row["cells"]) for row in _ROW.finditer(html)}
    return TargetPage(cards, well, _text(html))


def _text(html: str) -> str:
    return " ".join(unescape(_TAG.sub(" ", html)).split())
