"""The sandbox ERP's books and the rules by which they change."""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sandbox.clock import Clock
from sandbox.erp.checks import Refused, checked_content, checked_order
from sandbox.erp.items import ItemMaster
from sandbox.erp.records import (
    Fulfilment,
    FulfilmentState,
    OrderState,
    SalesOrder,
    books_json,
)
from sandbox.erp.setup import ErpSetup


@dataclass(frozen=True, slots=True)
class ErpTimings:
    """How slow the ERP's own work is."""

    commit_delay: timedelta = timedelta(seconds=1)
    """From an order's entry to its approval."""
    posting_delay: timedelta = timedelta(seconds=5)
    """From a fulfilment's entry to the posting run that takes it."""


class ErpWorld:
    """Sales orders of several shops and what was shipped against them.

    Time passes by being looked at: every call first does what fell due until now, in the order it fell due, and stamps
    it with the moment it was due. So the world needs no task of its own and runs the same on virtual time.

    A caller must not assume that an accepted write is *committed* or *posted*: that is the ERP's own, later, doing.
    """

    def __init__(
        self,
        clock: Clock,
        shop_keys: Mapping[str, str],
        skus: Sequence[str] | None = None,
        timings: ErpTimings | None = None,
    ) -> None:
        """`shop_keys`: the key of each shop, a brand's company here. `skus`: the item master, None accepts any."""
        self.clock = clock
        self.timings = timings or ErpTimings()
        self._shop_of_key = {key: shop for shop, key in shop_keys.items()}
        self.items = None if skus is None else ItemMaster(skus)
        self.setup = ErpSetup()
        self._orders: dict[tuple[str, str], SalesOrder] = {}
        """In the order of their newest change."""
        self._due: list[tuple[datetime, int, SalesOrder, Fulfilment | None]] = []
        self._held: set[tuple[str, str]] = set()
        self._period_closed = False
        self._changes = 0
        self._numbers = 0
        self._entries = 0

    # What callers of the API do

    def shop_of(self, bearer: str) -> str | None:
        """The shop whose key this is; None for an unknown key."""
        return self._shop_of_key.get(bearer)

    def order(self, shop: str, key: str) -> SalesOrder:
        """The order under this key. Raises Refused 404."""
        self._settle()
        order = self._orders.get((shop, key))
        if order is None:
            raise Refused(404, "not_found", f"no sales order {key!r}")
        return order

    def orders(self, shop: str, keys: Sequence[str]) -> list[SalesOrder]:
        """Those of the orders that exist, in the order asked for."""
        self._settle()
        return [self._orders[shop, key] for key in keys if (shop, key) in self._orders]

    def changes(self, shop: str, after: int, since: datetime | None, limit: int) -> list[SalesOrder]:
        """Orders whose newest change is numbered above `after` and not before `since`, oldest change first."""
        self._settle()
        found: list[SalesOrder] = []
        for order in reversed(self._orders.values()):
            if order.change <= after or (
                since is not None and order.changed_at is not None and order.changed_at < since
            ):
                break
            if order.shop == shop:
                found.append(order)
        return found[::-1][:limit]

    def upsert_order(self, shop: str, key: str, body: Any) -> tuple[SalesOrder, bool]:
        """The order under this key holds these lines from now on. Second value: whether it was created.

        The same content again changes nothing. Once units of a line are shipped it can neither fall below them nor
        change its SKU.
        """
        self._settle()
        currency, lines = checked_order(body, None if self.items is None else self.items.skus)
        order = self._orders.get((shop, key))
        if order is None:
            order = SalesOrder(shop, key, self._number("SO"), currency, self.clock.now(), lines)
            self._orders[shop, key] = order
            self._changed(order, self.clock.now())
            self._schedule(self.clock.now() + self.timings.commit_delay, order, None)
            return order, True
        if order.lines == lines and order.currency == currency:
            return order, False
        for line in order.lines.values():
            shipped = order.shipped(line.line)
            wanted = lines.get(line.line)
            if shipped and (wanted is None or wanted.quantity < shipped or wanted.sku != line.sku):
                raise Refused(409, "line_is_shipped", f"{shipped} units are shipped already", f"lines.{line.line}")
        order.lines, order.currency = lines, currency
        if order.state is OrderState.DONE and not order.wholly_posted():
            order.state = OrderState.COMMITTED
        self._changed(order, self.clock.now())
        return order, False

    def enter_fulfilment(self, shop: str, key: str, fulfilment_key: str, body: Any) -> tuple[SalesOrder, bool]:
        """Goods left under this key. Second value: whether it was entered now; the same again answers what is there.

        Raises Refused: 404 unknown order, 409 the key holds other content or the order is a draft, 422 unknown line,
        more than ordered, or a closed period.
        """
        order = self.order(shop, key)
        content = checked_content(body)
        there = order.fulfilments.get(fulfilment_key)
        if there is not None:
            if there.content == content:
                return order, False
            raise Refused(409, "key_reused", f"fulfilment {fulfilment_key!r} holds other lines", "key")
        if order.state is OrderState.DRAFT:
            raise Refused(409, "order_not_committed", f"sales order {key!r} is a draft", "state")
        for line, quantity in content.items():
            if line not in order.lines:
                raise Refused(422, "unknown_line", f"sales order {key!r} has no line {line!r}", f"lines.{line}")
            left = order.lines[line].quantity - order.shipped(line)
            if quantity > left:
                raise Refused(
                    422, "more_than_ordered", f"{left} units are left to ship, not {quantity}", f"lines.{line}"
                )
        if self._period_closed:
            raise Refused(422, "period_closed", "the accounting period is closed", "posting_date")
        fulfilment = Fulfilment(fulfilment_key, self._number("SH"), content, self.clock.now())
        order.fulfilments[fulfilment_key] = fulfilment
        self._changed(order, self.clock.now())
        self._schedule(self.clock.now() + self.timings.posting_delay, order, fulfilment)
        return order, True

    # What people inside the ERP do; tests and demos play them

    def hold_posting(self, shop: str, fulfilment_key: str) -> None:
        """The posting run passes this fulfilment by, entered already or not, until `release_posting` or `post_now`."""
        self._settle()
        self._held.add((shop, fulfilment_key))

    def release_posting(self, shop: str, fulfilment_key: str) -> None:
        """The next posting run takes it: at once if its delay is over."""
        self._held.discard((shop, fulfilment_key))
        entered = self._entered(shop, fulfilment_key)
        if entered is not None:
            order, fulfilment = entered
            self._schedule(max(fulfilment.entered_at + self.timings.posting_delay, self.clock.now()), order, fulfilment)
        self._settle()

    def post_now(self, shop: str, fulfilment_key: str) -> None:
        """Somebody posts this fulfilment by hand. Raises Refused 404 when it is not entered."""
        self._settle()
        self._held.discard((shop, fulfilment_key))
        entered = self._entered(shop, fulfilment_key)
        if entered is None:
            raise Refused(404, "not_found", f"no fulfilment {fulfilment_key!r}")
        self._post(*entered, self.clock.now())

    def close_period(self) -> None:
        """From now on no fulfilment is accepted; what is entered already is still posted."""
        self._period_closed = True

    def open_period(self) -> None:
        self._period_closed = False

    def books(self) -> dict[str, Any]:
        """All orders and fulfilments with their times, for whoever judges a run."""
        self._settle()
        return books_json(sorted(self._orders.values(), key=lambda order: order.number))

    def _entered(self, shop: str, fulfilment_key: str) -> tuple[SalesOrder, Fulfilment] | None:
        for order in self._orders.values():
            if order.shop == shop and fulfilment_key in order.fulfilments:
                return order, order.fulfilments[fulfilment_key]
        return None

    # Time and numbering

    def _settle(self) -> None:
        """Approve and post what fell due."""
        now = self.clock.now()
        while self._due and self._due[0][0] <= now:
            due, _, order, fulfilment = heapq.heappop(self._due)
            if fulfilment is not None:
                if (order.shop, fulfilment.key) not in self._held:
                    self._post(order, fulfilment, due)
            elif order.state is OrderState.DRAFT:
                order.state, order.committed_at = OrderState.COMMITTED, due
                self._changed(order, due)

    def _post(self, order: SalesOrder, fulfilment: Fulfilment, at: datetime) -> None:
        if fulfilment.state is FulfilmentState.POSTED:
            return
        fulfilment.state, fulfilment.posted_at = FulfilmentState.POSTED, at
        if order.wholly_posted():
            order.state = OrderState.DONE
        self._changed(order, at)

    def _schedule(self, at: datetime, order: SalesOrder, fulfilment: Fulfilment | None) -> None:
        self._entries += 1
        heapq.heappush(self._due, (at, self._entries, order, fulfilment))

    def _changed(self, order: SalesOrder, at: datetime) -> None:
        self._changes += 1
        order.change, order.changed_at = self._changes, at
        del self._orders[order.shop, order.key]
        self._orders[order.shop, order.key] = order

    def _number(self, prefix: str) -> str:
        self._numbers += 1
        return f"{prefix}-{self._numbers:06}"
