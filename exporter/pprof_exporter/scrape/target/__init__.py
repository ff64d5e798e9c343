"""Scraping one target: its loop, its schedule, the policy that skips and defers, and the collectors."""
