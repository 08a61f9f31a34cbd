"""How fast we ask: evenly, so many at a time, slower when it was too much."""

import asyncio

import pytest

from connectors.clarus.pace import Pace
from connectors.runtime.errors import RateLimited
from kernel.clock import LoopClock
from kernel.virtual_time import run_virtual
from tests.connectors.clarus.sides import NOON


def test_requests_go_out_evenly() -> None:
    async def story() -> None:
        clock = LoopClock(NOON)
        pace, went = Pace(5.0, 4, clock), []
        for _ in range(4):
            async with pace.turn():
                went.append(clock.monotonic())
        assert went == pytest.approx([0.0, 0.2, 0.4, 0.6])
        await clock.sleep(10)
        async with pace.turn():
            assert clock.monotonic() == pytest.approx(10.6), "a pause saves nothing up and costs nothing"

    run_virtual(story())


def test_no_more_than_so_many_at_a_time() -> None:
    async def story() -> None:
        clock = LoopClock(NOON)
        pace, went = Pace(1000.0, 2, clock), []

        async def request() -> None:
            async with pace.turn():
                went.append(clock.monotonic())
                await clock.sleep(3)

        await asyncio.gather(*(request() for _ in range(4)))
        assert went == pytest.approx([0, 0, 3, 3], abs=0.01)

    run_virtual(story())


def test_too_many_slows_all_down_and_answers_bring_the_speed_back() -> None:
    async def story() -> None:
        clock = LoopClock(NOON)
        pace = Pace(10.0, 4, clock)

        async def gap() -> float:
            before = clock.monotonic()
            async with pace.turn():
                return clock.monotonic() - before

        with pytest.raises(RateLimited):
            async with pace.turn():
                raise RateLimited("busy", 7.0)
        assert await gap() == pytest.approx(7.0)
        gaps = [await gap() for _ in range(10)]
        assert gaps[0] == pytest.approx(0.2)
        assert gaps == sorted(gaps, reverse=True)
        assert gaps[-1] == pytest.approx(0.1)

    run_virtual(story())


def test_it_never_becomes_slower_than_slow() -> None:
    async def story() -> None:
        clock = LoopClock(NOON)
        pace = Pace(10.0, 4, clock)
        for _ in range(20):
            with pytest.raises(RateLimited):
                async with pace.turn():
                    raise RateLimited("busy", 0.0)
        before = clock.monotonic()
        async with pace.turn():
            assert clock.monotonic() - before == pytest.approx(1.6)

    run_virtual(story())


def test_what_is_left_of_the_usual_pace_is_told_as_a_share() -> None:
    async def story() -> None:
        pace = Pace(5.0, 4, LoopClock(NOON))
        assert pace.left == 1.0
        with pytest.raises(RateLimited):
            async with pace.turn():
                raise RateLimited("too many", 1.0)
        assert pace.left == 0.5
        async with pace.turn():
            pass
        assert 0.5 < pace.left < 1.0

    run_virtual(story())
