"""Carries the mishaps of a history out in a house, and keeps account of which struck and whom."""

import asyncio
from collections.abc import Callable, Mapping
from typing import assert_never

from kernel.log import LogError, LogUnavailable
from lockstep.demo.scenario import BRANDS
from lockstep.publishing import publish
from lockstep.simulation.history import Kind, Mishap
from lockstep.simulation.house import SESSION, START, House, Instance
from lockstep.simulation.people import Account, People
from lockstep.simulation.process import Point
from lockstep.simulation.stock_people import ends, happens
from lockstep.simulation.stocked import Stocked
from sandbox.erp.world import ErpWorld
from schemas.base import Brand, System
from schemas.config import BrandConfig
from schemas.mapping import ShippingRule

MAPPED = "new lines mapped"
STRIKES_AT_LEAST = 15.0
"""Seconds after which a process that never comes to the point in question is struck where it is."""
LINGERS = 0.7
"""Seconds a zombie works on until it learns that it is out of its group."""


class Mishaps:
    """Of one house. `run` returns when all have struck, or could not, and what passes has passed."""

    def __init__(self, house: House, mishaps: tuple[Mishap, ...], stocked: Stocked | None = None) -> None:
        """`stocked`: where stock is counted; without, what people do to it does not happen."""
        self._house, self._mishaps, self._stocked = house, mishaps, stocked
        self.account = Account()
        self._people = People(house, self.account)
        self._publishing = asyncio.Lock()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            for mishap in self._mishaps:
                tasks.create_task(self._strike(mishap))

    async def _strike(self, mishap: Mishap) -> None:
        await self._sleep(mishap.at)
        if await self._struck(mishap):
            self.account.struck[mishap.kind] += 1

    async def _struck(self, mishap: Mishap) -> bool:
        match mishap.kind:
            case Kind.KILL:
                return await self._kill(mishap)
            case Kind.PAUSE:
                return await self._pause(mishap)
            case Kind.JOIN:
                return await self._join(mishap)
            case Kind.LOG_AWAY | Kind.SEND_FAILS | Kind.ACK_LOST | Kind.POISON | Kind.CLOCK_SKEW:
                return await self._log(mishap)
            case Kind.CONFIG | Kind.UNMAPPED | Kind.STOP | Kind.OPERATOR:
                return await self._ourselves(mishap)
            case Kind.RIGHTS_LOST | Kind.SYSTEM_AWAY | Kind.PERIOD_CLOSED:
                return await self._outside(mishap)
            case Kind.DELETE_PENDING | Kind.SHORT_CLOSE | Kind.OVER_DESPATCH | Kind.UNDESPATCH:
                return await self._people.warehouse(mishap)
            case (
                Kind.HOLD
                | Kind.MOVE
                | Kind.SPLIT
                | Kind.CANCEL
                | Kind.ADD_LINE
                | Kind.READDRESS
                | Kind.CHOOSE
                | Kind.HAND_FULFILMENT
                | Kind.CANCEL_FULFILMENT
            ):
                return await self._people.staff(mishap)
            case (
                Kind.RECEIVED
                | Kind.RECEIVED_HELD
                | Kind.HELD
                | Kind.FOUND
                | Kind.LOST
                | Kind.TRANSFERRED
                | Kind.WHOLESALE
                | Kind.PUT_BACK
                | Kind.RAISED
                | Kind.LOWERED
                | Kind.BUFFER
            ):
                return self._stocked is not None and await self._stock(mishap, self._stocked)
            case never:
                assert_never(never)

    async def _sleep(self, seconds: float) -> None:
        await self._house.clock.sleep(seconds)

    # --- processes

    def _one_of(self, role: str) -> Instance | None:
        return next(iter(self._house.instances.get(role, ())), None)

    async def _at(self, instance: Instance, point: str, strike: Callable[[str], None]) -> bool:
        """Strike when the process comes to the point, or after a while wherever it is."""
        where = Point(point)
        struck = asyncio.Event()

        def now(what: str) -> None:
            if not struck.is_set():
                struck.set()
                strike(what)

        if where is Point.ANYWHERE:
            now("")
        else:
            instance.process.arm(where, now)
        waited = 0.0
        while not struck.is_set() and waited < STRIKES_AT_LEAST:
            if instance.process.dead:
                return False
            await self._sleep(0.5)
            waited += 0.5
        if not struck.is_set():
            instance.process.disarm(where)
            now("")
        else:
            self.account.struck[f"{where}"] += 1
        return True

    async def _kill(self, mishap: Mishap) -> bool:
        instance = self._one_of(mishap.whom)
        if instance is None or not await self._at(instance, mishap.point, lambda _: instance.process.die()):
            return False
        await self._house.end(instance)
        await self._sleep(mishap.seconds)
        self._house.start(mishap.whom)
        return True

    async def _pause(self, mishap: Mishap) -> bool:
        """A hiccup, or longer than the session: then another takes over and the one that wakes is a zombie."""
        instance = self._one_of(mishap.whom)
        if instance is None or instance.process.frozen:
            return False
        process = instance.process

        if not await self._at(instance, mishap.point, lambda _: process.freeze()):
            return False
        await self._sleep(min(mishap.seconds, SESSION))
        if mishap.seconds > SESSION and not process.dead:
            await self._overtaken(instance, mishap.seconds - SESSION)
        process.thaw()
        return True

    async def _overtaken(self, instance: Instance, seconds: float) -> None:
        process = instance.process
        self.account.struck["zombie"] += 1
        process.gone.set()
        for consumer in instance.log.consumers:
            await consumer.inner.expire()
        self._house.start(process.role)
        await self._sleep(seconds)
        process.thaw()
        await self._sleep(LINGERS)
        if process.dead:
            return
        process.gone.clear()
        for consumer in instance.log.consumers:
            await consumer.inner.rejoin()

    async def _join(self, mishap: Mishap) -> bool:
        instance = self._house.start(mishap.whom)
        await self._sleep(mishap.seconds)
        if instance in self._house.instances.get(mishap.whom, ()) and not instance.process.frozen:
            await self._house.leave(instance)
        return True

    # --- the log

    async def _log(self, mishap: Mishap) -> bool:
        house = self._house
        match mishap.kind:
            case Kind.LOG_AWAY:
                house.log.available = False
                await self._sleep(mishap.seconds)
                house.log.available = True
                house.log.wake()
            case Kind.SEND_FAILS:
                house.log.refuse(mishap.whom)
            case Kind.ACK_LOST:
                house.lost_acks[mishap.whom] += 1
            case Kind.POISON:
                await self._poison(mishap.whom)
            case _:
                house.skews[mishap.whom] = mishap.seconds
                for instance in house.instances.get(mishap.whom, ()):
                    instance.process.skew = mishap.seconds
        return True

    async def _poison(self, topic: str) -> None:
        producer = self._house.log.producer()
        while True:
            try:
                await producer.start()
                await (await producer.send(topic, key=b"acme/1", value=b"what nobody can read"))
            except LogUnavailable:
                await self._sleep(0.5)
            else:
                self.account.poisoned += 1
                return

    # --- our own people

    async def _ourselves(self, mishap: Mishap) -> bool:
        while not self._house.log.available:
            await self._sleep(0.5)
        match mishap.kind:
            case Kind.CONFIG:
                await self._configure(Brand(mishap.whom), lambda before: _retrying_after(before, 11))
                await self._sleep(mishap.seconds)
                await self._configure(Brand(mishap.whom), lambda before: _retrying_after(before, 15))
            case Kind.UNMAPPED:
                brand = next(one for one in BRANDS if one.brand == mishap.whom)
                last = brand.config(START).shipping[-1]
                await self._configure(brand.brand, lambda before: _without(before, last))
                await self._sleep(mishap.seconds)
                await self._configure(brand.brand, lambda before: _with(before, last))
            case Kind.STOP:
                system = System(mishap.point)
                await self._configure(Brand(mishap.whom), lambda _: {"paused": (system,)})
                await self._sleep(mishap.seconds)
                await self._configure(Brand(mishap.whom), lambda _: {"paused": ()})
            case _:
                return await self._people.operate(mishap)
        return True

    async def map_new_lines(self, after: float) -> None:
        """What the shops offer since today is mapped so many seconds from now."""
        await self._sleep(after)
        outside = self._house.outside
        for brand in outside.brands:
            at = outside.clock.now().isoformat()
            outside.mapped_at[brand.brand] = {code: at for _, code in brand.new_lines}
            await self._configure(brand.brand, lambda before, brand=brand: {"shipping": brand.mended(before).shipping})  # type: ignore[misc]  # mypy cannot infer a lambda with a default
        self.account.struck[MAPPED] += 1

    async def _configure(self, brand: Brand, change: Callable[[BrandConfig], Mapping[str, object]]) -> None:
        """Publish the brand's next version, changed in what `change` says of the newest one."""

        def changed(before: BrandConfig | None) -> BrandConfig:
            assert before is not None
            return before.model_copy(update={**change(before), "version": before.version + 1})

        async with self._publishing:  # two at once would both be the next version
            while True:
                try:
                    await publish(self._house.log, brand, changed)
                except LogError:
                    await self._sleep(0.5)
                else:
                    return

    # --- stock

    async def _stock(self, mishap: Mishap, stocked: Stocked) -> bool:
        brand = Brand(mishap.whom)
        if mishap.kind is Kind.BUFFER:
            buffered = {"buffer": mishap.units}
            await self._configure(brand, lambda before: {"stock": before.stock.model_copy(update=buffered)})
            stocked.buffers[brand] = mishap.units
            return True
        inventory = self._house.outside.shop(brand).inventory
        if not await self._people.when_possible(lambda: happens(stocked, inventory, mishap)):
            return False
        if mishap.seconds:
            await self._sleep(mishap.seconds)
            ends(stocked, mishap)
        return True

    # --- outside

    async def _outside(self, mishap: Mishap) -> bool:
        outside = self._house.outside
        match mishap.kind:
            case Kind.RIGHTS_LOST:
                outside.clarus.lose_rights(f"{mishap.whom}-api")
                await self._sleep(mishap.seconds)
                outside.clarus.restore_rights()
            case Kind.SYSTEM_AWAY:
                plans = {
                    System.SHOPIFY: outside.shopify.faults,
                    System.CLARUS: outside.clarus_faults,
                    System.ERP: outside.erp_faults,
                }
                plan = plans[System(mishap.whom)]
                plan.away = True
                await self._sleep(mishap.seconds)
                plan.away = False
            case _:
                erp = self._erp
                erp.close_period()
                await self._sleep(mishap.seconds)
                erp.open_period()
        return True

    @property
    def _erp(self) -> ErpWorld:
        assert self._house.outside.erp_world is not None
        return self._house.outside.erp_world


def _retrying_after(before: BrandConfig, seconds: int) -> Mapping[str, object]:
    return {"waits": before.waits.model_copy(update={"retry": seconds})}


def _without(before: BrandConfig, rule: ShippingRule) -> Mapping[str, object]:
    return {"shipping": tuple(one for one in before.shipping if one != rule)}


def _with(before: BrandConfig, rule: ShippingRule) -> Mapping[str, object]:
    """Beside whatever was mapped meanwhile."""
    return {"shipping": before.shipping if rule in before.shipping else (*before.shipping, rule)}
