"""file_sd_configs: files with lists of targets, read again when they change."""

from __future__ import annotations

import asyncio
import glob
from dataclasses import dataclass
from pathlib import Path

from pprof_exporter.config import FileSource, TargetGroup
from pprof_exporter.config.file_stamp import FileStamp, file_stamp
from pprof_exporter.inputs.text_file import BadText, read_text
from pprof_exporter.scrape.discovery.groups import SourceError, parse_text

# Seconds between two checks for changes; a check costs one stat per file.
_CHECK_EVERY = 5.0
_MAX_BYTES = 64 * 2**20


@dataclass(slots=True)
class _Known:
    stamp: FileStamp | None
    groups: list[TargetGroup]


class FileReader:
    """All files of one source. A file that is half written or unreadable keeps its last groups."""

    def __init__(self, source: FileSource, base: Path) -> None:
        self._source = source
        self._base = base
        self._known: dict[str, _Known] = {}
        self.read_interval = min(_CHECK_EVERY, source.refresh)

    async def read(self) -> list[TargetGroup]:
        """The groups of all files. Raises `SourceError` if a file is missing or invalid."""
        return await asyncio.to_thread(self._read)

    def last_groups(self) -> list[TargetGroup]:
        """The last groups of each file."""
        return [group for known in self._known.values() for group in known.groups]

    def _read(self) -> list[TargetGroup]:
        names = sorted(
            {name for pattern in self._source.patterns for name in glob.glob(str(self._base / pattern))}  # noqa: PTH207
        )
        for gone in set(self._known) - set(names):
            del self._known[gone]
        problems = [problem for name in names if (problem := self._read_changed(name))]
        missing = [name for name in self._source.patterns if "*" not in name and str(self._base / name) not in names]
        problems += [f"{name}: no such file" for name in missing]
        if problems:
            raise SourceError("; ".join(problems))
        return self.last_groups()

    def _read_changed(self, name: str) -> str:
        """Read a file if it has changed. Returns its problem; "" if there is none."""
        # None if the file is gone since it was listed; then reading it says so.
        stamp = file_stamp(Path(name))
        if stamp is not None:
            known = self._known.get(name)
            if known is not None and known.stamp == stamp:
                return ""
        try:
            groups = parse_text(name, read_text(Path(name), _MAX_BYTES))
        except (OSError, BadText, SourceError) as error:
            # Without a stamp, so that it is read again, and the problem is reported again.
            self._known.setdefault(name, _Known(None, []))
            return f"{name}: {error.strerror if isinstance(error, OSError) and error.strerror else error}"
        meta = ("__meta_filepath", name)
        groups = [TargetGroup(group.targets, (*group.labels, meta)) for group in groups]
        self._known[name] = _Known(stamp, groups)
        return ""
