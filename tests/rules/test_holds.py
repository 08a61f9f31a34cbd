"""Reasons why an order waits, put together; and which fulfilment orders give which reason: literal cases."""

from datetime import timedelta

import pytest

from schemas.cases import CaseCode
from schemas.commands import CreateGoodsOut
from schemas.limits import ADDRESS_MOST
from schemas.orders import FinancialStatus, FulfilmentOrderStatus, RiskAdvice
from streams.rules.orders.addresses import address_lacks
from streams.rules.orders.delivery import fulfilment_order_holds, left_out, may_release, to_ship
from streams.rules.orders.findings import Waiting, Wake
from streams.rules.orders.holds import Hold, merged
from streams.rules.orders.mapping.products import sku_holds
from streams.rules.orders.payment import risk_holds
from streams.rules.orders.readiness import held, is_ours, keeping_back
from tests.builders import LEEDS, NOON, OrderBuilder, a_brand, a_goods_out, an_order
from tests.story import Story

SOON, LATER = NOON + timedelta(hours=1), NOON + timedelta(hours=5)
MUG = an_order().with_line("MUG", 2).with_line("HAT", 1)


FLOWN = MUG.routed("71").refunded(L901=2, L902=1).closed("71").fulfilment_order("71", method="DRONE")


def scheduled(named: str, until: object = None, after: int | None = None) -> Hold:
    return Hold(code=CaseCode.SCHEDULED, named=named, until=until, after=after)


@pytest.mark.parametrize(
    ("holds", "one"),
    [
        ((scheduled("a"), scheduled("b")), scheduled("a; b")),
        ((scheduled("a"), scheduled("a")), scheduled("a")),
        ((scheduled("a"), scheduled("b"), scheduled("a")), scheduled("a; b")),
        ((scheduled("line 90"), scheduled("line 9")), scheduled("line 90; line 9")),
        ((scheduled("a", SOON), scheduled("b", LATER)), scheduled("a; b", LATER)),
        ((scheduled("a", LATER), scheduled("b", SOON)), scheduled("a; b", LATER)),
        ((scheduled("a", SOON), scheduled("b")), scheduled("a; b")),
        ((scheduled("a"), scheduled("b", SOON)), scheduled("a; b")),
        ((scheduled("a", SOON),), scheduled("a", SOON)),
        ((scheduled("a", after=7), scheduled("b")), scheduled("a; b", after=7)),
    ],
)
def test_reasons_of_a_kind_are_one_that_lasts_until_the_last_is_over(holds: tuple[Hold, ...], one: Hold) -> None:
    assert merged(holds) == (one,)


def test_reasons_of_different_kinds_stand_in_the_order_they_were_found() -> None:
    kinds = (CaseCode.SKU_MISSING, CaseCode.ADDRESS_INCOMPLETE, CaseCode.SKU_MISSING)
    found = merged(Hold(code=code, named=str(at)) for at, code in enumerate(kinds))
    assert [(one.code, one.named) for one in found] == [
        (CaseCode.SKU_MISSING, "0; 2"), (CaseCode.ADDRESS_INCOMPLETE, "1"),
    ]  # fmt: skip


Status = FulfilmentOrderStatus


@pytest.mark.parametrize(
    ("changes", "held"),
    [
        ({}, []),
        ({"status": Status.IN_PROGRESS}, []),
        ({"status": Status.ON_HOLD, "holds": ("FRAUD", "OTHER")}, [(CaseCode.FULFILMENT_HOLD, "FRAUD, OTHER", None)]),
        ({"status": Status.ON_HOLD}, [(CaseCode.FULFILMENT_HOLD, "no reason given", None)]),
        (
            {"status": Status.SCHEDULED, "fulfil_at": SOON},
            [(CaseCode.SCHEDULED, "fulfilment order 71 is scheduled for 2026-11-03 13:00 UTC", SOON)],
        ),
        ({"status": Status.SCHEDULED}, [(CaseCode.SCHEDULED, "fulfilment order 71 is scheduled without a date", None)]),
        ({"status": Status.INCOMPLETE}, [(CaseCode.NOT_ROUTED, "fulfilment order 71 is INCOMPLETE", None)]),
        (
            {"fulfil_at": SOON},
            [(CaseCode.SCHEDULED, "fulfilment order 71 is scheduled for 2026-11-03 13:00 UTC", SOON)],
        ),
        ({"fulfil_at": NOON}, []),
        ({"location": "99", "location_name": "Cellar"}, [(CaseCode.UNMAPPED_LOCATION, "'Cellar' (location 99)", None)]),
        ({"location": "99", "location_name": ""}, [(CaseCode.UNMAPPED_LOCATION, "location 99", None)]),
        (
            {"status": Status.ON_HOLD, "location": "99", "location_name": ""},
            [(CaseCode.FULFILMENT_HOLD, "no reason given", None), (CaseCode.UNMAPPED_LOCATION, "location 99", None)],
        ),
    ],
)
def test_what_keeps_one_fulfilment_order_back(
    changes: dict[str, object], held: list[tuple[CaseCode, str, object]]
) -> None:
    [one] = MUG.routed("71").fulfilment_order("71", **changes).order.fulfilment_orders
    holds = fulfilment_order_holds(one, a_brand(), NOON)
    assert [(hold.code, hold.named, hold.until) for hold in holds] == held
    assert may_release(one, a_brand(), NOON) == (not held)


