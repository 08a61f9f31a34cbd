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
    assert found["restored"] > 0.95


def test_the_memory_of_items_is_told_for_both_ways_a_worker_has_them() -> None:
    for known in ("restored", "decoded"):
        found = asyncio.run(answer("benchmarks.stock_memory", "500", known, within=60))
        assert found["items"] == 500
        assert found["record"] > 300, "both sides of an item are in it"


def test_only_what_comes_back_into_a_full_bucket_is_not_used() -> None:
    meter = Meter(100.0)
    meter.take(1500, NOON)
    meter.give_back(100)
    assert meter.take(2000, NOON + timedelta(seconds=1)) is False
    meter.take(500, NOON + timedelta(seconds=4))
    assert meter.restored(NOON + timedelta(seconds=8)) == 1.0
    assert meter.restored(NOON + timedelta(seconds=40)) == 1900 / 4000, "full again after nineteen seconds' worth"
    assert (meter.spent, meter.asked, meter.refused) == (1900, 3, 1)
