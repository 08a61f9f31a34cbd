"""The person in finance who posts what the warehouse shipped, after a while."""

from contextlib import suppress
from datetime import datetime, timedelta

import httpx

from sandbox.clock import Clock
from sandbox.tryton.rest import TrytonRest

SHIPMENT = "stock.shipment.out"


class Clerk:
    """Finds customer shipments in state *shipped* and does them, each `delay` after it was first seen.

    So the ERP is slower than the warehouse, as ERPs are. Only *done* counts as posted: it relieves stock and makes the
    invoice (measured, series 8.0).
    """

    def __init__(
        self, rest: TrytonRest, clock: Clock, delay: timedelta, look_every: timedelta = timedelta(seconds=1)
    ) -> None:
        self._rest = rest
        self._clock = clock
        self._delay = delay
        self._look_every = look_every
        self._first_seen: dict[int, datetime] = {}
        self._held: set[str] = set()

    def hold(self, reference: str) -> None:
        """Leave shipments of this reference alone until :meth:`release`."""
        self._held.add(reference)

    def release(self, reference: str) -> None:
        self._held.discard(reference)

    async def run(self) -> None:
        """Work until cancelled. A Tryton that is away or slow is tried again at the next look."""
        while True:
            with suppress(httpx.HTTPError):
                await self.look()
            await self._clock.sleep(self._look_every.total_seconds())

    async def look(self) -> list[str]:
        """One round: the references posted in it. Raises httpx.HTTPError."""
        now = self._clock.now()
        shipped = await self._rest.search(SHIPMENT, [["state", "=", "shipped"]], ["reference"])
        self._first_seen = {shipment["id"]: self._first_seen.get(shipment["id"], now) for shipment in shipped}
        posted = []
        for shipment in shipped:
            due = self._first_seen[shipment["id"]] + self._delay
            if due > now or shipment["reference"] in self._held:
                continue
            if await self._rest.act(SHIPMENT, shipment["id"], "do"):
                posted.append(shipment["reference"] or "")
        return posted
