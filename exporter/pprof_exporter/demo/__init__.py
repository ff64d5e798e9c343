"""Targets to try the exporter on: recorded profiles that need no Go, or the real program."""

from __future__ import annotations

from pprof_exporter.demo.live import NoGo, live_target
from pprof_exporter.demo.replay import STORY, Story, replay_app, systems

__all__ = ["STORY", "NoGo", "Story", "live_target", "replay_app", "systems"]
