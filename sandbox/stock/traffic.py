"""Hands on stock, by seeded chance: the warehouse's (goods in, holds, corrections, wholesale) and the shop's staff.

Each acts on its own stream of chance, on the sandbox's clock, so that a seed makes the same day again whatever else
draws.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from sandbox.clarus.records import Status
from sandbox.clarus.storekeeper import Storekeeper
from sandbox.clock import Clock
from sandbox.faults import Chance
from sandbox.shopify.records import Order
from sandbox.shopify.shop import Refusal, Shop
from sandbox.stock.books import StockBooks
from sandbox.stock.ledger import Spot

Seconds = tuple[float, float]
"""From, to; drawn evenly."""


@dataclass(frozen=True, slots=True)
class WarehouseHabits:
    """`shares` weigh what is done next; units are drawn from one to `most`."""

    every: Seconds = (2.0, 10.0)
    most: int = 5
    shares: Mapping[str, float] = field(
        default_factory=lambda: {
            "receive": 3, "receive_held": 1, "hold": 1, "release": 1, "found": 1, "lost": 1, "wholesale": 2,
            "put_back": 1,
        }
    )  # fmt: skip


@dataclass
class WarehouseHand:
    """One person in the warehouses of `keepers`, each with the products it keeps."""

    keepers: Sequence[tuple[Storekeeper, Sequence[str]]]
    chance: Chance
    habits: WarehouseHabits = field(default_factory=WarehouseHabits)
    name: str = "stock/warehouse"
    done: Counter[str] = field(default_factory=Counter)
    """How often what was done; `nothing` where it was not possible."""
    _orders: int = 0

    async def run(self, clock: Clock, count: int) -> None:
        """So many turns, one after the other."""
        draw = self.chance.of(self.name)
        for _ in range(count):
            await clock.sleep(draw.uniform(*self.habits.every))
            self.act(draw)

    def act(self, draw: Random) -> None:
        keeper, skus = draw.choice(self.keepers)
        sku, units = draw.choice(skus), draw.randint(1, self.habits.most)
        what = draw.choices(list(self.habits.shares), list(self.habits.shares.values()))[0]
        try:
            self._do(what, keeper, sku, units)
            self.done[what] += 1
        except ValueError:
            self.done["nothing"] += 1

    def _do(self, what: str, keeper: Storekeeper, sku: str, units: int) -> None:
        match what:
            case "receive":
                keeper.receive(sku, units)
            case "receive_held":
                keeper.receive(sku, units, held=True)
            case "hold":
                keeper.hold(sku, units)
            case "release":
                keeper.release(sku, units)
            case "found":
                keeper.adjust(sku, units)
            case "lost":
                if keeper.balance(sku).available < units:
                    raise ValueError(f"expected {units} free units of {sku} to lose")
                keeper.adjust(sku, -units)
            case "wholesale":
                self._orders += 1
                keeper.wholesale(f"WHOLESALE-{self._orders}", {sku: units})
            case "put_back":
                put_back(keeper)
            case _:
                raise LookupError(f"expected one of {sorted(WarehouseHabits().shares)}, found {what!r}")


def put_back(keeper: Storekeeper) -> None:
    """Empty the totes of goods-outs that will never leave. Raises ValueError when there are none."""
    if not _emptied(keeper):
        raise ValueError("expected totes of a goods-out that has ended, found none")


def _emptied(keeper: Storekeeper) -> bool:
    world = keeper.world
    waiting = [
        one.id
        for one in world.goods_outs.values()
        if one.tenant == keeper.tenant
        and one.status in (Status.CANCELLED, Status.COMPLETED)
        and any(line.picked > line.despatched for line in one.lines.values())
    ]
    for number in waiting:
        world.put_back(number)
    return bool(waiting)


@dataclass(frozen=True, slots=True)
class StaffHabits:
    """`shares` weigh what is done next. `return` lowers what an order still asks for, and needs a flow that refunds."""

    every: Seconds = (5.0, 20.0)
    most: int = 3
    shares: Mapping[str, float] = field(default_factory=lambda: {"raise": 1, "lower": 1, "cancel": 1, "return": 0})


def make_up(books: StockBooks, keeper_of: Callable[[Spot], Storekeeper]) -> None:
    """Totes are emptied at last, and what was sold in a window, or promised to another channel, and does not lie there
    comes in.
    """
    for spot in books.spots:
        _emptied(keeper_of(spot))
    for one, spot in zip(books.at_rest(), books.spots, strict=True):
        if one["shippable"] < 0:
            keeper_of(spot).receive(spot.product, -one["shippable"])


@dataclass
class ShopHand:
    """One person in the shop's admin, at the figures of `places` (SKU, location) and at its orders."""

    shop: Shop
    places: Sequence[tuple[str, int]]
    chance: Chance
    habits: StaffHabits = field(default_factory=StaffHabits)
    done: Counter[str] = field(default_factory=Counter)

    async def run(self, clock: Clock, count: int) -> None:
        """So many turns, one after the other."""
        draw = self.chance.of(f"stock/staff/{self.shop.domain}")
        for _ in range(count):
            await clock.sleep(draw.uniform(*self.habits.every))
            self.act(draw)

    def act(self, draw: Random) -> None:
        (sku, location), units = draw.choice(self.places), draw.randint(1, self.habits.most)
        what = draw.choices(list(self.habits.shares), list(self.habits.shares.values()))[0]
        offered = self.shop.inventory.available(sku, location)
        try:
            match what:
                case "raise":
                    self.shop.inventory.set_by_hand(sku, location, available=offered + units)
                case "lower":
                    self.shop.inventory.set_by_hand(sku, location, available=max(0, offered - units))
                case "cancel":
                    order = self._order(draw, lambda one: one.cancelled_at is None and not one.fulfillments)
                    self.shop.cancel(order, restock=draw.random() < 0.8)
                case _:
                    order = self._order(draw, lambda one: bool(one.fulfillments) and one.lines[0].current_quantity > 0)
                    self.shop.take_back(order, order.lines[0], 1, location)
            self.done[what] += 1
        except (LookupError, Refusal):
            self.done["nothing"] += 1

    def _order(self, draw: Random, fits: Callable[[Order], bool]) -> Order:
        """Raises LookupError when none fits."""
        found = [one for one in self.shop.orders.values() if fits(one) and not one.planted]
        if not found:
            raise LookupError("no order for it")
        return draw.choice(found)
