"""What says "in step" is itself held to literal books: each defect is seen, named, and seen as nothing else."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from lockstep.demo.judge import Books, Judged, Stage
from lockstep.demo.report import Held, Percentiles, percentiles
from schemas.base import OrderId
from tests.lockstep.demo.pages import (
    ACME,
    MUST_BE_ZERO,
    a_case,
    a_fulfilment,
    a_goods_out,
    a_planted_order,
    a_posting,
    a_sale,
    an_order,
    at,
    books,
    in_step,
    verdict,
    wrong,
)

NOTHING: dict[str, Any] = {"goods_outs": [], "sales": [], "postings": [], "fulfilments": []}
NOT_LEFT = a_goods_out(2, despatched=0)


def test_an_order_that_is_in_step_everywhere() -> None:
    report = verdict(books(**in_step()))

    assert report.in_step
    assert report.why_not == ()
    assert wrong(report) == {}
    assert (report.orders.placed, report.orders.ready, report.orders.held) == (1, 1, 0)
    assert (report.clarus.goods_outs, report.erp.sales_orders, report.erp.fulfilments_posted) == (1, 1, 1)
    assert report.shopify.fulfillments == 1


DEFECTS: list[Any] = [
    pytest.param("clarus.missing", {"goods_outs": [], "postings": [], "fulfilments": []}, id="never asked for"),
    pytest.param(
        "clarus.missing",
        {
            "goods_outs": [a_goods_out(units=1)],
            "postings": [a_posting(quantity=1)],
            "fulfilments": [a_fulfilment(quantity=1)],
        },
        id="one unit of two never asked for",
    ),
    pytest.param(
        "clarus.missing",
        {"goods_outs": [a_goods_out(despatched=0, ended="deleted")], "postings": [], "fulfilments": []},
        id="asked for and taken back",
    ),
    pytest.param("clarus.doubled", {"goods_outs": [a_goods_out(), NOT_LEFT]}, id="asked for twice"),
    pytest.param(
        "clarus.doubled",
        {
            "goods_outs": [a_goods_out(units=3)],
            "postings": [a_posting(quantity=3)],
            "fulfilments": [a_fulfilment(quantity=3, posted=[a_posting(quantity=3)])],
        },
        id="one unit too many asked for",
    ),
    pytest.param(
        "clarus.unwanted", {**NOTHING, "orders": [a_planted_order()], "goods_outs": [NOT_LEFT]}, id="of a planted order"
    ),
    pytest.param(
        "clarus.unwanted",
        {**NOTHING, "orders": [an_order(cancelled=True, owed=False)], "goods_outs": [NOT_LEFT]},
        id="of a cancelled order",
    ),
    pytest.param(
        "clarus.unwanted",
        {**NOTHING, "orders": [an_order(complete_at=None, owed=False)], "goods_outs": [NOT_LEFT]},
        id="of an incomplete order",
    ),
    pytest.param("clarus.unwanted", {"goods_outs": [a_goods_out(arrived_at=at(-0.001))]}, id="too early"),
    pytest.param(
        "clarus.unwanted",
        {"goods_outs": [a_goods_out(), a_goods_out(2, reference="ACME-4711-73-1", despatched=0)]},
        id="of an order nobody placed",
    ),
    pytest.param(
        "clarus.unwanted",
        {"goods_outs": [a_goods_out(), a_goods_out(2, reference="BRIO-5012-73-2", despatched=0)]},
        id="under another brand's reference",
    ),
    pytest.param(
        "clarus.unwanted",
        {"goods_outs": [a_goods_out(), a_goods_out(2, reference="no reference of ours", despatched=0)]},
        id="under no reference",
    ),
    pytest.param("erp.missing", {"sales": []}, id="no sales order"),
    pytest.param("erp.missing", {"sales": [a_sale(quantity=1)]}, id="a sales order over too little"),
    pytest.param("erp.missing", {"postings": []}, id="a posting that is gone"),
    pytest.param("erp.missing", {"postings": [a_posting(state="shipped")]}, id="shipped, not posted"),
    pytest.param("erp.missing", {"postings": [a_posting(quantity=1)]}, id="posted in part"),
    pytest.param("erp.doubled", {"sales": [a_sale(quantity=1), a_sale(quantity=1)]}, id="two sales orders"),
    pytest.param("erp.doubled", {"sales": [a_sale(quantity=3)]}, id="a sales order over too much"),
    pytest.param("erp.doubled", {"postings": [a_posting(1), a_posting(2)]}, id="posted twice"),
    pytest.param("erp.doubled", {"sales": [a_sale(), a_sale("4711")]}, id="a sales order nobody placed"),
    pytest.param("erp.doubled", {"postings": [a_posting(), a_posting(order="4711")]}, id="a posting of no order"),
    pytest.param(
        "erp.doubled", {**NOTHING, "orders": [a_planted_order()], "sales": [a_sale()]}, id="a planted order sold"
    ),
    pytest.param("shopify.missing", {"fulfilments": []}, id="never told"),
    pytest.param("shopify.missing", {"fulfilments": [a_fulfilment(quantity=1)]}, id="told in part"),
    pytest.param("shopify.missing", {"fulfilments": [a_fulfilment(cancelled=True)]}, id="told and taken back"),
    pytest.param(
        "shopify.doubled",
        {"fulfilments": [a_fulfilment(), a_fulfilment(2, posted=[a_posting(1), a_posting(2)])]},
        id="told twice",
    ),
    pytest.param("shopify.before_erp_posted", {"fulfilments": [a_fulfilment(posted=[])]}, id="told before it"),
    pytest.param(
        "shopify.before_erp_posted", {"fulfilments": [a_fulfilment(posted_at_arrival=None)]}, id="nobody looked"
    ),
    pytest.param(
        "shopify.before_erp_posted",
        {
            "goods_outs": [a_goods_out(1, units=1), a_goods_out(2, units=1)],
            "postings": [a_posting(1, 1), a_posting(2, 1)],
            "fulfilments": [
                a_fulfilment(1, 1, posted=[a_posting(1, 1)]),
                a_fulfilment(2, 1, posted=[a_posting(1, 1)]),
            ],
        },
        id="the second parcel on the first one's posting",
    ),
    pytest.param("shopify.without_tracking", {"fulfilments": [a_fulfilment(tracking=[])]}, id="no tracking"),
]


@pytest.mark.parametrize(("number", "changed"), DEFECTS)
def test_a_defect_is_counted_once_where_it_is_and_nowhere_else(number: str, changed: dict[str, Any]) -> None:
    page = in_step() | changed
    planted = [a_case(order["planted"]) for order in page["orders"] if order["planted"]]
    report = verdict(books(**page), *planted)

    assert wrong(report) == {number: 1}
    assert not report.in_step
    assert report.why_not == (f"{number} is 1, expected 0",)


def test_every_number_that_must_be_zero_has_its_defect() -> None:
    assert {case.values[0] for case in DEFECTS} == set(MUST_BE_ZERO)


SOUND: list[Any] = [
    pytest.param({"goods_outs": [a_goods_out(), a_goods_out(7, reference="SHOP", by="hand")]}, id="made by hand"),
    pytest.param(
        {"goods_outs": [a_goods_out(2, despatched=0, ended="deleted"), a_goods_out()]}, id="cancelled and made anew"
    ),
    pytest.param(
        {
            "goods_outs": [a_goods_out(1, units=2, despatched=1, ended="cancelled"), a_goods_out(2, units=1)],
            "postings": [a_posting(1, 1), a_posting(2, 1)],
            "fulfilments": [
                a_fulfilment(1, 1, posted=[a_posting(1, 1)]),
                a_fulfilment(2, 1, posted=[a_posting(1, 1), a_posting(2, 1)]),
            ],
        },
        id="half left, the rest under the next generation",
    ),
    pytest.param({"fulfilments": [a_fulfilment(2, cancelled=True), a_fulfilment()]}, id="a fulfilment taken back"),
    pytest.param({"goods_outs": [a_goods_out(arrived_at=at(0))]}, id="asked for at the very moment it was complete"),
    pytest.param({"orders": [an_order(), an_order("6000", complete_at=None, owed=False)]}, id="another is incomplete"),
    pytest.param(
        {"orders": [an_order(), an_order("6000", cancelled=True, owed=False)], "sales": [a_sale(), a_sale("6000")]},
        id="another was cancelled after the ERP had it",
    ),
]


@pytest.mark.parametrize("changed", SOUND)
def test_what_looks_odd_and_is_sound(changed: dict[str, Any]) -> None:
    assert verdict(books(**in_step() | changed)).why_not == ()


# --- cases and time


def test_a_case_nobody_planted_keeps_the_run_from_being_in_step() -> None:
    report = verdict(books(**in_step()), a_case("not_told"))

    assert (report.in_step, wrong(report)) == (False, {})
    assert report.why_not == ("case not_told of acme/5012 is open, and nobody planted it",)
    assert (report.cases.opened, report.cases.open, report.cases.by_code) == (1, 1, {"not_told": 1})


def test_a_case_of_something_that_is_no_order_is_a_stray_too() -> None:
    report = verdict(books(**in_step()), a_case("connection_down", "~connection/clarus"))

    assert report.why_not == ("case connection_down of acme/~connection/clarus is open, and nobody planted it",)


CANCELLED = {"orders": [an_order(cancelled=True, owed=False)], "goods_outs": [a_goods_out()], "fulfilments": []}


def test_what_left_though_the_shop_cancelled_it_is_a_case_and_no_defect() -> None:
    left = books(**in_step() | CANCELLED)

    assert verdict(left, a_case("shipped_not_owed")).in_step
    assert verdict(left, a_case("not_told")).why_not == ("case not_told of acme/5012 is open, and nobody planted it",)


def test_a_closed_case_is_history() -> None:
    report = verdict(books(**in_step()), a_case("not_told", closed=True))

    assert report.in_step
    assert (report.cases.opened, report.cases.open, report.cases.by_code) == (1, 0, {})


def test_a_planted_order_must_end_as_the_case_it_was_planted_for() -> None:
    planted = books(**NOTHING, orders=[a_planted_order()])

    assert verdict(planted, a_case("unknown_sku")).in_step
    silent = verdict(planted)
    assert silent.why_not == ("acme/5012 cannot be shipped (unknown_sku) and has no such case open",)
    mended = verdict(planted, a_case("unknown_sku", closed=True))
    assert mended.why_not == silent.why_not, "closed is as silent as none"
    other = verdict(planted, a_case("not_routed"))
    assert other.why_not == (
        "case not_routed of acme/5012 is open, and nobody planted it",
        "acme/5012 cannot be shipped (unknown_sku) and has no such case open",
    )


def test_an_end_that_came_too_late_is_not_in_step() -> None:
    report = verdict(books(**in_step()), in_time=False)

    assert (report.in_step, report.why_not) == (False, ("the end did not come in time",))


def test_dead_letters_are_told_and_do_not_decide() -> None:
    report = verdict(books(**in_step()), dead_letters=3)

    assert (report.in_step, report.dead_letters) == (True, 3)


# --- shipping lines that are mapped later, and what the log holds


def with_new_lines(mapped_at: dict[str, str | None]) -> Books:
    """The order that is in step, and from when on which shipping lines were mapped."""
    return replace(books(**in_step()), new_lines={ACME: mapped_at})


def test_an_order_by_a_line_that_nobody_has_mapped_may_not_be_in_the_warehouse() -> None:
    for mapped_at in (None, at(10.001)):
        report = verdict(with_new_lines({"standard": mapped_at}))
        assert wrong(report) == {"clarus.unwanted": 1}
    assert verdict(with_new_lines({"standard": at(10)})).in_step
    assert verdict(with_new_lines({"express": None})).in_step, "it came by another line"


def test_what_waited_for_its_mapping_is_not_timed() -> None:
    waited = Judged(with_new_lines({"standard": at(5)})).latency()
    assert waited.webhook_to_goods_out == Percentiles()

    placed_later = Judged(with_new_lines({"standard": at(-20)})).latency()
    assert placed_later.webhook_to_goods_out.p50 == 10_000


@pytest.mark.parametrize(
    ("still", "told"),
    [
        ({"unknown_sku": 1}, ()),
        ({}, ("the log still holds orders for {}, planted were {'unknown_sku': 1}",)),
        (
            {"unknown_sku": 1, "not_routed": 2},
            ("the log still holds orders for {'unknown_sku': 1, 'not_routed': 2}, planted were {'unknown_sku': 1}",),
        ),
    ],
)
def test_what_the_log_still_holds_is_what_was_planted(still: dict[str, int], told: tuple[str, ...]) -> None:
    planted = books(**NOTHING, orders=[a_planted_order()])

    report = verdict(planted, a_case("unknown_sku"), held=Held(orders=7, still=1, still_by_reason=still))

    assert report.why_not == told
    assert report.held.orders == 7


# --- where an order is


@pytest.mark.parametrize(
    ("stage", "changed"),
    [
        (Stage.TOLD, {}),
        (Stage.PLANTED, {"orders": [a_planted_order()]}),
        (Stage.INCOMPLETE, {**NOTHING, "orders": [an_order(complete_at=None, owed=False)]}),
        (Stage.CANCELLED, {**NOTHING, "orders": [an_order(cancelled=True, owed=False)]}),
        (Stage.TO_RELEASE, NOTHING),
        (Stage.PICKING, {**NOTHING, "goods_outs": [a_goods_out(despatched=0)]}),
        (Stage.PICKING, {**NOTHING, "goods_outs": [a_goods_out(despatched=1)], "postings": [a_posting(quantity=1)],
                         "fulfilments": [a_fulfilment(quantity=1)]}),
        (Stage.WAITING_FOR_ERP, {"postings": [], "fulfilments": []}),
        (Stage.TELLING, {"fulfilments": []}),
    ],
)  # fmt: skip
def test_the_stage_of_an_order_follows_from_the_books(stage: Stage, changed: dict[str, Any]) -> None:
    judged = Judged(books(**in_step() | changed))

    assert judged.ledgers[ACME, OrderId("5012")].stage is stage
    assert judged.stages() == {stage: 1}
    assert judged.finished() is (stage in {Stage.TOLD, Stage.PLANTED, Stage.CANCELLED})


def test_a_run_is_not_finished_while_tracking_is_missing() -> None:
    assert not Judged(books(**in_step() | {"fulfilments": [a_fulfilment(tracking=[])]})).finished()


# --- how long it took


def test_times_are_taken_from_the_books() -> None:
    latency = Judged(books(**in_step())).latency()

    assert latency.webhook_to_goods_out == Percentiles(n=1, p50=10_000, p95=10_000, p99=10_000)
    assert latency.webhook_to_goods_out_lost_webhook == Percentiles()
    assert latency.despatch_to_tracking == Percentiles(n=1, p50=10_000, p95=10_000, p99=10_000)


def test_an_order_whose_webhook_was_lost_is_timed_apart() -> None:
    lost = an_order(webhooks={"sent": 2, "lost": 1, "doubled": 0})
    latency = Judged(books(**in_step() | {"orders": [lost]})).latency()

    assert latency.webhook_to_goods_out == Percentiles()
    assert latency.webhook_to_goods_out_lost_webhook.n == 1


def test_only_the_first_goods_out_and_the_first_telling_are_timed() -> None:
    replaced = a_goods_out(2, despatched=0, ended="deleted")
    later = a_goods_out(1, arrived_at=at(40))
    latency = Judged(
        books(**in_step() | {"goods_outs": [replaced, later], "fulfilments": [a_fulfilment(), a_fulfilment(9)]})
    ).latency()

    assert latency.webhook_to_goods_out.p50 == 40_000, "a goods-out that was taken back released nothing"
    assert latency.despatch_to_tracking.p50 == 10_000


def test_a_parcel_whose_number_came_later_is_not_timed() -> None:
    late = a_goods_out(despatches=[{"at": at(60), "tracking": [""], "lines": []}])

    assert Judged(books(**in_step() | {"goods_outs": [late]})).latency().despatch_to_tracking == Percentiles()


@pytest.mark.parametrize(
    ("milliseconds", "expected"),
    [
        ([], (0, None, None, None)),
        ([7.04], (1, 7.0, 7.0, 7.0)),
        ([2, 1], (2, 1, 2, 2)),
        ([3, 1, 2], (3, 2, 3, 3)),
        (list(range(1, 101)), (100, 50, 95, 99)),
        (list(range(100, 0, -1)), (100, 50, 95, 99)),
        (list(range(1, 102)), (101, 51, 96, 100)),
    ],
)
def test_percentiles_are_values_that_occurred(milliseconds: list[float], expected: tuple[Any, ...]) -> None:
    found = percentiles(milliseconds)

    assert (found.n, found.p50, found.p95, found.p99) == expected


def test_percentiles_are_exact_for_every_count() -> None:
    """Nearest rank in exact arithmetic: a share times a count must not be rounded up past a whole number."""
    for count in range(1, 1500):
        found = percentiles(range(1, count + 1))
        exact = [-(-Fraction(share, 100) * count // 1) for share in (50, 95, 99)]
        assert [found.p50, found.p95, found.p99] == exact, count
