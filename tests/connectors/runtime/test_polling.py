"""Polls and sweeps of stock: one that is refused keeps neither the other, nor reads and commands."""

from collections.abc import Sequence

import pytest

from connectors.runtime.errors import ConnectorError, Incompatible, Unavailable
from connectors.runtime.port import Changes
from schemas.aggregates import stock_id
from schemas.base import Brand, LocationId, OrderId, Sku
from schemas.events import ConnectionState
from schemas.hints import SWEEP, Hint
from schemas.outcomes import OutcomeKind
from schemas.raw import RawKind
from tests.connectors.runtime.scripted import HINTS_TOPIC, SETTINGS, Bench, ScriptedPort, bench

EVERY = SETTINGS.model_copy(update={"poll_every": 60.0, "sweep_every": 600.0})
MUGS = [stock_id(Sku(f"MUG-{number}"), LocationId("71")) for number in range(3)]
REFUSED = Incompatible("movements: expected a list, found nothing")


class Shop(ScriptedPort):
    """One with stock. What `failing` names is never answered."""

    stock_batch = 10
    failing: dict[str, ConnectorError]

    async def moved(self, brand: Brand, cursor: str) -> Changes:
        self._fails("moved")
        return Changes((MUGS[0],), cursor)

    async def stocked(self, brand: Brand) -> Sequence[OrderId]:
        self._fails("stocked")
        return MUGS

    async def changes(self, brand: Brand, cursor: str) -> Changes:
        self._fails("changes")
        return Changes((), cursor)

    def _fails(self, what: str) -> None:
        if what in self.failing:
            raise self.failing[what]


def shop(on: Bench, **failing: ConnectorError) -> Shop:
    port = Shop(on.clock)
    port.failing = failing
    return port


def hinted(on: Bench, why: str) -> list[str]:
    hints = [Hint.model_validate_json(record.value or b"") for record in on.log.records(HINTS_TOPIC)]
    return sorted(hint.order for hint in hints if hint.why == why)


@pytest.mark.parametrize("error", [REFUSED, Unavailable("answered 502")])
def test_a_poll_that_always_fails_keeps_no_sweep_of_all_stock(error: ConnectorError) -> None:
    async def story(on: Bench) -> None:
        on.start(shop(on, moved=error))
        await on.until(lambda: len(hinted(on, SWEEP)) == 3, within=5)
        await on.clock.sleep(670)
        assert hinted(on, SWEEP) == sorted(MUGS * 2)
        assert hinted(on, "poll") == []

    bench(story, settings=EVERY)


def test_a_sweep_that_always_fails_keeps_no_poll() -> None:
    async def story(on: Bench) -> None:
        on.start(shop(on, stocked=REFUSED))
        await on.clock.sleep(605)
        assert hinted(on, "poll") == [MUGS[0]] * 11

    bench(story, settings=EVERY)


def test_a_list_that_is_refused_is_not_taken_for_a_connection_that_is_down() -> None:
    async def story(on: Bench) -> None:
        on.start(shop(on, moved=REFUSED, stocked=REFUSED, changes=REFUSED))
        await on.clock.sleep(1800)
        await on.send(on.create())
        await on.hint("77")
        await on.until(lambda: len(on.told(RawKind.SNAPSHOT)) == 2, within=5)
        assert [outcome.kind for outcome in on.outcomes] == [OutcomeKind.APPLIED]
        assert on.connections == [ConnectionState.WELL]
        refused = lists_refused(on)
        assert refused is not None
        assert refused >= 60, "and each poll shows it"

    bench(story, settings=EVERY)


def test_before_any_list_is_refused_there_is_a_figure_that_can_rise() -> None:
    async def story(on: Bench) -> None:
        on.start(shop(on))
        await on.clock.sleep(60)
        assert lists_refused(on) == 0

    bench(story, settings=EVERY)


def lists_refused(on: Bench) -> float | None:
    labels = {"brand": "acme", "system": on.port.system}
    return on.metrics.registry.get_sample_value("lockstep_lists_refused_total", labels)


def test_a_list_that_is_not_answered_is() -> None:
    async def story(on: Bench) -> None:
        away = Unavailable("answered 503")
        on.start(shop(on, changes=away, moved=away, stocked=away))
        await on.until(lambda: on.connections == [ConnectionState.DOWN])

    bench(story, settings=EVERY)
