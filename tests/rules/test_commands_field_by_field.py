"""What each command asks of its system, field by field; what observe mode says it would ask; what a refusal says."""

from datetime import timedelta
from typing import Any

import pytest

from schemas.base import System
from schemas.cases import CaseCode
from schemas.commands import (
    CancelGoodsOut,
    Command,
    CreateFulfilment,
    CreateGoodsOut,
    PostFulfilment,
    UpdateTracking,
    UpsertErpOrder,
    Withdraw,
)
from schemas.config import BrandConfig, CarrierRule
from schemas.goods_outs import GoodsOutStatus
from schemas.outcomes import OutcomeKind
from tests.builders import LEEDS, NOON, a_brand, a_goods_out, an_erp_order, an_order
from tests.story import Story

G1, G2 = "ACME-5012-71-1", "ACME-5012-72-1"
ORDER = an_order().with_line("MUG", 3).with_line("HAT", 1)
ROUTED = ORDER.routed("71")
IN_CLARUS = a_goods_out(G1).with_line("901", "MUG", 3).with_line("902", "HAT", 1)
SALE = an_erp_order().with_line("901", "MUG", 3).with_line("902", "HAT", 1)
DECIDED = {"id", "decided_at", "decided_partition", "decided_offset", "trace", "fingerprint", "brand", "order"}


def asks(command: Command) -> dict[str, Any]:
    """All it carries but where and when it was decided."""
    return {field: value for field, value in command.model_dump(mode="json").items() if field not in DECIDED}


def would(story: Story) -> tuple[str, ...]:
    return story.state.would_send


def released(config: BrandConfig | None = None) -> Story:
    story = Story(config).shopify(ROUTED)
    story.applied(story.one(CreateGoodsOut)).clarus(IN_CLARUS)
    return story.applied(story.one(UpsertErpOrder), "77").erp(SALE)


def posted(config: BrandConfig | None = None, tracking: tuple[str, ...] = ("T1",)) -> Story:
    story = released(config).clarus(IN_CLARUS.despatched(tracking=tracking))
    return story.applied(story.one(PostFulfilment), "88").erp(SALE.fulfilment(G1, L901=3, L902=1))


def test_the_warehouse_is_asked_for_a_goods_out() -> None:
    story = Story().shopify(ROUTED)
    create = story.one(CreateGoodsOut)
    assert asks(create) == {
        "kind": "CreateGoodsOut",
        "object": f"goods-out:{G1}",
        "generation": 1,
        "reference": G1,
        "order_name": "#1042",
        "fulfilment_order": "71",
        "location": "11",
        "account": "ACME",
        "warehouse": "LDS1",
        "carrier": "DPD",
        "service": "NEXTDAY",
        "shipping_line": "'Standard' (code 'standard')",
        "priority": 50,
        "order_notes": "",
        "ship_to": LEEDS.model_dump(mode="json"),
        "lines": [
            {"line": "901", "sku": "MUG", "shop_sku": "MUG", "quantity": 3, "each": 0},
            {"line": "902", "sku": "HAT", "shop_sku": "HAT", "quantity": 1, "each": 0},
        ],
        "known_goods_outs": [],
    }
    assert (create.brand, create.order) == ("acme", "5012")
    assert (create.decided_at, create.decided_partition, create.decided_offset) == (story.at, 0, 1)
    assert len({create.id, create.fingerprint, ""}) == 3


def test_a_second_one_says_which_are_known() -> None:
    story = Story().shopify(ORDER.routed("71", L901=3))
    story.applied(story.one(CreateGoodsOut)).clarus(a_goods_out(G1).with_line("901", "MUG", 3))
    story.shopify(ORDER.routed("71", L901=3).routed("72", L902=1))
    second = story.sent(CreateGoodsOut)[1]
    assert (second.reference, second.known_goods_outs) == (G2, (G1,))


def test_the_warehouse_is_asked_to_cancel_what_nobody_has_begun() -> None:
    story = released().shopify(ROUTED.cancelled())
    assert asks(story.one(CancelGoodsOut)) == {
        "kind": "CancelGoodsOut",
        "object": f"cancel:{G1}",
        "generation": 1,
        "reference": G1,
        "goods_out": "9001",
        "only_if": ["DRAFT", "PENDING"],
    }


def test_the_erp_is_asked_for_the_sales_order() -> None:
    price = {"amount": "9.50", "currency": "GBP"}
    assert asks(Story().shopify(ROUTED).one(UpsertErpOrder)) == {
        "kind": "UpsertErpOrder",
        "object": "erp-order",
        "generation": 1,
        "order_name": "#1042",
        "ordered_at": "2026-11-03T12:00:00Z",
        "currency": "GBP",
        "lines": [
            {"line": "901", "sku": "MUG", "quantity": 3, "unit_price": price},
            {"line": "902", "sku": "HAT", "quantity": 1, "unit_price": price},
        ],
    }


