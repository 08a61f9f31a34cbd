"""What orders lack in Clarus is told to the items they lack, so that they are made and the orders hear of it."""

from collections.abc import Iterator

from schemas.aggregates import item_id
from schemas.avro import Codec
from schemas.base import order_key
from schemas.config import BrandConfig
from schemas.events import ItemWanted
from schemas.topics import ITEMS_EVENTS
from streams.engine.contract import Emission
from streams.rules.orders.state import OrderState

_EVENTS = Codec((ItemWanted,))


def lacking(before: OrderState | None, after: OrderState, config: BrandConfig | None) -> Iterator[Emission]:
    """Of refusals that are new since `before`; None: of all."""
    if config is None or not config.items.writes:
        return
    known = () if before is None else before.refusals
    codes = {code for one in after.refusals if one not in known for code in one.lacks}
    for code in sorted(codes):
        event = ItemWanted(brand=after.brand, order=item_id(code), by=after.order)
        value, headers = _EVENTS.encode(event)
        headers |= {"brand": after.brand.encode(), "trace": b""}
        yield Emission(ITEMS_EVENTS.name, order_key(after.brand, event.order).encode(), value, headers)