def test_one_scheduled_without_a_date_has_a_patience_of_its_own() -> None:
    [one] = MUG.routed("71").fulfilment_order("71", status=Status.SCHEDULED).order.fulfilment_orders
    config = a_brand(waits={"scheduled": 7200})
    assert [hold.after for hold in fulfilment_order_holds(one, config, NOON)] == [7200]


@pytest.mark.parametrize("status", [Status.CANCELLED, Status.CLOSED])
def test_one_that_has_ended_may_not_go(status: FulfilmentOrderStatus) -> None:
    order = MUG.routed("71").fulfilment_order("71", status=status).order
    assert not may_release(order.fulfilment_orders[0], a_brand(), NOON)
    assert to_ship(order, a_brand()) == ()


def test_the_oldest_goes_first_by_number_and_only_what_is_shipped() -> None:
    order = MUG.routed("101", L901=1).routed("99", L901=1).routed("100", L902=1).routed("98", L902=0)
    order = order.fulfilment_order("98", method="PICK_UP")
    assert [one.id for one in to_ship(order.order, a_brand())] == ["99", "100", "101"]


def test_what_another_location_sends_by_itself_is_neither_shipped_nor_missed() -> None:
    config = a_brand(elsewhere=("99",))
    order = MUG.routed("71", L901=1).routed("72", to="99", L901=1).routed("73", to="99", L902=1)
    order = order.fulfilment_order("73", method="DRONE")
    assert [one.id for one in to_ship(order.order, config)] == ["71"]
    assert left_out(order.order, config) == ()


@pytest.mark.parametrize(
    ("case", "order", "held"),
    [
        ("routed", MUG.routed("71"), []),
        ("fetched in the shop", MUG.routed("71").fulfilment_order("71", method="PICK_UP"), []),
        ("brought by the shop", MUG.routed("71").fulfilment_order("71", method="LOCAL"), []),
        ("sold over the counter", MUG.routed("71").fulfilment_order("71", method="RETAIL"), []),
        ("digital", MUG.routed("71").fulfilment_order("71", method="NONE"), []),
        ("flown", MUG.routed("71").fulfilment_order("71", method="DRONE"),
         [(CaseCode.METHOD_NOT_SERVED, "fulfilment order 71 by DRONE")]),
        ("flown, and over", FLOWN,
         []),
        ("one line nowhere", MUG.routed("71", L901=2), [(CaseCode.NOT_ROUTED, "line 902 in no fulfilment order")]),
        ("a unit nowhere", MUG.routed("71", L901=1, L902=1),
         [(CaseCode.NOT_ROUTED, "line 901 in no fulfilment order")]),
        ("all nowhere, by number", MUG.with_line("TEA", 1, id="90").routed("71", L901=0),
         [(CaseCode.NOT_ROUTED, "line 90, 901, 902 in no fulfilment order")]),
        ("fulfilled", MUG.routed("71", L901=2, L902=1).fulfilled("801", L901=2, L902=1), []),
        ("fulfilled, and taken back", MUG.routed("71").fulfilled("801", L902=1, cancelled=True),
         [(CaseCode.NOT_ROUTED, "line 902 in no fulfilment order")]),
    ],
)  # fmt: skip
def test_units_that_would_be_dropped_in_silence(
    case: str, order: OrderBuilder, held: list[tuple[CaseCode, str]]
) -> None:
    assert [(hold.code, hold.named) for hold in left_out(order.order, a_brand())] == held, case


