"""The manifest of a finding as JSON. Loaded with the first finding: without any, nothing needs pydantic."""

from __future__ import annotations

import re

from pydantic import TypeAdapter

from pprof_exporter.escaping import json_text
from pprof_exporter.evidence_store.finding import SEALED_VERSION, FindingRecord, ProfileFile
from pprof_exporter.sealed_json import is_sealed, seal

_MANIFESTS = TypeAdapter(FindingRecord)
# Files named in a manifest are opened, so only names from `profile_file` are allowed.
_FILE_NAME = re.compile(r"[a-z]{1,32}(-before)?\.(pb\.gz|pb|trace)")
_SHA256 = re.compile(r"[0-9a-f]{64}")
# The years 1 to 9999, which calendars know.
_FIRST_TIME, _LAST_TIME = -62_135_596_800.0, 253_402_300_799.0


def encode_manifest(finding: FindingRecord) -> bytes:
    """The manifest, as JSON with its own digest."""
    return seal(json_text(_MANIFESTS.dump_python(finding, mode="json"), indent=1).encode(), indent=1)


def decode_manifest(manifest: bytes) -> FindingRecord | None:
    """The finding of a manifest; None if the manifest is not as it was written.

    Version 1 has no digest of itself, so that of such a one only damage to its form is found.
    """
    try:
        sealed = is_sealed(manifest)
        finding = _MANIFESTS.validate_json(manifest)
        return finding if _is_plausible(finding) and sealed == (finding.version >= SEALED_VERSION) else None
    except Exception:  # noqa: BLE001 - whatever a parser makes of damaged bytes, they are no manifest
        return None


def known_manifest(manifest: bytes) -> FindingRecord:
    """The finding of a manifest that was encoded or decoded here before."""
    return _MANIFESTS.validate_json(manifest)


def _is_plausible(finding: FindingRecord) -> bool:
    """Whether this program could have written it."""
    times = [finding.at, *(file.asked_at for file in finding.files)]
    if finding.process.epoch is not None:
        times.append(finding.process.epoch)
    return (
        1 <= finding.version <= SEALED_VERSION
        and all(_FIRST_TIME <= time <= _LAST_TIME for time in times)
        and len({file.name for file in finding.files}) == len(finding.files) > 0
        and all(map(_is_file, finding.files))
    )


def _is_file(file: ProfileFile) -> bool:
    return bool(_FILE_NAME.fullmatch(file.name) and _SHA256.fullmatch(file.sha256) and file.size >= 0)
