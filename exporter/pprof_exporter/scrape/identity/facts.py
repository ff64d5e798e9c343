"""What one profile says about the process that sent it."""

from __future__ import annotations

from dataclasses import dataclass

from pprof_exporter.profile import KnownGoVersion, Module, Profile, System, go_version_from_profile, modules, system_of


@dataclass(frozen=True, slots=True)
class ProcessFacts:
    """The system, the modules and the Go version of a process, as far as a profile shows them."""

    system: System | None
    modules: tuple[Module, ...]
    version: KnownGoVersion


def facts_of(profile: Profile) -> ProcessFacts:
    """What a profile says about its process."""
    return ProcessFacts(system_of(profile), modules(profile.mapped_files), go_version_from_profile(profile))
