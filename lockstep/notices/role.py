"""Every target of every brand, each told on its own: one that is away keeps nobody else waiting."""

import asyncio
from collections.abc import Mapping

import httpx
import structlog

from kernel.clock import Clock
from kernel.log import Log, LogError
from kernel.metrics import Metrics
from lockstep.notices.courier import Courier
from lockstep.notices.daily import Daily
from lockstep.notices.target import NoticeSettings
from lockstep.notices.teller import AGAIN, Teller
from schemas.base import Brand

_log = structlog.get_logger(__name__)


class Notices:
    """The role. `transport` is the seam to the outside."""

    def __init__(
        self,
        brands: Mapping[Brand, NoticeSettings],
        log: Log,
        clock: Clock,
        metrics: Metrics,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._clock = clock
        self._client = httpx.AsyncClient(transport=transport, follow_redirects=False)
        self._tellers: list[Teller] = []
        self._dailies: list[Daily] = []
        for brand, settings in sorted(brands.items()):
            for target in settings.to:
                courier = Courier(brand, target, self._client, clock, metrics)
                teller = Teller(brand, target, log, courier, clock)
                self._tellers.append(teller)
                self._dailies.append(Daily(brand, settings, target, teller, log, courier, clock))

    @property
    def ready(self) -> bool:
        return all(teller.ready for teller in self._tellers)

    async def run(self) -> None:
        """Until cancelled. Without a target there is nothing to do, which is no mistake."""
        if not self._tellers:
            _log.info("notices.nobody_to_tell")
        try:
            async with asyncio.TaskGroup() as together:
                for teller in self._tellers:
                    together.create_task(teller.run())
                for daily in self._dailies:
                    together.create_task(self._daily(daily))
                await asyncio.Event().wait()
        finally:
            await self._client.aclose()

    async def _daily(self, daily: Daily) -> None:
        while True:
            try:
                await daily.run()
            except LogError as away:
                _log.warning("notices.log_away", error=str(away))
                await self._clock.sleep(AGAIN)
            else:
                return
