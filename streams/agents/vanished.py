"""How many goods-outs of a brand went missing together, as far as one partition of orders shows it.

One goods-out that is gone is an order's own case. Many at once are a sign that Clarus no longer shows us everything:
then absence is not believed, nothing is created for the brand from this partition, and one case stands for all.
"""

from datetime import datetime, timedelta

from schemas.base import Brand, OrderId, System, order_key
from schemas.events import ConnectionSeen, ConnectionState
from streams.rules.orders.after_release import undecided
from streams.rules.orders.state import OrderState

MANY = 5
WINDOW = timedelta(minutes=10)
"""So many newly missing within this time are not believed, until they are seen again or a person decides."""


class Vanished:
    """Of all brands in one partition. A pure function of the states noted: the same after a restart."""

    def __init__(self, partition: int) -> None:
        self._partition = partition
        self._missing: dict[Brand, dict[OrderId, tuple[datetime, ...]]] = {}
        self.keys: dict[Brand, bytes] = {}
        """Of each brand of which anything was noted, in order: the key under which its case is kept."""

    def note(self, state: OrderState) -> None:
        """The newest state of an order."""
        missing = any(known.missing_at for known in state.goods_outs)
        times = tuple(one.missing_at for one in undecided(state) if one.missing_at is not None) if missing else ()
        if state.brand not in self._missing:
            self._missing[state.brand] = {}
            self.keys = {brand: order_key(brand, self.order()).encode() for brand in sorted(self._missing)}
        of_brand = self._missing[state.brand]
        if times:
            of_brand[state.order] = times
        else:
            of_brand.pop(state.order, None)

    def many(self, brand: Brand) -> bool:
        """Whether MANY of those still missing and undecided went within WINDOW."""
        missing = self._missing.get(brand)
        if not missing:
            return False
        times = sorted(moment for moments in missing.values() for moment in moments)
        return any(last - first <= WINDOW for first, last in zip(times, times[MANY - 1 :], strict=False))

    def state(self, brand: Brand) -> ConnectionState:
        """How the connection fares by this alone."""
        return ConnectionState.RIGHTS_LOST if self.many(brand) else ConnectionState.WELL

    def order(self) -> OrderId:
        """The order-like id under which the case is kept, one per partition."""
        return OrderId(f"~missing-{self._partition}")

    def report(self, brand: Brand) -> ConnectionSeen:
        """What the connection's own state is told."""
        state = self.state(brand)
        return ConnectionSeen(
            brand=brand,
            order=self.order(),
            system=System.CLARUS,
            state=state,
            text=f"{MANY} or more goods-outs vanished within {WINDOW}; nothing is created until they are seen again "
            "or released again"
            if state is ConnectionState.RIGHTS_LOST
            else "",
        )
