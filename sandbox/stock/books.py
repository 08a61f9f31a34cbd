"""The joint books: at each sale, what was sold is held against what Clarus could still ship.

They look from outside at two worlds, and neither knows of them. What is sold beyond is *oversold*, unless a window (see
there) was open; a variant that sells what is not there, and a line that staff added to an order, are counted apart.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sandbox.clarus.books import Entry
from sandbox.clarus.stock import Movement
from sandbox.clarus.world import ClarusWorld
from sandbox.reads import Reads
from sandbox.shopify.inventory import Moved
from sandbox.shopify.inventory_books import Sale, Wrote
from sandbox.shopify.records import Order
from sandbox.shopify.shop import Shop
from sandbox.stock.ledger import Claim, Ledger, Spot, by_external_reference
from sandbox.stock.windows import Cause, Window, Windows

GIVEN_BACK: Mapping[str, Cause] = {
    "cancelled": "restock", "refunded": "restock", "edited": "restock", "routed": "moved", "by_hand": "hand_edit",
    "counted": "hand_edit", "unfulfilled": "hand_edit",
}  # fmt: skip
FELL: Mapping[str, Cause] = {"ADJDOWN": "adjusted", "HOLD": "held", "ACCTRAN": "transferred"}
OVERSOLD, BY_POLICY, BY_EDIT, AFTER_WRITE = "oversold", "by_policy", "by_edit", "after_write"
APART = (OVERSOLD, BY_POLICY, BY_EDIT, AFTER_WRITE)


@dataclass(frozen=True, slots=True)
class Beyond:
    """Units of one sale that could not be shipped. `why`: one of APART, or the cause of the window that was open."""

    at: datetime
    spot: Spot
    order: int
    sold: int
    units: int
    why: str
    shippable: int
    """After the sale."""

    def dump(self) -> dict[str, Any]:
        return {
            "at": self.at.isoformat(), "shop": self.spot.shop, "sku": self.spot.sku,
            "location": str(self.spot.location),
            "order": str(self.order), "sold": self.sold, "units": self.units, "why": self.why,
            "shippable": self.shippable,
        }  # fmt: skip


@dataclass(slots=True)
class _Unread:
    """What no write could know of yet. `left`: so many units of it were not offered when it came about."""

    window: Window
    left: int


class StockBooks:
    """Watches from its creation on; what is there already is counted in."""

    def __init__(
        self,
        shops: Iterable[Shop],
        clarus: ClarusWorld,
        spots: Iterable[Spot],
        claim: Claim = by_external_reference,
        *,
        known_within: float,
    ) -> None:
        """`known_within`: seconds from a reading until the last write decided without it has arrived: as long as a
        figure is held back until it rests, and a write is on its way.
        """
        self._shops = {shop.domain: shop for shop in shops}
        self._clarus, self._claim, self._known_within = clarus, claim, timedelta(seconds=known_within)
        self._ledger = Ledger(self._shops.values(), clarus, spots, claim)
        self._spots = {(spot.shop, self._item(spot), spot.location): spot for spot in self._ledger.spots}
        self.windows = Windows()
        self.beyond: list[Beyond] = []
        self.units_sold = 0
        self._was: dict[Spot, int] = {}
        """Shippable, as last looked at."""
        self._asked: dict[Spot, int] = {}
        """By how much less can be shipped since the last change of an order: a fulfilment that staff take back offers
        nothing more, and is to be sent once more.
        """
        self._unread: dict[Spot, list[_Unread]] = {}
        self._dirty: dict[tuple[str, str], tuple[datetime, Cause]] = {}
        """Tenant and product of what moved in Clarus since, when and why."""
        for shop in self._shops.values():
            for order in shop.orders.values():
                self._ledger.order(shop.domain, order)
            self._attend(shop)
        for number in clarus.goods_outs:
            self._ledger.goods_out(number)
        clarus.books.listen(self._on_entry)
        clarus.stock.listen(self._on_movement)
        for spot in self._ledger.spots:
            self._was[spot] = self._ledger.shippable(spot)
            self._open(spot, "at_start", clarus.clock.now(), self._excess(spot))

    def _attend(self, shop: Shop) -> None:
        inventory, domain = shop.inventory, shop.domain
        inventory.on_settle.append(lambda order: self._on_order(domain, order))
        inventory.on_move.append(lambda moved: self._on_move(domain, moved))
        inventory.on_sale.append(lambda sales: self._on_sales(domain, sales))
        inventory.on_write.append(lambda wrotes: self._on_write(domain, wrotes))

    # --- Shopify

    def _on_order(self, shop: str, order: Order) -> None:
        self._look()
        self._ledger.order(shop, order)
        for spot in self._ledger.spots:
            if spot.shop == shop:
                before, self._was[spot] = self._was[spot], self._ledger.shippable(spot)
                self._asked[spot] = before - self._was[spot]

    def _on_move(self, shop: str, moved: Moved) -> None:
        spot = self._spots.get((shop, moved.level.item, moved.level.location))
        if spot is None:
            return
        self._look()
        more, cause = moved.level.available - moved.before, GIVEN_BACK.get(moved.why)
        if moved.why == "unfulfilled":
            more = self._asked.pop(spot, 0)
        now = self._clarus.clock.now()
        if cause is not None and more > 0:
            self._open(spot, cause, now, more, moved.order)
        elif cause == "restock" and moved.freed:
            # Taken out of the shop and still to be shipped: a write that does not know of it offers it again.
            self._unread.setdefault(spot, []).append(_Unread(Window(spot, cause, now, 0, moved.order), moved.freed))
        self._agree(spot)

    def _on_sales(self, shop: str, sales: Sequence[Sale]) -> None:
        """All of one order, so that two lines of one item are one sale."""
        sold: dict[Spot, list[Sale]] = {}
        for sale in sales:
            if spot := self._spots.get((shop, sale.item, sale.location)):
                sold.setdefault(spot, []).append(sale)
        for spot, those in sold.items():
            units = sum(one.units for one in those)
            self.units_sold += units
            self._judge(spot, those[0], units)

    def _judge(self, spot: Spot, sale: Sale, units: int) -> None:
        left = self._ledger.shippable(spot)
        beyond = min(units, max(0, -left))

        def note(some: int, why: str) -> None:
            self.beyond.append(Beyond(sale.at, spot, sale.order, units, some, why, left))

        if beyond and sale.policy == "CONTINUE":
            note(beyond, BY_POLICY)
        elif beyond and sale.edited:
            note(beyond, BY_EDIT)
        elif beyond:
            for window, excused in self.windows.excuse(spot, beyond):
                note(excused, window.cause if window.ended_at is None else AFTER_WRITE)
                beyond -= excused
            if beyond:
                note(beyond, OVERSOLD)

    def _on_write(self, shop: str, wrotes: Sequence[Wrote]) -> None:
        now = self._clarus.clock.now()
        for wrote in wrotes:
            spot = self._spots.get((shop, wrote.item, wrote.location))
            if spot is None:
                continue
            for window in self.windows.opened(spot):
                window.first_write_at = window.first_write_at or now
            self._look()
            self._agree(spot)
            for window in self.windows.opened(spot):
                if self._could_know(window):
                    window.end(now, "write")
            self._on_its_way(spot, wrote.to - wrote.was)

    def _on_its_way(self, spot: Spot, more: int) -> None:
        """A write raised a figure by so much. What that makes too many because of something it could not know of is the
        doing of that, as far as that goes; it opens another window.
        """
        unknown = [one for one in self._unread.pop(spot, []) if not self._could_know(one.window)]
        beyond = min(more, self._excess(spot))
        for one in unknown:
            units = max(0, min(beyond, one.left))
            if units:
                window = one.window
                self.windows.open(Window(spot, window.cause, window.opened_at, units, window.order))
                one.left -= units
                beyond -= units
        if unknown:
            self._unread[spot] = unknown

    def _could_know(self, window: Window) -> bool:
        """Whether what opened it has been read since, and long enough ago; what staff typed unseen, a write's compare
        would refuse.
        """
        match window.cause:
            case "hand_edit":
                return True
            case "restock" | "moved":
                order = self._shops[window.spot.shop].orders.get(window.order)
                return order is None or self._known([order.reads], window.opened_at)
            case _:
                return self._known([one.reads for one in self._ledger.balances(window.spot)], window.opened_at)

    def _known(self, all_reads: Iterable[Reads], moment: datetime) -> bool:
        by = self._clarus.clock.now() - self._known_within
        return all((first := reads.first_since(moment)) is not None and first <= by for reads in all_reads)

    # --- Clarus

    def _on_entry(self, entry: Entry) -> None:
        found = self._clarus.goods_outs.get(entry.goods_out)
        theirs = set()
        if found is not None:
            theirs = {line.product.code for line in found.lines.values() if not self._claim(found, line)}
        for tenant, product in self._ledger.goods_out(entry.goods_out):
            self._mark(tenant, product, "wholesale" if product in theirs else "warehouse")

    def _on_movement(self, movement: Movement) -> None:
        if (made := movement.transaction) is not None:
            product = movement.balance.product
            self._mark(product.tenant, product.code, FELL.get(made.subtype, "warehouse"))

    def _mark(self, tenant: str, product: str, cause: Cause) -> None:
        """Look at it when all of what happens now has happened: goods leave the shelf before the books say so."""
        if not self._dirty:
            asyncio.get_running_loop().call_soon(self._look)
        known = self._dirty.get((tenant, product))
        if known is None or known[1] == "warehouse":
            self._dirty[tenant, product] = (self._clarus.clock.now(), cause)

    def _look(self) -> None:
        dirty, self._dirty = self._dirty, {}
        for (tenant, product), (at, cause) in dirty.items():
            for spot in self._ledger.spots:
                if (spot.tenant, spot.product) == (tenant, product):
                    before, now = self._was[spot], self._ledger.shippable(spot)
                    self._was[spot] = now
                    self._open(spot, cause, at, before - now)
                    self._agree(spot)

    # --- both

    def _item(self, spot: Spot) -> int:
        variant = self._shops[spot.shop].inventory.variant(spot.sku)
        if variant is None:
            raise ValueError(f"expected a variant of {spot.shop}, found {spot.sku!r}")
        return variant.id

    def _excess(self, spot: Spot) -> int:
        """Offered beyond what can be shipped."""
        return self._shops[spot.shop].inventory.available(spot.sku, spot.location) - self._ledger.shippable(spot)

    def _open(self, spot: Spot, cause: Cause, at: datetime, moved: int, order: int = 0) -> None:
        """`moved`: by how much more is offered, or less can be shipped, than before."""
        if moved <= 0:
            return
        window = Window(spot, cause, at, max(0, min(moved, self._excess(spot))), order)
        self._unread.setdefault(spot, []).append(_Unread(window, moved - window.units))
        if window.units:
            self.windows.open(window)

    def _agree(self, spot: Spot) -> None:
        if self._excess(spot) <= 0:
            self.windows.agreed(spot, self._clarus.clock.now())

    # --- the verdict

    @property
    def spots(self) -> Sequence[Spot]:
        """What is watched, in the order of `at_rest`."""
        return self._ledger.spots

    def at_rest(self) -> list[dict[str, Any]]:
        """Per spot, of now: `undersold` is before any buffer; units that left and were not told are offered later."""
        self._look()
        found = []
        for spot in self._ledger.spots:
            offered = self._shops[spot.shop].inventory.available(spot.sku, spot.location)
            can, untold = self._ledger.shippable(spot), self._ledger.untold(spot)
            found.append(
                {
                    "shop": spot.shop, "sku": spot.sku, "location": str(spot.location), "available": offered,
                    "shippable": can, "untold": untold, "undersold": max(0, can - untold - offered),
                    "beyond": max(0, offered - can),
                }
            )  # fmt: skip
        return found

    def longest(self) -> dict[str, float]:
        """Seconds that the longest window lasted, by cause; one that is open lasts until now."""
        now, lasted = self._clarus.clock.now(), dict[str, float]()
        for one in self.windows.all:
            seconds = ((one.ended_at or now) - one.opened_at).total_seconds()
            lasted[one.cause] = max(seconds, lasted.get(one.cause, 0.0))
        return dict(sorted(lasted.items()))

    def dump(self) -> dict[str, Any]:
        """`oversold` are units that nothing excuses; `window_oversold` those sold in a window, by cause; `after_write`
        those between the write that ended it and the moment the figures agreed.
        """
        self._look()
        units: Counter[str] = Counter()
        for one in self.beyond:
            units[one.why] += one.units
        return {
            "units_sold": self.units_sold,
            **{name: units[name] for name in APART},
            "window_oversold": {why: count for why, count in sorted(units.items()) if why not in APART},
            "longest_window": self.longest(),
            "beyond": [one.dump() for one in self.beyond],
            "windows": [one.dump() for one in self.windows.all],
            "at_rest": self.at_rest(),
        }
