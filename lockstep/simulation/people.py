"""What people do to orders: the shop's staff edit them, the warehouse has its accidents, operators act."""

from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from lockstep.simulation.history import Kind, Mishap
from lockstep.simulation.house import House
from sandbox.clarus.records import GoodsOut, Status
from sandbox.clarus.refusals import Refused
from sandbox.shopify.records import FulfillmentOrder, Order
from sandbox.shopify.shop import Refusal, Shop
from schemas.actions import OperatorAction
from schemas.base import Brand, OrderId, order_key
from schemas.cases import CaseCode
from schemas.references import read_reference
from schemas.topics import OPERATOR_ACTIONS

PATIENCE = 60.0
"""Seconds a mishap waits for the moment at which it is possible."""

OVERRIDE = "override"
"""An operator let the order go although the shopper could still change it."""

Key = tuple[Brand, OrderId]


@dataclass
class Account:
    """What struck. `orders`: what people did to an order."""

    struck: Counter[str] = field(default_factory=Counter)
    orders: dict[Key, set[str]] = field(default_factory=dict)
    by_hand: set[str] = field(default_factory=set)
    """Ids of fulfilments that the shop's staff made."""
    poisoned: int = 0

    def touched(self, brand: Brand, order: OrderId, what: str) -> None:
        self.orders.setdefault((brand, order), set()).add(what)


class People:
    """Of one house. Every method returns whether it was done."""

    def __init__(self, house: House, account: Account) -> None:
        self._house, self._account = house, account
        self._lacking: dict[Key, str] = {}
        """References of goods-outs that will not leave, or not whole."""

    async def operate(self, mishap: Mishap) -> bool:
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
        if mishap.point == "override":
            target = CaseCode.EDIT_WINDOW
            self._account.touched(brand, OrderId(str(order.id)), OVERRIDE)
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
            self._account.touched(brand, action.order, "release again")
        return True

    async def when_possible(self, what: Callable[[], bool]) -> bool:
        """Try it every second until it has been done."""
        for _ in range(round(PATIENCE)):
            try:
                if what():
                    return True
            except (Refused, Refusal):
                pass  # not in this state; perhaps in the next
            await self._house.clock.sleep(1.0)
        return False

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

    async def warehouse(self, mishap: Mishap) -> bool:
        done: list[GoodsOut] = []

        def do() -> bool:
            found = self._order(mishap.order)
            if found is None:
                return False
            brand, _, order = found
            for one in self._goods_outs_of(brand, order.id):
                if self._happens(mishap.kind, one):
                    done.append(one)
                    self._account.touched(brand, OrderId(str(order.id)), mishap.kind)
                    if mishap.kind in (Kind.DELETE_PENDING, Kind.SHORT_CLOSE):
                        self._lacking[brand, OrderId(str(order.id))] = one.reference
                    return True
            return False

        if not await self.when_possible(do):
            return False
        if mishap.kind is Kind.UNDESPATCH:
            await self._house.clock.sleep(mishap.seconds)
            self._leaves_again(done[0].id)
        return True

    def _leaves_again(self, number: int) -> None:
        with suppress(Refused):  # a picker was quicker
            self._house.outside.clarus.despatch(number)

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

    async def staff(self, mishap: Mishap) -> bool:
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
            self._account.touched(brand, OrderId(str(order.id)), mishap.kind)
            return True

        if not await self.when_possible(do):
            return False
        for one in later:
            await one
        return True

    def _edited(  # noqa: PLR0912 - a case per kind
        self, mishap: Mishap, shop: Shop, order: Order
    ) -> list[Coroutine[Any, Any, None]] | None:
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
        if mishap.kind is Kind.CHOOSE:
            brand = next(one for one in self._house.outside.brands if self._house.outside.shop(one.brand) is shop)
            offered = [line for line in brand.shipping if line != (order.shipping_title, order.shipping_code)]
            shop.choose(order, *offered[mishap.order % len(offered)])
            return []
        open_ones = [
            one for one in order.fulfillment_orders if one.status == "OPEN" and one.method == "SHIPPING" and _left(one)
        ]
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
            case Kind.READDRESS:
                if order.address is None:
                    return None
                shop.complete(order, address=replace(order.address, address1=f"{order.address.address1}, rear"))
            case Kind.ADD_LINE:
                sku = next(str(line.sku) for line in order.lines)
                shop.add_line(order, sku, 1, one.location)
            case _:
                lines = {line.id: line.remaining for line in one.lines if line.remaining}
                made = shop.fulfil(order, {one.id: lines}, {}, notify=False)
                self._account.by_hand.add(str(made.id))
        return []

    async def _release(self, shop: Shop, order: Order, one: FulfillmentOrder, seconds: float) -> None:
        await self._house.clock.sleep(seconds)
        if one.status == "ON_HOLD":
            shop.release_hold(order, one.id)


def _left(one: FulfillmentOrder) -> int:
    return sum(line.remaining for line in one.lines)
