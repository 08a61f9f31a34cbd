"""The benches of stock still run, in small, and reckon rightly; nothing here looks at how fast anything was."""

import asyncio
from datetime import UTC, datetime, timedelta

from benchmarks.process import answer
from benchmarks.stock_sweep import Meter

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def test_a_whole_catalogue_is_swept_and_every_figure_written_with_no_answer_throttled() -> None:
    found = asyncio.run(answer("benchmarks.stock_sweep", "1000", "100", within=60))
    assert (found["applied"], found["throttled"]) == (1000, 0)
    assert found["writes"] < 1000 / 20, "figures go together"
    assert found["restored_used"] > 0.95


def test_the_memory_of_items_is_told_for_both_ways_a_worker_has_them() -> None:
    for known in ("restored", "decoded"):
        found = asyncio.run(answer("benchmarks.stock_memory", "500", known, within=60))
        assert found["items"] == 500
        assert found["record"] > 300, "both sides of an item are in it"


def test_what_was_saved_up_in_the_bucket_is_not_counted_as_what_came_back() -> None:
    meter = Meter(100.0)
    meter.take(1500, NOON)
    meter.give_back(100)
    meter.take(400, NOON + timedelta(seconds=1))
    meter.take(600, NOON + timedelta(seconds=5))
    assert meter.take(2000, NOON + timedelta(seconds=6)) is False
    assert meter.used(free=1800) == (600, 4.0)
    assert (meter.asked, meter.refused) == (4, 1)
