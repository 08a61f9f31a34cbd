"""What a look at an order says about a command: already so, not to be done, or what to ask of Shopify. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from connectors.shopify.gids import gid
from schemas.base import FulfilmentId, FulfilmentOrderId, FulfilmentOrderLineId, LineId, Units
from schemas.commands import CreateFulfilment, TellUnits, Tracking, UpdateTracking
from schemas.orders import Fulfilment, FulfilmentOrder, FulfilmentOrderStatus, Order

FULFILLABLE = frozenset({FulfilmentOrderStatus.OPEN, FulfilmentOrderStatus.IN_PROGRESS})


@dataclass(frozen=True, slots=True)
class Done:
    """It is so: this fulfilment says it."""

    fulfilment: FulfilmentId


@dataclass(frozen=True, slots=True)
class Refused:
    """It must not be written, and why."""

    code: str
    text: str
    field: str = ""


@dataclass(frozen=True, slots=True)
class Mutation:
    """The next request to send. `payload` is the mutation's field in the answer."""

    operation: str
    payload: str
    variables: dict[str, Any]
    told: tuple[TellUnits, ...] = ()


Verdict = Done | Refused | Mutation


@dataclass
class TellingWish:
    """One CreateFulfilment being carried out. What this try did is kept here, because Shopify cannot be asked whose
    a fulfilment without tracking is.
    """

    command: CreateFulfilment
    done: FulfilmentId | None = None
    """The fulfilment that this try made, or found made. One command makes one: an outcome names one, and what was moved
    to another location since the decision is told by the next.
    """

    def __post_init__(self) -> None:
        self._left = self.command.lines
        self._not_ours: frozenset[FulfilmentId] | None = None
        self._of_others = set(self.command.known_fulfilments)

    def judge(self, order: Order) -> Verdict:
        """By fulfilments the decision did not know of: ones that say what we want to say are ours; any other on the
        same lines means that the decision is out of date.
        """
        unknown = [one for one in order.fulfilments if one.id not in self._of_others]
        self._find(unknown, order)
        if self.done is not None:
            return Done(self.done)
        if not self._left:
            return Refused("nothing_to_tell", "the command names no units")
        lines = {unit.line for unit in self._left}
        for one in unknown:
            if one.id not in self._of_others and lines & {unit.line for unit in one.lines}:
                return Refused(
                    "unknown_fulfilment", f"fulfilment {one.name or one.id} has units of these lines", one.id
                )
        return self._changed(order) or self._next(order)

    @property
    def complete(self) -> bool:
        """It is known to be told, whatever the next look shows."""
        return self.done is not None

    @property
    def left(self) -> str:
        """What the outcome says of units that are not told by it."""
        return "in part; the rest is at another location" if self._left else ""

    def wrote(self, mutation: Mutation, fulfilment: FulfilmentId) -> None:
        """Shopify answered that this was done."""
        self._take(mutation.told, fulfilment)

    def unclear(self, seen: Order) -> None:
        """A request was sent and its answer lost. What is new since `seen`, with our units and our tracking or none,
        is what that request did.
        """
        self._not_ours = frozenset(one.id for one in seen.fulfilments)

    def _find(self, unknown: list[Fulfilment], order: Order) -> None:
        """All of what is left in one fulfilment, or a location's share of it."""
        for units in (self._left, *(units for _, units in _by_location(self._left, order))):
            for one in unknown:
                if one.id not in self._of_others and set(units) <= set(self._left) and self._says(one, units):
                    self._take(units, one.id)

    def _says(self, one: Fulfilment, units: tuple[TellUnits, ...]) -> bool:
        if not units or _per_line(units) != _per_line(one.lines):
            return False
        numbers = set(self.command.tracking.numbers)
        if numbers:
            return numbers <= set(one.tracking_numbers)
        return self._not_ours is not None and one.id not in self._not_ours and not one.tracking_numbers

    def _take(self, units: tuple[TellUnits, ...], fulfilment: FulfilmentId) -> None:
        self._left = tuple(unit for unit in self._left if unit not in units)
        self._of_others.add(fulfilment)
        self.done = self.done or fulfilment

    def _changed(self, order: Order) -> Refused | None:
        orders = {one.id: one for one in order.fulfilment_orders}
        wanted: Counter[tuple[FulfilmentOrderId, FulfilmentOrderLineId]] = Counter()
        for unit in self._left:
            wanted[unit.fulfilment_order, unit.fulfilment_order_line] += unit.quantity
        for (id_, line_id), quantity in wanted.items():
            if problem := _problem(orders.get(id_), line_id, quantity):
                return Refused("fulfilment_orders_changed", f"fulfilment order {id_}: {problem}", id_)
        return None

    def _next(self, order: Order) -> Mutation:
        """One call takes fulfilment orders of one location only (Admin API 2026-10, fulfillmentCreate)."""
        _, units = next(iter(_by_location(self._left, order)))
        command = self.command
        by_order = groupby(
            sorted(units, key=lambda unit: unit.fulfilment_order), key=lambda unit: unit.fulfilment_order
        )
        fulfilment: dict[str, Any] = {
            "lineItemsByFulfillmentOrder": [
                {
                    "fulfillmentOrderId": gid("FulfillmentOrder", id_),
                    "fulfillmentOrderLineItems": [
                        {"id": gid("FulfillmentOrderLineItem", unit.fulfilment_order_line), "quantity": unit.quantity}
                        for unit in share
                    ],
                }
                for id_, share in by_order
            ],
            "notifyCustomer": command.notify,
        }
        if tracking := tracking_input(command.tracking):
            fulfilment["trackingInfo"] = tracking
        variables = {"fulfillment": fulfilment, "message": command.goods_out}
        return Mutation("CreateFulfilment", "fulfillmentCreate", variables, units)


