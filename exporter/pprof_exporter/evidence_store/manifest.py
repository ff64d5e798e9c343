"""The manifest of a finding as JSON. Loaded with the first finding: without any, nothing needs pydantic."""

from __future__ import annotations

import re

from pydantic import TypeAdapter, ValidationError

from pprof_exporter.escaping import json_text
from pprof_exporter.evidence_store.finding import FindingRecord

_MANIFESTS = TypeAdapter(FindingRecord)
# Files named in a manifest are opened, so only names from `profile_file` are allowed.
_FILE_NAME = re.compile(r"[a-z]{1,32}(-before)?\.(pb\.gz|pb|trace)")


def encode_manifest(finding: FindingRecord) -> bytes:
    """The manifest, as JSON."""
    return json_text(_MANIFESTS.dump_python(finding, mode="json"), indent=1).encode() + b"\n"


def decode_manifest(manifest: bytes) -> FindingRecord | None:
    """The finding of a manifest; None if the manifest is invalid."""
    try:
        finding = _MANIFESTS.validate_json(manifest)
    except ValidationError:
        return None
    return finding if all(_FILE_NAME.fullmatch(file.name) for file in finding.files) else None
