"""Every brand's configuration as the `config` topic has it, followed as it changes."""

import asyncio
import contextlib
from typing import Self

import structlog
from pydantic import ValidationError

from kernel.clock import Clock
from kernel.log import Log, LogError
from schemas.base import Brand, System
from schemas.config import BrandConfig
from schemas.topics import CONFIG

_log = structlog.get_logger(__name__)

AGAIN_SECONDS = 1.0
"""Between tries while the log is away."""
WAIT = 10.0
"""Seconds a poll waits for news; what is published ends the waiting."""


class ConfigView:
    """Brand → newest valid configuration. A record that does not validate leaves the last good one in place."""

    def __init__(self, log: Log, clock: Clock) -> None:
        self._clock = clock
        self._reader = log.reader([CONFIG.name])
        self._configs: dict[Brand, BrandConfig] = {}
        self._following: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Returns when everything published so far has been read."""
        await self._reader.start()
        while not await self._reader.caught_up():
            await self._take(timeout=0.2)
        self._following = asyncio.create_task(self._follow())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._following is not None:
            self._following.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._following
        await self._reader.stop()

    def of(self, brand: Brand) -> BrandConfig | None:
        return self._configs.get(brand)

    def reference_prefix(self, brand: Brand) -> str | None:
        """What our references of this brand in Clarus begin with; None while it is not configured."""
        config = self._configs.get(brand)
        return None if config is None else config.reference_prefix

    @property
    def brands(self) -> frozenset[Brand]:
        return frozenset(self._configs)

    def why_not(self, brand: Brand, system: System) -> str | None:
        """Why nothing may be written to this system for this brand now; None when it may.

        Raises what ended the following: a configuration that does not change any more must not let anything pass.
        """
        if self._following is not None and self._following.done():
            self._following.result()
        config = self._configs.get(brand)
        if config is None:
            return f"brand {brand} is not configured"
        if config.mode == "observe":
            return f"brand {brand} is in observe mode"
        if system in config.paused:
            return f"{system} is paused for brand {brand}"
        return None

    async def _follow(self) -> None:
        while True:
            try:
                await self._take(timeout=WAIT)
            except LogError as away:
                _log.warning("config_view.log_away", error=str(away))
                await self._clock.sleep(AGAIN_SECONDS)

    async def _take(self, timeout: float) -> None:
        for record in await self._reader.poll(timeout=timeout):
            if record.key is None:
                continue
            brand = Brand(record.key.decode(errors="replace"))
            if record.value is None:
                self._configs.pop(brand, None)
                continue
            try:
                self._configs[brand] = BrandConfig.model_validate_json(record.value)
            except ValidationError as wrong:
                _log.error("config_view.invalid", brand=brand, offset=record.offset, errors=wrong.error_count())
