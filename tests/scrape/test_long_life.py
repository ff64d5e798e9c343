"""What is kept of a target that stays, and fails in every way, stops growing within hours."""

from __future__ import annotations

from pathlib import Path

from tests.scrape.long_life import living

# One object for each failed fetch would be 600 in these hours, and one for each fetch 9,000.
MOST_OBJECTS = 400
MOST_BLOCKS = 2_500
"""Of memory: small integers and texts are no objects that the collector knows."""


async def test_a_target_that_fails_for_hours_is_kept_in_as_much_memory_as_before(tmp_path: Path) -> None:
    async with living(tmp_path) as life:
        before = await life.live(3)
        after = await life.live(5)
    assert after.objects - before.objects < MOST_OBJECTS
    assert after.blocks - before.blocks < MOST_BLOCKS
    assert before.page < after.page < 1.3 * before.page, "a series for each reason and profile, when it first comes"
