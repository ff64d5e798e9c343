"""What was replaced between two captures, with old and new value: system, Go, build, foreign modules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pprof_exporter.capture.reader import ReplayedRound, ReplayedTarget
from pprof_exporter.compare.quantities import utc_time
from pprof_exporter.compare.report import Replacement
from pprof_exporter.profile import DecodeError, System, decode
from pprof_exporter.scrape.identity.facts import ProcessFacts, facts_of
from pprof_exporter.scrape.identity.program import build_of, core_modules, foreign_modules, main_module, program_of
from pprof_exporter.store import Change, Fingerprint, changed_parts

# The smallest profiles first: each of them lists the modules.
_KINDS = ("threadcreate", "goroutine", "heap", "cpu", "allocs", "block", "mutex")
_MOST_BYTES = 2**28
_UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class InstalledSoftware:
    """Program, Go version and modules of a target. Times are Unix seconds, names are file names."""

    fingerprint: Fingerprint
    go_version: str
    system: System | None = None
    program: str = _UNKNOWN
    build: str = _UNKNOWN
    built: float | None = None
    system_modules: Mapping[str, float] | None = None
    foreign: tuple[str, ...] = ()


def installed_software(target: ReplayedTarget) -> InstalledSoftware:
    """The software of a target, from its last readable profile."""
    found = _last_seen(target.rounds)
    if found is None:
        return InstalledSoftware(target.fingerprint, target.go_version, target.system)
    main = main_module(found.modules)
    core = {name: modified.timestamp() for name, modified in core_modules(found.modules).items()}
    return InstalledSoftware(
        target.fingerprint,
        target.go_version,
        target.system,
        program_of(found.modules) or _UNKNOWN,
        build_of(found.modules) or _UNKNOWN,
        main.modified.timestamp() if main and main.modified else None,
        core or None,
        tuple(foreign_modules(found.modules)) if found.system is System.WINDOWS else (),
    )


def _last_seen(rounds: Iterable[ReplayedRound]) -> ProcessFacts | None:
    for round_ in reversed(tuple(rounds)):
        for kind in _KINDS:
            if kind not in round_.files:
                continue
            try:
                profile = decode(round_.files[kind].read_bytes(), max_bytes=_MOST_BYTES)
            except (OSError, DecodeError):
                continue
            return facts_of(profile)
    return None


def replacements(before: InstalledSoftware, after: InstalledSoftware) -> tuple[Replacement, ...]:
    """What differs, in the order of `Change`."""
    say = {Change.OPERATING_SYSTEM: _system, Change.BINARY: _build, Change.GO: _go, Change.MODULES: _foreign}
    return tuple(say[change](before, after) for change in changed_parts(before.fingerprint, after.fingerprint))


def unknown_changes(before: InstalledSoftware, after: InstalledSoftware) -> tuple[Change, ...]:
    """Changes that cannot be determined, since one side at least is unknown. Only Windows shows its own modules."""
    sides = (before.fingerprint, after.fingerprint)
    elsewhere = all(side.system not in (None, System.WINDOWS) for side in (before, after))
    shown = [change for change in Change if not (elsewhere and change in _WINDOWS_ONLY)]
    return tuple(change for change in shown if not all(_exactly(side.part(change)) for side in sides))


_WINDOWS_ONLY = (Change.OPERATING_SYSTEM, Change.MODULES)


def _exactly(part: str) -> bool:
    """Whether a part is known, and no lower bound."""
    return bool(part) and not part.endswith("+")


def _system(before: InstalledSoftware, after: InstalledSoftware) -> Replacement:
    old, new = before.system_modules or {}, after.system_modules or {}
    parts = tuple(
        (name, utc_time(old.get(name)), utc_time(new.get(name)))
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    )
    return Replacement(
        Change.OPERATING_SYSTEM, "The operating system was updated: its modules have other times.", parts
    )


def _build(before: InstalledSoftware, after: InstalledSoftware) -> Replacement:
    parts = [("build", before.build, after.build)]
    if before.program != after.program:
        parts.insert(0, ("program", before.program, after.program))
    if before.built is not None or after.built is not None:
        parts.append(("time of the file", utc_time(before.built), utc_time(after.built)))
    return Replacement(Change.BINARY, "The build of the program changed.", tuple(parts))


def _go(before: InstalledSoftware, after: InstalledSoftware) -> Replacement:
    return Replacement(
        Change.GO, "The Go version of the program changed.", (("Go", before.go_version, after.go_version),)
    )


def _foreign(before: InstalledSoftware, after: InstalledSoftware) -> Replacement:
    came = [(name, "not there", "loaded") for name in sorted(set(after.foreign) - set(before.foreign))]
    went = [(name, "loaded", "gone") for name in sorted(set(before.foreign) - set(after.foreign))]
    return Replacement(Change.MODULES, "The foreign modules in the process changed.", (*came, *went))
