"""Stock figures of one shop over the sandbox: joined calls, compare-and-set, keys, unclear answers."""

import asyncio
import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.shopify.port import ShopifyPort
from connectors.shopify.translate_stock import translate_level
from kernel.clock import LoopClock
from kernel.virtual_time import run_virtual
from lockstep.simulation.wire import Wire
from sandbox.faults import Chance, Fault, FaultPlan, Faults
from sandbox.shopify.app import ShopifyWorld, create_app
from sandbox.shopify.inventory_books import Write
from sandbox.shopify.setup import Variant
from sandbox.shopify.shop import Shop
from schemas.aggregates import stock_id
from schemas.base import CommandId, LocationId, Sku
from schemas.commands import SetOnHand
from schemas.hints import Hint
from schemas.item_rules import ItemRules
from schemas.outcomes import Outcome, OutcomeKind
from schemas.stock import InventoryItemId, Level
from tests.builders import ACME
from tests.connectors.shopify.shops import a_shop
from tests.stock_story import stock_brand

START = datetime(2026, 11, 5, 12, tzinfo=UTC)
BRAND = stock_brand().model_copy(update={"items": ItemRules(mode="observe")})
OPERATION = "inventorySetQuantities"


@dataclass
class Desk:
    """A shop with as many items as are asked for, ten on hand of each at location 11."""

    shop: Shop
    faults: FaultPlan
    port: ShopifyPort
    clock: LoopClock
    world: ShopifyWorld

    @property
    def calls(self) -> list[Write]:
        return [write for write in self.shop.inventory.books.writes if write.by == "app"]

    def on_hand(self, item: int) -> int:
        level = self.shop.inventory.level(item, 11)
        assert level is not None
        return level.quantity("on_hand")

    async def set(self, *figures: tuple[int, int, int]) -> list[Outcome]:
        """Item, compare, quantity; all at the same moment."""
        wanted = (self.port.execute(self.command(*one, number)) for number, one in enumerate(figures))
        return [execution.outcome for execution in await asyncio.gather(*wanted)]

    def command(self, item: int, compare: int, quantity: int, offset: int = 0) -> SetOnHand:
        id_ = stock_id(Sku(f"SKU-{item}"), LocationId("11"))
        return SetOnHand(
            id=CommandId(f"0.{offset}.{id_}.0"),
            brand=ACME,
            order=id_,
            object="on-hand",
            fingerprint="f",
            decided_at=self.clock.now(),
            decided_partition=0,
            decided_offset=offset,
            item=InventoryItemId(str(item)),
            location=LocationId("11"),
            quantity=quantity,
            compare=compare,
        )

    async def level(self, sku: str) -> Level:
        (reading,) = await self.port.read(ACME, [stock_id(Sku(sku), LocationId("11"))])
        return translate_level(reading.body)


def at_the_desk(story: Callable[[Desk], Coroutine[Any, Any, None]], *, items: int = 3, **settings: Any) -> None:
    async def whole() -> None:
        clock = LoopClock(START)
        shop = Shop("acme.example", "shpat_1", ["s"], clock)
        shop.locations = {11: "Leeds"}
        shop.setup.variants = [Variant(one, f"SKU-{one}", locations={11}) for one in range(1, items + 1)]
        for one in range(1, items + 1):
            shop.inventory.stock(f"SKU-{one}", 11, 10)
        faults = FaultPlan(Faults(), Chance(1), "shopify")
        world = ShopifyWorld([shop], faults, clock, _nothing_posted)
        wire = Wire(create_app(world), random.Random(1))
        connection = a_shop(base_url="http://shopify.test/acme.example", **settings)
        port = ShopifyPort([connection], clock, wire, lambda: 0.0, lambda _: BRAND)
        try:
            await story(Desk(shop, faults, port, clock, world))
        finally:
            await port.aclose()

    run_virtual(whole())


async def _nothing_posted(_shop: str, _order: str) -> list[dict[str, Any]]:
    return []


def test_a_level_is_read_with_all_its_quantities() -> None:
    async def story(desk: Desk) -> None:
        desk.shop.inventory.stock("SKU-1", 11, 7, damaged=2)
        (item,) = (await desk.level("SKU-1")).items
        assert (item.id, item.sku, item.tracked, item.stocked) == ("1", "SKU-1", True, True)
        assert (item.available, item.on_hand, item.committed, item.unavailable) == (7, 9, 0, 2)
        assert (await desk.level("SKU-99")).items == ()

    at_the_desk(story)


def test_two_items_of_one_code_are_both_shown() -> None:
    async def story(desk: Desk) -> None:
        desk.shop.setup.variants.append(Variant(9, "SKU-1", locations={11}))
        assert [item.id for item in (await desk.level("SKU-1")).items] == ["1", "9"]

    at_the_desk(story)


