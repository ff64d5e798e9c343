"""Reads the times of CPU samples from a Go execution trace, the only place where Go writes them.

A CPU profile has no time per sample (runtime/pprof/proto.go: "data[1] = time stamp (ignored)"). An execution trace that
was taken while a CPU profile ran has every sample with its time and thread, since Go 1.19 (runtime/tracecpu.go).

The reader supports the format of Go 1.22 and later: a header of 16 bytes, then batches, each of one generation and
with its length (internal/trace/batch.go and generation.go of Go 1.27). It reads batches of CPU samples and of clocks,
and skips all others, which are nearly all of the bytes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from pprof_exporter.catalog import Reason
from pprof_exporter.profile.errors import DecodeError
from pprof_exporter.profile.recognise import reject_other_formats

OLDEST_FORMAT = 22
"""Traces of Go 1.21 and older have events instead of batches, with times that depend on all events before."""
NEWEST_FORMAT = 26
"""The newest format of Go 1.27 (internal/trace/version). A later one is read as this one."""

_HEADER = re.compile(rb"go 1\.(\d{1,3}) trace\0\0\0")
_HEADER_CUT = re.compile(rb"go 1\.\d{0,3}( t?r?a?c?e?\0{0,2})?")

# Numbers of events, the same in all versions of the format (internal/trace/tracev2/events.go).
_BATCH = 1
_CPU_SAMPLES = 6
_CPU_SAMPLE = 7
_FREQUENCY = 8
_EXPERIMENTAL_BATCH = 49
_SYNC = 50
_CLOCK_SNAPSHOT = 51
_END_OF_GENERATION = 52

_SYNC_SINCE = 25
_END_OF_GENERATION_SINCE = 26
_MAX_BATCH_BYTES = 64 << 10
_NANOSECONDS = 10**9


class UnsupportedTrace(Exception):
    """The trace is of Go 1.21 or older. `version` is the format name in its header, such as `go 1.21`."""

    def __init__(self, version: str) -> None:
        super().__init__(f"the trace format of {version} is not supported; Go 1.{OLDEST_FORMAT} and later is")
        self.version = version


@dataclass(frozen=True, slots=True)
class ClockSnapshot:
    """The three clocks of the process at one moment: one snapshot for each generation, since Go 1.25.

    `trace` is in seconds on the scale of `Trace.times`. `monotonic_nanos` is Go's `nanotime`, which starts at a moment
    that the system chose; `wall_nanos` counts from 1970. On Windows both move in steps of 0.5 to 15.6 ms.
    """

    trace: float
    monotonic_nanos: int
    wall_nanos: int


@dataclass(frozen=True, slots=True)
class Trace:
    """The CPU samples and clocks of an execution trace.

    `times` are the samples in seconds, ascending, from a moment that is only valid within this trace: the clock is
    `nanotime`, on Windows the time stamp counter of the processor (runtime/tracetime.go). `threads` are the system's
    thread ids, one for each time. No samples means that no CPU profile ran, or that no thread used the processor.
    `ticks_per_second` is the frequency of the trace clock in the newest generation. `truncated`: the end is missing;
    the samples before it are right and complete.
    """

    version: str
    times: tuple[float, ...]
    threads: tuple[int, ...]
    clocks: tuple[ClockSnapshot, ...]
    ticks_per_second: int
    truncated: bool


def read_trace(data: bytes) -> Trace:
    """Read an execution trace. The time is linear in its size, the memory at worst some twenty times its size.

    A cut trace is read up to the cut and marked `truncated`, since the runtime writes samples in their order. A cut
    right after a batch is only detected from Go 1.26 on, where a generation has an end marker.

    Raises `UnsupportedTrace` for the format of Go 1.21 and older, and `DecodeError` otherwise: truncated if the cut
    left no generation with a frequency, proto for a broken batch, and empty, html, text or proto for other bodies.
    """
    header = _HEADER.match(data)
    if header is None:
        if _HEADER_CUT.fullmatch(data):
            raise DecodeError(Reason.TRUNCATED, f"{len(data)} bytes of the header of an execution trace")
        reject_other_formats(data)
        raise DecodeError(Reason.PROTO, "not an execution trace")
    minor = int(header[1])
    version = f"go 1.{minor}"
    if minor < OLDEST_FORMAT:
        raise UnsupportedTrace(version)
    reader = _Reader(minor)
    whole = reader.read(data, header.end())
    return reader.trace(version, whole=whole)


class _CutError(Exception):
    """The bytes end within a number."""


@dataclass(slots=True)
class _Generation:
    """The data read of one generation, about a second of the trace (runtime/trace.go traceAdvancePeriod)."""

    number: int
    frequency: int = 0
    clock: tuple[int, int, int] | None = None
    times: list[int] = field(default_factory=list)
    threads: list[int] = field(default_factory=list)
    ended: bool = False


class _Reader:
    """One pass over a trace, within one call of `read_trace`."""

    def __init__(self, minor: int) -> None:
        self._minor = minor
        self._generation = _Generation(0)
        self._frequency = 0
        self._times: list[float] = []
        self._threads: list[int] = []
        self._clocks: list[ClockSnapshot] = []

    def read(self, data: bytes, position: int) -> bool:
        """Read all batches from `position` on. Returns whether the last one is complete."""
        try:
            while position < len(data):
                position = self._batch(data, position)
        except _CutError:
            return False
        return True

    def trace(self, version: str, *, whole: bool) -> Trace:
        last = self._generation
        if last.frequency:
            self._close()
        elif not self._frequency:
            raise DecodeError(Reason.TRUNCATED, "the trace ends before the frequency of its clock")
        ended = last.ended or self._minor < _END_OF_GENERATION_SINCE
        order = sorted(range(len(self._times)), key=self._times.__getitem__)
        return Trace(
            version=version,
            times=tuple([self._times[index] for index in order]),
            threads=tuple([self._threads[index] for index in order]),
            clocks=tuple(self._clocks),
            ticks_per_second=self._frequency,
            truncated=not (whole and ended and last.frequency),
        )

    def _batch(self, data: bytes, position: int) -> int:
        """Read or skip the batch at `position`. Returns the position of the next one."""
        kind = data[position]
        if kind == _END_OF_GENERATION and self._minor >= _END_OF_GENERATION_SINCE:
            self._generation.ended = True
            return position + 1
        if kind not in (_BATCH, _EXPERIMENTAL_BATCH):
            raise DecodeError(Reason.PROTO, f"event {kind} at byte {position}, where a batch should begin")
        # One more byte has the number of the experiment.
        position += 1 if kind == _BATCH else 2
        number, position = _uvarint(data, position)
        _, position = _uvarint(data, position)
        time, position = _uvarint(data, position)
        size, position = _uvarint(data, position)
        end = position + size
        if end > len(data):
            if size > _MAX_BATCH_BYTES:
                raise DecodeError(Reason.PROTO, f"a batch of {size} bytes, and Go's largest is {_MAX_BATCH_BYTES}")
            raise _CutError
        if number != self._generation.number or not number:
            self._advance(number)
        if size and kind == _BATCH:
            try:
                self._contents(data[position:end], time)
            except _CutError:
                raise DecodeError(Reason.PROTO, f"the batch before byte {end} ends within an event") from None
        return end

    def _advance(self, number: int) -> None:
        """Start a new generation. Go writes them one after the other, each with its own frequency."""
        if number < self._generation.number or not number:
            raise DecodeError(Reason.PROTO, f"generation {number} after generation {self._generation.number}")
        if self._generation.number:
            self._close()
        self._generation = _Generation(number)

    def _close(self) -> None:
        """Turn the ticks of the generation into seconds, by its own frequency."""
        done = self._generation
        frequency = done.frequency
        if not frequency:
            raise DecodeError(Reason.PROTO, f"generation {done.number} has no clock frequency")
        self._frequency = frequency
        self._times += [ticks / frequency for ticks in done.times]
        self._threads += done.threads
        if done.clock is not None:
            ticks, monotonic, wall = done.clock
            self._clocks.append(ClockSnapshot(ticks / frequency, monotonic, wall))

    def _contents(self, batch: bytes, time: int) -> None:
        kind = batch[0]
        if kind == _CPU_SAMPLES:
            self._samples(batch)
        elif kind == _FREQUENCY and self._minor < _SYNC_SINCE:
            self._sync(batch, 0, time)
        elif kind == _SYNC and self._minor >= _SYNC_SINCE:
            self._sync(batch, 1, time)

    def _samples(self, batch: bytes) -> None:
        """Samples are [time, thread, processor, goroutine, stack], with absolute times and not differences."""
        times, threads = self._generation.times, self._generation.threads
        position = 1
        while position < len(batch):
            if batch[position] != _CPU_SAMPLE:
                raise DecodeError(Reason.PROTO, f"event {batch[position]} among CPU samples")
            time, position = _uvarint(batch, position + 1)
            thread, position = _uvarint(batch, position)
            for _ in range(3):
                _, position = _uvarint(batch, position)
            times.append(time)
            threads.append(thread)

    def _sync(self, batch: bytes, position: int, time: int) -> None:
        generation = self._generation
        while position < len(batch):
            event = batch[position]
            position += 1
            if event == _FREQUENCY:
                frequency, position = _uvarint(batch, position)
                if generation.frequency or not frequency:
                    raise DecodeError(Reason.PROTO, f"a second frequency, or one of zero: {frequency}")
                generation.frequency = frequency
            elif event == _CLOCK_SNAPSHOT and self._minor >= _SYNC_SINCE:
                passed, position = _uvarint(batch, position)
                monotonic, position = _uvarint(batch, position)
                seconds, position = _uvarint(batch, position)
                nanoseconds, position = _uvarint(batch, position)
                generation.clock = (time + passed, monotonic, seconds * _NANOSECONDS + nanoseconds)
            elif self._minor > NEWEST_FORMAT:
                # A later version adds fields only at the end: Go only appends to its formats.
                return
            else:
                raise DecodeError(Reason.PROTO, f"event {event} among clocks")


def _uvarint(data: bytes, position: int) -> tuple[int, int]:
    """The number at `position` and its end: 7 bits in a byte, at most 64 (encoding/binary.ReadUvarint).

    Raises `_CutError` if the bytes end first. Go pads the length of a batch to 10 bytes, so trailing zeros are valid.
    """
    value = 0
    for shift in range(0, 70, 7):
        if position >= len(data):
            raise _CutError
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            if value >> 64:
                break
            return value, position
    raise DecodeError(Reason.PROTO, f"a number of more than 64 bits before byte {position}")
