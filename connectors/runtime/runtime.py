"""Runs one outside system: joins hints into reads, carries out commands, publishes what it saw and did, then commits.

    hints.<system> ──┐                       ┌── read    ──┐
                     ├── a lane per order ───┤             ├── raw.<system> ── commit
    commands.<system>┘                       └── execute ──┘

Per order one call at a time; orders in parallel, within the slots of their brand. What a call returned is acknowledged
by the broker before the next call for that order, and before the record that asked for it counts as finished.
"""

import asyncio
import contextlib
import math
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import datetime, timedelta

import structlog

from connectors.runtime.attempts import Attempts
from connectors.runtime.calls import Calls
from connectors.runtime.config_view import ConfigView
from connectors.runtime.connections import Connections
from connectors.runtime.endings import Endings
from connectors.runtime.errors import ConnectorError
from connectors.runtime.http import before_write
from connectors.runtime.lanes import Lane, Lanes, WaitingCommand, WaitingHint
from connectors.runtime.outcomes import ended
from connectors.runtime.port import Budgeted, KeepsItems, KeepsStock, ListsItems, Port
from connectors.runtime.progress import Progress
from connectors.runtime.publisher import Publisher
from connectors.runtime.reads import Reads
from connectors.runtime.recall import tried
from connectors.runtime.records import command_of, hint_of, without_evidence
from connectors.runtime.settings import RuntimeSettings
from connectors.runtime.sweeps import Sweeps
from kernel.clock import Clock
from kernel.lag import Lag
from kernel.log import Fenced, Log, LogError, Partition, Record
from kernel.metrics import Metrics, Stage
from kernel.pulse import Pulse
from schemas.aggregates import Kind
from schemas.base import Brand, OrderId, connection_id
from schemas.commands import Withdraw
from schemas.errors import Unreadable
from schemas.hints import SWEEP
from schemas.outcomes import OutcomeKind
from schemas.topics import HINTS, RAW, commands_of

SWEPT_TOGETHER = 20
"""Items that a sweep hints at a time."""
RESOLVED_AT_ONCE = 4
"""Hints of a brand about something else than a key of ours: calls that are out to find whose it is."""

_log = structlog.get_logger(__name__)