def test_the_erp_is_asked_to_post_what_left() -> None:
    story = released().clarus(IN_CLARUS.despatched(L901=2, L902=1, whole=False))
    assert asks(story.one(PostFulfilment)) == {
        "kind": "PostFulfilment",
        "object": f"erp-fulfilment:{G1}",
        "generation": 1,
        "goods_out": G1,
        "target": [{"line": "901", "quantity": 2}, {"line": "902", "quantity": 1}],
        "despatched_at": NOON.isoformat().replace("+00:00", "Z"),
    }


def test_shopify_is_asked_to_tell_the_shopper() -> None:
    assert asks(posted().one(CreateFulfilment)) == {
        "kind": "CreateFulfilment",
        "object": f"fulfilment:{G1}",
        "generation": 1,
        "goods_out": G1,
        "lines": [
            {"line": "901", "fulfilment_order": "71", "fulfilment_order_line": "71-901", "quantity": 3},
            {"line": "902", "fulfilment_order": "71", "fulfilment_order_line": "71-902", "quantity": 1},
        ],
        "tracking": {"company": "DPD UK", "numbers": ["T1"], "urls": []},
        "notify": True,
        "known_fulfilments": [],
    }


def test_a_second_telling_counts_on_and_says_which_are_known() -> None:
    story = released().clarus(IN_CLARUS.despatched(L901=3, whole=False))
    story.applied(story.one(PostFulfilment), "88").erp(SALE.fulfilment(G1, L901=3))
    story.applied(story.one(CreateFulfilment), "801").shopify(ROUTED.fulfilled("801", L901=3, numbers=("T1",)))
    story.clarus(IN_CLARUS.despatched(tracking=("T1", "T2"))).erp(SALE.fulfilment(G1, L901=3, L902=1))
    second = story.sent(CreateFulfilment)[1]
    assert (second.generation, second.known_fulfilments, second.tracking.numbers) == (2, ("801",), ("T2",))


def test_tracking_that_comes_later_is_added() -> None:
    story = posted(tracking=("",)).later(minutes=11)
    story.applied(story.one(CreateFulfilment), "801").shopify(ROUTED.fulfilled("801", L901=3, L902=1))
    story.clarus(IN_CLARUS.despatched(tracking=("T1", "T2")))
    assert asks(story.one(UpdateTracking)) == {
        "kind": "UpdateTracking",
        "object": "tracking:801",
        "generation": 1,
        "fulfilment": "801",
        "tracking": {"company": "DPD UK", "numbers": ["T1", "T2"], "urls": []},
        "notify": True,
    }


def test_what_is_not_wanted_any_more_is_withdrawn() -> None:
    story = Story().shopify(ROUTED)
    create = story.one(CreateGoodsOut)
    story.shopify(ROUTED.cancelled())
    assert asks(story.one(Withdraw)) == {
        "kind": "Withdraw",
        "object": create.object,
        "generation": 1,
        "system": "clarus",
        "withdrawn": create.id,
    }
    assert story.one(Withdraw).fingerprint == create.fingerprint


@pytest.mark.parametrize(
    ("carriers", "company", "urls"),
    [
        ((CarrierRule(carrier="DPD", company="DPD UK"),), "DPD UK", ()),
        (
            (CarrierRule(carrier="DPD", company="Dpd", url="https://t.example/{number}/gb"),),
            "Dpd",
            ("https://t.example/T1/gb",),
        ),
        ((), "DPD", ()),
    ],
    ids=["by Shopify's own link", "by a link of ours", "a carrier nobody mapped"],
)
def test_whose_parcel_it_is(carriers: tuple[CarrierRule, ...], company: str, urls: tuple[str, ...]) -> None:
    tracking = posted(a_brand(carriers=carriers)).one(CreateFulfilment).tracking
    assert (tracking.company, tracking.numbers, tracking.urls) == (company, ("T1",), urls)


def test_a_shopper_who_is_not_to_be_notified_is_not() -> None:
    assert not posted(a_brand(notify_shopper=False)).one(CreateFulfilment).notify


