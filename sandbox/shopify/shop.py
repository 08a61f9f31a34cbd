"""One shop's state and all that can happen to it. What changes an order moves `updated_at` and tells by webhook.

Behaviour follows the fulfilment model as documented and recorded (Admin API 2026-04 to 2026-10).
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from sandbox.clock import Clock
from sandbox.shopify.books import Books
from sandbox.shopify.bucket import Bucket
from sandbox.shopify.inventory import Inventory, NotEnough
from sandbox.shopify.inventory_books import InventoryBooks
from sandbox.shopify.records import Address, Fulfillment, FulfillmentOrder, FulfillmentOrderLine, Line, Order
from sandbox.shopify.setup import ShopSetup

Tell = Callable[[str, Order], None]
"""Sends a webhook: topic and order."""


class Refusal(Exception):
    """Becomes one of `userErrors`."""

    def __init__(self, message: str, *field: str) -> None:
        super().__init__(message)
        self.message, self.field = message, list(field)


class SoldOut(Refusal):
    """A checkout that took nothing, because of one line there is too little."""


class Shop:
    """`tell` is set by whoever delivers webhooks."""

    def __init__(
        self, domain: str, token: str, secrets: Sequence[str], clock: Clock, points_a_second: float = 100.0
    ) -> None:
        self.domain, self.token, self.secrets = domain, token, list(secrets)
        self.clock = clock
        self.bucket = Bucket(points_a_second)
        self.orders: dict[int, Order] = {}
        self.locations: dict[int, str] = {}
        self.setup = ShopSetup()
        self.edit_window = timedelta(0)
        """How long after the checkout a shopper may change an order, except where it is sent by one of `express`."""
        self.express: frozenset[str] = frozenset()
        self.kits: Mapping[str, dict[str, int]] = {}
        """Bundles it sells, by SKU."""
        self.books = Books(domain)
        self.inventory = Inventory(
            lambda: self.setup, lambda: self.locations, self.orders, clock, InventoryBooks(domain)
        )
        self.made: list[Fulfillment] = []
        """Every fulfilment ever made, oldest first."""
        self._order_of: dict[int, Order] = {}
        self.tell: Tell = lambda _topic, _order: None
        self._ids = iter(range(6_120_000_000_001, 7_000_000_000_000))
        self._numbers = iter(range(1001, 10_000_000))

    def new_id(self) -> int:
        return next(self._ids)

    # --- shoppers and staff

    def place_order(
        self,
        lines: Sequence[tuple[str | None, int]],
        *,
        address: Address | None,
        shipping: tuple[str, str] = ("Standard", "standard"),
        financial_status: str = "PAID",
        email: str = "shopper@example.test",
        note: str = "",
        attributes: Sequence[tuple[str, str]] = (),
        risk: str = "NONE",
        planted: str = "",
        on_account: bool = False,
        fetched: Sequence[tuple[str | None, int]] = (),
        digital: Sequence[tuple[str | None, int]] = (),
    ) -> Order:
        """A checkout, stock included: whole, or not at all. Fulfilment orders come only when `route` is called.

        `fetched` is collected in the shop, `digital` is not sent at all. Raises SoldOut.
        """
        now = self.clock.now()
        made = [self._line(sku, quantity) for sku, quantity in lines]
        made += [self._line(sku, quantity, pick_up=True) for sku, quantity in fetched]
        made += [self._line(sku, quantity, requires_shipping=False) for sku, quantity in digital]
        try:
            taken = self.inventory.choose([(line, line.quantity) for line in made if line.requires_shipping])
        except NotEnough as why:
            raise SoldOut(str(why), "lineItems") from None
        order = Order(
            id=self.new_id(), name=f"#{next(self._numbers)}", created_at=now, updated_at=now, lines=made,
            shipping_title=shipping[0], shipping_code=shipping[1], financial_status=financial_status,
            address=address, email=email, note=note, attributes=list(attributes), risk=risk, planted=planted,
            on_account=on_account,
            fixed_at=now if shipping[1] in self.express else now + self.edit_window, takes_from=taken,
        )  # fmt: skip
        self.orders[order.id] = order
        self.books.placed(order, now)
        self.tell("orders/create", order)
        self.inventory.sold(order, order.lines)
        return order

    def _line(self, sku: str | None, quantity: int, *, requires_shipping: bool = True, pick_up: bool = False) -> Line:
        kit = self.kits.get(sku or "", {})
        return Line(self.new_id(), sku, quantity, quantity, "9.50", requires_shipping, pick_up, kit=kit)

    def route(self, order: Order, locations: Sequence[int] = ()) -> None:
        """Order routing: one fulfilment order per location, lines dealt in turn, or without locations by where their
        stock was taken from. `updated_at` does not move.
        """
        now = self.clock.now()
        shares: dict[int, list[Line]] = {location: [] for location in locations}
        for index, line in enumerate(line for line in order.lines if line.requires_shipping and not line.pick_up):
            place = locations[index % len(locations)] if locations else order.takes_from[line.id]
            shares.setdefault(place, []).append(line)
        for location, lines in shares.items():
            if lines:
                self._new_fulfillment_order(order, location, [(line, line.current_quantity) for line in lines])
        fetched = [(line, line.current_quantity) for line in order.lines if line.pick_up]
        if fetched:
            shop = locations[0] if locations else order.takes_from[fetched[0][0].id]
            self._new_fulfillment_order(order, shop, fetched).method = "PICK_UP"
        order.routed_at = now
        self.inventory.settle(order, "routed")
        self._check_complete(order)
        self.tell("fulfillment_orders/order_routing_complete", order)

    def complete(
        self, order: Order, *, address: Address | None = None, paid: bool = False, cleared: bool = False
    ) -> None:
        """Someone fills in what was missing. `cleared`: the risk analysis looked again."""
        if address is not None:
            order.address = address
        if paid:
            order.financial_status = "PAID"
        if cleared:
            order.risk = "ACCEPT"
        self._touch(order)
        self._check_complete(order)
        self.tell("orders/paid" if paid else "orders/updated", order)

    def choose(self, order: Order, title: str, code: str) -> None:
        """The shopper wants it sent by another shipping line. One that is expedited is not kept back any longer."""
        now = self.clock.now()
        order.chosen_before.append((now, order.shipping_code))
        order.shipping_title, order.shipping_code = title, code
        if code in self.express:
            order.fixed_at = min(order.fixed_at or now, now)
        self._touch(order)
        self.books.changed(order)
        self.tell("orders/updated", order)

    def agree(self, order: Order) -> None:
        """Staff decide that it may go unpaid. Shopify has no word for that: only the shop's own book knows."""
        order.agreed_at = self.clock.now()
        if order.lacks_nothing and order.complete_at is None:  # also when it was cancelled a moment ago: who could know
            order.complete_at = order.agreed_at
            self.books.changed(order)

    def hold(self, order: Order, fulfillment_order: int, lines: Sequence[int] = (), reason: str = "OTHER") -> None:
        """Hold some lines; the rest is split off into a new open fulfilment order (documented for holds on lines)."""
        held = self._fulfillment_order(order, fulfillment_order)
        rest = [line for line in held.lines if lines and line.line.id not in lines and line.remaining > 0]
        if rest:
            held.lines = [line for line in held.lines if line not in rest]
            self._new_fulfillment_order(order, held.location, [(line.line, line.remaining) for line in rest])
        held.status, held.holds = "ON_HOLD", [reason]
        self._stamp(held)
        self.tell("fulfillment_orders/placed_on_hold", order)

    def release_hold(self, order: Order, fulfillment_order: int) -> None:
        held = self._fulfillment_order(order, fulfillment_order)
        held.status, held.holds = "OPEN", []
        self._stamp(held)
        self.tell("fulfillment_orders/hold_released", order)

    def move(self, order: Order, fulfillment_order: int, location: int) -> FulfillmentOrder:
        """To another location: the old one closes empty, a new one opens there."""
        old = self._fulfillment_order(order, fulfillment_order)
        if "MOVE" not in old.actions:
            raise Refusal("the fulfillment order cannot be moved", "id")
        new = self._new_fulfillment_order(order, location, [(line.line, line.remaining) for line in old.lines])
        self._close(old)
        self.inventory.settle(order, "routed")
        self.tell("fulfillment_orders/moved", order)
        return new

    def split(self, order: Order, fulfillment_order: int, units: Mapping[int, int]) -> FulfillmentOrder:
        """The named units (by line id) go to a new fulfilment order."""
        old = self._fulfillment_order(order, fulfillment_order)
        taken = [(line, units[line.line.id]) for line in old.lines if units.get(line.line.id)]
        for line, quantity in taken:
            line.total -= quantity
            line.remaining -= quantity
        new = self._new_fulfillment_order(order, old.location, [(line.line, quantity) for line, quantity in taken])
        self._stamp(old)
        self.tell("fulfillment_orders/split", order)
        return new

    def add_line(self, order: Order, sku: str, quantity: int, location: int) -> Line:
        """An edit that adds an item: a new open fulfilment order."""
        line = self._line(sku, quantity)
        order.lines.append(line)
        self._new_fulfillment_order(order, location, [(line, quantity)])
        self._touch(order)
        self.books.changed(order)
        self.inventory.sold(order, [line], "edited")
        self.tell("orders/edited", order)
        return line

    def cancel(self, order: Order, *, restock: bool = True) -> None:
        """Every fulfilment order closes with nothing left (recorded). `restock` puts its units up for sale again."""
        if any(one.status == "SUCCESS" for one in order.fulfillments):
            raise Refusal("an order with fulfillments cannot be cancelled", "orderId")
        left = [] if restock else list(self.inventory.outstanding(order))
        order.cancelled_at = self.clock.now()
        for one in order.fulfillment_orders:
            self._close(one)
        self._touch(order)
        self.books.changed(order)
        self.inventory.settle(order, "cancelled", left)
        self.tell("orders/cancelled", order)

    def take_out(self, order: Order, line: Line, units: int, *, restock: bool = True, refund: bool = False) -> None:
        """Units that have not left are wanted no more: by an edit (recorded: the fulfilment order shrinks), or by a
        refund with restock type `cancel`, or `no_restock` without `restock`. Raises Refusal for more than is left.
        """
        open_ones = [one for one in order.fulfillment_orders if one.status not in ("CLOSED", "CANCELLED")]
        held = [(one, each) for one in open_ones for each in one.lines if each.line is line and each.remaining]
        if sum(each.remaining for _, each in held) < units:
            raise Refusal("more than is left to be fulfilled", "quantity")
        line.current_quantity -= units
        left: list[tuple[Line, int, int]] = []
        for one, each in held:
            taken = min(units, each.remaining)
            each.total, each.remaining, units = each.total - taken, each.remaining - taken, units - taken
            left += [] if restock else [(line, taken, one.location)]
            if not any(other.remaining for other in one.lines):
                one.status = "CLOSED"
            self._stamp(one)
        self._touch(order)
        self.books.changed(order)
        self.inventory.settle(order, "refunded" if refund else "edited", left)
        self.tell("orders/updated" if refund else "orders/edited", order)

    def take_back(self, order: Order, line: Line, units: int, location: int) -> None:
        """A refund with restock type `return`: units that had left lie at the location again, as the shop sees it."""
        line.current_quantity -= units
        self._touch(order)
        self.books.changed(order)
        self.inventory.settle(order, "refunded", [(line, -units, location)])
        self.tell("orders/updated", order)

    # --- apps

    def fulfil(
        self, order: Order, units: Mapping[int, Mapping[int, int]], tracking: Mapping[str, object], *, notify: bool
    ) -> Fulfillment:
        """`units`: fulfilment order id → its line id → quantity. Raises Refusal; then nothing has changed."""
        chosen: list[tuple[FulfillmentOrderLine, int]] = []
        for id_, wanted in units.items():
            one = self._fulfillment_order(order, id_)
            if "CREATE_FULFILLMENT" not in one.actions:
                raise Refusal("the fulfillment order has an unfulfillable status", "fulfillment")
            by_id = {line.id: line for line in one.lines}
            for line_id, quantity in (wanted or {line.id: line.remaining for line in one.lines}).items():
                line = by_id.get(line_id)
                if line is None:
                    raise Refusal("the fulfillment order line item does not exist", "fulfillment")
                if not 0 < quantity <= line.remaining:
                    raise Refusal("the fulfillment order line item quantity is not valid", "fulfillment")
                chosen.append((line, quantity))
        locations = {self._fulfillment_order(order, id_).location for id_ in units}
        if len(locations) != 1:
            raise Refusal("all fulfillment orders must be of one location", "fulfillment")
        return self._fulfilled(order, chosen, locations.pop(), tracking, notify=notify)

    def _fulfilled(
        self,
        order: Order,
        chosen: list[tuple[FulfillmentOrderLine, int]],
        location: int,
        tracking: Mapping[str, object],
        *,
        notify: bool,
    ) -> Fulfillment:
        now = self.clock.now()
        for line, quantity in chosen:
            line.remaining -= quantity
        for one in order.fulfillment_orders:
            if any(line in one.lines for line, _ in chosen):
                one.status = "CLOSED" if all(line.remaining == 0 for line in one.lines) else "IN_PROGRESS"
                self._stamp(one)
        made = Fulfillment(
            id=self.new_id(), name=f"{order.name}-F{len(order.fulfillments) + 1}", created_at=now, updated_at=now,
            units=[(line.line, quantity) for line, quantity in chosen], location=location,
        )  # fmt: skip
        order.fulfillments.append(made)
        self.made.append(made)
        self.set_tracking(order, made, tracking, notify=notify, quiet=True)
        self._touch(order)
        self.inventory.settle(order, "fulfilled", [(line.line, quantity, location) for line, quantity in chosen])
        self.books.fulfilled(order, made, now)
        self.tell("fulfillments/create", order)
        return made

    def set_tracking(
        self, order: Order, made: Fulfillment, tracking: Mapping[str, object], *, notify: bool, quiet: bool = False
    ) -> None:
        """Overwrites what was there."""
        made.company = str(tracking.get("company") or "")
        made.numbers = _texts(tracking, "number", "numbers")
        made.urls = _texts(tracking, "url", "urls")
        made.notified += notify
        made.updated_at = self.clock.now()
        self.books.tracked(order, made)
        if not quiet:
            self._touch(order)
            self.tell("fulfillments/update", order)

    def cancel_fulfillment(self, order: Order, fulfillment: int) -> None:
        """The old fulfilment order stays closed; a new open one appears (recorded)."""
        made = next(one for one in order.fulfillments if one.id == fulfillment)
        made.status = "CANCELLED"
        self.books.tracked(order, made)
        location = order.fulfillment_orders[0].location
        self._new_fulfillment_order(order, location, list(made.units))
        self.inventory.settle(order, "unfulfilled", [(line, -quantity, location) for line, quantity in made.units])
        self._touch(order)
        self.tell("orders/updated", order)

    # --- inside

    def _new_fulfillment_order(
        self, order: Order, location: int, units: Sequence[tuple[Line, int]]
    ) -> FulfillmentOrder:
        lines = [FulfillmentOrderLine(self.new_id(), line, quantity, quantity) for line, quantity in units]
        made = FulfillmentOrder(self.new_id(), location, lines, updated_at=self.clock.now())
        order.fulfillment_orders.append(made)
        self._order_of[made.id] = order
        return made

    def _fulfillment_order(self, order: Order, id_: int) -> FulfillmentOrder:
        for one in order.fulfillment_orders:
            if one.id == id_:
                return one
        raise Refusal("the fulfillment order does not exist", "fulfillment")

    def _close(self, one: FulfillmentOrder) -> None:
        one.status = "CLOSED"
        for line in one.lines:
            line.total = line.remaining = 0
        self._stamp(one)

    def _stamp(self, one: FulfillmentOrder) -> None:
        one.updated_at = self.clock.now()

    def _touch(self, order: Order) -> None:
        order.updated_at = self.clock.now()

    def _check_complete(self, order: Order) -> None:
        if order.complete and order.complete_at is None:
            order.complete_at = self.clock.now()
            self.books.changed(order)

    def order_of(self, fulfillment_order: int) -> Order | None:
        return self._order_of.get(fulfillment_order)

    def changed_since(self, moment: datetime) -> list[Order]:
        """By `updated_at`, then id."""
        found = [order for order in self.orders.values() if order.updated_at >= moment]
        return sorted(found, key=lambda order: (order.updated_at, order.id))


def _texts(tracking: Mapping[str, object], one: str, many: str) -> list[str]:
    listed = tracking.get(many)
    if isinstance(listed, list) and listed:
        return [str(text) for text in listed]
    single = tracking.get(one)
    return [str(single)] if single else []