class ConnectorRuntime:
    """Of one port, for all its brands; more instances of a group share the partitions."""

    def __init__(
        self, port: Port, log: Log, configs: ConfigView, clock: Clock, settings: RuntimeSettings, metrics: Metrics
    ) -> None:
        self._port, self._log = port, log
        self._clock, self._settings, self._metrics = clock, settings, metrics
        self._budgeted = port if isinstance(port, Budgeted) else None
        stock = port.stock_batch if isinstance(port, KeepsStock) else port.read_batch
        self._batches = {Kind.ORDER: port.read_batch, Kind.STOCK: stock, Kind.ITEM: port.read_batch}
        self._hints = HINTS[port.system].name
        self._commands = [topic.name for topic in commands_of(port.system)]
        self._producer = log.producer()
        self._consumer = log.consumer(f"lockstep.{port.system}", [self._hints, *self._commands], self)
        self._publisher = Publisher(port.system, self._producer, clock, metrics)
        self._awake_at = clock.monotonic()
        self._connections = Connections(port.system, port.brands, self._publisher, clock, metrics)
        self._attempts = Attempts(port, configs, self._connections, clock, settings)
        self._progress = Progress()
        self._endings = Endings(f"{port.system} connector", self._progress, self._producer, metrics)
        self._pulse, self._lag = Pulse(), Lag(port.system, metrics)
        self._lanes = Lanes(port.brands)
        self._reads: dict[Brand, int] = dict.fromkeys(port.brands, 0)
        self._resolves: dict[Brand, int] = dict.fromkeys(port.brands, 0)
        self._writes: Counter[tuple[Brand, Kind]] = Counter()
        self._found_at_start: dict[Partition, int] = {}
        self._taken_at: dict[int, float] = {}
        self._rebalances = 0
        self._calls = Calls(self._moved, self._schedule)
        self._reading = Reads(port, self._lanes, self._connections, self._publisher, self._endings, clock, metrics)
        self._sweeps = Sweeps(port, configs, self._connections, self._publisher, self._endings, clock)
        self.ready = asyncio.Event()

    async def run(self) -> None:
        """Until cancelled. Raises LogError when the log cannot be written: the process should end and start anew."""
        before_write.set(self._must_be_awake)
        async with AsyncExitStack() as ending:
            ending.push_async_callback(self._port.aclose)
            ending.push_async_callback(self._producer.stop)
            await self._producer.start()
            ending.push_async_callback(self._consumer.stop)  # gives the partitions up as in a rebalance
            await self._consumer.start()
            try:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._consume())
                    tasks.create_task(self._commit_often())
                    tasks.create_task(self._measure_often())
                    for brand in sorted(self._port.brands):
                        tasks.create_task(self._poll(brand))
                        if isinstance(self._port, KeepsStock):
                            tasks.create_task(self._poll_stock(self._port, brand))
                        if isinstance(self._port, KeepsItems):
                            tasks.create_task(self._poll_items(self._port, brand))
                        if isinstance(self._port, ListsItems):
                            tasks.create_task(self._sweep_items(self._port, brand))
            except BaseExceptionGroup as several:
                raise several.exceptions[0] from several

    def stuck_for(self, now: float) -> float:
        """Seconds without progress while something waits for it. `now` is the clock's monotonic time.

        A system that is away, and a breaker that keeps calls back, do not count: starting anew would mend neither.
        """
        return self._pulse.stuck_for(now, waiting=self._waiting)

    def _moved(self) -> None:
        self._pulse.moved(self._clock.monotonic())

    @property
    def _waiting(self) -> bool:
        now = self._clock.now()
        return bool(self._calls) or any(
            lane.commands or (lane.unread(now) and self._connections.closed_until(lane.brand) is None)
            for lane in self._lanes
            if not lane.perhaps_written(now)
        )

    # --- partitions come and go

    async def assigned(self, partitions: frozenset[Partition]) -> None:
        """Own each partition number: epoch first, then work."""
        self._found_at_start.update(await self._consumer.end_offsets(sorted(partitions)))
        for number in sorted({where.number for where in partitions}):
            await self._publisher.own(number)
            self._taken_at[number] = self._clock.monotonic()
        await self._recall(partitions)
        self._connections.tell_again()
        _log.info("connector.assigned", system=self._port.system, partitions=len(partitions))
        self.ready.set()

    async def _recall(self, partitions: frozenset[Partition]) -> None:
        """Commands that were not committed and have their outcome are not tried again: what has become of what they
        made is for the fold to judge. Where nothing waits, nothing is read.
        """
        waiting: set[int] = set()
        for where in sorted(partitions):
            if where.topic not in self._commands or where.number in waiting:
                continue
            if (await self._consumer.committed(where) or 0) < self._found_at_start[where]:
                waiting.add(where.number)
        for number in sorted(waiting):
            async for command in tried(self._log, RAW[self._port.system].name, number):
                self._endings.tried(command)

    async def revoked(self, partitions: frozenset[Partition]) -> None:
        """Abandon the calls, commit what is finished, forget the rest: the next owner looks before it writes."""
        self._rebalances += 1
        await self._abandon(frozenset(where.number for where in partitions))
        with contextlib.suppress(LogError):
            await self._commit()
        for where in partitions:
            self._progress.drop(where)
        self._lag.forget(partitions)

    async def _abandon(self, numbers: frozenset[int]) -> None:
        """Lanes first, so that nothing new begins there while the calls end; joint reads are abandoned whole."""
        for number in numbers:
            self._taken_at.pop(number, None)
        self._lanes.give_up(numbers)
        await self._calls.abandon(numbers)
        for number in numbers:
            self._publisher.epochs.pop(number, None)

    # --- records come in

    async def _consume(self) -> None:
        while True:
            self._awake_at = self._clock.monotonic()
            records = await self._consumer.poll(timeout=self._settings.look_every)
            self._must_be_awake()
            self._awake_at = self._clock.monotonic()
            polled_in = self._rebalances
            for record in records:
                if polled_in != self._rebalances:
                    break  # taken away meanwhile: they are the next owner's, or come again
                await self._take(record)
            self._calls.raise_failure()
            self._schedule()
            now = self._clock.monotonic()
            if records:
                self._pulse.moved(now)
            self._pulse.turned(now, waiting=self._waiting)

    def _must_be_awake(self) -> None:
        """Raises Fenced, which ends the process, when its turn takes so long that others may own its partitions.

        Whoever was stopped past its session does not know yet that it is out of its group. What it took up before, and
        what its consumer still hands it, its successor does too, and both would look, see nothing, and write. So this
        is asked when records come, and again before each write: one whose look was answered just before the stop, or
        whose answer lay in the socket meanwhile, may be the first to go on.
        """
        seconds = self._clock.monotonic() - self._awake_at
        if seconds - self._settings.look_every > self._settings.stands_still_most:
            raise Fenced(f"stood still for {seconds:.1f} s: others may own the partitions; starting anew")

    async def _take(self, record: Record) -> None:
        self._progress.take(record.partition, record.offset)
        try:
            if record.partition.topic == self._hints:
                self._take_hint(record)
            else:
                self._take_command(record)
        except Unreadable as cause:
            await self._endings.dead_letter(record, str(cause))

    def _take_hint(self, record: Record) -> None:
        hint = hint_of(record)
        if hint.brand not in self._port.brands:
            self._endings.finish(record)
        elif hint.order == connection_id(self._port.system):
            self._calls.start(
                self._sweeps.make(hint, record, self._settings.delay, self._moved), {record.partition.number}
            )
        else:
            lane = self._lanes.of(hint.brand, hint.order, record.partition.number)
            self._reading.hinted(lane, WaitingHint(*without_evidence(record, hint), hint.seen_at))
            self._lanes.to_read(lane)

    def _take_command(self, record: Record) -> None:
        command = command_of(record)
        lane = self._lanes.of(command.brand, command.order, record.partition.number)
        if record.offset < self._found_at_start.get(record.partition, 0):
            # It was in the topic when we took the partition: our predecessor may be carrying it out.
            since = self._clock.monotonic() - self._taken_at[record.partition.number]
            left = self._port.longest_request - since
            lane.stays_closed(self._clock.now() + timedelta(seconds=max(0.0, left)))
        self._lanes.to_execute(lane, WaitingCommand(record, command))

    # --- calls go out

    def _schedule(self) -> None:
        """Start every call that may start now."""
        now = self._clock.now()
        for slot in self._lanes.commanded():
            while self._writes[slot] < self._settings.slots(slot[1]):
                lane = self._lanes.next_commanded(slot, now)
                if lane is None:
                    break
                self._start_commands(lane)
                self._lanes.drop_idle(lane, now)
        self._lanes.drop_lingering(now)
        for brand in sorted(self._port.brands):
            while self._reads[brand] < self._settings.reads_at_once and self._connections.closed_until(brand) is None:
                batch = self._lanes.next_read(brand, self._batches, now)
                if not batch:
                    break
                self._reads[brand] += 1
                self._calls.start(self._read(brand, batch), {lane.number for lane in batch})
            self._schedule_resolving(brand, now)
            self._schedule_gentle(brand, now)

    def _schedule_resolving(self, brand: Brand, now: datetime) -> None:
        while self._resolves[brand] < RESOLVED_AT_ONCE and self._connections.closed_until(brand) is None:
            lane = self._lanes.next_unresolved(brand, now)
            if lane is None:
                break
            self._resolves[brand] += 1
            self._calls.start(self._resolve(brand, lane), {lane.number})

    def _schedule_gentle(self, brand: Brand, now: datetime) -> None:
        """One read for a sweep at a time, when nothing else is to be read and enough of the budget is left."""
        if self._reads[brand] or self._connections.closed_until(brand) is not None:
            return
        if self._budget(brand) < self._settings.sweep_leaves:
            return
        most = min(self._port.read_batch, self._settings.sweep_batch)
        batch = self._lanes.next_gentle(brand, most, now)
        if batch:
            self._reads[brand] += 1
            self._calls.start(self._read(brand, batch), {lane.number for lane in batch})

    def _start_commands(self, lane: Lane) -> None:
        """The next command of the lane, for which there is a slot; what is superseded or withdrawn ends on the way."""
        old = lane.superseded()
        going = {waiting.command.id for waiting in lane.commands}
        for waiting in old:
            if isinstance(waiting.command, Withdraw) or waiting.command.id in going:
                # A copy of what goes out itself, sent by two workers that both believed the partition theirs.
                self._endings.finish(waiting.record)
            else:
                self._calls.start(self._superseded(lane, waiting), {lane.number})
        while lane.commands and self._has_nothing_to_say(lane.commands[0]):
            self._endings.finish(lane.commands.pop(0).record)
        if lane.commands:
            lane.busy = True
            self._writes[lane.slot] += 1
            self._calls.start(self._execute(lane, lane.commands.pop(0)), {lane.number})
        self._lanes.started(lane)

    def _has_nothing_to_say(self, waiting: WaitingCommand) -> bool:
        """A withdrawal: what it withdraws has ended, or it would stand before it in this lane as superseded. Or a copy
        of what was tried, sent again by a worker that did not know.
        """
        return isinstance(waiting.command, Withdraw) or self._endings.was_tried(waiting.command.id)

    async def _read(self, brand: Brand, lanes: list[Lane]) -> None:
        try:
            await self._reading.read(brand, lanes)
        finally:
            self._reads[brand] -= 1
            for lane in lanes:
                self._free(lane)

    async def _resolve(self, brand: Brand, lane: Lane) -> None:
        try:
            await self._reading.resolve(lane)
        finally:
            self._resolves[brand] -= 1
            self._free(lane)

    def _free(self, lane: Lane) -> None:
        lane.busy = False
        self._lanes.drop_idle(lane, self._clock.now())

    # --- writing

    async def _execute(self, lane: Lane, waiting: WaitingCommand) -> None:
        command = waiting.command
        try:
            execution, perhaps_until = await self._attempts.attempt(command)
            if perhaps_until is not None:
                lane.stays_closed(perhaps_until)
            await self._publisher.readings(execution.readings, lane.number, command.trace)
            await self._publisher.outcome(lane.brand, lane.order, execution.outcome, lane.number, command.trace)
            self._endings.tried(command.id)
            waited = (self._clock.now() - command.decided_at).total_seconds()
            self._metrics.command_to_outcome.labels(lane.brand, self._port.system, type(command).__name__).observe(
                max(0.0, waited)
            )
            self._metrics.stage_seconds.labels(lane.brand, Stage.COMMAND_TO_OUTCOME).observe(max(0.0, waited))
            self._endings.finish(waiting.record)
        finally:
            self._writes[lane.slot] -= 1
            self._free(lane)

    async def _superseded(self, lane: Lane, waiting: WaitingCommand) -> None:
        outcome = ended(waiting.command, OutcomeKind.SUPERSEDED)
        await self._publisher.outcome(lane.brand, lane.order, outcome, lane.number, waiting.command.trace)
        self._endings.finish(waiting.record)

    # --- time

    async def _poll(self, brand: Brand) -> None:
        """Find what no webhook told. Hints are harmless twice, so every instance polls."""
        cursor = ""
        while True:
            try:
                changes = await self._port.changes(brand, cursor)
                cursor = changes.cursor
                await self._publisher.hints(brand, changes.orders, "poll")
                if changes.proven:
                    await self._connections.well(brand)
            except ConnectorError as error:
                await self._connections.list_failed(brand, error)
            await self._clock.sleep(self._settings.poll_every)

    async def _poll_stock(self, port: KeepsStock, brand: Brand) -> None:
        """Find stock that no webhook told of: what moved at every poll, everything at every sweep, whatever became of
        the poll.
        """
        cursor, swept = "", -math.inf
        while True:
            try:
                changes = await port.moved(brand, cursor)
                cursor = changes.cursor
                await self._publisher.hints(brand, changes.orders, "poll")
            except ConnectorError as error:
                await self._connections.list_failed(brand, error)
            if self._clock.monotonic() - swept >= self._settings.sweep_every:
                try:
                    began = self._clock.now()
                    items = await port.stocked(brand)
                    await self._publisher.hints(brand, items, SWEEP, seen_at=began)
                    swept = self._clock.monotonic() if items else swept
                except ConnectorError as error:
                    await self._connections.list_failed(brand, error)
            await self._clock.sleep(self._settings.poll_every)

    async def _poll_items(self, port: KeepsItems, brand: Brand) -> None:
        cursor = ""
        while True:
            try:
                changes = await port.items_changed(brand, cursor)
                cursor = changes.cursor
                await self._publisher.hints(brand, changes.orders, "poll")
            except ConnectorError as error:
                await self._connections.list_failed(brand, error)
            await self._clock.sleep(self._settings.poll_every)

    async def _sweep_items(self, port: ListsItems, brand: Brand) -> None:
        """Look at every item at a pace that leaves the orders theirs. A brand may begin to keep items in step."""
        while True:
            items: Sequence[OrderId] = ()
            try:
                items = await port.all_items(brand)
            except ConnectorError as error:
                await self._connections.list_failed(brand, error)
            for start in range(0, len(items), SWEPT_TOGETHER):
                part = items[start : start + SWEPT_TOGETHER]
                await self._publisher.hints(brand, part, "sweep")
                await self._clock.sleep(len(part) / self._settings.items_per_second)
            await self._clock.sleep(self._settings.items_every if items else self._settings.poll_every)

    async def _commit_often(self) -> None:
        while True:
            await self._clock.sleep(self._settings.commit_every)
            with contextlib.suppress(Fenced):
                await self._commit()

    async def _commit(self) -> None:
        offsets = self._progress.committable()
        if offsets:
            await self._consumer.commit(offsets)
            self._progress.committed(offsets)

    async def _measure_often(self) -> None:
        while True:
            await self._clock.sleep(self._settings.measure_every)
            ends = await self._lag.ends(self._consumer, sorted(self._progress.positions()))
            for where, finished in self._progress.positions().items():
                if where in ends:
                    self._lag.note(where, max(0, ends[where] - finished))
            self._metrics.keys.labels(self._port.system).set(len(self._lanes))
            for brand in self._port.brands:
                self._metrics.budget.labels(brand, self._port.system).set(self._budget(brand))

    def _budget(self, brand: Brand) -> float:
        """What the system leaves us, or where it does not say, the share of our own slots that are free."""
        if self._budgeted is not None:
            return self._budgeted.budget(brand)
        return 1 - self._writes[brand, Kind.ORDER] / self._settings.writes_at_once
