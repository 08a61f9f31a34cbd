"""Runs one outside system: joins hints into reads, carries out commands, publishes what it saw and did, then commits.

    hints.<system> ──┐                       ┌── read    ──┐
                     ├── a lane per order ───┤             ├── raw.<system> ── commit
    commands.<system>┘                       └── execute ──┘

Per order one call at a time; orders in parallel, within the slots of their brand. What a call returned is acknowledged
by the broker before the next call for that order, and before the record that asked for it counts as finished.
"""

import asyncio
import contextlib
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any, cast

import structlog
from pydantic import ValidationError

from connectors.runtime.breaker import Breaker
from connectors.runtime.config_view import ConfigView
from connectors.runtime.errors import Blind, ConnectorError, RateLimited, Transient, Unauthorised
from connectors.runtime.lanes import Lane, WaitingCommand, WaitingHint
from connectors.runtime.port import Execution, Port, Reading
from connectors.runtime.progress import Progress
from connectors.runtime.publisher import Publisher
from connectors.runtime.settings import RuntimeSettings
from kernel.clock import Clock
from kernel.log import Fenced, Log, LogError, Partition, Record
from kernel.metrics import Metrics
from schemas.avro import Codec
from schemas.base import Brand, OrderId, OrderKey, connection_id, order_key
from schemas.commands import COMMAND_KINDS, Command, Withdraw
from schemas.errors import Unreadable
from schemas.hints import Hint
from schemas.outcomes import Outcome, OutcomeKind
from schemas.topics import COMMANDS, DLQ, HINTS

_log = structlog.get_logger(__name__)
_COMMANDS = Codec(COMMAND_KINDS)