def test_figures_that_come_together_go_out_in_one_call() -> None:
    async def story(desk: Desk) -> None:
        outcomes = await desk.set((1, 10, 8), (2, 10, 7), (3, 10, 6))
        assert {one.kind for one in outcomes} == {OutcomeKind.APPLIED}
        assert [desk.on_hand(item) for item in (1, 2, 3)] == [8, 7, 6]
        (call,) = desk.calls
        assert (call.name, len(call.items), call.result) == ("on_hand", 3, "applied")

    at_the_desk(story)


def test_no_call_has_more_than_shopify_takes() -> None:
    async def story(desk: Desk) -> None:
        outcomes = await desk.set(*((item, 10, 9) for item in range(1, 301)))
        assert {one.kind for one in outcomes} == {OutcomeKind.APPLIED}
        assert sorted(len(call.items) for call in desk.calls) == [50, 250]

    at_the_desk(story, items=300)


def test_one_stale_figure_does_not_hold_back_the_others() -> None:
    async def story(desk: Desk) -> None:
        desk.shop.inventory.set_by_hand("SKU-2", 11, on_hand=15)
        outcomes = await desk.set((1, 10, 8), (2, 10, 7), (3, 10, 6))
        assert [(one.kind, one.code) for one in outcomes] == [
            (OutcomeKind.APPLIED, ""),
            (OutcomeKind.REJECTED, "stale"),
            (OutcomeKind.APPLIED, ""),
        ]
        assert [desk.on_hand(item) for item in (1, 2, 3)] == [8, 15, 6]

    at_the_desk(story)


def test_a_stale_figure_comes_back_with_what_is_there_instead() -> None:
    async def story(desk: Desk) -> None:
        desk.shop.inventory.set_by_hand("SKU-2", 11, on_hand=15)
        execution = await desk.port.execute(desk.command(2, 10, 7))
        (reading,) = execution.readings
        assert translate_level(reading.body).items[0].on_hand == 15

    at_the_desk(story)


def test_an_item_shopify_does_not_know_is_split_off() -> None:
    async def story(desk: Desk) -> None:
        outcomes = await desk.set((1, 10, 8), (77, 10, 7))
        assert outcomes[0].kind is OutcomeKind.APPLIED
        assert (outcomes[1].kind, outcomes[1].code) == (OutcomeKind.REJECTED, "invalid_inventory_item")
        assert outcomes[1].field == "input.quantities.1.inventoryItemId"

    at_the_desk(story)


def test_two_figures_of_one_item_do_not_share_a_call() -> None:
    async def story(desk: Desk) -> None:
        outcomes = await desk.set((1, 10, 8), (1, 8, 5))
        assert {one.kind for one in outcomes} == {OutcomeKind.APPLIED}
        assert [len(call.items) for call in desk.calls] == [1, 1]
        assert desk.on_hand(1) == 5

    at_the_desk(story)


@pytest.mark.parametrize("fault", [Fault.ANSWER_LOST, Fault.LATE_EXECUTION, Fault.SERVER_ERROR])
def test_after_an_unclear_answer_the_very_same_request_has_no_second_effect(fault: Fault) -> None:
    async def story(desk: Desk) -> None:
        desk.faults.force(OPERATION, fault)
        (outcome,) = await desk.set((1, 10, 8))
        assert outcome.kind is OutcomeKind.APPLIED
        assert desk.on_hand(1) == 8
        assert len({call.key for call in desk.calls}) == 1
        assert [call.result for call in desk.calls].count("applied") == 1

    at_the_desk(story)


def test_when_it_stays_unclear_the_figure_is_decided_anew() -> None:
    async def story(desk: Desk) -> None:
        desk.faults.force(OPERATION, Fault.SERVER_ERROR, times=5)
        (outcome,) = await desk.set((1, 10, 8))
        assert (outcome.kind, outcome.code) == (OutcomeKind.DELAYED, "unclear_answer")
        assert outcome.until is not None

    at_the_desk(story)


@pytest.mark.parametrize(
    ("hint", "resolved"),
    [
        ("~level/1/11", ("stock:11/SKU-1",)),
        ("~level/1/99", ()),
        ("~level/404/11", ()),
        ("~level/x/11", ()),
    ],
)
def test_a_webhook_of_a_level_is_resolved_to_its_stock_item(hint: str, resolved: tuple[str, ...]) -> None:
    async def story(desk: Desk) -> None:
        named = Hint.model_validate({"brand": ACME, "order": hint, "why": "inventory_levels", "seen_at": START})
        assert tuple(await desk.port.resolve(named)) == resolved

    at_the_desk(story)


def test_the_sweep_names_every_item_at_every_location_that_is_served() -> None:
    async def story(desk: Desk) -> None:
        assert list(await desk.port.stocked(ACME)) == [
            f"stock:{location}/SKU-{item}" for item in (1, 2, 3) for location in (11, 12)
        ]

    at_the_desk(story)
