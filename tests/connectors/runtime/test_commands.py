"""Commands become outcomes: in order per key, the newest only, never blind, and every way of not now is told."""

import pytest

from connectors.runtime.errors import Unauthorised, Unavailable
from connectors.runtime.settings import RuntimeSettings
from schemas.base import Brand, System
from schemas.config import BrandConfig
from schemas.events import ConnectionState
from schemas.outcomes import OutcomeKind
from schemas.raw import RawKind
from tests.builders import a_brand
from tests.connectors.runtime.scripted import COMMANDS_TOPIC, SETTINGS, Bench, bench


def test_one_call_per_order_at_a_time_and_orders_in_parallel() -> None:
    """The scripted system itself refuses two calls for one order; reads and writes alike."""

    async def story(on: Bench) -> None:
        on.start()
        await on.until(lambda: bool(on.told(RawKind.OWNERSHIP)))
        for order in ("1", "2", "3"):
            await on.send(on.create(order, "A"))
            await on.hint(order)
            await on.send(on.create(order, "B"))
        await on.finished()
        assert [call.what for call in on.port.calls].count("execute") == 6
        assert on.port.most_at_once >= 3
        assert len(on.outcomes) == 6

    bench(story)


def test_the_slots_of_a_brand_are_kept() -> None:
    async def story(on: Bench) -> None:
        on.start()
        for number in range(9):
            await on.send(on.create(str(number)))
        await on.finished()
        assert on.port.most_at_once == 2
        assert len(on.outcomes) == 9

    bench(story, settings=SETTINGS.model_copy(update={"writes_at_once": 2}))


def test_what_was_seen_is_told_before_the_outcome_and_both_bear_the_epoch() -> None:
    async def story(on: Bench) -> None:
        on.start()
        await on.send(on.create())
        await on.finished()
        (snapshot,), (outcome,) = on.told(RawKind.SNAPSHOT), on.told(RawKind.OUTCOME)
        assert snapshot.offset < outcome.offset
        owned = [one for one in on.told(RawKind.OWNERSHIP) if one.partition == outcome.partition]
        assert outcome.headers["epoch"] == snapshot.headers["epoch"] == str(owned[-1].offset).encode()

    bench(story)


def test_only_the_newest_command_for_an_object_is_carried_out() -> None:
    async def story(on: Bench) -> None:
        first, second, third = (on.create(reference="A") for _ in range(3))
        on.start()
        await on.send(first)
        await on.until(lambda: len(on.port.calls) == 1)
        await on.send(second)
        await on.send(third)
        await on.finished()
        kinds = {outcome.command: outcome.kind for outcome in on.outcomes}
        assert kinds == {
            first.id: OutcomeKind.APPLIED,
            second.id: OutcomeKind.SUPERSEDED,
            third.id: OutcomeKind.APPLIED,
        }
        assert len(on.port.calls) == 2

    bench(story)


def test_a_second_copy_of_a_command_is_not_carried_out() -> None:
    """A worker that did not know sends again what has ended: who deleted the goods-out meanwhile has the last word."""

    async def story(on: Bench) -> None:
        command = on.create(reference="A")
        on.start()
        await on.send(command)
        await on.until(lambda: len(on.outcomes) == 1)
        await on.send(command)
        await on.send(on.create("2"))
        await on.finished()
        assert [outcome.command for outcome in on.outcomes].count(command.id) == 1
        assert [call.what for call in on.port.calls].count("execute") == 2

    bench(story)


def test_what_is_withdrawn_in_time_is_not_carried_out() -> None:
    async def story(on: Bench) -> None:
        other, create = on.create(reference="B"), on.create(reference="A")
        on.start()
        await on.send(other)
        await on.until(lambda: len(on.port.calls) == 1)
        await on.send(create)
        await on.send(on.withdraw(create))
        await on.finished()
        kinds = {outcome.command: outcome.kind for outcome in on.outcomes}
        assert kinds == {other.id: OutcomeKind.APPLIED, create.id: OutcomeKind.SUPERSEDED}
        assert len(on.port.calls) == 1

    bench(story)


def test_a_withdrawal_that_comes_too_late_is_answered_by_what_it_withdraws() -> None:
    async def story(on: Bench) -> None:
        create = on.create()
        runtime = on.start()
        await on.send(create)
        await on.until(lambda: len(on.port.calls) == 1)
        await on.send(on.withdraw(create))
        await on.finished()
        assert [(outcome.command, outcome.kind) for outcome in on.outcomes] == [(create.id, OutcomeKind.APPLIED)]
        assert len(runtime._lanes) == 0, "a lane that has nothing to do is gone"

    bench(story)


def test_a_command_that_is_too_old_when_its_turn_comes_expires() -> None:
    async def story(on: Bench) -> None:
        command = on.create()
        await on.clock.sleep(301)
        on.start()
        await on.send(command)
        await on.finished()
        assert [outcome.kind for outcome in on.outcomes] == [OutcomeKind.EXPIRED]
        assert on.port.calls == []

    bench(story)


def test_what_could_not_be_tried_is_delayed() -> None:
    async def story(on: Bench) -> None:
        on.port.failures["execute"].append(Unavailable("away"))
        on.start()
        await on.send(on.create())
        await on.finished()
        (outcome,) = on.outcomes
        assert (outcome.kind, outcome.code) == (OutcomeKind.DELAYED, "unavailable")
        assert outcome.until is not None
        assert 9 < (outcome.until - on.clock.now()).total_seconds() <= 10

    bench(story)


