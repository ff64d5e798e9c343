"""The error of every configuration."""

from __future__ import annotations


class ConfigError(Exception):
    """A configuration that cannot be used; the message says where, why and what to do."""
