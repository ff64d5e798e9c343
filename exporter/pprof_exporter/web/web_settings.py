"""What guards the pages: users, headers, limits and certificates, as they were read from the web configuration file."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class WebConfig:
    """Settings of the file. `users` maps names to bcrypt hashes; without users, no password is required."""

    users: dict[str, str] = field(default_factory=dict, repr=False)
    headers: dict[str, str] = field(default_factory=dict)
    interval: float = 0
    burst: int = 0
    allowed_sans: frozenset[str] = frozenset()
    context: ssl.SSLContext | None = None
    files: tuple[Path, ...] = ()

    @property
    def authenticates(self) -> bool:
        """Whether every request needs a password or a certificate."""
        return bool(self.users) or (self.context is not None and self.context.verify_mode is ssl.CERT_REQUIRED)
