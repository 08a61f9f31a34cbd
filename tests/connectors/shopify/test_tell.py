"""Telling the shopper, over the sandbox: what is written, what is found written already, what is refused."""

import pytest

from connectors.runtime.errors import RateLimited, Unauthorised, Unavailable
from connectors.runtime.http import READ_TRIES
from sandbox.faults import Fault
from schemas.base import FulfilmentOrderId, OrderId
from schemas.commands import Tracking
from schemas.outcomes import OutcomeKind
from tests.connectors.shopify.commands import DPD, tell, track, units
from tests.connectors.shopify.sandbox_shop import LEEDS, MANCHESTER, SandboxShop, run_story

NUMBER = DPD.numbers[0]


def test_told_once_with_its_tracking_and_a_fresh_reading() -> None:
    async def story(acme: SandboxShop) -> None:
        order = await acme.read(acme.placed(("MUG-BLUE", 2)))
        execution = await acme.port.execute(tell(order, units(order, 1)))
        assert execution.outcome.kind is OutcomeKind.APPLIED
        assert acme.told() == [{"tracking": [NUMBER], "units": [1], "mails": 1}]
        after = await acme.read(acme.shop.orders[int(order.id)])
        assert execution.outcome.external_id == after.fulfilments[0].id
        assert after.fulfilment_orders[0].lines[0].remaining == 1
        (reading,) = execution.readings
        assert after.fulfilments[0].id.encode() in reading.body
        assert reading.api_version == "2026-10"

    run_story(story)


def test_the_same_command_again_is_already_applied() -> None:
    async def story(acme: SandboxShop) -> None:
        order = await acme.read(acme.placed(("MUG-BLUE", 2)))
        command = tell(order, units(order, 1))
        first = await acme.port.execute(command)
        again = await acme.port.execute(command)
        assert again.outcome.kind is OutcomeKind.ALREADY_APPLIED
        assert again.outcome.external_id == first.outcome.external_id
        assert len(acme.told()) == 1

    run_story(story)


def test_later_units_with_the_same_tracking_are_told_too() -> None:
    """The earlier fulfilment was known to the decision, so it does not answer for these units."""

    async def story(acme: SandboxShop) -> None:
        placed = acme.placed(("MUG-BLUE", 2))
        order = await acme.read(placed)
        await acme.port.execute(tell(order, units(order, 1)))
        order = await acme.read(placed)
        execution = await acme.port.execute(tell(order, units(order, 1)))
        assert execution.outcome.kind is OutcomeKind.APPLIED
        assert [one["units"] for one in acme.told()] == [[1], [1]]

    run_story(story)


def test_a_fulfilment_nobody_knew_of_refuses() -> None:
    """History fulfilled_by_hand, between the decision and the write."""

    async def story(acme: SandboxShop) -> None:
        placed = acme.placed(("MUG-BLUE", 2))
        order = await acme.read(placed)
        routed = placed.fulfillment_orders[0]
        acme.shop.fulfil(placed, {routed.id: {routed.lines[0].id: 1}}, {}, notify=False)
        execution = await acme.port.execute(tell(order, units(order, 1)))
        assert (execution.outcome.kind, execution.outcome.code) == (OutcomeKind.REJECTED, "unknown_fulfilment")
        assert len(acme.told()) == 1
        assert execution.readings, "what was seen goes to the fold"

    run_story(story)


def test_one_told_with_our_tracking_and_cancelled_since_is_not_told_again() -> None:
    async def story(acme: SandboxShop) -> None:
        placed = acme.placed(("MUG-BLUE", 1))
        order = await acme.read(placed)
        command = tell(order, units(order, 1))
        await acme.port.execute(command)
        acme.shop.cancel_fulfillment(placed, placed.fulfillments[0].id)
        assert (await acme.port.execute(command)).outcome.kind is OutcomeKind.ALREADY_APPLIED
        assert len(acme.told()) == 1

    run_story(story)


