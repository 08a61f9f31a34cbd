"""What a changed configuration would do to the orders there are, before anybody applies it."""

import asyncio
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from kernel.clock import LoopClock
from kernel.memory_log import MemoryLog
from kernel.virtual_time import VirtualTimeLoop
from lockstep.cli import preview as preview_commands
from lockstep.cli.common import out
from lockstep.preview import Foresight
from schemas.base import Brand
from schemas.commands import CreateGoodsOut
from schemas.config import BrandConfig
from schemas.mapping import Instructions, PriorityRule, ShippingRule, SkuRules
from schemas.orders import FinancialStatus
from schemas.topics import ALL
from streams.rules.orders.state import OrderState
from tests.builders import LEEDS, NOON, a_brand, an_order
from tests.lockstep.brands import brand_file
from tests.lockstep.desk import Desk
from tests.story import Story

PIGEON = ShippingRule(title="Pigeon", carrier="PIGEON", service="FAST")


def a_morning() -> Story:
    """5012 is stranded by its shipping line, 5013 lacks a phone and is unpaid, 5014 is with the warehouse."""
    story = Story().shopify(an_order().with_line("MUG").sent_by("Pigeon").routed("71"))
    mute = LEEDS.model_copy(update={"phone": ""})
    story.about("5013").shopify(
        an_order("5013").with_line("A-1").shipping_to(mute).paid(FinancialStatus.PENDING).routed("73")
    )
    story.about("5014").shopify(an_order("5014").with_line("A1").routed("74"))
    story.applied(story.sent(CreateGoodsOut)[-1])
    return story


def foresee(states: Iterable[OrderState], before: BrandConfig | None, after: BrandConfig, at: datetime) -> Foresight:
    found = Foresight(before, after, at)
    for state in states:
        found.look_at(state)
    return found


def foreseen(story: Story, **changes: object) -> Foresight:
    return foresee(story.fold.states().values(), story.config, a_brand(**changes), NOON)


def said(found: Foresight) -> dict[str, list[str]]:
    kinds = {
        "released": found.released, "held": found.held, "otherwise": found.otherwise, "alone": found.alone,
    }  # fmt: skip
    return {kind: [str(one) for one in orders] for kind, orders in kinds.items() if orders}


def test_the_same_configuration_changes_nothing() -> None:
    found = foreseen(a_morning())
    assert found.nothing
    assert found.looked_at == 3
    assert dict(found.stay) == {"address_incomplete": 1, "payment_not_met": 1, "unmapped_shipping_line": 1}


def test_a_mapped_shipping_line_releases_what_it_stranded() -> None:
    story = a_morning()
    found = foreseen(story, shipping=(*story.config.shipping, PIGEON))
    assert said(found) == {
        "released": [
            "acme/5012: goods-out ACME-5012-71-1 in LDS1 by PIGEON/FAST: 1 x MUG (was held: unmapped_shipping_line)"
        ]
    }


@pytest.mark.parametrize(
    "changes", [{"elsewhere": ("99",)}, {"release_from": NOON + timedelta(days=1)}], ids=["elsewhere", "older"]
)
def test_what_is_held_and_would_be_nobodys_business_is_told(changes: dict[str, object]) -> None:
    """It was said that nothing would change, of the one file that ends a morning's cases."""
    story = Story().shopify(an_order().with_line("MUG").routed("71", to="99"))
    found = foreseen(story, **changes)
    assert said(found) == {"alone": ["acme/5012: nothing to send (was held: unmapped_location)"]}
    assert not found.nothing


def test_one_reason_less_does_not_release() -> None:
    found = foreseen(a_morning(), require_phone=False)
    assert said(found) == {}
    assert "address_incomplete" not in found.stay


def test_a_stricter_rule_holds_what_was_ready() -> None:
    """A ready order that is delayed, paused or in observe mode waits to be sent: it would be held."""
    story = Story(a_brand(mode="observe")).shopify(an_order().with_line("MUG").routed("71"))
    found = foreseen(story, paid=(FinancialStatus.AUTHORIZED,))
    assert said(found) == {"held": ["acme/5012: payment_not_met, payment is PAID"]}


