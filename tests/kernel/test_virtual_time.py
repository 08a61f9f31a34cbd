"""A loop on virtual time: hours cost nothing, every run is the same, a hang is an error that names who hangs."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from kernel.clock import LoopClock
from kernel.virtual_time import NothingLeftToHappenError, VirtualTimeLoop, run_virtual

NINE_O_CLOCK = datetime(2026, 3, 2, 9, tzinfo=UTC)


def test_a_day_passes_in_no_time() -> None:
    async def a_day() -> datetime:
        clock = LoopClock(NINE_O_CLOCK)
        assert clock.now() == NINE_O_CLOCK
        await clock.sleep(86_400)
        return clock.now()

    began = time.monotonic()
    assert run_virtual(a_day()) == NINE_O_CLOCK + timedelta(days=1)
    assert time.monotonic() - began < 1


def test_timers_fire_in_the_order_of_their_times_and_not_of_their_making() -> None:
    async def three() -> list[tuple[str, float]]:
        fired: list[tuple[str, float]] = []

        async def after(seconds: float, name: str) -> None:
            await asyncio.sleep(seconds)
            fired.append((name, asyncio.get_running_loop().time()))

        await asyncio.gather(after(7200, "late"), after(0.5, "early"), after(3600, "between"))
        return fired

    assert run_virtual(three()) == [("early", 0.5), ("between", 3600.0), ("late", 7200.0)]


def test_the_clock_stands_while_anything_can_go_on() -> None:
    async def busy() -> float:
        for _ in range(1000):
            await asyncio.sleep(0)
        return asyncio.get_running_loop().time()

    assert run_virtual(busy()) == 0


def test_a_time_limit_ends_waiting_at_its_virtual_time() -> None:
    async def limited() -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(600):
                await asyncio.Event().wait()
        return asyncio.get_running_loop().time()

    assert run_virtual(limited()) == pytest.approx(600)


def test_many_small_steps_do_not_hold_the_clock() -> None:
    async def steps() -> float:
        await asyncio.sleep(1e8)  # three years on, a tenth of a second is not exact any more
        for _ in range(1000):
            await asyncio.sleep(0.1)
        return asyncio.get_running_loop().time() - 1e8

    assert run_virtual(steps()) == pytest.approx(100, abs=0.01)


def test_tasks_that_wait_for_each_other_are_named_instead_of_hanging() -> None:
    async def hang() -> None:
        async def for_ever() -> None:
            await asyncio.Event().wait()

        waiting = asyncio.create_task(for_ever(), name="the picker")
        await waiting

    with pytest.raises(NothingLeftToHappenError, match=r"the picker waits in .*test_virtual_time\.py:\d+"):
        run_virtual(hang())


def test_a_blocking_call_handed_to_a_thread_runs_in_place() -> None:
    async def hand_over() -> tuple[str, float]:
        answer = await asyncio.to_thread(str.upper, "done")
        with pytest.raises(ZeroDivisionError):
            await asyncio.to_thread(lambda: 1 // 0)
        return answer, asyncio.get_running_loop().time()

    assert run_virtual(hand_over()) == ("DONE", 0)


def test_an_asgi_application_answers_in_virtual_time() -> None:
    async def slow(_: Request) -> Response:
        await asyncio.sleep(30)
        return PlainTextResponse("at last")

    async def ask() -> tuple[str, float]:
        transport = httpx.ASGITransport(Starlette(routes=[Route("/", slow)]))
        async with httpx.AsyncClient(transport=transport, base_url="http://shop.example") as client:
            answer = await client.get("/")
        return answer.text, asyncio.get_running_loop().time()

    assert run_virtual(ask()) == ("at last", 30)


def test_a_mock_transport_answers_in_virtual_time() -> None:
    async def slow(_: httpx.Request) -> httpx.Response:
        await asyncio.sleep(5)
        return httpx.Response(503)

    async def ask() -> tuple[int, float]:
        async with httpx.AsyncClient(transport=httpx.MockTransport(slow)) as client:
            answer = await client.get("http://shop.example/")
        return answer.status_code, asyncio.get_running_loop().time()

    assert run_virtual(ask()) == (503, 5)


def test_a_loop_is_closed_cleanly_when_its_main_task_fails() -> None:
    async def fail() -> None:
        left_over = asyncio.create_task(asyncio.sleep(60))
        await asyncio.sleep(0)
        assert not left_over.done()
        raise ValueError("as it happens")

    with pytest.raises(ValueError, match="as it happens"):
        run_virtual(fail())


def test_the_loop_starts_at_zero() -> None:
    loop = VirtualTimeLoop()
    try:
        assert loop.time() == 0
    finally:
        loop.close()