@pytest.mark.parametrize("change", ["moved", "held", "cancelled", "split", "gone", "line_gone"])
def test_fulfilment_orders_that_changed_refuse(change: str) -> None:
    async def story(acme: SandboxShop) -> None:
        placed = acme.placed(("MUG-BLUE", 3))
        order = await acme.read(placed)
        unit, routed = units(order, 3), placed.fulfillment_orders[0]
        match change:
            case "moved":
                acme.shop.move(placed, routed.id, MANCHESTER)
            case "held":
                acme.shop.hold(placed, routed.id)
            case "cancelled":
                acme.shop.cancel(placed)
            case "split":
                acme.shop.split(placed, routed.id, {placed.lines[0].id: 1})
            case "gone":
                unit = unit.model_copy(update={"fulfilment_order": FulfilmentOrderId("99")})
            case _:
                unit = unit.model_copy(update={"fulfilment_order_line": "99"})
        outcome = (await acme.port.execute(tell(order, unit))).outcome
        assert (outcome.kind, outcome.code) == (OutcomeKind.REJECTED, "fulfilment_orders_changed")
        assert outcome.field == unit.fulfilment_order
        assert acme.told() == []
        assert "CreateFulfilment" not in acme.network.operations

    run_story(story)


def test_what_was_told_stands_though_the_order_is_gone_at_the_next_look() -> None:
    async def story(acme: SandboxShop) -> None:
        placed = acme.placed(("MUG-BLUE", 2))
        order = await acme.read(placed)

        def gone_once_told(_operation: str) -> None:
            if placed.fulfillments:
                acme.shop.orders.pop(placed.id, None)

        acme.network.before = gone_once_told
        outcome = (await acme.port.execute(tell(order, units(order, 2)))).outcome
        assert (outcome.kind, outcome.external_id) == (OutcomeKind.APPLIED, str(placed.fulfillments[0].id))
        assert acme.shop.orders == {}

    run_story(story)


def test_of_what_lies_at_two_locations_by_now_the_first_is_told() -> None:
    """An outcome names one fulfilment: of a second one nobody would know whose it is."""

    async def story(acme: SandboxShop) -> None:
        placed = acme.placed(("MUG-BLUE", 2), ("LAMP-OAK", 1), at=(LEEDS, MANCHESTER))
        order = await acme.read(placed)
        command = tell(order, units(order, 2, of=0), units(order, 1, of=1))
        outcome = (await acme.port.execute(command)).outcome
        assert (outcome.kind, outcome.external_id) == (OutcomeKind.APPLIED, str(placed.fulfillments[0].id))
        assert outcome.text == "in part; the rest is at another location"
        again = (await acme.port.execute(command)).outcome
        assert (again.kind, again.text) == (OutcomeKind.ALREADY_APPLIED, outcome.text)
        assert [one["units"] for one in acme.told()] == [[2]]

    run_story(story)


def test_user_errors_of_a_race_are_what_the_next_look_says() -> None:
    """The floor of the shop moved between our look and our write: Shopify refuses, and the look tells why."""

    async def story(acme: SandboxShop) -> None:
        placed = acme.placed(("MUG-BLUE", 2))
        order = await acme.read(placed)
        acme.network.before = lambda operation: (
            acme.shop.cancel(placed) if operation == "CreateFulfilment" and placed.cancelled_at is None else None
        )
        outcome = (await acme.port.execute(tell(order, units(order, 1)))).outcome
        assert (outcome.kind, outcome.code) == (OutcomeKind.REJECTED, "fulfilment_orders_changed")

    run_story(story)


def test_an_answer_lost_is_found_after_the_longest_request() -> None:
    async def story(acme: SandboxShop) -> None:
        order = await acme.read(acme.placed(("MUG-BLUE", 2)))
        acme.next_write(Fault.ANSWER_LOST)
        before = acme.clock.monotonic()
        outcome = (await acme.port.execute(tell(order, units(order, 1)))).outcome
        assert outcome.kind is OutcomeKind.APPLIED
        assert acme.clock.monotonic() - before >= 30
        assert acme.told() == [{"tracking": [NUMBER], "units": [1], "mails": 1}]

    run_story(story)


def test_an_answer_lost_without_tracking_is_known_by_being_new() -> None:
    async def story(acme: SandboxShop) -> None:
        order = await acme.read(acme.placed(("MUG-BLUE", 2)))
        acme.next_write(Fault.ANSWER_LOST)
        outcome = (await acme.port.execute(tell(order, units(order, 1), tracking=Tracking()))).outcome
        assert outcome.kind is OutcomeKind.APPLIED
        assert len(acme.told()) == 1

    run_story(story)


