"""The cost bucket: arithmetic by table, then who waits for whom."""

import asyncio
from dataclasses import dataclass

import pytest

from connectors.shopify.answers import Cost
from connectors.shopify.limiter import FIRST_GUESS, Bucket, Limiter, Purpose
from tests.connectors.shopify.shops import StepClock


@dataclass(frozen=True)
class Case:
    name: str
    level: float
    cost: float
    share: float
    seconds: float


CASES = (
    Case("enough is there", level=1000, cost=310, share=0.0, seconds=0.0),
    Case("exactly enough", level=310, cost=310, share=0.0, seconds=0.0),
    Case("the documented wait", level=90, cost=310, share=0.0, seconds=2.2),
    Case("orders drain the bucket", level=20, cost=20, share=0.0, seconds=0.0),
    Case("a poll stops at its share", level=600, cost=20, share=0.3, seconds=0.2),
    Case("a poll above its share", level=620, cost=20, share=0.3, seconds=0.0),
    Case("more than fits beside the share waits for the full bucket", level=1900, cost=1900, share=0.3, seconds=1.0),
    Case("more than the bucket holds waits for the full bucket", level=2000, cost=5000, share=0.0, seconds=0.0),
    Case("overdrawn", level=-100, cost=100, share=0.0, seconds=2.0),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_wait(case: Case) -> None:
    bucket = Bucket(maximum=2000, rate=100)
    bucket.learn(2000, case.level, 100, in_flight=0, now=50.0)
    assert bucket.wait(case.cost, case.share, now=50.0) == pytest.approx(case.seconds)


def test_points_leak_back_up_to_the_maximum() -> None:
    bucket = Bucket(maximum=2000, rate=100)
    bucket.take(500, now=10.0)
    assert bucket.level(10.0) == 1500
    assert bucket.level(12.5) == 1750
    assert bucket.level(1000.0) == 2000


def test_an_answer_is_believed_less_what_is_still_out() -> None:
    bucket = Bucket(maximum=2000, rate=100)
    bucket.learn(20_000, 15_000, 1000, in_flight=600, now=5.0)
    assert bucket.level(5.0) == 14_400
    assert bucket.level(6.0) == 15_400


def test_a_pause_holds_whatever_the_bucket_shows() -> None:
    bucket = Bucket()
    bucket.pause(4.0, now=10.0)
    bucket.pause(1.0, now=10.0)
    assert bucket.wait(1, 0.0, now=11.0) == pytest.approx(3.0)
    assert bucket.wait(1, 0.0, now=14.0) == 0.0


def test_the_first_answer_teaches_cost_and_bucket() -> None:
    clock = StepClock()
    limiter = Limiter(clock, poll_head_room=0.3)

    async def story() -> None:
        reserved = await limiter.reserve("ReadOrders", Purpose.ORDERS)
        assert reserved == FIRST_GUESS
        limiter.answered("ReadOrders", reserved, Cost(requested=310, maximum=2000, available=90, rate=100))
        assert await limiter.reserve("ReadOrders", Purpose.ORDERS) == 310

    asyncio.run(story())
    assert clock.slept == [pytest.approx(2.2)]


def test_an_order_passes_a_waiting_poll() -> None:
    clock = StepClock()
    limiter = Limiter(clock, poll_head_room=0.5)

    async def story() -> None:
        reserved = await limiter.reserve("x", Purpose.ORDERS)
        limiter.answered("x", reserved, Cost(requested=10, maximum=2000, available=500, rate=100))
        assert await limiter.reserve("x", Purpose.ORDERS) == 10
        assert clock.slept == []
        await limiter.reserve("ChangedOrders", Purpose.POLL)

    asyncio.run(story())
    assert sum(clock.slept) == pytest.approx((1000 + FIRST_GUESS - 490) / 100)


def test_unused_points_go_back_and_lost_ones_stay_taken() -> None:
    clock = StepClock()
    limiter = Limiter(clock, poll_head_room=0.0)

    async def story() -> None:
        first = await limiter.reserve("x", Purpose.ORDERS)
        limiter.answered("x", first, Cost(requested=100, maximum=2000, available=100, rate=100))
        limiter.unused(await limiter.reserve("x", Purpose.ORDERS))
        limiter.lost(await limiter.reserve("x", Purpose.ORDERS))
        assert clock.slept == []
        await limiter.reserve("x", Purpose.ORDERS)

    asyncio.run(story())
    assert clock.slept == [pytest.approx(1.0)]


@pytest.mark.parametrize(("level", "left"), [(2000, 1.0), (500, 0.25), (0, 0.0), (-300, 0.0)])
def test_what_is_left_is_told_as_a_share(level: float, left: float) -> None:
    bucket = Bucket()
    bucket.learn(2000, level, 100, in_flight=0, now=50.0)

    assert bucket.left(50.0) == pytest.approx(left)
    assert bucket.left(1000.0) == 1.0, "it leaks back"
