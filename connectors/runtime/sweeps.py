"""Sweeps: a whole system is listed, and every order it names is told to the log. What is read of it, the fold asks for.

A sweep is asked for by a hint under the connection's key, so exactly one instance makes it, and another makes it again
when that one dies in between.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

import structlog

from connectors.runtime import errors
from connectors.runtime.config_view import ConfigView
from connectors.runtime.connections import Connections
from connectors.runtime.endings import Endings
from connectors.runtime.errors import ConnectorError
from connectors.runtime.port import Found, Port, Sweepable
from connectors.runtime.publisher import Publisher
from kernel.clock import Clock
from kernel.log import Record
from schemas.base import Brand, OrderId
from schemas.config import SweepTimes
from schemas.hints import Hint

_log = structlog.get_logger(__name__)

TOLD_AT_ONCE = 500
REFUSED_MOST = 3
LOOK_EVERY = 10.0
LONGEST = timedelta(hours=1)
"""A list takes as long as it takes; after this it is not taken for progress any more."""


class Sweeps:
    """Of one connector. A second hint for a sweep that is being made, or was, asks for nothing."""

    def __init__(
        self,
        port: Port,
        configs: ConfigView,
        connections: Connections,
        publisher: Publisher,
        endings: Endings,
        clock: Clock,
    ) -> None:
        self._port, self._configs, self._clock = port, configs, clock
        self._connections, self._publisher, self._endings = connections, publisher, endings
        self._made: dict[Brand, datetime] = {}

    async def make(self, hint: Hint, record: Record, delay: float, moved: Callable[[], None]) -> None:
        """List the hint's brand and tell all that is named. Tries every `delay` seconds until the list is whole."""
        moment, before = hint.sweep, self._made.get(hint.brand)
        if moment is None or not isinstance(self._port, Sweepable) or (before is not None and before >= moment):
            self._endings.finish(record)
            return
        self._made[hint.brand] = moment
        whole, refused = False, 0
        try:
            while True:
                try:
                    found = await self._listed(self._port, hint.brand, moment, moved)
                    break
                except ConnectorError as error:
                    if errors.refused(error):
                        _log.warning("connector.sweep_refused", system=self._port.system, error=str(error))
                        refused += 1
                        if refused >= REFUSED_MOST:
                            self._endings.finish(record)  # the fold asks again, and opens a case when that lasts
                            return
                    else:
                        await self._connections.failed(hint.brand, error)
                await self._clock.sleep(delay)
                moved()
            for chunk in _chunks(found.orders):
                await self._publisher.listed(hint.brand, chunk, moment)
                moved()
            await self._publisher.swept(hint.brand, moment, len(found.orders), found.strays)
            whole = True
        finally:
            if not whole:
                self._made.pop(hint.brand, None)  # abandoned in the middle: whoever is asked again makes it whole
        _log.info(
            "connector.swept",
            system=self._port.system,
            brand=hint.brand,
            orders=len(found.orders),
            strays=len(found.strays),
        )
        self._endings.finish(record)

    async def _listed(self, port: Sweepable, brand: Brand, moment: datetime, moved: Callable[[], None]) -> Found:
        """All pages; meanwhile the connector counts as alive."""
        config = self._configs.of(brand)
        times = SweepTimes() if config is None else config.sweep
        began = self._clock.now()
        asking = asyncio.ensure_future(port.swept(brand, moment - timedelta(seconds=times.back)))
        try:
            while not asking.done():
                await asyncio.wait([asking], timeout=LOOK_EVERY)
                if self._clock.now() - began < LONGEST:
                    moved()
            return asking.result()
        finally:
            asking.cancel()


def _chunks(orders: Sequence[OrderId]) -> Iterator[Sequence[OrderId]]:
    return (orders[begin : begin + TOLD_AT_ONCE] for begin in range(0, len(orders), TOLD_AT_ONCE))