def test_observing_says_what_would_be_asked() -> None:
    story = Story(a_brand(mode="observe")).shopify(ROUTED)
    assert would(story) == (
        f"goods-out {G1} in LDS1 by DPD/NEXTDAY: 3 x MUG, 1 x HAT",
        "sales order for #1042: 3 x MUG, 1 x HAT",
    )
    story.clarus(IN_CLARUS.despatched()).erp(SALE)
    assert would(story) == (f"posting of 4 units of {G1}",)
    story.erp(SALE.fulfilment(G1, L901=3, L902=1))
    assert would(story) == (f"fulfilment of 4 units of {G1} with tracking T1",)
    story.clarus(IN_CLARUS.despatched(tracking=("T1", "T2")))
    assert would(story) == (f"fulfilment of 4 units of {G1} with tracking T1, T2",)
    story.clarus(IN_CLARUS.despatched(tracking=("",))).later(minutes=20)
    assert would(story) == (f"fulfilment of 4 units of {G1} without tracking",)


def test_observing_says_what_would_be_cancelled_and_amended() -> None:
    story = released().configured(mode="observe").later(minutes=2).shopify(ROUTED.cancelled())
    assert would(story) == (f"cancel of {G1}",)
    late = posted(tracking=("",)).later(minutes=11)
    late.applied(late.one(CreateFulfilment), "801").shopify(ROUTED.fulfilled("801", L901=3, L902=1))
    late.configured(mode="observe").later(minutes=2).clarus(IN_CLARUS.despatched(tracking=("T1", "T2")))
    assert would(late) == (f"tracking T1, T2 for the fulfilment of {G1}",)


# --- refusals


def said(story: Story) -> dict[CaseCode, tuple[str, str]]:
    return {case.code: (case.object, case.detail) for case in story.cases.values() if case.open}


@pytest.mark.parametrize(
    ("code", "field", "text", "case", "detail"),
    [
        ("odd", "", "", CaseCode.CLARUS_REFUSED, "odd"),
        ("odd", "postcode", "", CaseCode.CLARUS_REFUSED, "odd postcode"),
        ("odd", "", "is missing", CaseCode.CLARUS_REFUSED, "odd is missing"),
        ("odd", "postcode", "is missing", CaseCode.CLARUS_REFUSED, "odd postcode is missing"),
        ("unknown_sku", "sku", "MUG", CaseCode.UNKNOWN_SKU, "unknown_sku sku MUG"),
        ("unknown_goods_out", "", "ACME-5012-71-9", CaseCode.UNKNOWN_GOODS_OUT, "unknown_goods_out ACME-5012-71-9"),
    ],
)
def test_what_the_warehouse_refused_is_a_case(code: str, field: str, text: str, case: CaseCode, detail: str) -> None:
    story = Story().shopify(ROUTED)
    story.ended(story.one(CreateGoodsOut), OutcomeKind.REJECTED, code=code, field=field, text=text)
    assert said(story) == {case: (G1, detail)}


def test_a_refused_cancel_is_named_by_its_goods_out() -> None:
    story = released().shopify(ROUTED.cancelled())
    story.ended(story.one(CancelGoodsOut), OutcomeKind.REJECTED, code="odd")
    assert said(story)[CaseCode.CLARUS_REFUSED] == (G1, "odd")


@pytest.mark.parametrize(("code", "case"), [("odd", CaseCode.ERP_REFUSED), ("unknown_sku", CaseCode.UNKNOWN_SKU)])
def test_what_the_erp_refused_is_a_case(code: str, case: CaseCode) -> None:
    story = Story().shopify(ROUTED)
    story.ended(story.one(UpsertErpOrder), OutcomeKind.REJECTED, code=code, field="lines", text="MUG")
    assert said(story)[case] == ("5012", f"{code} lines MUG")
    bare = Story().shopify(ROUTED)
    bare.ended(bare.one(UpsertErpOrder), OutcomeKind.REJECTED, code=code)
    assert said(bare)[case] == ("5012", code)


def test_a_refused_posting_is_named_by_its_goods_out() -> None:
    story = released().clarus(IN_CLARUS.despatched())
    story.ended(story.one(PostFulfilment), OutcomeKind.REJECTED, code="period_closed")
    assert said(story)[CaseCode.ERP_REFUSED] == (G1, "period_closed")


@pytest.mark.parametrize(
    ("code", "first", "second"),
    [
        ("odd", True, True),
        ("fulfilment_orders_changed", False, True),
        ("unknown_fulfilment", False, True),
    ],
)
def test_what_shopify_refused_is_a_case_unless_a_reading_settles_it(code: str, first: bool, second: bool) -> None:
    story = posted()
    story.ended(story.one(CreateFulfilment), OutcomeKind.REJECTED, code=code, field="lines", text="changed")
    assert (CaseCode.SHOPIFY_REFUSED in said(story)) == first
    story.later(minutes=10)
    story.ended(story.sent(CreateFulfilment)[1], OutcomeKind.REJECTED, code=code, field="lines", text="changed")
    assert (CaseCode.SHOPIFY_REFUSED in said(story)) == second
    assert said(story)[CaseCode.SHOPIFY_REFUSED] == (G1, f"{code} lines changed")


