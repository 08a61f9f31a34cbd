"""What is waited for, of any key: since when, and which systems are read again meanwhile."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Protocol, Self, TypeVar

from schemas.base import System
from schemas.config import BrandConfig
from streams.rules.orders.acting import Acting
from streams.rules.orders.findings import Waiting
from streams.rules.orders.state import Reread, Since


class Waits(Protocol):
    """A frozen record that knows since when its conditions hold."""

    @property
    def now(self) -> datetime: ...
    @property
    def since(self) -> tuple[Since, ...]: ...
    def model_copy(self, *, update: Mapping[str, Any] | None = None) -> Self: ...


SYSTEMS = tuple(System)
A = TypeVar("A", bound=Acting)
W = TypeVar("W", bound=Waits)


def kept_since(state: W, waitings: Sequence[Waiting]) -> W:
    """Keep since when each condition holds; forget those that are over."""
    if not waitings and not state.since:
        return state
    before = {entry.name: entry for entry in state.since}
    names = sorted({waiting.name for waiting in waitings})
    return state.model_copy(
        update={"since": tuple(before.get(name) or Since(name=name, at=state.now) for name in names)}
    )


def reads_of(
    state: A, config: BrandConfig, waitings: Sequence[Waiting], wakes: list[datetime]
) -> tuple[A, tuple[System, ...]]:
    """Systems to read again: asked for at once, or waited for long enough. Backs off; spread by the key."""
    needed = {system for waiting in waitings for system in waiting.read}
    if not (needed or state.ask or state.rereads):
        return state, ()
    before = {reread.system: reread for reread in state.rereads}
    reads = set(state.ask)
    rereads: list[Reread] = []
    for system in SYSTEMS:
        if system not in needed:
            continue
        reread = before.get(system)
        if reread is None:
            reread = Reread(system=system, asked=0, next_at=_next_read(state, config, 0))
        elif reread.next_at <= state.now:
            reads.add(system)
            asked = reread.asked + 1
            reread = Reread(system=system, asked=asked, next_at=_next_read(state, config, asked))
        rereads.append(reread)
        wakes.append(reread.next_at)
    return (
        state.model_copy(update={"ask": (), "rereads": tuple(rereads)}),
        tuple(system for system in SYSTEMS if system in reads),
    )


def _next_read(state: Acting, config: BrandConfig, asked: int) -> datetime:
    seconds = min(config.waits.reread * 2 ** min(asked, 20), config.waits.reread_most)
    return state.now + timedelta(seconds=seconds, milliseconds=spread(state.order, seconds * 100))


def whole_milliseconds(moment: datetime | None) -> datetime | None:
    """Rounded up: the log counts milliseconds, and a restored index must not fire before a live one."""
    return None if moment is None else moment + timedelta(microseconds=-moment.microsecond % 1000)


def spread(key: str, most: int) -> int:
    """0 to `most`, the same for the same key: so that what begins together does not come back together."""
    return int.from_bytes(sha256(key.encode()).digest()[:4]) % (most + 1)