def test_a_request_that_was_never_executed_is_sent_again() -> None:
    async def story(acme: SandboxShop) -> None:
        order = await acme.read(acme.placed(("MUG-BLUE", 2)))
        acme.next_write(Fault.SERVER_ERROR)
        assert (await acme.port.execute(tell(order, units(order, 1)))).outcome.kind is OutcomeKind.APPLIED
        assert len(acme.told()) == 1

    run_story(story)


def test_two_unclear_answers_end_the_try() -> None:
    async def story(acme: SandboxShop) -> None:
        order = await acme.read(acme.placed(("MUG-BLUE", 2)))
        acme.next_write(Fault.SERVER_ERROR, times=2)
        outcome = (await acme.port.execute(tell(order, units(order, 1)))).outcome
        assert (outcome.kind, outcome.code) == (OutcomeKind.DELAYED, "unclear_answer")
        assert outcome.until is not None
        assert (outcome.until - acme.clock.now()).total_seconds() == 30
        assert acme.told() == []

    run_story(story)


def test_away_after_an_unclear_answer_is_delayed_and_never_an_error() -> None:
    async def story(acme: SandboxShop) -> None:
        order = await acme.read(acme.placed(("MUG-BLUE", 2)))
        acme.next_write(Fault.ANSWER_LOST)
        acme.network.before = lambda operation: (
            acme.world.faults.force("query", Fault.SERVER_ERROR, times=READ_TRIES)
            if operation == "CreateFulfilment"
            else None
        )
        outcome = (await acme.port.execute(tell(order, units(order, 1)))).outcome
        assert (outcome.kind, outcome.code) == (OutcomeKind.DELAYED, "unclear_answer")

    run_story(story)


def test_away_before_anything_was_written_is_an_error() -> None:
    async def story(acme: SandboxShop) -> None:
        order = await acme.read(acme.placed(("MUG-BLUE", 2)))
        acme.world.faults.force("query", Fault.SERVER_ERROR, times=READ_TRIES)
        with pytest.raises(Unavailable):
            await acme.port.execute(tell(order, units(order, 1)))

    run_story(story)


def test_an_answered_write_stands_though_it_cannot_be_read_back() -> None:
    async def story(acme: SandboxShop) -> None:
        order = await acme.read(acme.placed(("MUG-BLUE", 2)))
        acme.network.before = lambda operation: (
            acme.world.faults.force("query", Fault.SERVER_ERROR, times=READ_TRIES)
            if operation == "CreateFulfilment"
            else None
        )
        outcome = (await acme.port.execute(tell(order, units(order, 1)))).outcome
        assert outcome.kind is OutcomeKind.APPLIED
        assert outcome.external_id

    run_story(story)


def test_a_throttled_write_looks_again_before_it_is_sent_again() -> None:
    async def story(acme: SandboxShop) -> None:
        order = await acme.read(acme.placed(("MUG-BLUE", 2)))
        acme.next_write(Fault.THROTTLED, times=2)
        acme.network.operations.clear()
        assert (await acme.port.execute(tell(order, units(order, 1)))).outcome.kind is OutcomeKind.APPLIED
        assert acme.network.operations == ["ReadOrders", "CreateFulfilment"] * 3 + ["ReadOrders"]
        assert len(acme.told()) == 1

    run_story(story)


def test_throttled_without_end_is_told_as_such() -> None:
    async def story(acme: SandboxShop) -> None:
        order = await acme.read(acme.placed(("MUG-BLUE", 2)))
        acme.next_write(Fault.THROTTLED, times=50)
        with pytest.raises(RateLimited):
            await acme.port.execute(tell(order, units(order, 1)))

    run_story(story)


