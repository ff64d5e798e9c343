"""The distribution of a signal in a few hundred bytes, which can be merged with others.

Buckets on a logarithmic scale, as in DDSketch (Masson, Rim, Lee, VLDB 2019): every quantile is within
`ACCURACY` of its exact value. The bounds of the buckets are the same in every sketch, so that merging is adding counts,
and the order of merging changes nothing but the last bits of mean and standard deviation.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

ACCURACY = 0.01
"""Largest error of a quantile, as a share of the exact value."""
SMALLEST = 1e-9
"""Smaller magnitudes share one bucket with zero: no signal in seconds, bytes or shares is finer."""
GREATEST = 1e18
"""Larger magnitudes share one bucket: their quantiles are only known to lie between this and `maximum`."""
MAX_MAGNITUDE = 1e100
"""Larger magnitudes are refused: their squares exceed the range of a float."""

_GAMMA = (1 + ACCURACY) / (1 - ACCURACY)
_LOG_GAMMA = math.log(_GAMMA)
_VERSION = 1
# Version, count, mean, sum of squared deviations, minimum, maximum; then buckets as varints; then a CRC-32 of all that.
_HEADER = struct.Struct("<BQdddd")
_CHECKSUM = struct.Struct("<I")
_MOST = 2**64 - 1
# Most keys follow each other within 127, and most counts are below that or a little above.
_BYTES_PER_BUCKET = 3


def _key(magnitude: float) -> int:
    """Bucket of a magnitude of at least `SMALLEST`: bucket k holds (gamma^(k-1), gamma^k]."""
    return math.ceil(math.log(min(magnitude, GREATEST)) / _LOG_GAMMA)


_LOWEST_KEY, _HIGHEST_KEY = _key(SMALLEST), _key(GREATEST)
MAX_BUCKETS = 2 * (_HIGHEST_KEY - _LOWEST_KEY + 1) + 1
"""The most buckets that a sketch can have; signals of services use a few tens."""


@dataclass(slots=True)
class Sketch:
    """Counts per bucket, and exact count, mean, minimum and maximum. Not thread-safe.

    Two sketches are equal if all of these are equal.
    """

    count: int = 0
    _mean: float = 0.0
    _deviations: float = 0.0
    _minimum: float = math.inf
    _maximum: float = -math.inf
    _zero: int = 0
    _positive: dict[int, int] = field(default_factory=dict)
    _negative: dict[int, int] = field(default_factory=dict)

    @classmethod
    def of(cls, values: Iterable[float]) -> Sketch:
        """A sketch of these values. Raises ValueError as `add` does."""
        sketch = cls()
        for value in values:
            sketch.add(value)
        return sketch

    def add(self, value: float) -> None:
        """Add one value, in the unit of the signal. Raises ValueError if not finite or beyond `MAX_MAGNITUDE`."""
        if not -MAX_MAGNITUDE <= value <= MAX_MAGNITUDE:
            raise ValueError(f"{value} is not a number that a signal can have")
        self.count += 1
        # Welford's recurrence: a plain sum of squares loses all precision if the mean is large.
        delta = value - self._mean
        self._mean += delta / self.count
        self._deviations += delta * (value - self._mean)
        self._minimum = min(self._minimum, value)
        self._maximum = max(self._maximum, value)
        if abs(value) < SMALLEST:
            self._zero += 1
        else:
            side = self._positive if value > 0 else self._negative
            key = _key(abs(value))
            side[key] = side.get(key, 0) + 1

    def merge(self, other: Sketch) -> Sketch:
        """A new sketch of the values of both; neither is changed."""
        if not self.count or not other.count:
            return (self if self.count else other).copy()
        count = self.count + other.count
        delta = other._mean - self._mean
        return Sketch(
            count,
            self._mean + delta * (other.count / count),
            self._deviations + other._deviations + delta * delta * (self.count * (other.count / count)),
            min(self._minimum, other._minimum),
            max(self._maximum, other._maximum),
            self._zero + other._zero,
            _sum(self._positive, other._positive),
            _sum(self._negative, other._negative),
        )

    def copy(self) -> Sketch:
        """An independent copy."""
        return Sketch(
            self.count,
            self._mean,
            self._deviations,
            self._minimum,
            self._maximum,
            self._zero,
            dict(self._positive),
            dict(self._negative),
        )

    def quantile(self, q: float) -> float:
        """The value of rank floor(q * (count - 1)), within `ACCURACY` of it; exact for the first and the last rank.

        Raises ValueError if q is outside 0..1, or if the sketch is empty.
        """
        if not 0 <= q <= 1:
            raise ValueError(f"a quantile is between 0 and 1, not {q}")
        self._not_empty()
        rank = math.floor(q * (self.count - 1))
        if rank == 0:
            return self._minimum
        if rank == self.count - 1:
            return self._maximum
        seen = 0
        for value, count in self._ascending():
            seen += count
            if seen > rank:
                return min(max(value, self._minimum), self._maximum)
        return self._maximum

    @property
    def mean(self) -> float:
        """Arithmetic mean. Raises ValueError if the sketch is empty."""
        self._not_empty()
        # Rounding can take the recurrence outside the range of the values.
        return min(max(self._mean, self._minimum), self._maximum)

    @property
    def stddev(self) -> float:
        """Standard deviation of the sample (n - 1), 0 of a single value. Raises ValueError if the sketch is empty."""
        self._not_empty()
        return math.sqrt(self._deviations / (self.count - 1)) if self.count > 1 else 0.0

    @property
    def minimum(self) -> float:
        """Smallest value, exact. Raises ValueError if the sketch is empty."""
        self._not_empty()
        return self._minimum

    @property
    def maximum(self) -> float:
        """Greatest value, exact. Raises ValueError if the sketch is empty."""
        self._not_empty()
        return self._maximum

    @property
    def buckets(self) -> int:
        """The number of buckets in use; at most `MAX_BUCKETS`."""
        return len(self._positive) + len(self._negative) + bool(self._zero)

    @property
    def size(self) -> int:
        """About the number of bytes of `encode`, which would take half a second for those of a thousand targets."""
        return _HEADER.size + _CHECKSUM.size + _BYTES_PER_BUCKET * (1 + self.buckets)

    def encode(self) -> bytes:
        """About 50 bytes, and 2 to 4 for each bucket; `decode` returns an equal sketch."""
        low, high = (self._minimum, self._maximum) if self.count else (0.0, 0.0)
        body = bytearray(_HEADER.pack(_VERSION, self.count, self._mean, self._deviations, low, high))
        _put(body, self._zero)
        for side in (self._positive, self._negative):
            _put(body, len(side))
            before = _LOWEST_KEY
            for key in sorted(side):
                _put(body, key - before)
                _put(body, side[key])
                before = key
        return bytes(body + _CHECKSUM.pack(zlib.crc32(body)))

    @classmethod
    def decode(cls, data: bytes) -> Sketch:
        """The sketch from the bytes of `encode`. Raises ValueError for all other bytes."""
        if len(data) < _HEADER.size + _CHECKSUM.size:
            raise ValueError(f"{len(data)} bytes are too few for a sketch")
        body, checksum = data[: -_CHECKSUM.size], data[-_CHECKSUM.size :]
        version, count, mean, deviations, low, high = _HEADER.unpack_from(body)
        if version != _VERSION:
            raise ValueError(f"a sketch of version {version}; this program knows {_VERSION}")
        if _CHECKSUM.unpack(checksum) != (zlib.crc32(body),):
            raise ValueError("the checksum of the sketch is wrong")
        if not (
            -MAX_MAGNITUDE <= low <= high <= MAX_MAGNITUDE
            and -MAX_MAGNITUDE <= mean <= MAX_MAGNITUDE
            and 0 <= deviations < math.inf
        ):
            raise ValueError("the figures of the sketch are out of range")
        numbers = _numbers(body[_HEADER.size :])
        zero = _take(numbers)
        positive, negative = _side(numbers), _side(numbers)
        if next(numbers, None) is not None:
            raise ValueError("there are bytes behind the end of the sketch")
        if zero + sum(positive.values()) + sum(negative.values()) != count:
            raise ValueError("the buckets of the sketch do not add up to its count")
        if not count:
            return cls()
        return cls(count, mean, deviations, low, high, zero, positive, negative)

    def _ascending(self) -> Iterator[tuple[float, int]]:
        for key in sorted(self._negative, reverse=True):
            yield -_middle(key), self._negative[key]
        yield 0.0, self._zero
        for key in sorted(self._positive):
            yield _middle(key), self._positive[key]

    def _not_empty(self) -> None:
        if not self.count:
            raise ValueError("an empty sketch has no figures")


def _middle(key: int) -> float:
    """The value with the same relative error to both bounds of the bucket."""
    return 2 * math.exp(key * _LOG_GAMMA) / (_GAMMA + 1)


def _sum(one: dict[int, int], other: dict[int, int]) -> dict[int, int]:
    total = dict(one)
    for key, count in other.items():
        total[key] = total.get(key, 0) + count
    return total


def _put(body: bytearray, number: int) -> None:
    """Append one LEB128 varint, as in protobuf."""
    while number > 0x7F:
        body.append(number & 0x7F | 0x80)
        number >>= 7
    body.append(number)


def _numbers(data: bytes) -> Iterator[int]:
    number = shift = 0
    for byte in data:
        number |= (byte & 0x7F) << shift
        if number > _MOST:
            raise ValueError("a number of the sketch has more than 64 bits")
        if byte & 0x80:
            shift += 7
        else:
            yield number
            number = shift = 0
    if shift:
        raise ValueError("the sketch ends within a number")


def _take(numbers: Iterator[int]) -> int:
    number = next(numbers, None)
    if number is None:
        raise ValueError("the sketch ends early")
    return number


def _side(numbers: Iterator[int]) -> dict[int, int]:
    side: dict[int, int] = {}
    key = _LOWEST_KEY
    for _ in range(_take(numbers)):
        key += _take(numbers)
        count = _take(numbers)
        if key > _HIGHEST_KEY or key in side or not count:
            raise ValueError("a bucket of the sketch is out of range, out of order or empty")
        side[key] = count
    return side
