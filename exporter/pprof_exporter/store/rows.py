"""Rows of the file as epochs and stays, each with its checksum. Everything here raises DamagedDatabase."""

from __future__ import annotations

from pprof_exporter.store.checksum import checksum
from pprof_exporter.store.connection import TableRow, Value
from pprof_exporter.store.epoch import Epoch, Fingerprint, Stay
from pprof_exporter.store.problems import DamagedDatabase

# The years 1 to 9999, which calendars know.
_FIRST_TIME, _LAST_TIME = -62_135_596_800.0, 253_402_300_799.0
# SQLite gives 2^63 - 1 rows numbers, and none after the last one.
_LAST_ROW = 2**53


def sealed(*values: Value) -> tuple[Value, ...]:
    """A row as it is written: these values, and their checksum behind them."""
    return *values, checksum(*values)


def epoch_of(row: TableRow) -> Epoch:
    """The epoch of a row of `EPOCH_COLUMNS` and its checksum."""
    match _unsealed(row, "epochs"):
        case (
            int(id),
            str(service),
            str(system),
            str(binary),
            str(go),
            str(modules),
            float(first),
            float(last),
            None | int() as before,
        ) if _are_rows(id, before) and _are_times(first, last):
            return Epoch(id, service, Fingerprint(system, binary, go, modules), first, last, before)
    raise DamagedDatabase("a row of the epochs holds values that this program does not write")


def stay_of(row: TableRow) -> tuple[tuple[str, str], Stay]:
    """Service and target, and the stay, of a row of `STAY_COLUMNS` and its checksum."""
    match _unsealed(row, "targets"):
        case (
            str(service),
            str(target),
            int(epoch),
            None | int() as before,
            float(since),
            float(last),
            str(system),
            str(binary),
            str(go),
            str(modules),
        ) if _are_rows(epoch, before) and _are_times(since, last):
            return (service, target), Stay(epoch, before, since, last, Fingerprint(system, binary, go, modules))
    raise DamagedDatabase("a row of the targets holds values that this program does not write")


def sketch_of(row: TableRow) -> tuple[str, bytes]:
    """Signal and encoded sketch of a row of `SKETCH_COLUMNS` and its checksum; no bytes if that is wrong."""
    *values, own = row
    match values:
        case [int(), str(signal), bytes(data)] if own == checksum(*values):
            return signal, data
        case [int(), str(signal), _]:
            return signal, b""
    raise DamagedDatabase("a row of the sketches holds values that this program does not write")


def texts(mark: Fingerprint) -> tuple[str, str, str, str]:
    """The parts of a fingerprint as the file has them."""
    return text(mark.system), text(mark.binary), text(mark.go), text(mark.modules)


def text(text: str) -> str:
    """Text that SQLite can store: lone surrogates, possible in file names, have no UTF-8."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _unsealed(row: TableRow, table: str) -> TableRow:
    *values, own = row
    if own != checksum(*values):
        raise DamagedDatabase(f"the checksum of a row of the {table} is wrong")
    return tuple(values)


def _are_rows(row: int, other: int | None) -> bool:
    return 0 < row <= _LAST_ROW and (other is None or 0 < other <= _LAST_ROW)


def _are_times(*times: float) -> bool:
    return all(_FIRST_TIME <= time <= _LAST_TIME for time in times)