def test_a_look_grown_old_in_the_queue_for_budget_is_made_again() -> None:
    async def story(acme: SandboxShop) -> None:
        placed = acme.placed(("MUG-BLUE", 2))
        order = await acme.read(placed)

        def drain(operation: str) -> None:
            if operation == "ReadOrders" and acme.network.operations.count("ReadOrders") == 2:
                acme.shop.bucket.take(acme.shop.bucket.available(acme.clock.now()) - 55, acme.clock.now())
            if operation == "ReadOrders" and acme.network.operations.count("ReadOrders") == 3:
                acme.shop.cancel(placed)

        acme.network.before = drain
        outcome = (await acme.port.execute(tell(order, units(order, 1)))).outcome
        assert (outcome.kind, outcome.code) == (OutcomeKind.REJECTED, "fulfilment_orders_changed")
        assert "CreateFulfilment" not in acme.network.operations

    run_story(story, points_a_second=5.0, look_lasts=1.0)


def test_tracking_is_given_once() -> None:
    async def story(acme: SandboxShop) -> None:
        placed = acme.placed(("MUG-BLUE", 1))
        order = await acme.read(placed)
        told = await acme.port.execute(tell(order, units(order, 1), tracking=Tracking()))
        command = track(order.id, told.outcome.external_id)
        assert (await acme.port.execute(command)).outcome.kind is OutcomeKind.APPLIED
        again = await acme.port.execute(command)
        assert again.outcome.kind is OutcomeKind.ALREADY_APPLIED
        assert again.outcome.external_id == told.outcome.external_id
        assert acme.told() == [{"tracking": [NUMBER], "units": [1], "mails": 2}]

    run_story(story)


def test_a_second_parcels_number_is_added_to_the_firsts() -> None:
    async def story(acme: SandboxShop) -> None:
        placed = acme.placed(("MUG-BLUE", 1))
        order = await acme.read(placed)
        told = await acme.port.execute(tell(order, units(order, 1)))
        command = track(order.id, told.outcome.external_id)
        both = command.model_copy(update={"tracking": Tracking(company="DPD UK", numbers=(NUMBER, "T2"))})
        assert (await acme.port.execute(both)).outcome.kind is OutcomeKind.APPLIED
        assert (await acme.port.execute(both)).outcome.kind is OutcomeKind.ALREADY_APPLIED
        assert acme.told() == [{"tracking": [NUMBER, "T2"], "units": [1], "mails": 2}]

    run_story(story)


def test_tracking_that_somebody_else_gave_is_left_alone() -> None:
    async def story(acme: SandboxShop) -> None:
        placed = acme.placed(("MUG-BLUE", 1))
        order = await acme.read(placed)
        told = await acme.port.execute(tell(order, units(order, 1), tracking=Tracking()))
        acme.shop.set_tracking(placed, placed.fulfillments[0], {"number": "X9"}, notify=False)
        outcome = (await acme.port.execute(track(order.id, told.outcome.external_id))).outcome
        assert (outcome.kind, outcome.code) == (OutcomeKind.REJECTED, "fulfilment_changed")

    run_story(story)


def test_tracking_for_a_fulfilment_that_is_cancelled_or_gone() -> None:
    async def story(acme: SandboxShop) -> None:
        placed = acme.placed(("MUG-BLUE", 1))
        order = await acme.read(placed)
        told = await acme.port.execute(tell(order, units(order, 1), tracking=Tracking()))
        acme.shop.cancel_fulfillment(placed, placed.fulfillments[0].id)
        cancelled = await acme.port.execute(track(order.id, told.outcome.external_id))
        assert cancelled.outcome.code == "fulfilment_cancelled"
        gone = await acme.port.execute(track(order.id, told.outcome.external_id.replace("6", "7")))
        assert gone.outcome.code == "fulfilment_gone"

    run_story(story)


def test_an_order_that_is_gone() -> None:
    async def story(acme: SandboxShop) -> None:
        order = await acme.read(acme.placed(("MUG-BLUE", 1)))
        outcome = (
            await acme.port.execute(tell(order, units(order, 1)).model_copy(update={"order": OrderId("1")}))
        ).outcome
        assert (outcome.kind, outcome.code) == (OutcomeKind.REJECTED, "order_gone")

    run_story(story)


def test_a_wrong_token_is_one_for_the_connection() -> None:
    async def story(acme: SandboxShop) -> None:
        order = await acme.read(acme.placed(("MUG-BLUE", 1)))
        acme.shop.token = "another"
        with pytest.raises(Unauthorised):
            await acme.port.execute(tell(order, units(order, 1)))

    run_story(story)
