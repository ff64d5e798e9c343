"""Rounds of raw profiles on disk: recorder, writer, reader, and replay into the state of a target."""