class ConnectorRuntime:
    """Of one port, for all its brands; more instances of a group share the partitions."""

    def __init__(
        self, port: Port, log: Log, configs: ConfigView, clock: Clock, settings: RuntimeSettings, metrics: Metrics
    ) -> None:
        self._port, self._log, self._configs = port, log, configs
        self._clock, self._settings, self._metrics = clock, settings, metrics
        self._hints, self._commands = HINTS[port.system].name, COMMANDS[port.system].name
        self._producer = log.producer()
        self._consumer = log.consumer(f"lockstep.{port.system}", [self._hints, self._commands], self)
        self._publisher = Publisher(port.system, self._producer, clock, metrics)
        self._progress = Progress()
        self._lanes: dict[OrderKey, Lane] = {}
        self._unread: dict[Brand, dict[OrderKey, None]] = {brand: {} for brand in port.brands}
        self._reads: dict[Brand, int] = dict.fromkeys(port.brands, 0)
        self._writes: dict[Brand, int] = dict.fromkeys(port.brands, 0)
        self._breakers = {brand: Breaker() for brand in port.brands}
        self._found_at_start: dict[Partition, int] = {}
        self._taken_at: dict[int, float] = {}
        self._calls: dict[asyncio.Task[None], frozenset[int]] = {}
        self._failure: BaseException | None = None
        self.ready = asyncio.Event()

    async def run(self) -> None:
        """Until cancelled. Raises LogError when the log cannot be written: the process should end and start anew."""
        await self._producer.start()
        await self._consumer.start()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._consume())
                tasks.create_task(self._commit_often())
                for brand in sorted(self._port.brands):
                    tasks.create_task(self._poll(brand))
        finally:
            await self._abandon(frozenset(self._taken_at))
            with contextlib.suppress(LogError):
                await self._commit()
            await self._consumer.stop()
            await self._producer.stop()
            await self._port.aclose()

    # --- partitions come and go

    async def assigned(self, partitions: frozenset[Partition]) -> None:
        """Own each partition number: epoch first, then work."""
        found = await self._consumer.end_offsets(sorted(partitions))
        self._found_at_start.update(found)
        for number in sorted({where.number for where in partitions}):
            await self._publisher.own(number)
            self._taken_at[number] = self._clock.monotonic()
        _log.info("connector.assigned", system=self._port.system, partitions=len(partitions))
        self.ready.set()

    async def revoked(self, partitions: frozenset[Partition]) -> None:
        """Abandon the calls, commit what is finished, forget the rest: the next owner looks before it writes."""
        await self._abandon(frozenset(where.number for where in partitions))
        with contextlib.suppress(LogError):
            await self._commit()
        for where in partitions:
            self._progress.drop(where)

    async def _abandon(self, numbers: frozenset[int]) -> None:
        """Calls that touch these partition numbers; those of a joint read are abandoned with them."""
        calls = [call for call, touched in self._calls.items() if touched & numbers]
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        for number in numbers:
            self._taken_at.pop(number, None)
            self._publisher.epochs.pop(number, None)
        for key in [key for key, lane in self._lanes.items() if lane.number in numbers]:
            del self._lanes[key]
        for unread in self._unread.values():
            for key in [key for key in unread if key not in self._lanes]:
                del unread[key]

    # --- records come in

    async def _consume(self) -> None:
        while True:
            for record in await self._consumer.poll(timeout=0.2):
                await self._take(record)
            self._raise_failure()
            self._schedule()

    async def _take(self, record: Record) -> None:
        self._progress.take(record.partition, record.offset)
        try:
            if record.partition.topic == self._hints:
                await self._take_hint(record)
            else:
                self._take_command(record)
        except Unreadable as cause:
            await self._dead_letter(record, cause)

    async def _take_hint(self, record: Record) -> None:
        try:
            hint = Hint.model_validate_json(record.value or b"")
        except ValidationError as wrong:
            raise Unreadable("hint", "a valid hint", f"{wrong.error_count()} errors") from wrong
        if hint.brand not in self._unread or hint.order == connection_id(self._port.system):
            self._progress.finish(record.partition, record.offset)
        elif hint.order.startswith("~"):
            self._start(self._resolve(hint, record), {record.partition.number})
        else:
            lane = self._lane(record, hint.brand, hint.order)
            lane.hints.append(WaitingHint(record.partition, record.offset, hint))
            self._unread[hint.brand][lane.key] = None

    def _take_command(self, record: Record) -> None:
        command = cast("Command", _COMMANDS.decode(record.value or b"", record.headers))
        if record.key is None or record.key.decode() != command.key:
            raise Unreadable("key", command.key, repr(record.key))
        lane = self._lane(record, command.brand, command.order)
        old = record.offset < self._found_at_start.get(record.partition, 0)
        not_before = None
        if old:
            since = self._clock.monotonic() - self._taken_at.get(record.partition.number, 0.0)
            not_before = self._clock.now() + timedelta(seconds=max(0.0, self._port.longest_request - since))
        lane.commands.append(WaitingCommand(record.partition, record.offset, command, not_before))

    def _lane(self, record: Record, brand: Brand, order: OrderId) -> Lane:
        key = order_key(brand, order)
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = Lane(key, brand, order, record.partition.number)
        return lane

    async def _dead_letter(self, record: Record, cause: Unreadable) -> None:
        headers = {
            "topic": record.partition.topic.encode(),
            "partition": str(record.partition.number).encode(),
            "offset": str(record.offset).encode(),
            "reason": str(cause).encode(),
            "stage": f"{self._port.system} connector".encode(),
        }
        await (await self._producer.send(DLQ.name, key=record.key, value=record.value, headers=headers))
        self._metrics.dead_letters.labels(record.partition.topic).inc()
        self._progress.finish(record.partition, record.offset)

    # --- calls go out

    def _schedule(self) -> None:
        """Start every call that may start now."""
        now = self._clock.now()
        for lane in list(self._lanes.values()):
            if lane.commands and not lane.busy:
                self._start_command(lane)
        for brand, unread in self._unread.items():
            if self._breakers[brand].closed_until(now) is not None:
                continue
            while self._reads[brand] < self._settings.reads_at_once:
                free = [key for key in unread if not self._lanes[key].busy and not self._lanes[key].commands]
                if not free:
                    break
                batch = [self._lanes[key] for key in free[: self._port.read_batch]]
                for lane in batch:
                    lane.busy = True
                    del unread[lane.key]
                self._reads[brand] += 1
                self._start(self._read(brand, batch), {lane.number for lane in batch})

    def _start_command(self, lane: Lane) -> None:
        for waiting in lane.superseded():
            self._start(self._end(lane, waiting, OutcomeKind.SUPERSEDED), {lane.number})
        head = lane.commands[0]
        if isinstance(head.command, Withdraw):
            # What it withdraws has ended, or it would stand before it in this lane as superseded.
            lane.commands.pop(0)
            self._progress.finish(head.where, head.offset)
            return
        if head.not_before is not None and self._clock.now() < head.not_before:
            return
        if self._writes.get(lane.brand, 0) >= self._settings.writes_at_once:
            return
        lane.busy = True
        lane.commands.pop(0)
        self._writes[lane.brand] = self._writes.get(lane.brand, 0) + 1
        self._start(self._execute(lane, head), {lane.number})

    def _start(self, call: Coroutine[Any, Any, None], numbers: set[int]) -> None:
        task = asyncio.create_task(call)
        self._calls[task] = frozenset(numbers)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._calls.pop(task, None)
        if task.cancelled():
            return
        failure = task.exception()
        if failure is None:
            self._schedule()
        else:
            self._failure = self._failure or failure

    def _raise_failure(self) -> None:
        """A call that ended with something nobody foresaw ends the process: what it did is not known to be told."""
        if self._failure is not None:
            raise self._failure

    # --- reading

    async def _read(self, brand: Brand, lanes: list[Lane]) -> None:
        hints = {lane.key: lane.hints for lane in lanes}
        for lane in lanes:
            lane.hints = []
        by_order = {lane.order: lane for lane in lanes}
        try:
            readings = await self._port.read(brand, list(by_order))
            for reading in readings:
                lane = by_order[reading.order]
                first = hints[lane.key][0].hint
                await self._publisher.readings([reading], lane.number, first.trace)
                waited = (self._clock.now() - first.seen_at).total_seconds()
                self._metrics.hint_to_snapshot.labels(brand, self._port.system).observe(max(0.0, waited))
            await self._believed(brand, readings)
            for lane in lanes:
                for waiting in hints[lane.key]:
                    self._progress.finish(waiting.where, waiting.offset)
        except ConnectorError as error:
            await self._failed(brand, error)
            for lane in lanes:
                lane.hints = [*hints[lane.key], *lane.hints]
                self._unread[brand][lane.key] = None
        finally:
            self._reads[brand] -= 1
            for lane in lanes:
                self._free(lane)

    async def _resolve(self, hint: Hint, record: Record) -> None:
        """A hint about something else: find the order and hint again under its key."""
        try:
            order = await self._port.resolve(hint)
        except ConnectorError as error:
            await self._failed(hint.brand, error)
            await self._clock.sleep(self._settings.delay)
            await self._resolve(hint, record)
            return
        if order is None:
            _log.info("connector.hint_of_no_order", system=self._port.system, brand=hint.brand, about=hint.order)
        else:
            await self._publisher.hints(hint.brand, [order], hint.why)
        self._progress.finish(record.partition, record.offset)

    # --- writing

    async def _execute(self, lane: Lane, waiting: WaitingCommand) -> None:
        command = waiting.command
        try:
            execution = await self._tried(command)
            await self._publisher.readings(execution.readings, lane.number, command.trace)
            await self._publisher.outcome(lane.brand, lane.order, execution.outcome, lane.number, command.trace)
            waited = (self._clock.now() - command.decided_at).total_seconds()
            self._metrics.command_to_outcome.labels(lane.brand, self._port.system, type(command).__name__).observe(
                max(0.0, waited)
            )
            self._progress.finish(waiting.where, waiting.offset)
        finally:
            self._writes[lane.brand] -= 1
            self._free(lane)

    async def _tried(self, command: Command) -> Execution:
        now, system = self._clock.now(), self._port.system
        if now - command.decided_at > timedelta(seconds=self._settings.expires_after):
            return Execution(_ended(command, OutcomeKind.EXPIRED))
        breaker = self._breakers.get(command.brand)
        if breaker is None:
            return Execution(
                _ended(command, OutcomeKind.REJECTED, code="not_connected", text=f"no {system} connection")
            )
        why_not = self._configs.why_not(command.brand, system)
        if why_not is not None:
            return Execution(self._later(command, "stopped", why_not))
        if breaker.open and breaker.closed_until(now) is not None:
            return Execution(self._later(command, breaker.state, breaker.text))
        try:
            async with asyncio.timeout(self._settings.held_most):
                execution = await self._port.execute(command)
        except TimeoutError:
            text = f"no end after {self._settings.held_most:.0f} s; looked at again later"
            return Execution(self._later(command, "held_too_long", text, self._port.longest_request))
        except ConnectorError as error:
            await self._failed(command.brand, error)
            wait = error.retry_after if isinstance(error, RateLimited) else self._settings.delay
            return Execution(self._later(command, type(error).__name__.lower(), str(error), wait))
        await self._believed(command.brand, execution.readings)
        return execution

    def _later(self, command: Command, code: str, text: str, seconds: float | None = None) -> Outcome:
        until = self._clock.now() + timedelta(seconds=self._settings.delay if seconds is None else seconds)
        return _ended(command, OutcomeKind.DELAYED, code=code, text=text).model_copy(update={"until": until})

    async def _end(self, lane: Lane, waiting: WaitingCommand, kind: OutcomeKind) -> None:
        if not isinstance(waiting.command, Withdraw):
            outcome = _ended(waiting.command, kind)
            await self._publisher.outcome(lane.brand, lane.order, outcome, lane.number, waiting.command.trace)
        self._progress.finish(waiting.where, waiting.offset)

    def _free(self, lane: Lane) -> None:
        lane.busy = False
        if lane.idle and self._lanes.get(lane.key) is lane:
            del self._lanes[lane.key]

    # --- how the connection fares

    async def _believed(self, brand: Brand, readings: "tuple[Reading, ...] | Any") -> None:
        """Answers came: well again, unless they cannot be believed."""
        breaker = self._breakers[brand]
        if any(not reading.complete for reading in readings):
            text = "answers do not show our account and warehouses"
            changed = breaker.blinded(self._clock.now(), text)
        elif readings:
            changed = breaker.succeeded()
        else:
            return
        if changed:
            await self._publisher.connection(brand, breaker.state, breaker.text)

    async def _failed(self, brand: Brand, error: ConnectorError) -> None:
        breaker, now = self._breakers[brand], self._clock.now()
        _log.warning("connector.failed", system=self._port.system, brand=brand, error=str(error))
        if isinstance(error, Blind):
            changed = breaker.blinded(now, str(error))
        elif isinstance(error, Unauthorised):
            changed = breaker.refused(now, str(error))
        elif isinstance(error, RateLimited):
            changed = breaker.failed(now, str(error), wait=error.retry_after)
        elif isinstance(error, Transient):
            changed = breaker.failed(now, str(error))
        else:
            changed = breaker.failed(now, f"{type(error).__name__}: {error}")
        if changed:
            await self._publisher.connection(brand, breaker.state, breaker.text)

    # --- time

    async def _poll(self, brand: Brand) -> None:
        """Find what no webhook told. Hints are harmless twice, so every instance polls."""
        cursor = ""
        while True:
            try:
                changes = await self._port.changes(brand, cursor)
                cursor = changes.cursor
                await self._publisher.hints(brand, changes.orders, "poll")
            except ConnectorError as error:
                await self._failed(brand, error)
            await self._clock.sleep(self._settings.poll_every)

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


def _ended(command: Command, kind: OutcomeKind, *, code: str = "", text: str = "") -> Outcome:
    return Outcome(
        command=command.id, object=command.object, generation=command.generation, kind=kind, code=code, text=text
    )
