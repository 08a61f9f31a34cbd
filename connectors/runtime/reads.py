"""Reads: what they show is told before their hints count as finished, and one order's failure is not another's."""

from collections.abc import Iterator, Mapping, Sequence

import structlog

from connectors.runtime.connections import Connections
from connectors.runtime.endings import Endings
from connectors.runtime.errors import ConnectorError, Permanent, RateLimited, Unauthorised
from connectors.runtime.failing import Failing
from connectors.runtime.lanes import Lane, Lanes, WaitingHint
from connectors.runtime.port import Port, Reading, ReadsAtOnce
from connectors.runtime.publisher import Publisher
from kernel.clock import Clock
from kernel.metrics import Metrics, Stage
from schemas.base import Brand, OrderId, OrderKey

_log = structlog.get_logger(__name__)

OWN_MOST = 2
"""Reads of an order that would fail the same again, alone and while others were answered; then its hints go to the dead
letters.
"""


class Reads:
    """Calls that change nothing outside. The caller keeps slots, and frees the lanes afterwards."""

    def __init__(
        self,
        port: Port,
        lanes: Lanes,
        connections: Connections,
        publisher: Publisher,
        endings: Endings,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._all_at_once = port if isinstance(port, ReadsAtOnce) else None
        self._port, self._lanes, self._connections = port, lanes, connections
        self._publisher, self._endings, self._clock, self._metrics = publisher, endings, clock, metrics

    async def read(self, brand: Brand, lanes: list[Lane]) -> None:
        """One call for these orders; hints that come meanwhile share the next. What goes wrong keeps the hints, and so
        does an answer that is not complete: what it does not show may be there.
        """
        taken = {lane.key: lane.hints for lane in lanes}
        for lane in lanes:
            lane.hints = []
        try:
            await self._read_and_tell(brand, lanes, taken)
            self._lanes.answered(lanes)
            for lane in lanes:
                if not lane.blind:
                    for waiting in taken.pop(lane.key, ()):
                        self._endings.finish(waiting.record)
        except ConnectorError as error:
            await self._failed(brand, lanes, taken, error)
        finally:
            for lane in lanes:
                self._keep(lane, taken.get(lane.key))

    def hinted(self, lane: Lane, waiting: WaitingHint) -> None:
        """Something is to be read. Of the hints of a key that wait, one of a kind is kept, and finished by the reading;
        the others are finished with it, so that a system that is away lets no hints heap up.
        """
        answered_with_it = lane.hinted(waiting)
        if answered_with_it is not None:
            self._endings.finish(answered_with_it)

    async def resolve(self, lane: Lane) -> None:
        """Hints about something else: find whose it is and hint again. What goes wrong keeps them."""
        taken = {lane.key: lane.hints}
        lane.hints = []
        try:
            hint = next((one.hint for one in taken[lane.key] if not one.swept), taken[lane.key][0].hint)
            found = await self._port.resolve(hint)
            if not found:
                _log.info("connector.hint_of_no_order", system=self._port.system, brand=hint.brand, about=hint.order)
            else:
                await self._publisher.hints(hint.brand, found, hint.why)
            lane.failing = None
            for waiting in taken.pop(lane.key):
                self._endings.finish(waiting.record)
        except ConnectorError as error:
            await self._failed(lane.brand, [lane], taken, error)
        finally:
            self._keep(lane, taken.get(lane.key))

    def _keep(self, lane: Lane, older: list[WaitingHint] | None) -> None:
        """These were not answered: with what came meanwhile they wait again."""
        if older and lane in self._lanes:
            newer, lane.hints = lane.hints, older
            for waiting in newer:
                self.hinted(lane, waiting)
            self._lanes.to_read(lane)

    async def _read_and_tell(self, brand: Brand, lanes: list[Lane], hints: dict[OrderKey, list[WaitingHint]]) -> None:
        by_order = {lane.order: lane for lane in lanes}
        readings = [*self._at_once(brand, by_order, hints)]
        shown = {reading.order for reading in readings}
        rest = [order for order in by_order if order not in shown]
        readings += await self._port.read(brand, rest) if rest else ()
        for reading in readings:
            lane = by_order[reading.order]
            told, lane.blind = lane.blind and not reading.complete, not reading.complete
            if told:
                continue
            waiting = sorted(hints[lane.key], key=lambda one: one.since)
            trace = next((one.hint.trace for one in waiting if one.hint.trace), "")
            token = max(one.hint.token for one in waiting)
            too_large = await self._publisher.readings([reading], lane.number, trace, token)
            if too_large:
                lane.blind = False
                for one in hints.pop(lane.key):
                    await self._endings.dead_letter(one.record, too_large[reading.order])
                continue
            waited = (self._clock.now() - waiting[0].since).total_seconds()
            self._metrics.hint_to_snapshot.labels(brand, self._port.system).observe(max(0.0, waited))
            if trace:  # only what came in at the door bears one
                self._metrics.stage_seconds.labels(brand, Stage.WEBHOOK_TO_SNAPSHOT).observe(max(0.0, waited))
        await self._connections.believed(brand, readings)

    def _at_once(
        self, brand: Brand, lanes: Mapping[OrderId, Lane], hints: Mapping[OrderKey, Sequence[WaitingHint]]
    ) -> Iterator[Reading]:
        """What a sweep read of everything at once satisfies its own hints; what others tell is looked at anew."""
        if self._all_at_once is None:
            return
        for order, lane in lanes.items():
            waiting = hints[lane.key]
            if all(one.swept for one in waiting):
                found = self._all_at_once.read_at_once(brand, order, max(one.hint.seen_at for one in waiting))
                if found is not None:
                    yield found

    async def _failed(
        self, brand: Brand, lanes: Sequence[Lane], hints: dict[OrderKey, list[WaitingHint]], error: ConnectorError
    ) -> None:
        """What one key fails for, while others are answered, is no sign of the connection: it waits alone, longer each
        time, or is given up when it would fail the same for ever. All else is the connection's: nothing is given up.
        """
        if isinstance(error, Unauthorised | RateLimited):
            await self._connections.failed(brand, error)
            return
        answers, shown = self._connections.answers(brand), self._connections.shown(brand)
        for lane in lanes:
            failing = lane.failing = lane.failing or Failing(answers, shown)
            failing.failed(answers, certain=len(lanes) == 1, same_again=isinstance(error, Permanent))
        (first, *others) = lanes
        if others or not first.alone:
            self._lanes.failed(lanes)
            await self._connections.failed(brand, error)
            return
        assert first.failing is not None
        text = f"{type(error).__name__}: {error}"
        if isinstance(error, Permanent) and first.failing.own >= OWN_MOST and shown > first.failing.shown:
            for waiting in hints.pop(first.key):
                await self._endings.dead_letter(waiting.record, text)
            first.failing = None
            return
        pause = first.failing.wait(self._clock.now())
        _log.warning(
            "connector.one_fails",
            system=self._port.system,
            key=first.key,
            times=first.failing.times,
            again_in=pause,
            error=text,
        )
