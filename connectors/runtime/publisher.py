"""Everything a connector says goes to one topic, `raw.<system>`, under the epoch of its partition."""

from collections.abc import Awaitable, Iterable, Sequence
from datetime import datetime

import structlog

from connectors.runtime.port import Reading
from kernel.clock import Clock
from kernel.log import Appended, Producer, RecordTooLarge
from kernel.metrics import Metrics
from schemas.base import Brand, OrderId, OrderKey, System, connection_id, order_key
from schemas.events import ConnectionState
from schemas.hints import Hint
from schemas.outcomes import Outcome
from schemas.raw import ConnectionReport, RawHeaders, RawKind
from schemas.sweep import MOST_STRAYS, Listed, Stray, SweepReport
from schemas.topics import HINTS, RAW

_log = structlog.get_logger(__name__)

TEXT_MOST = 500
"""Characters that are kept of the texts of an outcome that is larger than a record may be."""


class Publisher:
    """Appends and waits for the broker. `epochs` maps a partition number to the offset of our ownership record."""

    def __init__(self, system: System, producer: Producer, clock: Clock, metrics: Metrics) -> None:
        self._system = system
        self._topic = RAW[system].name
        self._producer, self._clock, self._metrics = producer, clock, metrics
        self.epochs: dict[int, int] = {}

    async def own(self, number: int) -> None:
        """Say that this partition is ours from here on. Its offset is our epoch there."""
        headers = self._headers(Brand("~"), RawKind.OWNERSHIP, number, self._clock.now())
        appended = await (
            await self._producer.send(self._topic, key=b"~owner", value=b"{}", headers=headers.dump(), partition=number)
        )
        self.epochs[number] = appended.offset

    async def readings(
        self, readings: Iterable[Reading], number: int, trace: str = "", token: int = -1
    ) -> dict[OrderId, str]:
        """Snapshots, in order; returns when the broker has them all.

        One that is larger than a record may be is told without its body: nobody can read that, so its order gets a
        case. Returns for the order of each such what was expected and what was found.
        """
        waiting: list[tuple[Reading, RawHeaders, Awaitable[Appended]]] = []
        too_large: dict[OrderId, str] = {}
        for reading in readings:
            headers = self._headers(reading.brand, RawKind.SNAPSHOT, number, reading.read_started_at).model_copy(
                update={
                    "complete": reading.complete,
                    "absent": reading.absent,
                    "api_version": reading.api_version,
                    "trace": trace,
                    "token": token,
                }
            )
            try:
                waiting.append((reading, headers, await self._snapshot(reading, reading.body, headers, number)))
            except RecordTooLarge as cause:
                too_large[reading.order] = await self._too_large(reading, headers, number, cause)
            self._metrics.readings.labels(reading.brand, self._system).inc()
        for reading, headers, acknowledged in waiting:
            try:
                await acknowledged
            except RecordTooLarge as cause:
                too_large[reading.order] = await self._too_large(reading, headers, number, cause)
        return too_large

    async def _snapshot(self, reading: Reading, body: bytes, headers: RawHeaders, number: int) -> Awaitable[Appended]:
        key = order_key(reading.brand, reading.order).encode()
        return await self._producer.send(self._topic, key=key, value=body, headers=headers.dump(), partition=number)

    async def _too_large(self, reading: Reading, headers: RawHeaders, number: int, cause: RecordTooLarge) -> str:
        """Say so instead of the body, in words that are no JSON."""
        text = f"{order_key(reading.brand, reading.order)}: an answer of {len(reading.body)} bytes is not kept: {cause}"
        _log.warning("connector.answer_too_large", system=self._system, brand=reading.brand, text=text)
        told = headers.model_copy(update={"absent": False})
        await (await self._snapshot(reading, text.encode(), told, number))
        return text

    async def outcome(self, brand: Brand, order: OrderId, outcome: Outcome, number: int, trace: str = "") -> None:
        """Returns when the broker has it. Of one that is larger than a record may be, its texts are cut."""
        headers = self._headers(brand, RawKind.OUTCOME, number, self._clock.now()).model_copy(update={"trace": trace})
        try:
            await self._ended(order_key(brand, order), outcome, headers, number)
        except RecordTooLarge as cause:
            _log.warning("connector.outcome_too_large", system=self._system, command=outcome.command, error=str(cause))
            cut = {name: getattr(outcome, name)[:TEXT_MOST] for name in ("code", "field", "text")}
            await self._ended(order_key(brand, order), outcome.model_copy(update=cut), headers, number)
        self._metrics.outcomes.labels(brand, self._system, outcome.kind).inc()

    async def _ended(self, key: OrderKey, outcome: Outcome, headers: RawHeaders, number: int) -> None:
        body = outcome.model_dump_json(exclude_defaults=True).encode()
        sent = self._producer.send(self._topic, key=key.encode(), value=body, headers=headers.dump(), partition=number)
        await (await sent)

    async def connection(self, brand: Brand, state: ConnectionState, text: str) -> None:
        """How the brand's connection fares; under its own key, in whatever partition that lies."""
        key = order_key(brand, connection_id(self._system)).encode()
        headers = self._headers(brand, RawKind.CONNECTION, -1, self._clock.now())
        body = ConnectionReport(state=state, text=text).model_dump_json().encode()
        await (await self._producer.send(self._topic, key=key, value=body, headers=headers.dump()))
        self._metrics.connection.labels(brand, self._system).set(state is ConnectionState.WELL)

    async def listed(self, brand: Brand, orders: Iterable[OrderId], sweep: datetime) -> None:
        """A sweep named these orders; each under its own key, in whatever partition that lies."""
        headers = self._headers(brand, RawKind.LISTED, -1, self._clock.now()).dump()
        body = Listed(sweep=sweep).model_dump_json().encode()
        waiting = [
            await self._producer.send(self._topic, key=order_key(brand, order).encode(), value=body, headers=headers)
            for order in orders
        ]
        for acknowledged in waiting:
            await acknowledged

    async def swept(self, brand: Brand, sweep: datetime, orders: int, strays: Sequence[Stray]) -> None:
        """A sweep of the brand's system came to its end; under the connection's key."""
        key = order_key(brand, connection_id(self._system)).encode()
        headers = self._headers(brand, RawKind.SWEPT, -1, self._clock.now())
        named = tuple(sorted(strays[:MOST_STRAYS], key=lambda one: (one.code, one.object)))
        report = SweepReport(sweep=sweep, orders=orders, strays=named, more=len(strays) - len(named))
        await (
            await self._producer.send(
                self._topic, key=key, value=report.model_dump_json().encode(), headers=headers.dump()
            )
        )

    async def hints(self, brand: Brand, orders: Iterable[OrderId], why: str, seen_at: datetime | None = None) -> None:
        """Look at these orders; to our own hints topic. A reading that began at `seen_at` will do; None: now."""
        now = seen_at or self._clock.now()
        waiting = [
            await self._producer.send(
                HINTS[self._system].name,
                key=order_key(brand, order).encode(),
                value=Hint(brand=brand, order=order, why=why, seen_at=now).model_dump_json().encode(),
                headers={"brand": brand.encode()},
            )
            for order in orders
        ]
        for acknowledged in waiting:
            await acknowledged
            self._metrics.hints.labels(brand, self._system, why).inc()

    def _headers(self, brand: Brand, kind: RawKind, number: int, started: datetime) -> RawHeaders:
        return RawHeaders(
            brand=brand, system=self._system, kind=kind, epoch=self.epochs.get(number, -1), read_started_at=started
        )
