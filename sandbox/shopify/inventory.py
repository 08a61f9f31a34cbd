"""A shop's stock: what orders take and give back, and what staff and apps write. All of it moves in one transaction.

A level that nobody ever counted is never short, as in a shop that was set up a minute ago. Assumed, because no source
says it: a cancellation without restocking takes the units off `on_hand`; a fulfilment that is cancelled puts them back;
`inventory_levels/update` is told when `available` moves, and not when a fulfilment lowers `on_hand` and `committed`.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sandbox.clock import Clock
from sandbox.shopify.inventory_books import InventoryBooks, Sale, SoldOut, Write, Wrote
from sandbox.shopify.levels import Level, Place
from sandbox.shopify.records import Line, Order
from sandbox.shopify.setup import ShopSetup, Variant

Why = Literal[
    "counted", "sold", "edited", "routed", "fulfilled", "unfulfilled", "cancelled", "refunded", "written", "by_hand"
]


@dataclass(frozen=True, slots=True)
class Moved:
    """A level moved; `before` is what had been for sale. `order` is 0 where no order moved it; `freed`: units that it
    held and holds no longer, whether they are for sale again or not.
    """

    level: Level
    why: Why
    before: int
    order: int = 0
    freed: int = 0


class NotEnough(Exception):
    """A purchase of more than is for sale, of a variant that does not sell what is not there."""

    def __init__(self, sku: str, units: int) -> None:
        super().__init__(f"sold out: {sku}, {units} wanted")
        self.sku, self.units = sku, units


class Inventory:
    """`orders` is the shop's own dictionary. `tell` is set by whoever delivers webhooks."""

    def __init__(
        self,
        setup: Callable[[], ShopSetup],
        locations: Callable[[], Iterable[int]],
        orders: Mapping[int, Order],
        clock: Clock,
        books: InventoryBooks,
    ) -> None:
        self._setup, self._locations, self._orders = setup, locations, orders
        self._clock, self.books = clock, books
        self.levels: dict[Place, Level] = {}
        self._known: list[Variant] = []
        self._by_number: dict[int, Variant] = {}
        """Of the variants as known when last asked: a catalogue may have ten thousands."""
        self.in_use = False
        """Whether anything was ever counted; until then orders leave no trace here."""
        self.tell: Callable[[Level], None] = lambda _level: None
        self.on_sale: list[Callable[[Sequence[Sale]], None]] = []
        """Told of all lines of an order together."""
        self.on_settle: list[Callable[[Order], None]] = []
        """Told when an order changed and before its levels move."""
        self.on_move: list[Callable[[Moved], None]] = []
        self.on_write: list[Callable[[Sequence[Wrote]], None]] = []
        """Told of applied writes of apps, also of those that left a figure as it was."""

    # --- what there is

    def variant(self, sku: str | None) -> Variant | None:
        """The first of several that share a SKU."""
        return next((one for one in self._setup().variants if sku is not None and one.sku == sku), None)

    def item(self, number: int) -> Variant | None:
        """The variant of an inventory item, whose number is the same here."""
        variants = self._setup().variants
        if self._known is not variants or len(self._by_number) != len(variants):
            self._known, self._by_number = variants, {one.id: one for one in variants}
        return self._by_number.get(number)

    def level(self, item: int, location: int) -> Level | None:
        """None where it is not stocked."""
        found = self.levels.get((item, location))
        variant = self.item(item)
        if found is None and variant is not None and location in variant.locations:
            found = self._at((item, location))
        return found

    def levels_of(self, item: int) -> list[Level]:
        variant = self.item(item)
        places = {location for one, location in self.levels if one == item} | (variant.locations if variant else set())
        return [self._at((item, location)) for location in sorted(places)]

    def available(self, sku: str, location: int) -> int:
        variant = self.variant(sku)
        level = None if variant is None else self.levels.get((variant.id, location))
        return 0 if level is None else level.available

    # --- people

    def stock(self, sku: str, location: int, available: int, **aside: int) -> Level:
        """From now on this item is counted here. `aside`: damaged, safety_stock and their like."""
        level = self._named(sku, location)
        self._begin()
        moved = {name: quantity - level.kept[name] for name, quantity in aside.items()}
        free = available - level.available + sum(moved.values())
        level.counted = True
        self._move(level, "counted", {**moved, "on_hand": free})
        return level

    def set_by_hand(self, sku: str, location: int, *, available: int | None = None, on_hand: int | None = None) -> None:
        """Staff type another figure, whatever stood there. Exactly one is given."""
        if (available is None) == (on_hand is None):
            raise ValueError("expected available or on_hand, found both or neither")
        level = self._named(sku, location)
        self._begin()
        level.counted = True
        name, to = ("available", available) if available is not None else ("on_hand", on_hand or 0)
        assert to is not None
        wrote = Wrote(level.item, location, sku, level.quantity(name), to)
        self._move(level, "by_hand", {"on_hand": wrote.to - wrote.was})
        self.books.writes.append(Write(self._clock.now(), "staff", name, (wrote,), "applied"))

    # --- orders

    def choose(self, wanted: Sequence[tuple[Line, int]]) -> dict[int, int]:
        """Where each line is taken from, by line id: all from the first place that has all, else each from the first
        that has it. Raises NotEnough when a line cannot be had, and books that.
        """
        places = [one for one in self._locations() if one not in self._setup().inactive | self._setup().offline]
        if not self.in_use:
            return dict.fromkeys((line.id for line, _ in wanted), next(iter(places), 0))
        for place in places:
            if self._have(place, wanted):
                return {line.id: place for line, _ in wanted}
        chosen: dict[int, int] = {}
        for line, units in wanted:
            before = [(one, n) for one, n in wanted if one.id in chosen]
            for place in places:
                here = [(one, n) for one, n in before if chosen[one.id] == place]
                if self._have(place, [*here, (line, units)]):
                    chosen[line.id] = place
                    break
            else:
                self.books.sold_out.append(SoldOut(self._clock.now(), str(line.sku), units))
                raise NotEnough(str(line.sku), units)
        return chosen

    def _have(self, location: int, wanted: Sequence[tuple[Line, int]]) -> bool:
        needed: Counter[int] = Counter()
        for line, units in wanted:
            for variant, each in self.parts(line):
                needed[variant.id] += units * each
        for item, units in needed.items():
            counted = [
                level for (one, _), level in self.levels.items() if one == item and level.counted and level.active
            ]
            here = next((level for level in counted if level.location == location), None)
            policy = next(one.policy for one in self._setup().variants if one.id == item)
            if counted and (here is None or (policy == "DENY" and here.available < units)):
                return False
        return True

    def parts(self, line: Line) -> Iterator[tuple[Variant, int]]:
        """The tracked items a unit of the line takes; of a bundle that Shopify itself computes, its components."""
        own = self.variant(line.sku)
        recipe = dict(line.kit) if own is not None and own.components else {line.sku: 1}
        if line.requires_shipping:
            for sku, each in recipe.items():
                variant = self.variant(sku)
                if variant is not None and variant.tracked:
                    yield variant, each

    def sold(self, order: Order, lines: Sequence[Line], why: Why = "sold") -> None:
        """These lines are new in the order: their units are committed."""
        if not self.in_use:
            return
        self.settle(order, why)
        now = self._clock.now()
        sales = [
            Sale(
                now, order.id, line.id, variant.id, self._place_of(order, line), variant.sku,
                line.current_quantity * each, variant.policy, why == "edited",
            )
            for line in lines
            for variant, each in self.parts(line)
        ]  # fmt: skip
        self.books.sales += sales
        for listener in self.on_sale:
            listener(sales)

    def settle(self, order: Order, why: Why, left: Sequence[tuple[Line, int, int]] = ()) -> None:
        """After an order changed: commit what is still to be sent, and take off `left` (line, units, location), or put
        it back where negative, in the same transaction.
        """
        if not self.in_use:
            return
        gone: Counter[Place] = Counter()
        for line, units, location in left:
            for variant, each in self.parts(line):
                gone[variant.id, location] += units * each
        now = self._committed(order)
        for listener in self.on_settle:
            listener(order)
        for place in sorted(now.keys() | order.committed.keys() | gone.keys()):
            level = self._at(place)
            more = now[place] - order.committed.get(place, 0)
            on_hand = -gone[place] if level.counted else more
            self._move(level, why, {"committed": more, "on_hand": on_hand}, order.id)
        order.committed = dict(now)

    def outstanding(self, order: Order) -> Iterator[tuple[Line, int, int]]:
        """Line, units and location of what is still to be sent; the first two again where it is split."""
        if order.cancelled_at is not None:
            return
        waiting = [line for line in order.lines if order.routed_at is None]
        for one in order.fulfillment_orders:
            if one.status not in ("CLOSED", "CANCELLED"):
                yield from ((held.line, held.remaining, one.location) for held in one.lines)
            waiting = [line for line in waiting if all(line is not held.line for held in one.lines)]
        for line in waiting:
            yield line, line.current_quantity, self._place_of(order, line)

    def _committed(self, order: Order) -> Counter[Place]:
        found: Counter[Place] = Counter()
        for line, units, location in self.outstanding(order):
            for variant, each in self.parts(line):
                found[variant.id, location] += units * each
        return found

    def _place_of(self, order: Order, line: Line) -> int:
        for one in order.fulfillment_orders:
            if any(held.line is line for held in one.lines):
                return one.location
        return order.takes_from.get(line.id) or next(iter(self._locations()), 0)

    # --- apps

    def write(self, name: str, wanted: Sequence[Wrote]) -> list[tuple[Wrote, int]]:
        """Set these, whatever stood there; what really moved, with its delta."""
        self._begin()
        moved = []
        for one in wanted:
            level = self._at((one.item, one.location))
            level.counted = level.active = True
            delta = one.to - level.quantity(name)
            self._move(level, "written", {"on_hand": delta})
            if delta:
                moved.append((one, delta))
        for listener in self.on_write:
            listener(wanted)
        return moved

    # --- inside

    def _begin(self) -> None:
        """Orders that are there already are committed too."""
        if not self.in_use:
            self.in_use = True
            for order in self._orders.values():
                self.settle(order, "counted")

    def _named(self, sku: str, location: int) -> Level:
        variant = self.variant(sku)
        if variant is None:
            raise ValueError(f"expected the SKU of a variant, found {sku!r}")
        return self._at((variant.id, location))

    def _at(self, place: Place) -> Level:
        if place not in self.levels:
            self.levels[place] = Level(*place, updated_at=self._clock.now())
        return self.levels[place]

    def _move(self, level: Level, why: Why, moved: Mapping[str, int], order: int = 0) -> None:
        if not any(moved.values()):
            return
        before = level.available
        if level.move(moved, self._clock.now()) and level.counted:
            self.tell(level)
        for listener in self.on_move:
            listener(Moved(level, why, before, order, max(0, -moved.get("committed", 0))))
