"""How each brand's connection to one system fares: told at the start and at every change, obeyed by every call."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import assert_never

import structlog

from connectors.runtime.breaker import Breaker
from connectors.runtime.errors import (
    Blind,
    ConnectorError,
    Permanent,
    RateLimited,
    Transient,
    Unauthorised,
    refused,
)
from connectors.runtime.port import Reading
from connectors.runtime.publisher import Publisher
from kernel.clock import Clock
from kernel.metrics import Metrics
from schemas.base import Brand, System

_log = structlog.get_logger(__name__)


class Connections:
    """A breaker per brand."""

    def __init__(
        self, system: System, brands: Iterable[Brand], publisher: Publisher, clock: Clock, metrics: Metrics
    ) -> None:
        self._system, self._publisher, self._clock = system, publisher, clock
        self._breakers = {brand: Breaker() for brand in brands}
        self._refused = {brand: metrics.lists_refused.labels(brand, system) for brand in self._breakers}
        self._answers: Counter[Brand] = Counter()
        self._shown: Counter[Brand] = Counter()
        self._told: set[Brand] = set()
        """Of whom we have told something since the last rebalance. Before that the log may say what another saw."""

    def of(self, brand: Brand) -> Breaker | None:
        """None: there is no connection for this brand."""
        return self._breakers.get(brand)

    def closed_until(self, brand: Brand) -> datetime | None:
        """Until when nothing should be tried for this brand; None when something may."""
        return self._breakers[brand].closed_until(self._clock.now())

    def answers(self, brand: Brand) -> int:
        """How many came that could be believed. More than a while ago: the connection is well."""
        return self._answers[brand]

    def shown(self, brand: Brand) -> int:
        """Those of them that showed what lies under a key."""
        return self._shown[brand]

    def tell_again(self) -> None:
        """Another connector joined or left: what it told last about a connection stands in the log, whatever it was.
        The next answer is told, also where nothing has changed for us.
        """
        self._told.clear()

    async def believed(self, brand: Brand, readings: Sequence[Reading]) -> None:
        """Answers came: well again, unless they cannot be believed. Without readings nothing is known."""
        if not readings:
            return
        if all(reading.complete for reading in readings):
            self._shown[brand] += 1
            await self.well(brand)
            return
        breaker = self._breakers[brand]
        if breaker.blinded(self._clock.now(), "answers do not show our account and warehouses"):
            await self._tell(brand, breaker)

    async def well(self, brand: Brand) -> None:
        """An answer came that can be believed."""
        self._answers[brand] += 1
        breaker = self._breakers[brand]
        if breaker.succeeded() or brand not in self._told:
            await self._tell(brand, breaker)

    async def failed(self, brand: Brand, error: ConnectorError) -> None:
        breaker, now = self._breakers[brand], self._clock.now()
        _log.warning("connector.failed", system=self._system, brand=brand, error=str(error))
        match error:
            case Blind():
                changed = breaker.blinded(now, str(error))
            case Unauthorised():
                changed = breaker.refused(now, str(error))
            case RateLimited():
                changed = breaker.failed(now, str(error), wait=error.retry_after)
            case Transient():
                changed = breaker.failed(now, str(error))
            case Permanent() | ConnectorError():
                changed = breaker.failed(now, f"{type(error).__name__}: {error}")
            case never:
                assert_never(never)
        if changed:
            await self._tell(brand, breaker)

    async def list_failed(self, brand: Brand, error: ConnectorError) -> None:
        """A list that is refused is no sign that the connection is down: reads and commands go on."""
        if refused(error):
            self._refused[brand].inc()
            _log.warning(
                "connector.list_refused", system=self._system, brand=brand, error=f"{type(error).__name__}: {error}"
            )
        else:
            await self.failed(brand, error)

    async def _tell(self, brand: Brand, breaker: Breaker) -> None:
        self._told.add(brand)
        await self._publisher.connection(brand, breaker.state, breaker.text)
