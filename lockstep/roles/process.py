"""What a role gets from its process: settings, brands, clock, metrics, and its door for health and figures."""

import socket
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

from kernel.clock import Clock, SystemClock
from kernel.metrics import Metrics
from lockstep.serving import CannotListenError, Health, health_app, listening, served
from lockstep.settings import Connections, Settings, SettingsError
from schemas.base import Brand

READY_WITHIN = 60.0
LIVE_WITHIN = 180.0
"""Seconds without progress while something waits. A connector's single call may take a minute or two."""


class Process:
    def __init__(self, settings: Settings, brands: dict[Brand, Connections]) -> None:
        self.settings, self.brands = settings, brands
        self.clock: Clock = SystemClock()
        self.metrics = Metrics()

    def health(self, ready: Callable[[], bool], stuck_for: Callable[[float], float]) -> Health:
        """Progress decides: who stands still while something waits is not ready, and after a while not alive."""
        return Health(
            ready=lambda: ready() and stuck_for(self.clock.monotonic()) < READY_WITHIN,
            live=lambda: stuck_for(self.clock.monotonic()) < LIVE_WITHIN,
        )

    async def with_health(self, run: Callable[[], Awaitable[None]], health: Health) -> None:
        """Serve /health and /metrics beside the work, where a port is set. Raises SettingsError before the work when
        they cannot be: nobody would know how it is.
        """
        async with AsyncExitStack() as stack:
            if self.settings.health_port:
                sockets = await doors("HEALTH", self.settings.health_host, self.settings.health_port)
                await stack.enter_async_context(served(sockets, health_app(health, self.metrics)))
            await run()


async def doors(name: str, host: str, port: int) -> list[socket.socket]:
    """Raises SettingsError naming the variables."""
    try:
        return await listening(host, port)
    except CannotListenError as cause:
        raise SettingsError(f"LOCKSTEP_{name}_HOST, LOCKSTEP_{name}_PORT: {cause}") from cause
