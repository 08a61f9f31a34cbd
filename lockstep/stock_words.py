"""A stock item's figure explained: both readings, what is taken off, what was written when and why. In plain words."""

from collections.abc import Iterable, Iterator

from lockstep.case_words import moment
from schemas.config import BrandConfig
from schemas.stock import ShopItem
from streams.rules.stock.figure import physical
from streams.rules.stock.obstacles import obstacle
from streams.rules.stock.plan import due_at
from streams.rules.stock.state import StockState


def explained(state: StockState, config: BrandConfig | None) -> Iterator[str]:
    """Line by line: the shop, the warehouse, the sum, and what happens next."""
    if config is None:
        yield "the brand is not configured, so nothing is decided"
        return
    yield from _shop(state)
    yield from _warehouse(state, config)
    yield from _next(state, config)
    if state.written is not None:
        one = state.written
        yield f"last written {moment(one.at)}: {one.quantity} instead of {one.instead_of}, because of: {one.why}"
    for case in state.cases:
        yield f"case {case.code}: {case.detail} (owner {case.owner}, due {moment(case.due_at)})"


def differing(states: Iterable[StockState], config: BrandConfig | None) -> Iterator[str]:
    """A line for each item that differs now, the oldest difference first; and how many agree, or are left alone."""
    found = list(states)
    differs = sorted((one for one in found if one.drift), key=lambda one: (one.differs_since or one.now, one.order))
    for one in differs:
        item = one.item
        has = "unknown" if item is None else item.on_hand
        since = f"since {moment(one.differs_since or one.now)}, because of: {one.drift}"
        yield f"{one.code} at {one.location}: {has} on hand, should be {one.wanted}; {since}"
    left_alone = sum(config is None or obstacle(one, config) is not None for one in found)
    agree = len(found) - len(differs) - left_alone
    yield f"{len(differs)} differ, {agree} agree, {left_alone} are not written"


def _shop(state: StockState) -> Iterator[str]:
    if state.level is None:
        yield "Shopify: not read yet"
    elif not state.level.items:
        yield "Shopify: no item with this code"
    else:
        yield from (f"Shopify: {_item(one)}" for one in state.level.items)


def _item(item: ShopItem) -> str:
    if not item.tracked:
        return f"item {item.id}, {item.sku}: not counted"
    if not item.stocked:
        return f"item {item.id}, {item.sku}: not stocked at this location"
    aside = f", {item.unavailable} set aside" if item.unavailable else ""
    kit = ", computed from its components" if item.kit else ""
    return f"{item.on_hand} on hand: {item.available} for sale, {item.committed} committed{aside}{kit}"


def _warehouse(state: StockState, config: BrandConfig) -> Iterator[str]:
    if state.balance is None:
        yield "Clarus: not read yet"
        return
    if not state.balance.known:
        yield "Clarus: no such product"
        return
    for row in state.balance.warehouses:
        columns = f"{row.available} available, {row.allocated} allocated, {row.picked} picked"
        yield f"Clarus: {row.warehouse}: {columns}"
    if not state.balance.warehouses:
        yield "Clarus: no balance in the warehouses of this location"
    buffer = config.stock.buffer_of(state.code, state.location)
    yield f"  {physical(state.balance, config.stock.taken_out):>8} physically there"
    yield f"  {-state.balance.others:>8} wanted by other channels"
    yield f"  {-state.units_withheld:>8} still to leave though Shopify sets none aside for them"
    yield f"  {-buffer:>8} buffer"
    yield f"  {'unknown' if state.wanted is None else state.wanted:>8} should be on hand"
    yield f"  (our own goods-outs want {state.balance.ours}; Shopify counts those itself)"


def _next(state: StockState, config: BrandConfig) -> Iterator[str]:
    if config.stock.mode == "off":
        yield "next: nothing, stock is off for this brand"
        return
    blocked = obstacle(state, config)
    if blocked is not None:
        yield f"next: nothing is written: {blocked.why}"
        return
    if state.in_flight is not None:
        yield f"next: {state.in_flight.quantity} is being written since {moment(state.in_flight.decided_at)}"
    elif state.delayed_until is not None:
        yield f"next: tried again {moment(state.delayed_until)}: {state.delayed_why}"
    elif state.refusal is not None:
        said = f"{state.refusal.code} {state.refusal.text}".strip()
        yield f"next: tried again by and by; Shopify refused it {moment(state.refusal.at)}: {said}"
    elif state.would_write is not None:
        yield f"next: nothing, the brand is stopped or only observed; {state.would_write} would be written"
    elif state.differs_since is not None:
        due, why = moment(due_at(state, config.stock)), f", because of: {state.drift}" if state.drift else ""
        yield f"next: it differs since {moment(state.differs_since)}{why}, and is written {due}"
    else:
        yield "next: nothing, both sides agree"
    for one in state.asked:
        yield f"  {one.system} was asked {moment(one.at)} and has not answered yet"
