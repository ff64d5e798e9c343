"""Rounds of raw profiles on disk: record them, read them back, replay them into the state of a target."""
