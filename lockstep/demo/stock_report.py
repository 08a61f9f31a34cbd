"""How well stock was kept in step, counted in the sandbox's own books; why figures were written, from the log."""

import contextlib
from collections import Counter
from collections.abc import Iterable, Iterator

from pydantic import Field

from kernel.log import Log
from lockstep.reading import everything
from sandbox.shopify.inventory_books import InventoryBooks, Write
from sandbox.stock.books import StockBooks
from schemas.avro import Codec
from schemas.base import Frozen, System
from schemas.commands import SetOnHand
from schemas.errors import Unreadable
from schemas.outcomes import Outcome, OutcomeKind
from schemas.raw import RawKind
from schemas.topics import COMMANDS_STOCK, RAW

_COMMANDS = Codec((SetOnHand,))
STALE = "CHANGE_FROM_QUANTITY_STALE"


class StockReport(Frozen):
    """Units, and calls. What each number means is said in docs/sandbox.md."""

    units_sold: int
    oversold: int
    """Units sold that Clarus could not ship, excused by nothing."""
    window_oversold: dict[str, int] = Field(default_factory=dict)
    """The same while a window was open: by what opened it."""
    longest_window: dict[str, float] = Field(default_factory=dict)
    """Seconds that the longest window lasted, by what opened it, whether anything was sold in it or not."""
    after_write: int = 0
    """The same after a write that could have known, and before the figures agreed."""
    undersold_beyond_buffer: int = 0
    """At rest: units that could be shipped and are not offered, beyond the buffer and what has left and is not told."""
    still_beyond: int = 0
    """At rest: units offered that cannot be shipped."""
    writes: int = 0
    items_per_write: float = 0.0
    compares_lost: int = 0
    stale_overwrites: int = 0
    """Figures written without looking at what stood there."""
    drift_repaired_by_cause: dict[str, int] = Field(default_factory=dict)


def stock_report(judged: StockBooks, shops: Iterable[InventoryBooks], buffer: int, causes: Counter[str]) -> StockReport:
    """`buffer`: units that are never offered of anything."""
    told = judged.dump()
    calls = [write for books in shops for write in books.writes if write.by == "app"]
    applied = [write for write in calls if write.result == "applied"]
    figures = sum(len(write.items) for write in applied)
    return StockReport(
        units_sold=told["units_sold"],
        oversold=told["oversold"],
        window_oversold=told["window_oversold"],
        longest_window={cause: round(seconds, 1) for cause, seconds in told["longest_window"].items()},
        after_write=told["after_write"],
        undersold_beyond_buffer=sum(max(0, one["undersold"] - buffer) for one in told["at_rest"]),
        still_beyond=sum(min(one["beyond"], max(0, one["available"])) for one in told["at_rest"]),
        writes=len(applied),
        items_per_write=round(figures / len(applied), 2) if applied else 0.0,
        compares_lost=sum(map(compares_lost, calls)),
        stale_overwrites=sum(one.compare is None for write in applied for one in write.items),
        drift_repaired_by_cause=dict(sorted(causes.items())),
    )


def compares_lost(write: Write) -> int:
    """Figures that were not written because Shopify had another by then."""
    return (
        sum(one.compare is not None and one.compare != one.was for one in write.items) if write.result == STALE else 0
    )


def faults_of(stock: StockReport) -> Iterator[str]:
    """What keeps a sale from being in step, a sentence each."""
    for count, what in (
        (stock.oversold, "units were sold that could not be shipped"),
        (stock.undersold_beyond_buffer, "units could be shipped and are not offered"),
        (stock.still_beyond, "units are offered that cannot be shipped"),
        (stock.stale_overwrites, "figures were written over without looking"),
    ):
        if count:
            yield f"{count} {what}"


async def causes(log: Log) -> Counter[str]:
    """Of every figure that Shopify took, why it was written."""
    why: dict[str, str] = {}
    took: set[str] = set()
    async with everything(log, [COMMANDS_STOCK.name, RAW[System.SHOPIFY].name]) as records:
        async for record in records:
            if record.value is None:
                continue
            if record.partition.topic == COMMANDS_STOCK.name:
                with contextlib.suppress(Unreadable):  # a dead letter
                    command = _COMMANDS.decode(record.value, record.headers)
                    assert isinstance(command, SetOnHand)
                    why[command.id] = command.why
            elif record.headers.get("kind") == RawKind.OUTCOME.encode():
                outcome = Outcome.model_validate_json(record.value)
                if outcome.kind is OutcomeKind.APPLIED:
                    took.add(outcome.command)
    return Counter(why[id_] for id_ in sorted(took) if id_ in why)
