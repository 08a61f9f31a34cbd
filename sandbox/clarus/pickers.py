"""People on the floor, by seeded chance: they allocate, pick, pack and despatch what the office was asked for."""

import asyncio
from dataclasses import dataclass
from decimal import Decimal
from random import Random

from sandbox.clarus.office import Event
from sandbox.clarus.records import GoodsOut, Status
from sandbox.clarus.refusals import Refused, Symbol
from sandbox.clarus.world import ClarusWorld
from sandbox.faults import Chance

Seconds = tuple[float, float]
"""From, to; drawn evenly."""


@dataclass(frozen=True, slots=True)
class PickerSettings:
    """Shares are probabilities per goods-out; seconds lie between one step and the next."""

    until_allocated: Seconds = (1.0, 5.0)
    until_picking: Seconds = (1.0, 5.0)
    while_picking: Seconds = (2.0, 10.0)
    until_despatched: Seconds = (1.0, 5.0)
    partial: float = 0.1
    """Some units leave now, the others in a second parcel later."""
    until_rest: Seconds = (5.0, 30.0)
    short: float = 0.0
    """Some units are not found: the rest leaves, then the goods-out is closed short."""
    two_packages: float = 0.2
    tracking_late: float = 0.05
    until_tracking: Seconds = (5.0, 60.0)


class Pickers:
    """One task per goods-out in hand, on the world's clock; what it meets depends on its id and the seed alone."""

    def __init__(self, world: ClarusWorld, chance: Chance, settings: PickerSettings | None = None) -> None:
        self._world = world
        self._chance = chance
        self._settings = settings or PickerSettings()
        self._in_hand: set[int] = set()
        self._tasks: asyncio.TaskGroup | None = None
        world.listen(self._on)

    async def run(self) -> None:
        """Works until cancelled; first at what lies there, then at what comes."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            try:
                for number in list(self._world.goods_outs):
                    self._take(number)
                await asyncio.Event().wait()
            finally:
                self._tasks = None
                self._in_hand.clear()

    def _on(self, event: Event) -> None:
        if event.name == "created":
            self._take(event.goods_out.id)

    def _take(self, number: int) -> None:
        if self._tasks is not None and number not in self._in_hand:
            self._in_hand.add(number)
            self._tasks.create_task(self._work(number))

    async def _work(self, number: int) -> None:
        """To its end, or until somebody cancels, deletes or closes it on the way."""
        draw = self._chance.of(f"pickers/{number}")
        try:
            await self._allocate(number, draw)
            await self._pick(number, draw)
            await self._despatch(number, draw)
        except Refused:
            return
        finally:
            self._in_hand.discard(number)

    async def _allocate(self, number: int, draw: Random) -> None:
        """Until all of it is, however long the stock takes to come; somebody else may be first."""
        while self._world.goods_out(number).status in (Status.DRAFT, Status.PENDING, Status.PART_ALLOCATED):
            await self._wait(draw, self._settings.until_allocated)
            if self._world.goods_out(number).status in (Status.PENDING, Status.PART_ALLOCATED):
                try:
                    self._world.allocate(number)
                except Refused as why:
                    if why.symbols != (Symbol.NOT_ENOUGH_STOCK,):
                        raise

    async def _pick(self, number: int, draw: Random) -> None:
        await self._wait(draw, self._settings.until_picking)
        if self._world.goods_out(number).status is Status.ALLOCATED:
            self._world.start_picking(number)
        await self._wait(draw, self._settings.while_picking)
        self._world.pick(number)

    async def _despatch(self, number: int, draw: Random) -> None:
        await self._wait(draw, self._settings.until_despatched)
        goods_out = self._world.goods_out(number)
        part = _part(goods_out, draw)
        if part and draw.random() < self._settings.short:
            self._send(number, part, draw)
            self._world.close_short(number)
        elif part and draw.random() < self._settings.partial:
            self._send(number, part, draw)
            await self._wait(draw, self._settings.until_rest)
            self._send(number, None, draw)
        else:
            self._send(number, None, draw)

    def _send(self, number: int, units: dict[int, Decimal] | None, draw: Random) -> None:
        count = 2 if draw.random() < self._settings.two_packages else 1
        numbers = [f"SBX{draw.randrange(10**12):012d}" for _ in range(count)]
        if draw.random() < self._settings.tracking_late:
            shipment = self._world.despatch(number, units, [""] * count)
            delay = draw.uniform(*self._settings.until_tracking)
            packages = [package.id for package in shipment.packages]
            self._world.errands.start(self._track(dict(zip(packages, numbers, strict=True)), delay))
        else:
            self._world.despatch(number, units, numbers)

    async def _track(self, numbers: dict[int, str], delay: float) -> None:
        await self._world.clock.sleep(delay)
        for package, number in numbers.items():
            if package in self._world.packages:
                self._world.set_tracking(package, number)

    async def _wait(self, draw: Random, seconds: Seconds) -> None:
        await self._world.clock.sleep(draw.uniform(*seconds))


def _part(goods_out: GoodsOut, draw: Random) -> dict[int, Decimal]:
    """Some of the units owed, never all of them; empty when there is only one."""
    lines = [line for line in goods_out.lines.values() if line.owed]
    owed = sum(int(line.owed) for line in lines)
    if owed < 2:
        return {}
    left = draw.randrange(1, owed)
    part: dict[int, Decimal] = {}
    for line in lines:
        taken = min(left, int(line.owed))
        if taken:
            part[line.id] = Decimal(taken)
        left -= taken
    return part
