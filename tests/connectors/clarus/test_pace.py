"""How fast we ask: evenly, so many at a time, slower when it was too much, and the urgent first."""

import asyncio
from collections.abc import Sequence

import pytest

from connectors.clarus.pace import FAIR_TURN, Pace, Urgency, made_for
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


async def went(pace: Pace, *wanted: tuple[Urgency, str]) -> Sequence[str]:
    """The names of these requests in the order in which they went; all are wanted before the first has its answer."""
    names = list[str]()

    async def request(urgency: Urgency, name: str) -> None:
        with made_for(urgency):
            async with pace.turn():
                names.append(name)

    async with pace.turn():
        requests = [asyncio.ensure_future(request(*one)) for one in wanted]
        await asyncio.sleep(0)
    await asyncio.gather(*requests)
    return names


def test_what_a_command_asks_for_goes_before_what_was_wanted_earlier() -> None:
    async def story() -> None:
        pace = Pace(5.0, 1, LoopClock(NOON))
        wanted = [(Urgency.SEARCH, "search"), (Urgency.READ, "read"), (Urgency.COMMAND, "command")]
        assert await went(pace, *wanted) == ["command", "read", "search"]

    run_virtual(story())


def test_the_equally_urgent_go_in_the_order_in_which_they_came() -> None:
    async def story() -> None:
        pace = Pace(5.0, 1, LoopClock(NOON))
        assert await went(pace, *[(Urgency.READ, str(number)) for number in range(9)]) == list("012345678")

    run_virtual(story())


def test_nobody_waits_for_ever_behind_the_more_urgent() -> None:
    async def story() -> None:
        pace = Pace(5.0, 1, LoopClock(NOON))
        commands = [(Urgency.COMMAND, "command")] * 20
        names = await went(pace, (Urgency.SEARCH, "search"), (Urgency.SEARCH, "search"), *commands)
        assert [place for place, name in enumerate(names, start=1) if name == "search"] == [FAIR_TURN, 2 * FAIR_TURN]

    run_virtual(story())


def test_who_gives_up_waiting_takes_no_turn_along() -> None:
    async def story() -> None:
        clock = LoopClock(NOON)
        pace = Pace(5.0, 1, clock)

        async def request() -> None:
            async with pace.turn():
                pass

        async with pace.turn():
            early, late = asyncio.ensure_future(request()), asyncio.ensure_future(request())
            await asyncio.sleep(0)
            early.cancel()
        late.cancel()  # in the moment that its turn has come
        await asyncio.gather(early, late, return_exceptions=True)
        assert early.cancelled()
        assert late.cancelled()
        await asyncio.wait_for(request(), timeout=1.0)

    run_virtual(story())
