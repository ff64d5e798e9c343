"""A scrape job: where its targets come from, and how a discovered address becomes a target."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum

from pprof_exporter.catalog import FAMILIES
from pprof_exporter.config.client_settings import DEFAULT_CLIENT, ClientSettings, Params
from pprof_exporter.config.profiles import NO_OVERRIDES, Overrides
from pprof_exporter.config.relabel import LABEL_NAME, Labels, Rule, relabel
from pprof_exporter.config.target import DEFAULT_PATH, BadTarget, Target, parse_target
from pprof_exporter.inputs.text_file import TooMuchText, is_text
from pprof_exporter.inputs.url_characters import shown

# Labels that the families of the catalogue, or Prometheus itself, give a meaning of their own.
RESERVED = frozenset({"le", "job", "instance", *(label for family in FAMILIES for label in family.labels)})
OWN_TARGET_LABELS = frozenset({"job", "instance", "target"})
"""Labels that say which target it is; what a list says of them would be lost."""
# What Prometheus does with a label that it wants for itself.
_EXPORTED = "exported_"
# The parameters of net/http/pprof itself.
OWN_PARAMS = frozenset({"seconds", "debug", "gc"})
_PARAM = "__param_"


class Mechanism(StrEnum):
    """How targets are discovered."""

    FILE = "file"
    HTTP = "http"
    DNS = "dns"


class RecordType(StrEnum):
    """Type of a DNS query."""

    A = "A"
    AAAA = "AAAA"
    SRV = "SRV"


@dataclass(frozen=True, slots=True)
class FileSource:
    """Files with lists of targets; a pattern may hold `*` in its last part."""

    patterns: tuple[str, ...]
    refresh: float
    mechanism = Mechanism.FILE


@dataclass(frozen=True, slots=True)
class HttpSource:
    """A URL that answers with a JSON list of targets."""

    url: str = field(repr=False)
    refresh: float
    client: ClientSettings = DEFAULT_CLIENT
    mechanism = Mechanism.HTTP


@dataclass(frozen=True, slots=True)
class DnsSource:
    """Names whose records are targets; `port` is that of A and AAAA records, which have none."""

    names: tuple[str, ...]
    type: RecordType
    port: int
    refresh: float
    mechanism = Mechanism.DNS


DiscoverySource = FileSource | HttpSource | DnsSource


@dataclass(frozen=True, slots=True)
class TargetGroup:
    """Targets that share labels, as every kind of discovery gives them."""

    targets: tuple[str, ...]
    labels: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ResolvedTargets:
    """What became of groups: targets, and for each address that is none, why."""

    targets: tuple[Target, ...] = ()
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Job:
    """One entry of `scrape_configs`."""

    name: str
    scheme: str = "http"
    path: str = DEFAULT_PATH
    static: tuple[TargetGroup, ...] = ()
    sources: tuple[DiscoverySource, ...] = ()
    rules: tuple[Rule, ...] = ()
    overrides: Overrides = NO_OVERRIDES
    params: Params = field(default=(), repr=False)
    client: ClientSettings = DEFAULT_CLIENT

    def resolve(self, groups: Iterable[TargetGroup]) -> ResolvedTargets:
        """Targets of these groups, relabelled. What a rule drops is no problem."""
        targets: list[Target] = []
        problems: list[str] = []
        for group in groups:
            for text in group.targets:
                try:
                    target = self._target(text, group)
                except BadTarget as error:
                    problems.append(str(error))
                else:
                    targets += [target] if target is not None else []
        return ResolvedTargets(tuple(targets), tuple(problems))

    def _target(self, text: str, group: TargetGroup) -> Target | None:
        for label in group.labels:
            if not all(map(is_text, label)):
                raise BadTarget(f"{shown(text)}: its label {label[0]!r} has half a surrogate pair")
        start, user = self._written(text)
        given = {_PARAM + name: value for name, value in reversed(self.params)}
        try:
            labels = relabel({**given, **dict(group.labels), "job": self.name, **start}, self.rules)
        except TooMuchText as error:
            raise BadTarget(f"{shown(text)}: {error}") from None
        if labels is None or "__address__" not in labels:
            return None
        name = labels.get("target", "")
        path = labels.get("__metrics_path__", self.path).lstrip("/")
        address = f"{labels.get('__scheme__', self.scheme)}://{user}{labels['__address__']}/{path}"
        # What relabelling made of an address is told as it is then.
        written = text if labels["__address__"] == start["__address__"] else ""
        target = replace(
            parse_target(address, labels=_shown(labels), written=written),
            overrides=self.overrides,
            params=self._asked(labels),
            client=self.client,
        )
        return replace(target, name=name) if name else target

    def _asked(self, labels: Labels) -> Params:
        """Parameters after relabelling: as in Prometheus, a label holds the first value of each, the others stay."""
        first = {
            name: value
            for label, value in sorted(labels.items())
            if (name := label.removeprefix(_PARAM)) != label and name not in OWN_PARAMS
        }
        names = [name for name, _ in self.params]
        rest = [pair for i, pair in enumerate(self.params) if pair[0] in names[:i]]
        return tuple(sorted([*first.items(), *rest], key=lambda pair: pair[0]))

    def _written(self, text: str) -> tuple[Labels, str]:
        """Labels before relabelling, and user and password if the target is a URL that has them."""
        if "://" not in text:
            if not is_text(text):
                raise BadTarget(f"{shown(text)} is not a target: it has half a surrogate pair")
            return {"__address__": text, "__scheme__": self.scheme, "__metrics_path__": self.path}, ""
        url = parse_target(text).url
        user, at, address = url.raw_authority.rpartition("@")
        return {"__address__": address, "__scheme__": url.scheme, "__metrics_path__": url.raw_path}, user + at


def _shown(labels: Labels) -> Labels:
    """Labels that the series of a target have: none of discovery's own, none that would hide one of the exporter's."""
    shown = {name: value for name, value in labels.items() if not name.startswith("__") and LABEL_NAME.fullmatch(name)}
    for name in ("job", "target"):
        shown.pop(name, None)
    return {(_EXPORTED + name if name in RESERVED else name): value for name, value in shown.items()}
