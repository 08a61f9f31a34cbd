"""The contract between the runtime (log, locks, epochs, outcomes) and one outside system.

The runtime calls; a system implements. The runtime guarantees: per order key one call at a time, reads and writes
alike; commands of a key in log order, only the newest per object; what a call returns is published before the next call
for that key. A system must not assume that its process lives to see an answer.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from schemas.base import Brand, OrderId, System
from schemas.commands import Command
from schemas.config import BrandConfig
from schemas.hints import Hint
from schemas.outcomes import Outcome
from schemas.sweep import Stray

ConfigOf = Callable[[Brand], BrandConfig | None]
"""A brand's configuration as it is now; None for one that has none yet."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One order as a system has it, verbatim.

    `body` is UTF-8 JSON as answered (pages of one record joined), empty when `absent`. `complete` is false when the
    answer does not prove that what is missing in it is missing in the system. `read_started_at` is aware UTC, taken
    before the first byte was sent.
    """

    brand: Brand
    order: OrderId
    body: bytes
    read_started_at: datetime
    absent: bool = False
    complete: bool = True
    api_version: str = ""


@dataclass(frozen=True, slots=True)
class Execution:
    """How a command ended, and what was seen on the way; the readings are published before the outcome."""

    outcome: Outcome
    readings: tuple[Reading, ...] = ()


@dataclass(frozen=True, slots=True)
class Changes:
    """Orders that may have changed; hints only. `cursor` goes into the next call, opaque to the runtime. `proven`: the
    answer showed that we see all that is ours, so the connection is well, even when there is nothing to read.
    """

    orders: tuple[OrderId, ...]
    cursor: str
    proven: bool = False


class Port(Protocol):
    """One outside system for all brands it is configured for."""

    @property
    def system(self) -> System: ...

    @property
    def brands(self) -> frozenset[Brand]: ...

    @property
    def longest_request(self) -> float:
        """Seconds for which the system may still execute a request nobody waits for any more."""
        ...

    @property
    def read_batch(self) -> int:
        """How many orders of a brand one `read` may be asked for."""
        ...

    async def read(self, brand: Brand, orders: Sequence[OrderId]) -> Sequence[Reading]:
        """Read these orders whole, one Reading each, in any order; none of an item that our rights do not show at all.
        Raises ConnectorError; then none is published.
        """
        ...

    async def execute(self, command: Command) -> Execution:
        """Look; write if it is not so; after an unclear answer wait `longest_request` and look again; read back.

        Refusals are outcomes, not exceptions. Raises Transient only when nothing can have been written, and
        Unauthorised; the runtime makes `delayed` of both.
        """
        ...

    async def resolve(self, hint: Hint) -> Sequence[OrderId]:
        """What a hint for something else (`~ID`) is about; nothing when it is none of ours."""
        ...

    async def changes(self, brand: Brand, cursor: str) -> Changes:
        """Orders changed since the cursor ('' at first), with overlap. The poll that finds what no webhook told."""
        ...

    async def aclose(self) -> None: ...


class Listing(Protocol):
    """What a start without a log asks of an outside system: reads only. Every port has it beside `Port`."""

    @property
    def read_batch(self) -> int: ...

    async def listed(self, brand: Brand, since: datetime) -> Sequence[OrderId]:
        """Orders that are open there, and those that changed or ended since. Hints: some may be neither.

        Raises ConnectorError, also when the list does not prove that it shows all that is ours.
        """
        ...

    async def read(self, brand: Brand, orders: Sequence[OrderId]) -> Sequence[Reading]: ...

    async def aclose(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Found:
    """What a sweep of a system names: orders, and what belongs to none."""

    orders: tuple[OrderId, ...]
    strays: tuple[Stray, ...] = ()


@runtime_checkable
class Sweepable(Protocol):
    """A port that can list all that is open, and all that changed or ended lately."""

    async def swept(self, brand: Brand, since: datetime) -> Found:
        """As `Listing.listed`, with what names no order. Raises ConnectorError, also when it is not whole."""
        ...


@runtime_checkable
class KeepsStock(Protocol):
    """A port whose system has stock. Both lists are hints; empty for a brand whose stock is not kept in step."""

    @property
    def stock_batch(self) -> int:
        """How many stock items of a brand one `read` may be asked for."""
        ...

    async def moved(self, brand: Brand, cursor: str) -> Changes:
        """Stock items that may have changed since the cursor ('' at first), with overlap."""
        ...

    async def stocked(self, brand: Brand) -> Sequence[OrderId]:
        """Every stock item there is. Raises ConnectorError, also when the list does not prove that it is whole."""
        ...


@runtime_checkable
class ReadsAtOnce(Protocol):
    """A port that may have read everything at once when it named everything."""

    def read_at_once(self, brand: Brand, order: OrderId, since: datetime) -> Reading | None:
        """What that showed of it, where it began at that moment or later; once. None: it must be read."""
        ...


@runtime_checkable
class ListsItems(Protocol):
    """A port whose system has items. Hints; empty for a brand whose items are not looked at."""

    async def all_items(self, brand: Brand) -> Sequence[OrderId]:
        """Every item there is."""
        ...


@runtime_checkable
class KeepsItems(ListsItems, Protocol):
    """A port whose system is the master of items."""

    async def items_changed(self, brand: Brand, cursor: str) -> Changes:
        """Items written since the cursor, with overlap; '' at first, which is from now on. Hints, as in `all_items`."""
        ...


@runtime_checkable
class Budgeted(Protocol):
    """A port whose system, or whose own pace, limits it; without it the runtime's slots are the only limit."""

    def budget(self, brand: Brand) -> float:
        """What is left of it now, 0 to 1. For the metrics."""
        ...