def test_what_waits_to_be_sent_would_be_sent_otherwise() -> None:
    story = Story(a_brand(mode="observe")).shopify(an_order().with_line("MUG#1").routed("71"))
    tagged = story.state.shopify
    assert tagged is not None
    state = story.state.model_copy(update={"shopify": tagged.model_copy(update={"tags": ("vip",)})})
    faster = ShippingRule(code="standard", value_from=Decimal(1), carrier="DPD", service="AM12")
    after = a_brand(
        shipping=(faster,),
        priorities=(PriorityRule(tag="vip", priority=1),),
        instructions=Instructions(note=False),
        skus=SkuRules(remove="#"),
    )
    found = foresee([state], story.config, after, NOON)
    assert said(found) == {
        "otherwise": [
            "acme/5012: goods-out ACME-5012-71-1 in LDS1 by DPD/AM12: 1 x MUG1 (other lines, priority, service)"
        ]
    }


def test_what_the_warehouse_has_stays() -> None:
    """5014 left with its old words, whatever the file says now."""
    found = foreseen(a_morning(), shipping=(PIGEON,))
    assert [one.order for one in found.released] == ["5012"]
    assert "5014" not in str(said(found))


def test_skus_of_different_orders_that_would_be_one_product_are_named() -> None:
    assert foreseen(a_morning(), skus=SkuRules(remove="-")).collide == ("'A-1', 'A1' would all be 'A1'",)


def test_time_is_the_one_given() -> None:
    story = Story().waiting(edit_window=1800).shopify(an_order().with_line("MUG").routed("71"))
    states = story.fold.states().values()
    shorter = a_brand(version=3)
    assert [one.order for one in foresee(states, story.config, shorter, NOON).released] == ["5012"]
    assert foresee(states, story.config, shorter, NOON + timedelta(hours=1)).nothing, "the window is over either way"


def test_a_brand_that_is_not_configured_yet() -> None:
    found = foresee(a_morning().fold.states().values(), None, a_brand(), NOON)
    assert "5012" not in {one.order for one in found.released}
    assert next(str(one) for one in found.held).startswith("acme/5012: unmapped_shipping_line")


def test_another_brand_is_not_looked_at() -> None:
    other = a_brand(brand=Brand("brio"), reference_prefix="BRIO")
    assert foresee(a_morning().fold.states().values(), None, other, NOON).looked_at == 0


# --- the command line


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """It is noon."""
    clock = LoopClock(NOON)
    monkeypatch.setattr(preview_commands, "now", lambda: NOON)
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        yield Desk(monkeypatch, runner, MemoryLog(clock, {topic.name: 1 for topic in ALL}), clock)


def test_preview_tells_what_a_file_would_do(desk: Desk, tmp_path: Path) -> None:
    desk.keeps(a_morning())
    rule = '[[shipping]]\ntitle = "Pigeon"\ncarrier = "PIGEON"\nservice = "FAST"\n\n[[carriers]]'
    said = desk.reads(f"config preview {brand_file(tmp_path, '[[carriers]]', rule)}")
    assert "beside brand acme, version 1: 3 orders looked at." in said
    assert "1 would be released\n  acme/5012: goods-out ACME-5012-71-1 in LDS1 by PIGEON/FAST: 1 x MUG" in said
    assert "stay held: address_incomplete 1, payment_not_met 1" in said
    assert "Mill Lane" not in said


def test_held_orders_are_listed_with_every_reason(desk: Desk) -> None:
    desk.keeps(a_morning())
    said = desk.reads("case held")
    assert [line.split()[0] for line in said.splitlines()[1:]] == ["acme/5012", "acme/5013"]
    assert "payment_not_met, payment is PENDING; address_incomplete, lacks phone" in said
    assert "acme/5013" not in desk.reads("case held --code unmapped_shipping_line")
    desk.configures(a_brand(brand=Brand("brio"), reference_prefix="BRIO"))
    assert desk.reads("case held --brand brio") == "No order is held.\n"


def test_a_held_order_is_named_whole_on_a_narrow_terminal(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(out, "_width", 40)
    desk.keeps(a_morning())
    lines = desk.reads("case held").splitlines()
    assert [line for line in lines if line.startswith("acme/")] == [
        "acme/5012  2026-11-03 12:00 UTC",
        "acme/5013  2026-11-03 12:00 UTC",
    ]