def test_each_system_refuses_for_itself() -> None:
    story = Story().shopify(ROUTED)
    story.ended(story.one(CreateGoodsOut), OutcomeKind.REJECTED, code="odd")
    story.ended(story.one(UpsertErpOrder), OutcomeKind.REJECTED, code="even")
    assert said(story) == {CaseCode.CLARUS_REFUSED: (G1, "odd"), CaseCode.ERP_REFUSED: ("5012", "even")}


ITEMS = {"mode": "create", "stock_unit": "EACH", "patience": 900}


def test_where_items_come_from_the_erp_a_missing_product_is_waited_for_first() -> None:
    story = Story(a_brand(items=ITEMS)).shopify(ROUTED)
    story.ended(story.one(CreateGoodsOut), OutcomeKind.REJECTED, code="unknown_sku", text="HAT, MUG, TEA")
    assert story.open_cases == set()
    assert [one.name for one in story.state.since if one.name.startswith("item")] == [f"item:{G1}"]
    assert story.state.refusals[0].lacks == ("HAT", "MUG"), "of what was asked for"
    story.later(seconds=890)
    assert CaseCode.UNKNOWN_SKU not in story.open_cases
    story.later(seconds=20)
    assert said(story)[CaseCode.UNKNOWN_SKU] == (G1, "HAT, MUG")


def test_a_refusal_for_anything_but_a_product_is_a_case_at_once_there_too() -> None:
    story = Story(a_brand(items=ITEMS)).shopify(ROUTED)
    story.ended(story.one(CreateGoodsOut), OutcomeKind.REJECTED, code="odd", field="carrier", text="no such carrier")
    assert said(story) == {CaseCode.CLARUS_REFUSED: (G1, "odd carrier no such carrier")}


def test_what_shopify_says_without_a_field_has_no_gap() -> None:
    story = posted()
    story.ended(story.one(CreateFulfilment), OutcomeKind.REJECTED, code="odd", text="changed")
    assert said(story)[CaseCode.SHOPIFY_REFUSED] == (G1, "odd changed")


@pytest.mark.parametrize("notify", [False, True])
def test_the_shopper_hears_of_late_tracking_where_the_brand_says_so(notify: bool) -> None:
    story = posted(a_brand(notify_shopper=notify), tracking=("",)).later(minutes=11)
    told = ROUTED.fulfilled("801", L901=3, L902=1)
    story.applied(story.one(CreateFulfilment), "801").shopify(told)
    story.clarus(IN_CLARUS.despatched(tracking=("T1",)))
    assert story.one(UpdateTracking).notify is notify


def test_an_observed_or_refused_change_of_fields_waits_for_nothing() -> None:
    """Another address makes another goods-out: it is tried at once, whatever was refused before."""
    story = Story().shopify(ROUTED)
    story.ended(story.one(CreateGoodsOut), OutcomeKind.REJECTED, code="odd")
    story.shopify(ROUTED.shipping_to(LEEDS.model_copy(update={"line1": "9 Mill Lane"})))
    assert len(story.sent(CreateGoodsOut)) == 2
    assert story.state.refusals[0].tries == 1


def test_each_refusal_of_the_same_doubles_the_wait() -> None:
    story = Story(a_brand(waits={"retry": 60, "retry_most": 200})).shopify(ROUTED)
    gaps = []
    for _ in range(4):
        refused = story.at
        story.ended(story.sent(CreateGoodsOut)[-1], OutcomeKind.REJECTED, code="odd")
        count = len(story.sent(CreateGoodsOut))
        while len(story.sent(CreateGoodsOut)) == count:
            story.later(seconds=10)
        gaps.append((story.at - refused) // timedelta(seconds=10) * 10)
    assert gaps == [60, 120, 200, 200]


@pytest.mark.parametrize("status", [GoodsOutStatus.DRAFT, GoodsOutStatus.PENDING])
def test_what_nobody_has_begun_is_cancelled(status: GoodsOutStatus) -> None:
    story = released().clarus(IN_CLARUS.status(status)).shopify(ROUTED.cancelled())
    assert story.one(CancelGoodsOut)
    assert System.CLARUS in story.applied(story.one(CancelGoodsOut)).reads
