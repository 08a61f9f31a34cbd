"""A start without a log: every order that is open or was lately, read from the three systems as they are now.

Two steps. The dry one reads and folds each order in memory and tells what would be sent, what people would be asked,
and what nobody owns. Then, when asked for, hints for all these orders go to a fresh log: the running roles read and
decide by themselves, as for any other hint. Nothing is written to an outside system here, and no snapshot to the log.
"""

import asyncio
import functools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import ValidationError

from connectors.runtime.errors import Permanent
from connectors.runtime.port import Listing, Reading
from connectors.runtime.publisher import Publisher
from kernel.clock import Clock
from kernel.log import Log
from kernel.metrics import Metrics
from lockstep.patience import CannotReadError, patiently
from lockstep.replay.dry_fold import DryFold, Verdict
from schemas.base import Brand, Frozen, OrderId, System, Utc

Told = Callable[[int, int], None]
"""Called with how many orders are done, and of how many."""

GOOD_FOR = timedelta(hours=24)
"""What was read is read again after this: it says little any more."""
HINTS_AT_ONCE = 500


class Listed(Frozen):
    """The first line of a brand's notes: what was asked for, and the orders that were named."""

    brand: Brand
    at: Utc
    since: Utc
    judged_by: str = ""
    """The mark of what the orders are folded with; see `DryFold.mark`."""
    by: dict[System, int]
    """How many orders each system named."""
    orders: tuple[OrderId, ...]


@dataclass(slots=True)
class Notes:
    """A file per brand with a line per order that was read: an interrupted run goes on from there.

    Holds order ids, order names and what was decided; no address, no bodies.
    """

    path: Path
    listed: Listed | None = None
    verdicts: dict[OrderId, Verdict] = field(default_factory=dict)

    @classmethod
    def of(cls, folder: Path, brand: Brand, now: datetime) -> "Notes":
        """Those of an earlier run, if they are not too old; else empty ones. A line cut short is forgotten."""
        path = folder / f"{brand}.jsonl"
        try:
            first, *lines = path.read_text().splitlines()
            listed = Listed.model_validate_json(first)
        except (OSError, ValueError):
            return cls(path)
        if now - listed.at > GOOD_FOR:
            return cls(path)
        verdicts: dict[OrderId, Verdict] = {}
        for line in lines:
            try:
                verdict = Verdict.model_validate_json(line)
            except ValidationError:
                continue
            verdicts[verdict.order] = verdict
        return cls(path, listed, verdicts)

    def answer(self, since: datetime, mark: str) -> bool:
        """Whether they are of this question: of all orders it asks for, judged by the same configuration."""
        return self.listed is not None and self.listed.since <= since and self.listed.judged_by == mark

    @property
    def done(self) -> bool:
        return self.listed is not None and all(order in self.verdicts for order in self.listed.orders)

    def begin(self, listed: Listed) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path.write_text(listed.model_dump_json() + "\n")
        self.listed, self.verdicts = listed, {}

    def add(self, verdicts: Sequence[Verdict]) -> None:
        with self.path.open("a") as file:
            file.writelines(verdict.model_dump_json(exclude_defaults=True) + "\n" for verdict in verdicts)
        self.verdicts |= {verdict.order: verdict for verdict in verdicts}

    def forget(self) -> None:
        self.path.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Found:
    """All of a brand's orders that were named, and what each shows."""

    listed: Listed
    verdicts: tuple[Verdict, ...]

    def shown(self) -> Counter[str]:
        return Counter(shows for verdict in self.verdicts for shows in verdict.shows)

    def of(self, has: Callable[[Verdict], bool]) -> list[Verdict]:
        return [verdict for verdict in self.verdicts if has(verdict)]


