"""One lane per order: what waits for it, and whether a call for it is out. A key is never read while it is written."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from connectors.runtime.failing import Failing
from kernel.log import Record
from schemas.aggregates import Kind, kind_of
from schemas.base import Brand, OrderId, OrderKey, order_key
from schemas.commands import Command
from schemas.hints import SWEEP, Hint

TOGETHER = 1000
"""Where a batch of lanes in doubt stops growing; the system's own limit comes first."""


@dataclass(frozen=True, slots=True)
class WaitingHint:
    """One hint, or all of a key that one reading answers.

    `record` is the one that is finished by it, with the highest token of theirs. `hint` bears that token, the newest
    `seen_at` and the trace of the first that has one; `since` is when the first was seen.
    """

    record: Record
    hint: Hint
    since: datetime

    @property
    def swept(self) -> bool:
        """A sweep asks, and what it read of everything at once will do; of what others tell it will not."""
        return self.hint.why == SWEEP

    def joined(self, newer: "WaitingHint") -> "WaitingHint":
        """Both, when a newer one comes."""
        stays = newer if newer.hint.token >= self.hint.token else self
        seen_at, trace = max(self.hint.seen_at, newer.hint.seen_at), self.hint.trace or newer.hint.trace
        return WaitingHint(
            stays.record,
            stays.hint.model_copy(update={"seen_at": seen_at, "trace": trace}),
            min(self.since, newer.since),
        )


@dataclass(frozen=True, slots=True)
class WaitingCommand:
    record: Record
    command: Command

    @property
    def offset(self) -> int:
        return self.record.offset


Slot = tuple[Brand, Kind]
"""What commands of a brand that are carried out at a time are counted by."""


@dataclass(slots=True)
class Lane:
    """Of one order, in one partition number of hints and commands alike.

    `hints` are at most two: of sweeps, and of all else. `perhaps_until`: somebody, our predecessor or a call of ours
    nobody waits for any more, may be writing this order until then; no command of the lane starts before.
    `blind`: the last answer was not complete; what it shows is told, and it is asked again.
    """

    key: OrderKey
    brand: Brand
    order: OrderId
    number: int
    kind: Kind = field(init=False)
    busy: bool = False
    hints: list[WaitingHint] = field(default_factory=list)
    commands: list[WaitingCommand] = field(default_factory=list)
    perhaps_until: datetime | None = None
    failing: Failing | None = None
    blind: bool = False

    def __post_init__(self) -> None:
        self.kind = kind_of(self.order)

    @property
    def slot(self) -> Slot:
        """Whose slots its commands take."""
        return self.brand, self.kind

    @property
    def gentle(self) -> bool:
        """Whether nothing but a sweep wants it read."""
        return self.kind is not Kind.STOCK and bool(self.hints) and all(one.swept for one in self.hints)

    def unread(self, now: datetime) -> bool:
        """Whether a read is wanted now. One that stands among the unread may have no hint left: `Lanes.drop_idle`."""
        return bool(self.hints) and (self.failing is None or not self.failing.rests(now))

    def may_be_read(self, now: datetime) -> bool:
        return not self.busy and not self.commands and self.unread(now)

    @property
    def doubtful(self) -> bool:
        return self.failing is not None and self.failing.doubtful

    @property
    def alone(self) -> bool:
        """Whether it is known to fail by itself."""
        return self.failing is not None and self.failing.own > 0

    @property
    def idle(self) -> bool:
        return not (self.busy or self.hints or self.commands)

    def hinted(self, newer: WaitingHint) -> Record | None:
        """Add a hint. Returns the record that need not come again: what is read for the one that stays answers both."""
        for place, older in enumerate(self.hints):
            if older.swept is newer.swept and older.record.partition == newer.record.partition:
                self.hints[place] = joined = older.joined(newer)
                return older.record if joined.record is newer.record else newer.record
        self.hints.append(newer)
        return None

    def perhaps_written(self, now: datetime) -> bool:
        return self.perhaps_until is not None and now < self.perhaps_until

    def stays_closed(self, until: datetime) -> None:
        self.perhaps_until = until if self.perhaps_until is None else max(until, self.perhaps_until)

    def superseded(self) -> list[WaitingCommand]:
        """Take out the commands that a later one for the same object makes pointless."""
        newest = {waiting.command.object: waiting.offset for waiting in self.commands}
        old = [waiting for waiting in self.commands if newest[waiting.command.object] > waiting.offset]
        self.commands = [waiting for waiting in self.commands if newest[waiting.command.object] == waiting.offset]
        return old


