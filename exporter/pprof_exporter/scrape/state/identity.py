"""The identity of a target, from all of its replies, and the epoch that it belongs to."""

from __future__ import annotations

from collections import Counter
from hashlib import blake2b

from pprof_exporter.config import Target
from pprof_exporter.health import KnownBug, known_bugs
from pprof_exporter.profile import KnownGoVersion, Module, ModuleRole, System, combine_go_versions
from pprof_exporter.scrape.state.observation import ProcessFacts
from pprof_exporter.store import Change, Comparison, Epoch, Fingerprint, Store, changed_parts

# Every Windows update of the kernel's user side replaces these, and every process has them.
_CORE_MODULES = ("ntdll.dll", "kernel32.dll", "kernelbase.dll")

# Replicas of a service share their epochs; this label of a target names the service.
_SERVICE_LABEL = "service"


class Identity:
    """The identity of one target. A fact stays until a reply contradicts it."""

    def __init__(self, target: Target, store: Store) -> None:
        self._store = store
        self._service = dict(target.labels).get(_SERVICE_LABEL, target.name)
        self._versions: dict[str, KnownGoVersion] = {}
        self.system: System | None = None
        self.modules: tuple[Module, ...] = ()
        self.mutex_profiling: bool | None = None
        self.changes: Counter[Change] = Counter()
        self.last_change: dict[Change, float] = {}
        self.epoch: Epoch | None = None
        self._fingerprint = Fingerprint()
        self.comparison: Comparison | None = None

    @property
    def go(self) -> KnownGoVersion:
        """The known Go version."""
        return combine_go_versions(self._versions.values())

    @property
    def go_version(self) -> str:
        """The version as a label: exact, a lower bound with +, or unknown."""
        go = self.go
        if go.exact is not None:
            return str(go.exact).removeprefix("go")
        return f"{str(go.at_least).removeprefix('go')}+" if go.at_least is not None else "unknown"

    @property
    def program(self) -> str:
        """Base name of the program, or unknown."""
        return next((base_name(module) for module in self.modules if module.role is ModuleRole.MAIN), "unknown")

    @property
    def build(self) -> str:
        """A digest that changes with the build of the program, or unknown: Go before 1.24 has no build id on Linux."""
        return next(
            (_digest(module.build_id) for module in self.modules if module.role is ModuleRole.MAIN and module.build_id),
            "unknown",
        )

    @property
    def foreign_modules(self) -> list[str]:
        """Base names of modules that belong to neither the system nor the program; only Windows lists all modules."""
        if self.system is not System.WINDOWS:
            return []
        return sorted({base_name(module).lower() for module in self.modules if module.role is ModuleRole.FOREIGN})

    @property
    def core_modules(self) -> dict[str, float]:
        """Base name of each core module of Windows, and when its file was changed (Unix time)."""
        return {
            base_name(module).lower(): module.modified.timestamp()
            for module in self.modules
            if module.role is ModuleRole.SYSTEM and module.modified and base_name(module).lower() in _CORE_MODULES
        }

    @property
    def known_bugs(self) -> tuple[KnownBug, ...]:
        """Bugs of Go that this target is known to have."""
        return known_bugs(self.system.value if self.system else None, self.go.exact, self.mutex_profiling)

    @property
    def fingerprint(self) -> Fingerprint:
        """What distinguishes this epoch of the target from others, as far as it is known."""
        windows = self.system is System.WINDOWS
        go = self.go.exact
        return Fingerprint(
            system=_digest(repr(sorted(self.core_modules.items()))) if self.core_modules else "",
            binary="" if self.build == "unknown" else f"{self.program} {self.build}",
            go=str(go) if go is not None else "",
            modules=_digest(",".join(self.foreign_modules)) if windows and self.modules else "",
        )

    def learn_version(self, source: str, evidence: KnownGoVersion) -> None:
        """Take in evidence of the Go version. The latest of each source counts."""
        self._versions[source] = evidence

    def learn(self, facts: ProcessFacts) -> None:
        """Take in modules, system and version from a profile."""
        self.system = facts.system or self.system
        if any(module.role is ModuleRole.MAIN for module in facts.modules):
            self.modules = facts.modules
        self.learn_version("profile", facts.version)

    def enter(self, now: float) -> bool:
        """Report the fingerprint to the store. Returns whether an upgrade or rollback of the service began."""
        fingerprint = self.fingerprint
        entered = self._store.enter(self._service, fingerprint, now)
        before, self.epoch = self.epoch, entered.epoch
        # A return to an earlier epoch counts only when the store says that the whole service returned.
        followed = before is not None and entered.epoch.id != before.id and entered.epoch.entered >= before.entered
        own_changes = changed_parts(self._fingerprint, fingerprint) if followed else ()
        changes = entered.changes if entered.began else own_changes
        self._fingerprint = fingerprint
        for change in changes:
            self.changes[change] += 1
            self.last_change[change] = now
        return bool(changes)

    def observe(self, signal: str, value: float) -> None:
        """Add a value to the statistics of the target's epoch."""
        if self.epoch is not None:
            self._store.observe(self.epoch.id, signal, value)

    def compare(self) -> None:
        """Compute the comparison with the previous epoch. May read the disk."""
        self.comparison = self._store.compare(self._service)


def base_name(module: Module) -> str:
    """The file name without its folders, for Windows and POSIX paths."""
    return module.file.replace("\\", "/").rpartition("/")[2]


def _digest(text: str) -> str:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()