def test_what_needs_no_shipping_may_be_nowhere() -> None:
    order = MUG.routed("71", L901=2)
    gift = order.order.lines[1].model_copy(update={"requires_shipping": False})
    assert left_out(order._with(lines=(order.order.lines[0], gift)).order, a_brand()) == ()


@pytest.mark.parametrize(("risk", "held"), [(RiskAdvice.CANCEL, ["CANCEL"]), (RiskAdvice.ACCEPT, [])])
def test_what_shopify_advises_against(risk: RiskAdvice, held: list[str]) -> None:
    found = risk_holds(MUG.advised(risk).order, a_brand(risk_holds=["CANCEL", "INVESTIGATE"]))
    assert [hold.named.split()[-1] for hold in found] == held


@pytest.mark.parametrize(("field", "most"), ADDRESS_MOST.items())
def test_what_is_longer_than_clarus_takes_is_named_by_its_part(field: str, most: int) -> None:
    def lacks(length: int) -> list[str]:
        address = LEEDS.model_copy(update={field: "1" * length})
        return [said for said in address_lacks(address, a_brand()) if "of at most" in said]

    words = {"line1": "street", "line2": "second street line", "country_code": "country"}.get(field, field)
    assert lacks(most) == []
    assert lacks(most + 1) == [f"a {words} of at most {most} characters"]


# --- for how long


def opened_after(story: Story, code: CaseCode) -> float:
    """Minutes until the case is there."""
    began = story.at
    for _ in range(600):
        if code in story.open_cases:
            return (story.at - began) / timedelta(minutes=1)
        story.later(minutes=1)
    raise AssertionError(code)


def test_a_hold_with_a_date_is_a_case_the_usual_time_after_it() -> None:
    """The brand's usual is an hour."""
    story = Story().shopify(MUG.routed("71").fulfilment_order("71", status=Status.SCHEDULED, fulfil_at=SOON))
    assert opened_after(story, CaseCode.SCHEDULED) == pytest.approx(120, abs=2)


def test_one_that_is_past_its_date_when_it_is_seen_has_the_usual_time() -> None:
    past = NOON - timedelta(days=3)
    story = Story().shopify(MUG.routed("71").fulfilment_order("71", status=Status.SCHEDULED, fulfil_at=past))
    assert opened_after(story, CaseCode.SCHEDULED) == pytest.approx(60, abs=2)


def test_one_without_a_date_has_its_own() -> None:
    story = Story().waiting(scheduled=1800)
    story.shopify(MUG.routed("71").fulfilment_order("71", status=Status.SCHEDULED))
    assert opened_after(story, CaseCode.SCHEDULED) == pytest.approx(30, abs=2)


@pytest.mark.parametrize(
    ("order", "code"),
    [
        (MUG.routed("71", to="99"), CaseCode.UNMAPPED_LOCATION),
        (MUG.routed("71").sent_by("Pigeon", "pigeon"), CaseCode.UNMAPPED_SHIPPING_LINE),
        (an_order().with_line("", 1).routed("71"), CaseCode.SKU_MISSING),
        (an_order().with_line("X" * 60, 1).routed("71"), CaseCode.SKU_UNUSABLE),
        (MUG.routed("71").fulfilment_order("71", method="DRONE"), CaseCode.METHOD_NOT_SERVED),
    ],
)
def test_what_only_we_can_mend_is_a_case_at_once(order: OrderBuilder, code: CaseCode) -> None:
    assert opened_after(Story().shopify(order), code) == 0


def test_a_date_a_hundred_years_away_is_doubted() -> None:
    far = NOON + timedelta(days=36500)
    story = Story().shopify(MUG.routed("71").fulfilment_order("71", status=Status.SCHEDULED, fulfil_at=far))
    story.later(days=365)
    assert story.open_cases == set()
    assert story.later(days=2).open_cases == {CaseCode.SCHEDULED}


@pytest.mark.parametrize(("window", "sent"), [(0, [0]), (600, [10])])
def test_the_edit_window_is_waited_for(window: int, sent: list[int]) -> None:
    story = Story(a_brand(waits={"edit_window": window})).shopify(MUG.routed("71"))
    minutes = 0
    while not story.sent(CreateGoodsOut):
        minutes += 1
        story.later(minutes=1)
    assert [minutes] == sent
    assert story.state.since_of("hold:edit_window") is None


def test_who_paid_for_speed_does_not_wait_for_the_edit_window() -> None:
    shipping = [{"code": "standard", "carrier": "DPD", "service": "NEXTDAY", "expedited": True}]
    story = Story(a_brand(waits={"edit_window": 600}, shipping=shipping)).shopify(MUG.routed("71"))
    assert len(story.sent(CreateGoodsOut)) == 1


