"""Carries the mishaps of a history out in a house, and keeps account of which struck and whom."""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, assert_never

from lockstep.publishing import publish
from lockstep.simulation.history import Kind, Mishap
from lockstep.simulation.house import SESSION, House, Instance
from lockstep.simulation.process import Point
from sandbox.clarus.records import GoodsOut, Status
from sandbox.clarus.refusals import Refused
from sandbox.erp.world import ErpWorld
from sandbox.shopify.records import FulfillmentOrder, Order
from sandbox.shopify.shop import Refusal, Shop
from schemas.actions import OperatorAction
from schemas.base import Brand, OrderId, System, order_key
from schemas.cases import CaseCode
from schemas.references import read_reference
from schemas.topics import OPERATOR_ACTIONS

PATIENCE = 60.0
"""Seconds a mishap waits for the moment at which it is possible."""
STRIKES_AT_LEAST = 15.0
"""Seconds after which a process that never comes to the point in question is struck where it is."""
LINGERS = 0.7
"""Seconds a zombie works on until it learns that it is out of its group."""

Key = tuple[Brand, OrderId]


@dataclass
class Account:
    """What struck. `orders`: what people did to an order."""

    struck: Counter[str] = field(default_factory=Counter)
    orders: dict[Key, set[str]] = field(default_factory=dict)
    zombies: set[str] = field(default_factory=set)
    """Roles of which one stood still past its session and woke."""

    def touched(self, brand: Brand, order: OrderId, what: str) -> None:
        self.orders.setdefault((brand, order), set()).add(what)


