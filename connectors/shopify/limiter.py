"""The cost bucket of a shop, kept locally and corrected by every answer.

Shopify charges queries in points: one leaky bucket per app and shop, the requested cost reserved before execution and
the unused part given back after (Admin API 2026-10, rate limits). The size and the rate depend on the shop's plan and
stand in every answer, so nothing about them is set here.
"""

import asyncio
from enum import StrEnum

from connectors.shopify.answers import Cost
from kernel.clock import Clock

FIRST_GUESS = 50.0
"""Points reserved for a kind of request that was never answered."""

WORTH_WAITING = 0.001
"""Seconds below which a wait is rounding."""


class Purpose(StrEnum):
    """What a request is for. Orders may drain the bucket; stock and polls leave head-room to them, lists to all."""

    ORDERS = "orders"
    STOCK = "stock"
    POLL = "poll"
    LISTS = "lists"


class Bucket:
    """The arithmetic: points as last told, less what we sent since, plus what leaked back. Times in seconds."""

    def __init__(self, maximum: float = 2000.0, rate: float = 100.0) -> None:
        """The smallest bucket seen (Standard plan) until the first answer tells the real one."""
        self._maximum, self._rate = maximum, rate
        self._points, self._at = maximum, 0.0
        self._not_before = 0.0

    def level(self, now: float) -> float:
        return min(self._maximum, self._points + self._rate * max(0.0, now - self._at))

    def left(self, now: float) -> float:
        """As a share of the whole, 0 to 1."""
        return min(1.0, max(0.0, self.level(now) / self._maximum)) if self._maximum > 0 else 0.0

    def wait(self, cost: float, share: float, now: float) -> float:
        """Seconds until `cost` may be taken with `share` of the bucket left over; 0 is now.

        A cost that could never be had beside the share waits for the full bucket instead of for ever.
        """
        needed = min(cost + share * self._maximum, self._maximum)
        lacking = needed - self.level(now)
        seconds = max(self._not_before - now, lacking / self._rate)
        return seconds if seconds > WORTH_WAITING else 0.0

    def take(self, cost: float, now: float) -> None:
        self._points, self._at = self.level(now) - cost, now

    def give_back(self, points: float, now: float) -> None:
        self._points, self._at = min(self._maximum, self.level(now) + points), now

    def learn(self, maximum: float, available: float, rate: float, in_flight: float, now: float) -> None:
        """What an answer told. Requests still out may not be in its figure yet: they are taken off."""
        self._maximum, self._rate = maximum, max(rate, 1.0)
        self._points, self._at = min(maximum, available - in_flight), now

    def pause(self, seconds: float, now: float) -> None:
        """Send nothing for so long."""
        self._not_before = max(self._not_before, now + seconds)


class Limiter:
    """Hands out the points of one shop. A reservation must end in `answered` or `lost`."""

    def __init__(self, clock: Clock, poll_head_room: float, lists_head_room: float = 0.6) -> None:
        self._clock = clock
        self._shares = {
            Purpose.ORDERS: 0.0,
            Purpose.STOCK: poll_head_room,
            Purpose.POLL: poll_head_room,
            Purpose.LISTS: lists_head_room,
        }
        self._turn = {purpose: asyncio.Lock() for purpose in Purpose}
        self._bucket = Bucket()
        self._costs: dict[str, float] = {}
        self._in_flight = 0.0

    async def reserve(self, kind: str, purpose: Purpose) -> float:
        """Wait for the last known cost of this kind of request and take it. First come, first served per purpose."""
        async with self._turn[purpose]:
            cost = self._costs.get(kind, FIRST_GUESS)
            while (seconds := self._bucket.wait(cost, self._shares[purpose], self._clock.monotonic())) > 0:
                await self._clock.sleep(seconds)
            self._bucket.take(cost, self._clock.monotonic())
            self._in_flight += cost
            return cost

    def answered(self, kind: str, reserved: float, cost: Cost | None) -> None:
        """An answer came; `cost` is what it told of itself and of the bucket."""
        self._in_flight -= reserved
        if cost is None:
            return
        self._costs[kind] = cost.requested
        self._bucket.learn(cost.maximum, cost.available, cost.rate, self._in_flight, self._clock.monotonic())

    def lost(self, reserved: float) -> None:
        """No answer came: the points stay taken until an answer tells better."""
        self._in_flight -= reserved

    def unused(self, reserved: float) -> None:
        """The request was never sent."""
        self._in_flight -= reserved
        self._bucket.give_back(reserved, self._clock.monotonic())

    @property
    def left(self) -> float:
        """The share of the bucket that is left now, 0 to 1; a guess until the first answer."""
        return self._bucket.left(self._clock.monotonic())

    def pause(self, seconds: float) -> None:
        """Shopify said to wait, whatever the bucket shows."""
        self._bucket.pause(seconds, self._clock.monotonic())
