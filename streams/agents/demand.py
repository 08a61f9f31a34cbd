"""What the orders of one partition mean for stock: kept up as states change, told to each stock item as one sum."""

from collections import Counter
from collections.abc import Iterable, Iterator

from schemas.avro import Codec
from schemas.base import Brand, OrderId, System, order_key
from schemas.config import BrandConfig
from schemas.events import DemandSeen
from schemas.hints import Hint
from schemas.topics import STOCK_EVENTS
from streams.agents.emissions import hint_emission
from streams.engine.contract import Emission
from streams.rules.orders.demand import fulfilled
from streams.rules.orders.state import OrderState

_EVENTS = Codec((DemandSeen,))


class Demand:
    """Sums by stock item. However many orders wait for one, it is one figure."""

    IN_STATE = b'"withheld":'
    """Stands in the JSON of a state that withholds something, or did."""

    def __init__(self, partition: int) -> None:
        self._partition = partition
        self._of: dict[bytes, dict[OrderId, int]] = {}
        self._total: Counter[tuple[Brand, OrderId]] = Counter()

    def note(self, key: bytes, state: OrderState) -> list[OrderId]:
        """The newest state of an order. Returns the items whose sum it changed."""
        before, now = self._of.get(key, {}), {one.item: one.units for one in state.withheld}
        if before == now:
            return []
        changed = [item for item in sorted({*before, *now}) if before.get(item, 0) != now.get(item, 0)]
        for item in changed:
            self._total[state.brand, item] += now.get(item, 0) - before.get(item, 0)
        if now:
            self._of[key] = now
        else:
            del self._of[key]
        return changed

    def of(self, brand: Brand) -> list[OrderId]:
        """The brand's items of which anything is wanted."""
        return sorted(item for (owner, item), units in self._total.items() if owner == brand and units)

    def told(self, brand: Brand, items: Iterable[OrderId], offset: int) -> Iterator[Emission]:
        """The sums of these items as they are at this offset of our partition."""
        for item in items:
            event = DemandSeen(
                brand=brand,
                order=item,
                partition=self._partition,
                decided_offset=offset,
                units=self._total[brand, item],
            )
            value, headers = _EVENTS.encode(event)
            yield Emission(
                STOCK_EVENTS.name, order_key(brand, item).encode(), value, headers | {"brand": brand.encode()}
            )


def looks(before: OrderState | None, after: OrderState, config: BrandConfig | None) -> Iterator[Emission]:
    """Shopify lowers its figure with a fulfilment and tells nobody: look at the items of those just fulfilled."""
    if config is None or config.stock.mode == "off":
        return
    for item in fulfilled(before, after, config):
        hint = Hint(brand=after.brand, order=item, why="fulfilled", seen_at=after.now)
        yield hint_emission(System.SHOPIFY, hint)