def test_what_a_person_overrode_keeps_back_no_more_but_nothing_goes_nowhere() -> None:
    lame = MUG.shipping_to(LEEDS.model_copy(update={"postcode": ""})).routed("71")
    assert len(Story().shopify(lame).operator("override", "address_incomplete").sent(CreateGoodsOut)) == 1
    nowhere = MUG.shipping_to(None).routed("71")
    assert Story().shopify(nowhere).operator("override", "address_incomplete").commands == []
    both = lame.advised(RiskAdvice.CANCEL)
    story = Story(a_brand(risk_holds=["CANCEL"])).shopify(both).operator("override", "address_incomplete")
    assert story.commands == [], "the other reason stands"


@pytest.mark.parametrize(("seconds", "ours"), [(-1, False), (0, True), (1, True)])
def test_an_order_from_before_the_switch_on_is_not_ours(seconds: int, ours: bool) -> None:
    config = a_brand()
    assert config.release_from is not None
    order = MUG.routed("71").placed(config.release_from + timedelta(seconds=seconds))
    assert bool(Story(config).shopify(order).sent(CreateGoodsOut)) == ours
    assert not is_ours(Story().shopify(order).state, a_brand(mode="observe", release_from=None))


def test_an_order_without_anything_to_ship_waits_for_no_routing() -> None:
    assert opened_after(Story().shopify(MUG), CaseCode.NOT_ROUTED) == pytest.approx(60, abs=2)
    bare = MUG._with(lines=tuple(one.model_copy(update={"requires_shipping": False}) for one in MUG.order.lines))
    assert Story().shopify(bare).later(hours=3).open_cases == set()
    empty = MUG.refunded(L901=2, L902=1)
    assert CaseCode.NOT_ROUTED not in Story().shopify(empty).later(hours=3).open_cases


# --- products


def lines(*made: tuple[str, int, bool]) -> OrderBuilder:
    """SKU, units still wanted, whether it ships."""
    order = an_order()
    for sku, units, ships in made:
        order = order.with_line(sku, 2)
        changed = order.order.lines[-1].model_copy(update={"current_quantity": units, "requires_shipping": ships})
        order = order._with(lines=(*order.order.lines[:-1], changed))
    return order


@pytest.mark.parametrize(
    ("case", "order", "held"),
    [
        ("all named", lines(("MUG", 2, True), ("HAT", 1, True)), []),
        ("two without a SKU", lines(("", 2, True), ("HAT", 1, True), ("", 1, True)),
         [(CaseCode.SKU_MISSING, "line 901, 903")]),
        ("one that needs no shipping", lines(("", 2, False)), []),
        ("one that nobody wants any more", lines(("", 0, True)), []),
        ("one unit wanted", lines(("", 1, True)), [(CaseCode.SKU_MISSING, "line 901")]),
        ("two unusable", lines(("X" * 60, 1, True), (" ", 1, True)),
         [(CaseCode.SKU_UNUSABLE, f"' ': nothing is left of it; {'X' * 60!r}: longer than 50 characters")]),
        ("unusable and not shipped", lines(("X" * 60, 1, False)), []),
        ("as long as may be", lines(("X" * 50, 1, True)), []),
    ],
)  # fmt: skip
def test_skus_no_product_can_be_found_by(case: str, order: OrderBuilder, held: list[tuple[CaseCode, str]]) -> None:
    assert [(hold.code, hold.named) for hold in sku_holds(order.order, a_brand())] == held, case


def test_two_skus_that_would_be_one_product_are_named() -> None:
    config = a_brand(skus={"remove": "-"})
    [hold] = sku_holds(lines(("A-1", 1, True), ("A1", 1, True), ("B", 1, True)).order, config)
    assert (hold.code, hold.named) == (CaseCode.SKU_UNUSABLE, "'A-1', 'A1' would all be 'A1'")
    assert list(sku_holds(lines(("A1", 1, True), ("A1", 1, True)).order, config)) == [], "the same on two lines"


def test_an_order_that_shopify_has_no_more_is_not_ours() -> None:
    state = Story().shopify(MUG.routed("71")).state
    assert is_ours(state, a_brand())
    assert not is_ours(state.model_copy(update={"shopify_gone": True}), a_brand())
    assert not is_ours(state.model_copy(update={"shopify": None}), a_brand())


