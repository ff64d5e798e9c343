"""Statistics: the epochs, targets and signals of `epochs.sqlite`."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable
from pathlib import Path

from pprof_exporter.store import Epoch, EpochRetention, Fingerprint, Sketch, Stay, Store, Summary
from tests.damage.kept import Reading

_FILE = "epochs.sqlite"
_SIGNALS = ("latency", "lost", "goroutines")
_VALUES = 10
_STEPS_PER_BUILD = 4
_TARGETS = ("a", "b")
_LATER = 1e6


class Statistics:
    """Each run is a service whose targets are upgraded every few steps."""

    name = "statistics"

    def write(self, root: Path, run: int, steps: int | None, done: Callable[[int], None]) -> None:
        store = Store.open(root / _FILE, 0.0)
        for step in itertools.count() if steps is None else range(steps):
            for target in _TARGETS:
                epoch = self._enter(store, run, step, target)
                for signal, value in _observed(run, step):
                    store.observe(epoch.id, signal, value)
            if store.flush(_time(run, step)):
                done(step + 1)
        store.close(_LATER)

    @staticmethod
    def _enter(store: Store, run: int, step: int, target: str) -> Epoch:
        service = f"shop-{run}"
        moved = step % _STEPS_PER_BUILD == 0 and step > 0
        # The second target follows into the epoch that the first one opened.
        return store.enter(service, target, _mark(step), _time(run, step), moved=moved)

    def read(self, root: Path, written: dict[int, int]) -> Reading:
        reading = Reading()
        store = Store.open(root / _FILE, _LATER)
        found = 0
        for service in list(store._ledger._services):
            run = re.fullmatch(r"shop-(\d+)", service)
            if run is None or int(run[1]) not in written:
                reading.false.append(f"a service {service!r}")
                continue
            epochs = {epoch.id: epoch for epoch in store.epochs(service)}
            for epoch in epochs.values():
                found += self._check(reading, store, int(run[1]), epoch, epochs)
        for (service, target), stay in store._ledger.stays._stays.items():
            self._check_stay(reading, store, service, target, stay)
        expected = sum(steps * len(_SIGNALS) * _VALUES * len(_TARGETS) for steps in written.values())
        reading.missing = max(0, expected - found)
        self._go_on(reading, store, root)
        reading.counted, reading.told = store.troubles.total(), store.last_trouble
        store.close(_LATER + 10)
        return reading

    @staticmethod
    def _check(reading: Reading, store: Store, run: int, epoch: Epoch, epochs: dict[int, Epoch]) -> int:
        """Hold an epoch against what was written; returns its number of values."""
        build = _build(epoch.fingerprint)
        times = [] if build is None else [_time(run, build * _STEPS_PER_BUILD + n) for n in range(_STEPS_PER_BUILD)]
        before = None if epoch.before is None else epochs.get(epoch.before)
        if (
            build is None
            or epoch.first_seen != times[0]
            or epoch.last_seen not in times
            or (before is not None and _build(before.fingerprint) != build - 1)
        ):
            reading.false.append(f"{epoch}")
            return 0
        total = 0
        for signal, summary in store.summaries(epoch.id).items():
            if not _is_true(run, build, signal, summary):
                reading.false.append(f"{signal!r} of {epoch}: {summary}")
            total += summary.count
        return total

    @staticmethod
    def _check_stay(reading: Reading, store: Store, service: str, target: str, stay: Stay) -> None:
        run, build, epoch = (
            re.fullmatch(r"shop-(\d+)", service),
            _build(stay.fingerprint),
            store._ledger.epoch(stay.epoch),
        )
        if run is None or build is None or epoch is None or target not in _TARGETS:
            reading.false.append(f"{service!r} {target!r} {stay}")
            return
        begin = _time(int(run[1]), build * _STEPS_PER_BUILD)
        before = store._ledger.epoch(stay.before)
        if (
            (epoch.service, epoch.fingerprint) != (service, _mark(build * _STEPS_PER_BUILD))
            or (stay.since, stay.last_seen) != (begin, begin)
            or (before is not None and _build(before.fingerprint) != build - 1)
        ):
            reading.false.append(f"{service!r} {target!r} {stay}")

    @staticmethod
    def _go_on(reading: Reading, store: Store, root: Path) -> None:
        """What an exporter does next, in memory if the file is of no use."""
        epoch = store.enter("next", "a", _mark(0), _LATER + 1)
        for now in (_LATER + 1, _LATER + 2):
            store.observe(epoch.id, "latency", 1.0)
            store.flush(now)
        store.compare("next", "a")
        store.expire(_LATER + 3, EpochRetention())
        summary = store.summaries(epoch.id)["latency"]
        if summary.count != 2:
            reading.false.append(f"after the start: {summary}")
        if store.persistent:
            again = Store.open(root / _FILE, _LATER + 4)
            (found,) = again.epochs("next")
            if again.summaries(found.id)["latency"].count != 2 or again.troubles:
                reading.false.append(f"after the next start: {again.troubles} {again.last_trouble}")
            again.close(_LATER + 5)

    def kind(self, file: str) -> str:
        return file

    def is_checked(self, kind: str, how: str, missing: int) -> bool:
        # A log is read up to the first frame that is damaged, as after a power cut: an earlier state, and a true one.
        return kind == _FILE and how not in ("removed", "older")


def _mark(step: int) -> Fingerprint:
    return Fingerprint("ntdll.dll 2026-11-23", f"shop.exe {step // _STEPS_PER_BUILD:06d}", "go1.27.3", "none")


def _build(mark: Fingerprint) -> int | None:
    found = re.fullmatch(r"shop\.exe (\d{6})", mark.binary)
    return int(found[1]) if found and mark == _mark(int(found[1]) * _STEPS_PER_BUILD) else None


def _time(run: int, step: int) -> float:
    return 1000.0 * run + step + 1


def _observed(run: int, step: int) -> list[tuple[str, float]]:
    return [
        (signal, (place + 1) * (100.0 * run + step + n / 7))
        for place, signal in enumerate(_SIGNALS)
        for n in range(_VALUES)
    ]


def _is_true(run: int, build: int, signal: str, summary: Summary) -> bool:
    """Whether there was a moment at which the signal had this summary."""
    of_step = _VALUES * len(_TARGETS)
    if signal not in _SIGNALS or summary.count % of_step or not 0 < summary.count <= of_step * _STEPS_PER_BUILD:
        return False
    first = build * _STEPS_PER_BUILD
    steps = range(first, first + summary.count // of_step)
    values = [value for step in steps for name, value in _observed(run, step) if name == signal for _ in _TARGETS]
    true = Summary.of(Sketch.of(values))
    # Merging changes the last bits of mean and deviation.
    return all(
        math.isclose(getattr(true, name), getattr(summary, name), rel_tol=1e-9, abs_tol=1e-9)
        for name in ("mean", "stddev", "p50", "p95", "p99", "min", "max")
    )