@dataclass
class TrackingWish:
    """One UpdateTracking being carried out."""

    command: UpdateTracking
    done: FulfilmentId | None = None

    @property
    def complete(self) -> bool:
        return self.done is not None

    @property
    def left(self) -> str:
        return ""

    def judge(self, order: Order) -> Verdict:
        command = self.command
        if self.done is not None:
            return Done(self.done)
        one = next((one for one in order.fulfilments if one.id == command.fulfilment), None)
        if one is None:
            return Refused("fulfilment_gone", "the order has no such fulfilment", command.fulfilment)
        if one.cancelled:
            return Refused("fulfilment_cancelled", "the fulfilment was cancelled", command.fulfilment)
        if set(one.tracking_numbers) >= set(command.tracking.numbers):
            return Done(one.id)
        if not set(one.tracking_numbers) <= set(command.tracking.numbers):
            # Overwriting would take back what somebody told the shopper in the meantime.
            return Refused("fulfilment_changed", "the fulfilment bears other tracking", command.fulfilment)
        variables = {
            "fulfillmentId": gid("Fulfillment", command.fulfilment),
            "trackingInfoInput": tracking_input(command.tracking),
            "notifyCustomer": command.notify,
        }
        return Mutation("UpdateTracking", "fulfillmentTrackingInfoUpdate", variables)

    def wrote(self, _mutation: Mutation, fulfilment: FulfilmentId) -> None:
        self.done = fulfilment

    def unclear(self, seen: Order) -> None:
        """The tracking itself tells whether it was written."""


Wish = TellingWish | TrackingWish


def tracking_input(tracking: Tracking) -> dict[str, Any]:
    """`FulfillmentTrackingInput`: `number` and `url`, or `numbers` and `urls`, never both (Admin API 2026-10)."""
    given: dict[str, Any] = {}
    if tracking.company:
        given["company"] = tracking.company
    if len(tracking.numbers) == 1:
        given["number"] = tracking.numbers[0]
        if tracking.urls:
            given["url"] = tracking.urls[0]
    elif tracking.numbers:
        given["numbers"] = list(tracking.numbers)
        if tracking.urls:
            given["urls"] = list(tracking.urls)
    return given


def _by_location(units: tuple[TellUnits, ...], order: Order) -> Iterator[tuple[str, tuple[TellUnits, ...]]]:
    """The units' shares by the location of their fulfilment orders; what has no fulfilment order any more is one."""
    places = {one.id: one.location for one in order.fulfilment_orders}
    shares: dict[str, list[TellUnits]] = {}
    for unit in units:
        shares.setdefault(places.get(unit.fulfilment_order, ""), []).append(unit)
    return ((location, tuple(share)) for location, share in shares.items())


def _per_line(units: Iterable[TellUnits | Units]) -> Counter[LineId]:
    total: Counter[LineId] = Counter()
    for unit in units:
        total[unit.line] += unit.quantity
    return total


def _problem(one: FulfilmentOrder | None, line_id: FulfilmentOrderLineId, quantity: int) -> str:
    """Why these units of the fulfilment order can no longer be told, '' when they can."""
    if one is None:
        return "it is gone"
    if one.status not in FULFILLABLE or not one.can_fulfil:
        return f"it is {one.status} and cannot be fulfilled"
    line = next((line for line in one.lines if line.id == line_id), None)
    if line is None:
        return f"it has no line {line_id}"
    if line.remaining < quantity:
        return f"line {line_id} has {line.remaining} units left, {quantity} are to be told"
    return ""