@pytest.mark.parametrize(("seconds", "open_"), [(599, True), (600, False), (601, False)])
def test_until_when_the_edit_window_is_open(seconds: int, open_: bool) -> None:
    config, order = a_brand(waits={"edit_window": 600}), MUG.routed("71").order
    state = Story().shopify(MUG.routed("71")).state.model_copy(update={"now": NOON + timedelta(seconds=seconds)})
    until = NOON + timedelta(seconds=600)
    window = Hold(code=CaseCode.EDIT_WINDOW, named="until 2026-11-03 12:10:00 UTC", until=until)
    assert keeping_back(state, order, config) == ((window,) if open_ else ())
    unmapped = MUG.routed("71").sent_by("Pigeon", "pigeon").order
    assert (window in keeping_back(state, unmapped, config)) == open_


@pytest.mark.parametrize(("after", "wakes"), [(-1, []), (0, []), (1, [1])])
def test_a_hold_wakes_at_its_end_and_not_when_that_is_past(after: int, wakes: list[int]) -> None:
    state = Story().shopify(MUG.routed("71")).state.model_copy(update={"in_flight": ()})
    until = state.now + timedelta(seconds=after)
    order = MUG.routed("71").fulfilment_order("71", status=Status.SCHEDULED, fulfil_at=until).order
    found = list(held(state.model_copy(update={"shopify": order}), a_brand()))
    assert [one.at for one in found if isinstance(one, Wake)] == [state.now + timedelta(seconds=one) for one in wakes]
    [waiting] = [one for one in found if isinstance(one, Waiting)]
    assert (waiting.name, waiting.code, waiting.object) == ("hold:scheduled", CaseCode.SCHEDULED, "5012")
    assert waiting.after == 3600 + max(0, after)


def test_one_line_that_ships_is_enough_to_wait_for_its_routing() -> None:
    first, second = MUG.order.lines
    mixed = MUG._with(lines=(first.model_copy(update={"requires_shipping": False}), second))
    assert [one.name for one in held(Story().shopify(mixed).state, a_brand()) if isinstance(one, Waiting)] == [
        "hold:not_routed"
    ]
    one_unit = an_order().with_line("MUG", 1)
    assert len(list(held(Story().shopify(one_unit).state, a_brand()))) == 1


def test_of_what_the_warehouse_has_nothing_is_held() -> None:
    """The order is unpaid since; what is in the warehouse is not kept back, what is not is."""
    order = MUG.routed("71", L901=2).routed("72", L902=1)
    story = Story().shopify(order.on_hold("72"))
    goods_out = a_goods_out("ACME-5012-71-1").with_line("901", "MUG", 2)
    story.applied(story.one(CreateGoodsOut)).clarus(goods_out)
    unpaid = order.on_hold("72").paid(FinancialStatus.PENDING)
    assert {one.code for one in held(story.shopify(unpaid).state, a_brand()) if isinstance(one, Waiting)} == {
        CaseCode.PAYMENT_NOT_MET, CaseCode.FULFILMENT_HOLD,
    }  # fmt: skip
    all_there = an_order().with_line("MUG", 2).routed("71")
    done = Story().shopify(all_there)
    done.applied(done.one(CreateGoodsOut)).clarus(goods_out).shopify(all_there.paid(FinancialStatus.PENDING))
    assert list(held(done.state, a_brand())) == []
    assert list(held(done.shopify(all_there.on_hold("71")).state, a_brand())) == []


def test_a_gift_card_that_is_left_on_its_fulfilment_order_is_not_held() -> None:
    """The goods are in the warehouse; the order is unpaid since, its place unmapped, and only the gift card remains."""
    order = MUG.routed("71").digital("902")
    story = Story().shopify(order)
    story.applied(story.one(CreateGoodsOut)).clarus(a_goods_out("ACME-5012-71-1").with_line("901", "MUG", 2))
    story.shopify(order.paid(FinancialStatus.PENDING).fulfilment_order("71", location="99"))
    assert list(held(story.state, a_brand())) == []
    assert story.one(CreateGoodsOut)


def test_an_override_lifts_its_own_reason_only_but_never_the_lack_of_any_address() -> None:
    story = Story().shopify(MUG.shipping_to(None).paid(FinancialStatus.PENDING).routed("71"))
    story.operator("override", "payment_not_met").operator("override", "address_incomplete")
    assert story.state.shopify is not None
    assert [hold.code for hold in keeping_back(story.state, story.state.shopify, a_brand())] == [
        CaseCode.ADDRESS_INCOMPLETE
    ]