class Lanes:
    """Those of all partitions we own, and in which of them something is to be read."""

    def __init__(self, brands: Iterable[Brand]) -> None:
        self._lanes: dict[OrderKey, Lane] = {}
        self._unread: dict[Brand, dict[Kind, dict[OrderKey, None]]] = {
            brand: {kind: {} for kind in Kind} for brand in brands
        }
        """The kind whose turn it is comes first: a sweep of all stock does not keep an order waiting."""
        self._gentle: dict[Brand, dict[OrderKey, None]] = {brand: {} for brand in self._unread}
        """What is read when nothing else is to be."""
        self._unresolved: dict[Brand, dict[OrderKey, None]] = {brand: {} for brand in self._unread}
        """Whose key is not known yet: `~ID`."""
        self._together = dict.fromkeys(self._unread, 1)
        """How many lanes in doubt are read by one call."""
        self._commanded: dict[Slot, dict[OrderKey, Lane]] = {}
        """Lanes with commands; who has waited longest stands first."""
        self._lingering: dict[OrderKey, Lane] = {}
        """Idle, and kept while somebody may still be writing in them."""

    def __iter__(self) -> Iterator[Lane]:
        return iter(list(self._lanes.values()))

    def __len__(self) -> int:
        return len(self._lanes)

    def __contains__(self, lane: Lane) -> bool:
        """False when it was given up meanwhile, even when there is another one for its order."""
        return self._lanes.get(lane.key) is lane

    def of(self, brand: Brand, order: OrderId, number: int) -> Lane:
        key = order_key(brand, order)
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = Lane(key, brand, order, number)
        return lane

    def to_execute(self, lane: Lane, waiting: WaitingCommand) -> None:
        lane.commands.append(waiting)
        self._commanded.setdefault(lane.slot, {})[lane.key] = lane

    def commanded(self) -> list[Slot]:
        """Whose slots are wanted."""
        return [slot for slot, lanes in self._commanded.items() if lanes]

    def next_commanded(self, slot: Slot, now: datetime) -> Lane | None:
        """The next with a command that may start now."""
        lanes = self._commanded[slot].values()
        return next((lane for lane in lanes if not lane.busy and not lane.perhaps_written(now)), None)

    def started(self, lane: Lane) -> None:
        """Commands were taken out of it."""
        if not lane.commands:
            self._commanded[lane.slot].pop(lane.key, None)

    def to_read(self, lane: Lane) -> None:
        """What only a sweep wants is behind all others, until something else wants it too."""
        if lane.order.startswith("~"):
            self._unresolved[lane.brand][lane.key] = None
            return
        if lane.gentle:
            self._unread[lane.brand][lane.kind].pop(lane.key, None)
            self._gentle[lane.brand][lane.key] = None
            return
        self._gentle[lane.brand].pop(lane.key, None)
        self._unread[lane.brand][lane.kind][lane.key] = None

    def next_read(self, brand: Brand, most: Mapping[Kind, int], now: datetime) -> list[Lane]:
        """Take lanes of one kind to read together; they are busy from here on, empty when there is nothing to read."""
        for kind, unread in list(self._unread[brand].items()):
            batch = self._next_of(unread, most[kind], now)
            if batch:
                self._unread[brand][kind] = self._unread[brand].pop(kind)  # the others have their turn first
                return batch
        return []

    def next_gentle(self, brand: Brand, most: int, now: datetime) -> list[Lane]:
        """The same of what only a sweep wants; empty while anything else is to be read. They are few at a time: what
        an order needs in between waits for no long call.
        """
        if any(self._lanes[key].unread(now) for unread in self._unread[brand].values() for key in unread):
            return []
        return self._next_of(self._gentle[brand], most, now)

    def next_unresolved(self, brand: Brand, now: datetime) -> Lane | None:
        """The next of which it is to be found whose it is; busy from here on."""
        return next(iter(self._next_of(self._unresolved[brand], 1, now)), None)

    def _next_of(self, waiting: dict[OrderKey, None], most: int, now: datetime) -> list[Lane]:
        """Those in doubt keep to themselves, in batches that grow while they are answered; who is known to fail is read
        alone: none takes others along.
        """
        lanes = (self._lanes[key] for key in waiting)
        free = (lane for lane in lanes if lane.may_be_read(now))
        batch = list(islice(free, 1))
        if batch and not batch[0].alone:
            doubtful = batch[0].doubtful
            most = min(most, self._together[batch[0].brand]) if doubtful else most
            alike = (lane for lane in free if lane.doubtful is doubtful and not lane.alone)
            batch.extend(islice(alike, most - 1))
        for lane in batch:
            lane.busy = True
            del waiting[lane.key]
        return batch

    def failed(self, lanes: Sequence[Lane]) -> None:
        """Where they are in doubt, the next of those are read one by one."""
        if any(lane.doubtful for lane in lanes):
            self._together[lanes[0].brand] = 1

    def answered(self, lanes: Sequence[Lane]) -> None:
        """Those that were in doubt are not any more, and more of the others are read together."""
        if any(lane.doubtful for lane in lanes):
            self._together[lanes[0].brand] = min(2 * self._together[lanes[0].brand], TOGETHER)
        for lane in lanes:
            lane.failing = None

    def drop_idle(self, lane: Lane, now: datetime) -> None:
        """A lane that may still be written in is kept until that is over, for the commands to come.

        It may stand among the unread without a hint: one that came after `next_read` and before the call began is in
        that call.
        """
        if not lane.idle or lane not in self:
            return
        if lane.perhaps_written(now):
            self._lingering[lane.key] = lane
        else:
            self._forget(lane)

    def drop_lingering(self, now: datetime) -> None:
        for key, lane in list(self._lingering.items()):
            if not lane.perhaps_written(now):
                del self._lingering[key]
                self.drop_idle(lane, now)

    def give_up(self, numbers: frozenset[int]) -> None:
        for lane in self:
            if lane.number in numbers:
                self._forget(lane)

    def _forget(self, lane: Lane) -> None:
        del self._lanes[lane.key]
        self._commanded.get(lane.slot, {}).pop(lane.key, None)
        if lane.brand in self._unread:  # a command may be for a brand that is none of ours
            self._unread[lane.brand][lane.kind].pop(lane.key, None)
            self._gentle[lane.brand].pop(lane.key, None)
            self._unresolved[lane.brand].pop(lane.key, None)
