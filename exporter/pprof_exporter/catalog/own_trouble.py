"""The exporter's own trouble: what it can run out of, and what it does in the background."""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class ExhaustedResource(StrEnum):
    """What the exporter ran out of, or cannot reach for any target. Every value has a `meaning` and an `advice`."""

    DESCRIPTORS = (
        "descriptors",
        "no file descriptors are free",
        "Raise the limit of open files: LimitNOFILE under systemd, ulimit -Hn in a shell, --ulimit nofile in Docker.",
    )
    PORTS = (
        "ports",
        "no local port is free for a connection to this address",
        "Find the program of this host that opens many connections; on Linux, ss -s counts them.",
    )
    MEMORY = (
        "memory",
        "no memory is free",
        "Raise the memory limit of the exporter, or divide its targets among more exporters.",
    )
    THREADS = (
        "threads",
        "no thread can be started",
        "Raise the limit of tasks: TasksMax under systemd, ulimit -u in a shell, the pids limit of a container.",
    )
    RESOLVER = (
        "resolver",
        "the name server answers for no name",
        "Check the name server of the exporter's host, in /etc/resolv.conf on Linux.",
    )
    PROXY = (
        "proxy",
        "the proxy cannot be reached or refuses the exporter",
        "Check proxy_url or HTTP_PROXY, the credentials for the proxy, and that the proxy runs.",
    )

    meaning: str
    """What was observed, as a clause."""
    advice: str
    """What to do next, as sentences."""

    def __new__(cls, value: str, meaning: str, advice: str) -> Self:
        """A member has the text of its label, and both explanations."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        member.advice = advice
        return member


class BackgroundTask(StrEnum):
    """What a running exporter does besides answering requests. Each is supervised: see `supervision`."""

    CONFIG_WATCHER = "config_watcher"
    """Reloads the configuration when its file changes."""
    GARBAGE = "garbage"
    """Collects garbage in steps."""
    LOAD = "load"
    """Measures how late timers of the event loop are."""
    STORE = "store"
    """Writes statistics, removes old epochs and compares them."""
    TARGET = "target"
    """The scrape loop of one target."""
    START = "start"
    """Starts the targets of a large fleet in steps."""
    DISCOVERY = "discovery"
    """Reads one source of targets at its interval."""
    MERGE = "merge"
    """Merges what the sources list into the targets of the exporter."""
    RENDERING = "rendering"
    """Renders the series of a large fleet ahead of the next request."""
    EVIDENCE = "evidence"
    """Judges targets and saves the profiles of findings."""
    PUSH = "push"
    """Pushes saved profiles to another store."""
    CAPTURE = "capture"
    """Captures the profiles of one target for an alert."""
