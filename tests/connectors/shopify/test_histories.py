"""Histories that must hold through the connector and the rules together, over the sandbox Shopify in virtual time."""

from typing import Any

import pytest

from connectors.shopify.settings import PageSizes
from connectors.shopify.translate import translate_order
from sandbox.faults import Fault
from schemas.base import OrderId
from schemas.cases import CaseCode
from schemas.commands import CreateFulfilment, CreateGoodsOut, UpsertErpOrder
from schemas.orders import Order
from schemas.outcomes import OutcomeKind
from tests.builders import OrderBuilder, a_goods_out, an_erp_order
from tests.connectors.shopify.sandbox_shop import SandboxShop, run_story
from tests.story import Story

LINES, SPLITS = 300, 59
PAGED = {"MoreOrderLines", "MoreFulfilmentOrders", "MoreFulfilmentOrderLines"}
SMALL_PAGES = PageSizes(
    lines=7, shipping_lines=1, fulfilment_orders=2, fulfilment_order_lines=7, fulfilment_lines=2, rest=50
)


@pytest.mark.parametrize("pages", [PageSizes(), SMALL_PAGES], ids=["pages", "small pages"])
def test_three_hundred_lines(pages: PageSizes) -> None:
    """300 lines on 60 fulfilment orders, paged at every level: read whole, and each unit is asked for once."""

    async def story(acme: SandboxShop) -> None:
        placed = acme.placed(*((f"SKU-{number:04d}", 1 + number % 3) for number in range(LINES)))
        first = placed.fulfillment_orders[0]
        for number in range(SPLITS):
            line = placed.lines[number]
            acme.shop.split(placed, first.id, {line.id: line.quantity})
        order = await acme.read(placed)
        assert [line.sku for line in order.lines] == [f"SKU-{number:04d}" for number in range(LINES)]
        assert len(order.fulfilment_orders) == 1 + SPLITS
        assert set(acme.network.operations) >= PAGED
        told = told_to_the_warehouse(order)
        assert told == {line.id: line.quantity for line in order.lines}

    run_story(story, pages=pages)


def told_to_the_warehouse(order: Order) -> dict[str, int]:
    """Units per line over every goods-out that the rules ask for."""
    told: dict[str, int] = {}
    flow = Story(order=order.id).shopify(OrderBuilder(order))
    for create in flow.sent(CreateGoodsOut):
        for unit in create.lines:
            told[unit.line] = told.get(unit.line, 0) + unit.quantity
    assert len(flow.sent(CreateGoodsOut)) == 1 + SPLITS
    assert len(flow.one(UpsertErpOrder).lines) == LINES
    return told


def test_fulfilment_call_times_out_late() -> None:
    """`fulfillmentCreate` for 1 of 2 times out and is executed 20 s later: one fulfilment, one mail, told once."""

    async def story(acme: SandboxShop) -> None:
        placed = acme.placed(("MUG-BLUE", 2))
        order = await acme.read(placed)
        flow = despatched_and_posted(order)
        tell = flow.one(CreateFulfilment)
        acme.next_write(Fault.LATE_EXECUTION, seconds=20.0)
        began = acme.clock.monotonic()
        execution = await acme.port.execute(tell)
        assert acme.clock.monotonic() - began >= acme.settings.longest_request, "waited it out before the second look"
        assert execution.outcome.kind is OutcomeKind.APPLIED
        assert acme.told() == [{"tracking": ["T1"], "units": [1], "mails": 1}]

        flow.shopify(OrderBuilder(translate_order(execution.readings[-1].body)))
        flow.ended(tell, execution.outcome.kind, external_id=execution.outcome.external_id)
        flow.later(hours=3)
        assert len(flow.sent(CreateFulfilment)) == 1
        assert {CaseCode.FULFILLED_BY_HAND, CaseCode.NOT_TOLD}.isdisjoint(flow.open_cases)

        await acme.clock.sleep(60)
        assert (await acme.port.execute(tell)).outcome.kind is OutcomeKind.ALREADY_APPLIED
        assert acme.told() == [{"tracking": ["T1"], "units": [1], "mails": 1}]

    run_story(story)


def test_fulfilment_call_times_out_late_without_tracking_and_the_connector_dies() -> None:
    """The fulfilment that the next connector finds has the telling's units and was not there before: taken for ours."""

    async def story(acme: SandboxShop) -> None:
        placed = acme.placed(("MUG-BLUE", 2))
        flow = despatched_and_posted(await acme.read(placed), tracking="").later(minutes=11)
        tell = flow.one(CreateFulfilment)
        await acme.port.execute(tell)  # the outcome is never published
        execution = await acme.port.execute(tell)
        assert (execution.outcome.kind, execution.outcome.code) == (OutcomeKind.REJECTED, "unknown_fulfilment")
        flow.shopify(OrderBuilder(translate_order(execution.readings[-1].body)))
        flow.ended(tell, OutcomeKind.REJECTED, code=execution.outcome.code).later(hours=3)
        assert len(flow.sent(CreateFulfilment)) == 1
        assert flow.open_cases & {CaseCode.FULFILLED_BY_HAND, CaseCode.SHOPIFY_REFUSED, CaseCode.NOT_TOLD} == set()
        assert [one["mails"] for one in acme.told()] == [1]

    run_story(story)


def despatched_and_posted(order: Order, tracking: str = "T1") -> Story:
    """One of two units left and is posted; the rules want to tell it."""
    line, fulfilment_order = order.lines[0], order.fulfilment_orders[0]
    reference = f"ACME-{order.id}-{fulfilment_order.id}-1"
    flow = Story(order=OrderId(order.id)).shopify(OrderBuilder(order))
    asked = a_goods_out(reference).with_line(line.id, line.sku, 2)
    flow.applied(flow.one(CreateGoodsOut)).clarus(asked)
    erp = an_erp_order().with_line(line.id, line.sku, 2)
    flow.applied(flow.one(UpsertErpOrder), "77").erp(erp)
    one: dict[str, Any] = {f"L{line.id}": 1}
    flow.clarus(asked.despatched(tracking=(tracking,), whole=False, **one))
    return flow.erp(erp.fulfilment(reference, **one))