def test_an_open_breaker_delays_at_once_and_the_first_success_closes_it() -> None:
    async def story(on: Bench) -> None:
        on.port.failures["execute"].append(Unauthorised("answered 401"))
        on.start()
        await on.send(on.create("1"))
        await on.finished()
        assert on.connections == [ConnectionState.UNAUTHORISED]
        await on.send(on.create("2"))
        await on.finished()
        assert [(one.kind, one.code) for one in on.outcomes[1:]] == [(OutcomeKind.DELAYED, "unauthorised")]
        assert len(on.port.calls) == 1, "nothing was tried"
        await on.clock.sleep(11)
        await on.send(on.create("3"))
        await on.finished()
        assert on.outcomes[-1].kind is OutcomeKind.APPLIED
        assert on.connections == [ConnectionState.UNAUTHORISED, ConnectionState.WELL]

    bench(story)


@pytest.mark.parametrize(
    ("config", "why"),
    [
        (a_brand(paused=(System.CLARUS,)), "clarus is paused for brand acme"),
        (a_brand(mode="observe"), "brand acme is in observe mode"),
    ],
)
def test_a_stopped_brand_is_read_and_not_written(config: BrandConfig, why: str) -> None:
    async def story(on: Bench) -> None:
        on.start()
        await on.send(on.create())
        await on.hint("5012")
        await on.finished()
        (outcome,) = on.outcomes
        assert (outcome.kind, outcome.code, outcome.text) == (OutcomeKind.DELAYED, "stopped", why)
        assert [call.what for call in on.port.calls] == ["read"]
        await on.configure(a_brand(version=2))
        await on.clock.sleep(2)
        await on.send(on.create())
        await on.finished()
        assert on.outcomes[-1].kind is OutcomeKind.APPLIED, "obeyed within seconds"

    bench(story, config=config)


def test_a_brand_that_is_paused_while_its_command_waits_is_obeyed() -> None:
    """A restart sends commands again that were decided before the pause: they are delayed, not carried out."""

    async def story(on: Bench) -> None:
        await on.send(on.create())
        on.start()
        await on.clock.sleep(5)
        await on.configure(a_brand(version=2, paused=(System.CLARUS,)))
        await on.finished()
        assert [outcome.kind for outcome in on.outcomes] == [OutcomeKind.DELAYED]
        assert on.port.calls == []

    bench(story)


def test_a_brand_without_a_connection_is_rejected() -> None:
    async def story(on: Bench) -> None:
        on.start()
        await on.send(on.create().model_copy(update={"brand": Brand("other")}))
        await on.finished()
        assert [(one.kind, one.code) for one in on.outcomes] == [(OutcomeKind.REJECTED, "not_connected")]

    bench(story)


def test_a_command_nobody_can_read_or_under_another_key_is_a_dead_letter() -> None:
    async def story(on: Bench) -> None:
        on.start()
        await (await on.producer.send(COMMANDS_TOPIC, key=b"acme/5012", value=b"?"))
        command = on.create("5012")
        await on.send(command)
        value, headers = (sent := on.log.records(COMMANDS_TOPIC)[-1]).value, dict(sent.headers)
        await (await on.producer.send(COMMANDS_TOPIC, key=b"acme/77", value=value, headers=headers))
        await on.finished()
        assert sorted(letter.key or b"" for letter in on.letters) == [b"acme/5012", b"acme/77"]
        assert [outcome.kind for outcome in on.outcomes] == [OutcomeKind.APPLIED]

    bench(story)


def test_an_order_is_held_for_a_minute_at_most_and_left_alone_while_the_system_may_still_do_it() -> None:
    """The next command for the order, whatever it is, waits until the system cannot be doing the first any more."""

    async def story(on: Bench) -> None:
        on.port.takes = 1000.0
        on.start()
        await on.send(on.create())
        await on.until(lambda: bool(on.outcomes))
        (outcome,) = on.outcomes
        assert (outcome.kind, outcome.code) == (OutcomeKind.DELAYED, "held_too_long")
        assert outcome.until is not None
        assert (outcome.until - on.clock.now()).total_seconds() > on.port.longest_request - 1
        on.port.takes = 1.0
        await on.send(on.create())
        await on.finished()
        first, second = on.port.calls
        assert second.began - first.began >= 60 + on.port.longest_request - 1e-6

    bench(story)


def test_figures_of_an_outcome() -> None:
    async def story(on: Bench) -> None:
        on.start()
        await on.send(on.create())
        await on.finished()
        labels = {"brand": "acme", "system": "clarus", "kind": "applied"}
        assert on.metrics.registry.get_sample_value("lockstep_outcomes_total", labels) == 1
        await on.clock.sleep(2)
        lags = [
            sample.value
            for metric in on.metrics.registry.collect()
            for sample in metric.samples
            if sample.name == "lockstep_lag_records"
        ]
        assert lags == [0.0]

    bench(story, settings=RuntimeSettings(poll_every=1e6, measure_every=0.5))


def test_copies_that_wait_together_do_not_supersede_each_other() -> None:
    """Two workers that both believed the partition theirs sent one command each: it is carried out, and ends once."""

    async def story(on: Bench) -> None:
        create = on.create()
        await on.send(create)
        await on.send(create)
        on.start()
        await on.finished()
        assert [(one.command, one.kind) for one in on.outcomes] == [(create.id, OutcomeKind.APPLIED)]
        assert [call.what for call in on.port.calls].count("execute") == 1

    bench(story)
