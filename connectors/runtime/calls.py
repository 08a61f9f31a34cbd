"""Calls that are out, and the partitions they touch: begun, abandoned when those are given up, their failures kept."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


class Calls:
    """`moved` is told when one begins or ends, `ended` when one has ended well: another may begin now."""

    def __init__(self, moved: Callable[[], None], ended: Callable[[], None]) -> None:
        self._moved, self._ended_well = moved, ended
        self._out: dict[asyncio.Task[None], frozenset[int]] = {}
        self._failure: BaseException | None = None

    def __bool__(self) -> bool:
        return bool(self._out)

    def start(self, call: Coroutine[Any, Any, None], numbers: set[int]) -> None:
        """`numbers` are the partition numbers whose keys it is about."""
        task = asyncio.create_task(call)
        self._out[task] = frozenset(numbers)
        task.add_done_callback(self._ended)
        self._moved()

    async def abandon(self, numbers: frozenset[int]) -> None:
        """Cut off what touches these partitions; returns when it has ended. A joint read is cut off whole."""
        calls = [call for call, touched in self._out.items() if touched & numbers]
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)

    def raise_failure(self) -> None:
        """A call that ended with something nobody foresaw ends the process: what it did is not known to be told."""
        if self._failure is not None:
            raise self._failure

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._out.pop(task, None)
        if task.cancelled():
            return
        self._moved()
        failure = task.exception()
        if failure is None:
            self._ended_well()
        else:
            self._failure = self._failure or failure
