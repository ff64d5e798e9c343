"""The scripts for Windows, by the grammar of PowerShell and by their text: nothing here runs them."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab import PROJECT
from tests.lab.judge import problems

FOLDER = PROJECT / "deploy" / "windows"
SCRIPTS = sorted(FOLDER.glob("*.ps1"))
INSTALL, UNINSTALL = ((FOLDER / name).read_text() for name in ("install.ps1", "uninstall.ps1"))

CHANGES = re.compile(
    r"\b(New-Item|Remove-Item|Copy-Item|Set-Content|Stop-Service|Start-Service|(New|Set|Remove)-NetFirewallRule)\b"
    r"|\b(Add|Remove)-MpPreference -ExclusionProcess|'icacls|'-m', '(venv|pip)'"
    r"|\$wrapper (-Arguments|uninstall)|sc\.exe delete"
)
"""What changes a machine, as these scripts write it."""


def test_the_grammar_makes_sense_of_every_script_and_not_of_a_broken_one() -> None:
    texts = [script.read_text() for script in SCRIPTS]
    assert len(texts) == 3
    assert problems("powershell", texts) == []
    broken = problems("powershell", [text.rstrip().removesuffix("}") for text in texts])
    assert len(broken) >= len(texts)


@pytest.mark.parametrize("text", [INSTALL, UNINSTALL], ids=["install", "uninstall"])
def test_scripts_speak_of_the_service_that_the_definition_names(text: str) -> None:
    name = ET.fromstring((FOLDER / "pprof-exporter.xml").read_text()).findtext("id")  # noqa: S314 - our own file
    assert f"$ServiceName = '{name}'" in text


def test_what_is_installed_is_taken_off_again() -> None:
    made = set(re.findall(r"Join-Path \$InstallDir '([\w.-]+)", INSTALL))
    made |= set(*re.findall(r"foreach \(\$name in '(\w+)', '(\w+)', '(\w+)'\)", INSTALL))
    assert {"venv", "config", "data", "logs", "pprof-exporter.exe", "pprof-exporter.xml"} == made
    assert {name for name in made if f"'{name}'" not in UNINSTALL} == set()
    assert "New-NetFirewallRule -Name $RuleName" in INSTALL
    assert "Remove-NetFirewallRule -Name $RuleName" in UNINSTALL


def blocks(lines: list[str], number: int) -> Iterator[str]:
    """The first lines of the blocks around a line, and the line before it, which may be half of a condition."""
    yield lines[number - 1]
    depth = _indent(lines[number])
    for line in reversed(lines[:number]):
        if line.strip() and _indent(line) < depth:
            depth = _indent(line)
            yield line


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_every_change_asks_first_so_that_whatif_changes_nothing(script: Path) -> None:
    text = re.sub(r"<#.*?#>", lambda found: "\n" * found[0].count("\n"), script.read_text(), flags=re.DOTALL)
    assert "SupportsShouldProcess = $true" in text
    lines = [line if not re.match(r"\s*(#|Write-Output|.*throw)", line) else "" for line in text.splitlines()]
    found = [number for number, line in enumerate(lines) if CHANGES.search(line)]
    assert found
    for number in found:
        asked = any("ShouldProcess(" in line for line in blocks(lines, number))
        assert asked, f"{script.name}:{number + 1}: {lines[number].strip()}"
