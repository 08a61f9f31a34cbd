"""Reading from outside systems for a command that somebody waits for: again after a while, then told."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from connectors.runtime.errors import RateLimited, Transient, Unauthorised
from kernel.clock import Clock

T = TypeVar("T")

TRIES = 6
"""Of one read that may go well later; waits 1, 2, 4 … seconds, or as long as the system says."""


class CannotReadError(Exception):
    """A system did not answer; what was read until then is kept."""


async def patiently(ask: Callable[[], Awaitable[T]], doing: str, clock: Clock) -> T:
    """Raises CannotReadError when it goes wrong too often or for the whole connection, Permanent as it comes."""
    for tried in range(1, TRIES + 1):
        try:
            return await ask()
        except Transient as later:
            if tried == TRIES:
                raise CannotReadError(f"{doing}, {TRIES} times: {type(later).__name__}: {later}") from later
            await clock.sleep(later.retry_after if isinstance(later, RateLimited) else 2.0 ** (tried - 1))
        except Unauthorised as refused:
            raise CannotReadError(f"{doing}: {type(refused).__name__}: {refused}") from refused
    raise AssertionError