class Mishaps:
    """Of one house. `run` returns when all have struck, or could not, and what passes has passed."""

    def __init__(self, house: House, mishaps: tuple[Mishap, ...]) -> None:
        self._house, self._mishaps = house, mishaps
        self.account = Account()
        self._lacking: dict[Key, str] = {}
        """References of goods-outs that will not leave, or not whole."""

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
            case Kind.CONFIG | Kind.STOP | Kind.OPERATOR:
                return await self._people(mishap)
            case Kind.RIGHTS_LOST | Kind.SYSTEM_AWAY | Kind.PERIOD_CLOSED:
                return await self._outside(mishap)
            case Kind.DELETE_PENDING | Kind.SHORT_CLOSE | Kind.OVER_DESPATCH | Kind.UNDESPATCH:
                return await self._warehouse(mishap)
            case (
                Kind.HOLD
                | Kind.MOVE
                | Kind.SPLIT
                | Kind.CANCEL
                | Kind.ADD_LINE
                | Kind.HAND_FULFILMENT
                | Kind.CANCEL_FULFILMENT
            ):
                return await self._staff(mishap)
            case never:
                assert_never(never)

    async def _sleep(self, seconds: float) -> None:
        await self._house.clock.sleep(seconds)

    async def _when_possible(self, what: Callable[[], bool]) -> bool:
        """Try it every second until it has been done."""
        for _ in range(round(PATIENCE)):
            try:
                if what():
                    return True
            except (Refused, Refusal):
                pass  # not in this state; perhaps in the next
            await self._sleep(1.0)
        return False

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
        self.account.zombies.add(process.role)
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
                while not house.log.available:
                    await self._sleep(0.5)
                producer = house.log.producer()
                await producer.start()
                await (await producer.send(mishap.whom, key=b"acme/1", value=b"what nobody can read"))
            case _:
                house.skews[mishap.whom] = mishap.seconds
                for instance in house.instances.get(mishap.whom, ()):
                    instance.process.skew = mishap.seconds
        return True

    # --- our own people

    async def _people(self, mishap: Mishap) -> bool:
        while not self._house.log.available:
            await self._sleep(0.5)
        match mishap.kind:
            case Kind.CONFIG:
                await self._configure(Brand(mishap.whom), {"waits_retry": 11})
                await self._sleep(mishap.seconds)
                await self._configure(Brand(mishap.whom), {"waits_retry": 15})
            case Kind.STOP:
                await self._configure(Brand(mishap.whom), {"paused": (System(mishap.point),)})
                await self._sleep(mishap.seconds)
                await self._configure(Brand(mishap.whom), {"paused": ()})
            case _:
                return await self._operate(mishap)
        return True

    async def _configure(self, brand: Brand, change: dict[str, Any]) -> None:
        while not self._house.log.available:
            await self._sleep(0.5)
        retry = change.pop("waits_retry", None)

        def changed(config: Any) -> Any:
            waits = config.waits if retry is None else config.waits.model_copy(update={"retry": retry})
            return config.model_copy(update={**change, "waits": waits, "version": config.version + 1})

        await publish(self._house.log, brand, changed)

    async def _operate(self, mishap: Mishap) -> bool:
        found = self._order(mishap.order)
        if found is None:
            return False
        brand, _, order = found
        target = ""
        if mishap.point == "release_again":
            lacking = self._lacking.get((brand, OrderId(str(order.id))))
            if lacking is None:
                return False
            target = lacking
        if mishap.point == "close":
            target = CaseCode.NOT_DESPATCHED
        action = OperatorAction(
            brand=brand,
            order=OrderId(str(order.id)),
            action=mishap.point,
            target=target,
            who="simulation",
            why="to see what happens",
            at=self._house.clock.now(),
        )
        producer = self._house.log.producer()
        await producer.start()
        await (
            await producer.send(
                OPERATOR_ACTIONS.name,
                key=order_key(brand, action.order).encode(),
                value=action.model_dump_json().encode(),
            )
        )
        if target and mishap.point == "release_again":
            self.account.touched(brand, action.order, "release again")
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

    def _order(self, number: int) -> tuple[Brand, Shop, Order] | None:
        """The order placed as that number over all shops; None when it is not there, or planted."""
        brands = self._house.outside.brands
        brand = brands[number % len(brands)]
        orders = list(self._house.outside.shop(brand.brand).orders.values())
        place = number // len(brands)
        if place >= len(orders) or orders[place].planted:
            return None
        return brand.brand, self._house.outside.shop(brand.brand), orders[place]

    def _goods_outs_of(self, brand: Brand, order: int) -> list[GoodsOut]:
        found = []
        for one in self._house.outside.clarus.goods_outs.values():
            read = read_reference(one.reference)
            if one.tenant == brand and read is not None and read[1] == str(order):
                found.append(one)
        return found

    # --- the warehouse

    async def _warehouse(self, mishap: Mishap) -> bool:
        done: list[GoodsOut] = []

        def do() -> bool:
            found = self._order(mishap.order)
            if found is None:
                return False
            brand, _, order = found
            for one in self._goods_outs_of(brand, order.id):
                if self._happens(mishap.kind, one):
                    done.append(one)
                    self.account.touched(brand, OrderId(str(order.id)), mishap.kind)
                    if mishap.kind in (Kind.DELETE_PENDING, Kind.SHORT_CLOSE):
                        self._lacking[brand, OrderId(str(order.id))] = one.reference
                    return True
            return False

        if not await self._when_possible(do):
            return False
        if mishap.kind is Kind.UNDESPATCH:
            await self._sleep(mishap.seconds)
            self._house.outside.clarus.despatch(done[0].id)
        return True

    def _happens(self, kind: Kind, one: GoodsOut) -> bool:
        clarus = self._house.outside.clarus
        match kind:
            case Kind.DELETE_PENDING if one.status.untouched:
                clarus.delete_by_hand(one.id)
            case Kind.SHORT_CLOSE if one.status is Status.PICK and sum(line.owed for line in one.lines.values()) > 1:
                line = next(line for line in one.lines.values() if line.owed)
                clarus.despatch(one.id, {line.id: Decimal(1)})
                clarus.close_short(one.id)
            case Kind.OVER_DESPATCH if one.status is Status.PICK:
                first = next(iter(one.lines))
                clarus.despatch(one.id, {line.id: line.owed + (line.id == first) for line in one.lines.values()})
            case Kind.UNDESPATCH if one.status is Status.COMPLETED and not any(
                line.shorted for line in one.lines.values()
            ):
                clarus.undespatch(one.id)
            case _:
                return False
        return True

    # --- the shop's staff

    async def _staff(self, mishap: Mishap) -> bool:
        later: list[Coroutine[Any, Any, None]] = []

        def do() -> bool:
            found = self._order(mishap.order)
            if found is None or found[2].cancelled_at is not None:
                return False
            brand, shop, order = found
            afterwards = self._edited(mishap, shop, order)
            if afterwards is None:
                return False
            later.extend(afterwards)
            self.account.touched(brand, OrderId(str(order.id)), mishap.kind)
            return True

        if not await self._when_possible(do):
            return False
        for one in later:
            await one
        return True

    def _edited(self, mishap: Mishap, shop: Shop, order: Order) -> list[Coroutine[Any, Any, None]] | None:
        """What is still to be done afterwards; None: this was not the moment."""
        if mishap.kind is Kind.CANCEL:
            shop.cancel(order)
            return []
        if mishap.kind is Kind.CANCEL_FULFILMENT:
            told = [one for one in order.fulfillments if one.status == "SUCCESS"]
            if not told:
                return None
            shop.cancel_fulfillment(order, told[0].id)
            return []
        open_ones = [one for one in order.fulfillment_orders if one.status == "OPEN" and _left(one)]
        if not open_ones:
            return None
        one = open_ones[0]
        match mishap.kind:
            case Kind.HOLD:
                first = [line.line.id for line in one.lines[:1]]
                shop.hold(order, one.id, first)
                return [self._release(shop, order, one, mishap.seconds)]
            case Kind.MOVE:
                others = [place for place in shop.locations if place not in (one.location, 99)]
                if not others:
                    return None
                shop.move(order, one.id, others[0])
            case Kind.SPLIT:
                line = next((line for line in one.lines if line.remaining > 1), None)
                if line is None:
                    return None
                shop.split(order, one.id, {line.line.id: 1})
            case Kind.ADD_LINE:
                sku = next(str(line.sku) for line in order.lines)
                shop.add_line(order, sku, 1, one.location)
            case _:
                lines = {line.id: line.remaining for line in one.lines if line.remaining}
                shop.fulfil(order, {one.id: lines}, {}, notify=False)
        return []

    async def _release(self, shop: Shop, order: Order, one: FulfillmentOrder, seconds: float) -> None:
        await self._sleep(seconds)
        if one.status == "ON_HOLD":
            shop.release_hold(order, one.id)


def _left(one: FulfillmentOrder) -> int:
    return sum(line.remaining for line in one.lines)
