"""The state of one target. Synchronous: it fetches nothing and waits for nothing."""
