"""Work that goes on after its request was answered."""

import asyncio
from collections.abc import Coroutine
from typing import Any


class Errands:
    """Keeps the tasks alive, and lets a test wait for all of them instead of for a time."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()

    def start(self, errand: Coroutine[Any, Any, None]) -> None:
        """Needs a running event loop."""
        task = asyncio.create_task(errand)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def finished(self) -> None:
        """Returns when none is left, those included that started meanwhile. Raises what one of them raised."""
        while self._running:
            await asyncio.gather(*self._running)

    async def drop(self) -> None:
        """End all of them where they are."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