async def read_systems(
    ports: Mapping[System, Listing],
    fold: DryFold,
    clock: Clock,
    folder: Path,
    since: datetime,
    told: Told = lambda *_: None,
    *,
    anew_when_done: bool = True,
) -> Found:
    """List, read and fold every order of the fold's brand. Raises CannotReadError; the same call goes on from there.

    With `anew_when_done` notes of a run that came to its end are not taken for answers.
    """
    brand, mark = fold.config.brand, fold.mark
    notes = Notes.of(folder, brand, clock.now())
    if not notes.answer(since, mark) or (anew_when_done and notes.done):
        notes.begin(await _list(ports, brand, clock, since, mark))
    assert notes.listed is not None
    orders = notes.listed.orders
    left = [order for order in orders if order not in notes.verdicts]
    told(len(orders) - len(left), len(orders))
    for chunk in _chunks(left, min(port.read_batch for port in ports.values())):
        read = await asyncio.gather(*(_read(port, system, brand, chunk, clock) for system, port in ports.items()))
        by_system = dict(zip(ports, read, strict=True))
        notes.add([_verdict(fold, order, by_system) for order in chunk])
        told(len(notes.verdicts), len(orders))
    return Found(notes.listed, tuple(notes.verdicts[order] for order in orders))


async def seed(log: Log, brand: Brand, orders: Sequence[OrderId], clock: Clock, told: Told = lambda *_: None) -> None:
    """Hint at every order, for all three systems; returns when the broker has them all. Safe to repeat.

    Shopify's come last, so that what was begun is mostly known when the order itself comes; nothing depends on it.
    """
    producer, metrics = log.producer(), Metrics()
    await producer.start()
    try:
        for system in (System.CLARUS, System.ERP, System.SHOPIFY):
            done = 0
            publisher = Publisher(system, producer, clock, metrics)
            for chunk in _chunks(orders, HINTS_AT_ONCE):
                await publisher.hints(brand, chunk, "rebuild")
                done += len(chunk)
                told(done, len(orders))
    finally:
        await producer.stop()


async def _list(ports: Mapping[System, Listing], brand: Brand, clock: Clock, since: datetime, mark: str) -> Listed:
    """Everything any of the three names; Shopify's first."""
    at = clock.now()
    named: dict[System, Sequence[OrderId]] = {}
    for system, port in ports.items():
        ask = functools.partial(port.listed, brand, since)
        doing = f"{brand}: listing orders of {system}"
        try:
            named[system] = await patiently(ask, doing, clock)
        except Permanent as refused:
            raise CannotReadError(f"{doing}: {type(refused).__name__}: {refused}") from refused
    orders = dict.fromkeys(order for system in System for order in named[system])
    counted = {system: len(found) for system, found in named.items()}
    return Listed(brand=brand, at=at, since=since, judged_by=mark, by=counted, orders=tuple(orders))


def _verdict(fold: DryFold, order: OrderId, read: Mapping[System, Mapping[OrderId, Reading]]) -> Verdict:
    refused = tuple(f"cannot be read from {system}" for system, found in read.items() if order not in found)
    if refused:
        return Verdict(order=order, shows=refused)
    return fold.verdict({system: found[order] for system, found in read.items()})


async def _read(
    port: Listing, system: System, brand: Brand, orders: Sequence[OrderId], clock: Clock
) -> dict[OrderId, Reading]:
    """Those that can be read; one that cannot does not keep the others of its batch from it."""
    doing = f"{brand}: reading {len(orders)} orders of {system}"
    try:
        read = await patiently(functools.partial(port.read, brand, orders), doing, clock)
    except Permanent:
        if len(orders) == 1:
            return {}
        halves = (orders[: len(orders) // 2], orders[len(orders) // 2 :])
        return {
            order: reading
            for half in halves
            for order, reading in (await _read(port, system, brand, half, clock)).items()
        }
    return {reading.order: reading for reading in read}


def _chunks(orders: Sequence[OrderId], size: int) -> Iterator[Sequence[OrderId]]:
    return (orders[begin : begin + size] for begin in range(0, len(orders), size))
