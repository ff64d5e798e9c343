"""file_sd_configs: files with lists of targets, read again when they change."""

from __future__ import annotations

import asyncio
import glob
import os
from dataclasses import dataclass
from pathlib import Path

from pprof_exporter.config import FileSource, TargetGroup
from pprof_exporter.scrape.discovery.groups import SourceError, read_text

# So often a change is looked for, which costs one stat per file.
_LOOK_EVERY = 5.0
_LARGEST = 64 * 2**20

_Stamp = tuple[int, int, int]


@dataclass(slots=True)
class _Known:
    stamp: _Stamp | None
    groups: list[TargetGroup]


class FileReader:
    """All files of one source. One that is half written, or cannot be read, keeps what it said before."""

    def __init__(self, source: FileSource, base: Path) -> None:
        self._source = source
        self._base = base
        self._known: dict[str, _Known] = {}
        self.next_in = min(_LOOK_EVERY, source.refresh)

    async def read(self) -> list[TargetGroup]:
        """The groups of all files. Raises `SourceError` where some are not as they should be."""
        return await asyncio.to_thread(self._read)

    def held(self) -> list[TargetGroup]:
        """The groups that every file gave last."""
        return [group for known in self._known.values() for group in known.groups]

    def _read(self) -> list[TargetGroup]:
        names = sorted(
            {name for pattern in self._source.patterns for name in glob.glob(str(self._base / pattern))}  # noqa: PTH207
        )
        for gone in set(self._known) - set(names):
            del self._known[gone]
        troubles = [trouble for name in names if (trouble := self._look(name))]
        missing = [name for name in self._source.patterns if "*" not in name and str(self._base / name) not in names]
        troubles += [f"{name}: no such file" for name in missing]
        if troubles:
            raise SourceError("; ".join(troubles))
        return self.held()

    def _look(self, name: str) -> str:
        """Read a file if it has changed; returns what is wrong with it."""
        try:
            found = os.stat(name)  # noqa: PTH116
            stamp = (found.st_mtime_ns, found.st_size, found.st_ino)
            known = self._known.get(name)
            if known is not None and known.stamp == stamp:
                return ""
            if found.st_size > _LARGEST:
                return f"{name}: more than {_LARGEST} bytes"
            groups = read_text(name, Path(name).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, SourceError) as error:
            # Its stamp is not noted, so that it is tried again, and goes on to be told of.
            self._known.setdefault(name, _Known(None, []))
            return f"{name}: {error}"
        meta = ("__meta_filepath", name)
        groups = [TargetGroup(group.targets, (*group.labels, meta)) for group in groups]
        self._known[name] = _Known(stamp, groups)
        return ""
