"""What a person types about cases: what is listed, written and refused, and what they are told comes next."""

import asyncio
import json
import unicodedata
from collections.abc import Iterator
from datetime import timedelta

import pytest

from kernel.clock import LoopClock
from kernel.memory_log import MemoryLog
from kernel.virtual_time import VirtualTimeLoop
from lockstep.brand_files import ConfigurationError
from lockstep.cli.common import out
from schemas.base import Brand
from schemas.cases import CATALOGUE, CaseCode, Owner
from schemas.commands import UpsertErpOrder
from schemas.orders import FinancialStatus
from schemas.outcomes import OutcomeKind
from schemas.questions import QUESTIONS
from schemas.topics import ALL, STOCK_STATE
from tests.builders import NOON, a_brand, a_case, a_goods_out, an_order
from tests.lockstep.desk import Desk
from tests.rules.test_rest import in_step
from tests.stock_story import ITEM, StockStory
from tests.story import Story

KEY = "acme/5012"
G1 = "ACME-5012-71-1"
MUGS = a_goods_out(G1).with_line("901", "MUG", 2)


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """It is noon; acme and brio are configured."""
    clock = LoopClock(NOON)
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        desk = Desk(monkeypatch, runner, MemoryLog(clock, {topic.name: 2 for topic in ALL}), clock)
        desk.configures(a_brand(), a_brand(brand=Brand("brio"), reference_prefix="BRIO"))
        yield desk


SHORT = a_case(CaseCode.SHORT_CLOSED)


def in_the_warehouse() -> Story:
    return Story().shopify(an_order().with_line("MUG", 2).routed("71")).clarus(MUGS.picking())


def missing() -> Story:
    return in_the_warehouse().clarus().clarus()


def listed(desk: Desk, options: str = "", handle: str = "kim") -> list[str]:
    return [one["code"] for one in json.loads(desk.reads(f"case list --json {options}", handle))]


# --- listing


def test_open_cases_are_listed_the_one_due_first_on_top(desk: Desk) -> None:
    closed = a_case(CaseCode.ERP_NOT_POSTED, "6002", closed_at=NOON)
    desk.has([SHORT, a_case(CaseCode.GOODS_OUT_MISSING), closed])

    assert listed(desk) == ["goods_out_missing", "short_closed"]
    assert listed(desk, "--closed") == ["goods_out_missing", "short_closed", "erp_not_posted"]
    assert listed(desk, "--brand brio") == []
    assert desk.reads("case list --brand brio") == "No open cases.\n"


def test_cases_are_listed_by_owner_and_by_whom_they_went_up_to(desk: Desk) -> None:
    desk.has([SHORT, a_case(CaseCode.GOODS_OUT_MISSING, escalated_at=NOON, escalated_to=Owner.LEAD)])

    assert listed(desk, "--owner operations") == ["goods_out_missing"]
    assert listed(desk, "--owner 'customer service'") == ["short_closed"]
    assert listed(desk, "--owner lead") == ["goods_out_missing"]
    assert listed(desk, "--code short_closed") == ["short_closed"]


def test_overdue_ones_and_those_i_took(desk: Desk) -> None:
    late = a_case(CaseCode.CLARUS_SLOW, opened=NOON - timedelta(hours=3))
    desk.has([late, SHORT.model_copy(update={"assignee": "kim"})])

    assert listed(desk, "--overdue") == ["clarus_slow"]
    assert listed(desk, "--mine") == ["short_closed"]
    assert listed(desk, "--mine", "ola") == []
    assert "overdue by 2 h" in desk.reads(f"case show {KEY}")


def test_a_list_names_who_took_it_and_what_it_says(desk: Desk) -> None:
    desk.has([SHORT.model_copy(update={"assignee": "ola"})])

    (row,) = (line for line in desk.reads("case list").splitlines() if "short_closed" in line)

    assert all(word in row for word in (KEY, G1, "2 of 3 units", "customer service", "11-03 20:00", "ola"))


@pytest.mark.parametrize("width", [40, 500])
def test_what_others_wrote_is_shown_to_a_terminal_and_not_obeyed_by_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    """A shipping line may be called anything: clear the screen, another title for the window."""
    monkeypatch.setattr(out, "_width", width)
    desk.has(
        [a_case(CaseCode.UNMAPPED_SHIPPING_LINE, detail="Express\x1b[2J\x1b]0;mine\x07 by\x9b2J night", assignee="ola")]
    )

    for line in ("case list", f"case show {KEY}", "case digest"):
        said = desk.reads(line)
        assert [one for one in said if one != "\n" and unicodedata.category(one) == "Cc"] == []
        assert all(word in said for word in ("Express", "[2J", "by", "night")), "the rest of it can be read"


@pytest.mark.parametrize("width", [40, 80, 120, 160])
def test_what_is_typed_next_is_never_cut_however_narrow_the_terminal(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setattr(out, "_width", width)
    says = "expected 2 of 3 units [of the second line], and nobody in the warehouse knows where the third is"
    desk.has([a_case(CaseCode.CHANGED_AFTER_RELEASE, "6120034455667", detail=says, assignee="ola")])

    said = desk.reads("case list")

    (line,) = (line for line in said.splitlines() if "changed_after_release" in line)
    assert line.split()[:3] == ["changed_after_release", "acme/6120034455667", "ACME-6120034455667-71-1"]
    assert "…" not in said
    for word in (*says.split(), "ola", "13:00"):
        assert word in said


@pytest.mark.parametrize("option", ["--owner nobody", "--code nonsense"])
def test_a_filter_that_fits_nothing_is_a_usage_error_that_names_what_there_is(desk: Desk, option: str) -> None:
    refused = desk.types(f"case list {option}")

    assert refused.exit_code == 2
    assert "is not one of" in refused.output


@pytest.mark.parametrize("code", list(CaseCode))
def test_every_case_is_shown_with_all_there_is_to_do(desk: Desk, code: CaseCode) -> None:
    desk.has([a_case(code)])
    entry = CATALOGUE[code]

    shown = desk.reads(f"case show {KEY}")

    assert f"{code} {G1}, open: 2 of 3 units" in shown
    assert all(
        said in shown for said in (entry.meaning, entry.first_action, entry.closes_when, str(entry.escalates_to))
    )
    for said in QUESTIONS[code].answers if code in QUESTIONS else ():
        assert f"{said}: " in shown
    assert (f"lockstep case override {KEY} {code}" in shown) == bool(entry.override)
    assert "Nobody has taken it" in shown


def test_no_case(desk: Desk) -> None:
    assert desk.reads("case show acme/6099") == "acme/6099: no case.\n"


@pytest.mark.parametrize(
    "line",
    [
        "case list --brand acm",
        "case list --brand acm --json",
        "case held --brand acm",
        "case digest --brand acm",
        "case show acm/5012",
        "case assign acm/5012 short_closed",
        "case answer acm/5012 short_closed refund --why why",
        "case retry acm/5012",
        "case override acm/5012 payment_not_met --why why",
        "case release acm/5012 --why why",
        "case close acm/5012 reship? --why why",
        f"case release-again acm/5012 {G1} --why why",
        "refresh acm/5012",
        "show acm/5012",
        "stock acm",
        "item acm MUG",
        "sweep acm",
    ],
)
def test_a_mistyped_brand_is_refused_with_those_there_are(desk: Desk, line: str) -> None:
    refused = desk.types(line)

    assert isinstance(refused.exception, ConfigurationError)
    assert str(refused.exception) == "acm: expected a configured brand, found acme, brio"
    assert refused.output == ""
    assert desk.written() == []


def test_square_brackets_of_others_are_shown_as_they_are(desk: Desk) -> None:
    """In references, tracking numbers and refusals they are no mark-up, and none that is not closed."""
    order = an_order().with_line("MUG", 2).routed("71")
    story = Story().shopify(order)
    story.ended(story.one(UpsertErpOrder), OutcomeKind.REJECTED, code="odd", text="[sale] not from [/draft]")
    desk.tells(story.shopify(order.fulfilled("61", numbers=("[b]1[/i]",), L901=1)))

    said = desk.reads(f"show {KEY}")

    assert all(text in said for text in ("[b]1[/i]", "[sale] not from [/draft]"))


def test_fewer_events_than_none_cannot_be_shown(desk: Desk) -> None:
    refused = desk.types(f"show {KEY} --events -3")

    assert refused.exit_code == 2
    assert "greater than or equal to 0" in refused.output


# --- taking


def test_a_case_is_taken_by_whoever_types(desk: Desk) -> None:
    desk.has([SHORT])

    said = desk.reads(f"case assign {KEY} short_closed")

    (action,) = desk.written()
    assert (action.action, action.target, action.says, action.who) == ("assign", "short_closed", "kim", "kim")
    assert action.at == NOON
    assert "short_closed is kim's now" in said
    assert "Next: Decide with the shopper" in said
    assert "It goes up to lead 2026-11-04 04:00 UTC if it is still open." in said


def test_it_is_given_to_another_or_freed(desk: Desk) -> None:
    desk.has([SHORT.model_copy(update={"assignee": "kim"})])

    desk.reads(f"case assign {KEY} short_closed --to ola")
    desk.reads(f"case assign {KEY} short_closed --nobody")

    assert [one.says for one in desk.written()] == ["ola", ""]


def test_taking_it_twice_writes_nothing(desk: Desk) -> None:
    desk.has([SHORT.model_copy(update={"assignee": "kim"})])

    assert "is kim's already. Nothing was written." in desk.reads(f"case assign {KEY} short_closed")
    assert desk.written() == []


@pytest.mark.parametrize("handle", ["kim@example.test", "Kim Example", "+441130000000"])
def test_only_a_handle_is_taken_for_a_handle(desk: Desk, handle: str) -> None:
    desk.has([SHORT])

    refused = desk.types(f"case assign {KEY} short_closed --to '{handle}'")

    assert refused.exit_code == 2
    assert "expected a handle" in refused.output
    assert desk.written() == []


@pytest.mark.parametrize("line", [f"assign {KEY} short_closed", f"override {KEY} payment_not_met --why trusted"])
def test_no_address_is_written_as_who_asked(desk: Desk, monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    desk.has([SHORT])

    refused = desk.types(f"case {line}", handle="kim@example.test")
    monkeypatch.setattr("getpass.getuser", lambda: "kim@example.test")
    unset = desk.types(f"case {line}", handle="")

    found = "expected a handle of letters, digits, dots and dashes, found 'kim@example.test'; no address"
    assert str(refused.exception) == f"LOCKSTEP_OPERATOR: {found}"
    assert str(unset.exception) == f"LOCKSTEP_OPERATOR: none is set, and of the login name: {found}"
    assert desk.written() == []


# --- answering


def test_a_question_is_answered_and_what_comes_next_is_told(desk: Desk) -> None:
    desk.has([SHORT])

    said = desk.reads(f"case answer {KEY} short_closed refund --why 'the shopper asked for it'")

    (action,) = desk.written()
    assert (action.action, action.target, action.says) == ("answer", "short_closed", "refund")
    assert action.why == "the shopper asked for it"
    assert "Next: refund them in Shopify" in said
    assert "stays open until the units are refunded, or released again" in said


def test_an_answer_is_asked_for_once(desk: Desk) -> None:
    desk.has([SHORT.model_copy(update={"answer": "refund"})])

    assert "answered with refund already. Nothing was written." in desk.reads(
        f"case answer {KEY} short_closed refund --why again"
    )
    assert desk.written() == []
    assert "Answered: refund" in desk.reads(f"case show {KEY}")


def test_another_answer_is_refused_with_those_there_are(desk: Desk) -> None:
    desk.has([SHORT])

    refused = desk.types(f"case answer {KEY} short_closed perhaps --why why")

    assert refused.exit_code == 2
    said = " ".join(refused.output.replace("│", " ").split())
    assert "found 'perhaps'" in said
    assert "refund: refund them in Shopify" in said
    assert "send-again: the warehouse gets a new goods-out" in said


def test_a_case_that_asks_nothing_says_what_to_do(desk: Desk) -> None:
    refused = desk.types(f"case answer {KEY} clarus_slow yes --why why")

    assert refused.exit_code == 2
    assert "clarus_slow asks nothing" in refused.output


# --- what is written with who and why


@pytest.mark.parametrize(
    ("line", "action", "target", "why"),
    [
        (f"case retry {KEY} --why mended", "retry", "", "mended"),
        (f"case override {KEY} payment_not_met --why trusted", "override", "payment_not_met", "trusted"),
        (f"case close {KEY} reship? --why returned", "close", "reship?", "returned"),
        (f"case release-again {KEY} {G1} --why lost", "release_again", G1, "lost"),
        (f"refresh {KEY}", "refresh", "", ""),
    ],
    ids=["retry", "override", "close", "release-again", "refresh"],
)
def test_what_a_person_asks_for_is_written_with_who_and_why(
    desk: Desk, line: str, action: str, target: str, why: str
) -> None:
    desk.has([a_case(CaseCode.RESHIP)])
    desk.keeps(missing())

    said = desk.reads(line)

    (written,) = desk.written()
    assert (written.brand, written.order, written.who) == ("acme", "5012", "kim")
    assert (written.action, written.target, written.why) == (action, target, why)
    assert said.startswith(KEY)
    assert "Next: " in said or action == "refresh"


@pytest.mark.parametrize(
    "line",
    [
        "case answer {} reship? corrected",
        "case retry {}",
        "case override {} payment_not_met",
        "case close {} reship?",
        "case release-again {} ACME-5012-71-1",
        "sweep acme",
    ],
)
@pytest.mark.parametrize("option", ["--why", "--reason"])
def test_why_may_be_called_the_reason_everywhere(desk: Desk, line: str, option: str) -> None:
    desk.has([a_case(CaseCode.RESHIP)])
    desk.keeps(missing())

    desk.reads(f"{line.format(KEY)} {option} 'the shopper rang'")

    assert {one.why for one in desk.written()} == {"the shopper rang"}


@pytest.mark.parametrize("option", ["--why", "--reason"])
def test_an_order_is_released_for_a_reason_by_either_name(desk: Desk, option: str) -> None:
    desk.tells(Story().shopify(an_order().with_line("MUG", 1).routed("71").paid(FinancialStatus.PENDING)))

    desk.reads(f"case release {KEY} {option} 'they pay by invoice'")

    assert [one.why for one in desk.written()] == ["they pay by invoice"]


@pytest.mark.parametrize("line", ["retry {}", "release-again {} ACME-5012-71-1 --why lost"])
def test_an_order_that_nobody_knows_is_neither_tried_nor_released_again(desk: Desk, line: str) -> None:
    refused = desk.types(f"case {line.format(KEY)}")

    assert refused.exit_code == 1
    assert f"{KEY}: not in the log. Nothing was written." in refused.output
    assert f"`lockstep refresh {KEY}` asks the systems" in refused.output
    assert desk.written() == []


def test_where_nothing_was_refused_nothing_is_tried_again(desk: Desk) -> None:
    desk.keeps(in_step())

    assert "nothing was refused or delayed. Nothing was written." in desk.reads(f"case retry {KEY}")
    assert desk.written() == []


def test_what_was_refused_of_a_stock_item_is_tried_again(desk: Desk) -> None:
    refused = StockStory().in_step(10).clarus(8).due().ended(OutcomeKind.REJECTED, code="no_such_item")
    desk.keeps(refused, STOCK_STATE)

    assert "what was refused is tried again now" in desk.reads(f"case retry acme/{ITEM}")
    assert [one.action for one in desk.written()] == ["retry"]


@pytest.mark.parametrize("key", ["acme/stock:11/0042-A", "acme/item:MUG"])
def test_a_stock_item_or_an_item_that_nobody_knows_is_not_tried_again(desk: Desk, key: str) -> None:
    assert f"{key}: not in the log. Nothing was written." in desk.types(f"case retry {key}").output
    assert desk.written() == []


def test_a_goods_out_that_is_not_of_the_order_is_named_beside_those_that_are(desk: Desk) -> None:
    desk.keeps(missing())

    refused = desk.types(f"case release-again {KEY} FOO --why lost")

    assert refused.exit_code == 1
    assert f"expected a goods-out of this order, found FOO. There are: {G1} missing. Nothing was" in refused.output
    assert desk.written() == []


def test_what_the_warehouse_still_works_on_is_not_released_again(desk: Desk) -> None:
    desk.keeps(in_the_warehouse())

    refused = desk.types(f"case release-again {KEY} {G1} --why lost")

    assert refused.exit_code == 1
    assert f"found {G1} PICK: the warehouse still works on it. Nothing was written." in refused.output
    assert desk.written() == []


def test_what_was_released_again_is_not_a_second_time(desk: Desk) -> None:
    desk.keeps(missing().operator("release_again", G1))

    assert "released again already. Nothing was written." in desk.reads(f"case release-again {KEY} {G1} --why lost")
    assert desk.written() == []


@pytest.mark.parametrize("code", [code for code in CaseCode if not CATALOGUE[code].override])
def test_what_could_not_be_sent_cannot_be_overridden(desk: Desk, code: CaseCode) -> None:
    refused = desk.types(f"case override {KEY} {code} --why hurry")

    assert refused.exit_code == 2
    assert "cannot be overridden" in refused.output
    assert desk.written() == []


@pytest.mark.parametrize("code", [code for code in CaseCode if not CATALOGUE[code].by_person])
def test_what_a_fact_closes_nobody_closes(desk: Desk, code: CaseCode) -> None:
    desk.has([a_case(code)])

    refused = desk.types(f"case close {KEY} {code} --why enough")

    assert refused.exit_code == 2
    assert "not by hand" in " ".join(refused.output.replace("│", " ").split())
    assert desk.written() == []


def test_a_case_that_is_closed_already_is_no_mistake(desk: Desk) -> None:
    desk.has([a_case(CaseCode.RESHIP, closed_at=NOON)])

    assert "is closed already. Nothing was written." in desk.reads(f"case close {KEY} reship? --why returned")
    assert desk.written() == []


@pytest.mark.parametrize(
    "line", ["assign {} reship?", "answer {} reship? corrected --why why", "close {} reship? --why y"]
)
def test_a_case_that_is_not_there_is_named_beside_what_is(desk: Desk, line: str) -> None:
    desk.has([SHORT])

    refused = desk.types(f"case {line.format(KEY)}")

    assert refused.exit_code == 1
    assert f"expected an open case reship?, found short_closed {G1}. Nothing was written." in refused.output
    assert desk.written() == []


def test_one_of_several_is_meant_by_what_it_is_about(desk: Desk) -> None:
    other = SHORT.model_copy(update={"object": "ACME-5012-71-2"})
    desk.has([SHORT, other])

    desk.reads(f"case assign {KEY} short_closed --object ACME-5012-71-2")

    assert [one.object for one in desk.written()] == ["ACME-5012-71-2"]


def test_release_of_an_order_nobody_knows_writes_nothing(desk: Desk) -> None:
    refused = desk.types(f"case release {KEY} --why hurry")

    assert refused.exit_code == 1
    assert "the order is not in the log" in refused.output
    assert desk.written() == []


def test_release_overrides_every_hold_that_may_be_and_names_the_others(desk: Desk) -> None:
    unpaid = an_order().with_line("MUG", 1).routed("71", to="99").paid(FinancialStatus.PENDING)
    desk.tells(Story().shopify(unpaid))

    said = desk.types(f"case release {KEY} --why 'they pay by invoice'")

    assert [(one.action, one.target, one.why) for one in desk.written()] == [
        ("override", "payment_not_met", "they pay by invoice")
    ]
    assert said.exit_code == 1, "it does not leave yet"
    assert "payment_not_met is overridden: the order leaves although the payment rule is not met." in said.output
    assert "cannot be overridden: unmapped_location, 'Location 99' (location 99). Map the location" in said.output


def test_release_does_not_promise_what_an_order_without_any_address_cannot_keep(desk: Desk) -> None:
    desk.tells(Story().shopify(an_order().with_line("MUG", 1).routed("71").shipping_to(None)))

    said = desk.types(f"case release {KEY} --why hurry")

    assert said.exit_code == 1
    assert "cannot be overridden: address_incomplete, lacks delivery address" in said.output


def test_the_digest_is_printed_by_owner_and_brand(desk: Desk) -> None:
    desk.has([SHORT, a_case(CaseCode.CLARUS_SLOW), SHORT.model_copy(update={"brand": Brand("brio")})])

    every = desk.reads("case digest")
    theirs = desk.reads("case digest --owner 'customer service' --brand brio")

    heads = [line for line in every.splitlines() if line.startswith("## ")]
    assert heads == [
        "## acme, operations: 1 open, 0 overdue",
        "## acme, customer service: 1 open, 0 overdue",
        "## brio, customer service: 1 open, 0 overdue",
    ]
    assert theirs.startswith("## brio, customer service: 1 open")
    assert "Nothing waits for you." in desk.reads("case digest --owner finance --brand acme")


def test_a_digest_without_cases(desk: Desk) -> None:
    assert desk.reads("case digest") == "No open cases.\n"


def test_release_of_an_order_that_nothing_holds_writes_nothing(desk: Desk) -> None:
    desk.tells(Story().shopify(an_order().with_line("MUG", 1).routed("71")))

    assert "nothing holds it. Nothing was written." in desk.reads(f"case release {KEY} --why hurry")
    assert desk.written() == []


@pytest.mark.parametrize("order", ["5012", "acme/", "/5012"])
def test_an_order_without_its_brand_is_a_usage_error(desk: Desk, order: str) -> None:
    refused = desk.types(f"case retry {order}")

    assert refused.exit_code == 2
    assert "expected a key like brand/order" in " ".join(refused.output.replace("│", " ").split())


def test_whoever_cannot_be_named_is_told_to_say_who(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found: 10001")

    monkeypatch.setattr("getpass.getuser", nobody)

    refused = desk.types(f"refresh {KEY}", handle="")

    assert "LOCKSTEP_OPERATOR: expected your handle" in str(refused.exception)
    assert Brand("acme") not in [one.brand for one in desk.written()]


# --- by the name Shopify shows


def test_an_order_is_found_by_its_name(desk: Desk) -> None:
    desk.keeps(in_step())

    assert "nothing was refused or delayed" in desk.reads("case retry 'acme/#1042'")
    assert f"{KEY}: no case." in desk.reads("case show 'acme/#1042'")


@pytest.mark.parametrize("name", ["brio/#1042", "acme/#104", "acme/#10422", "acme/MUG"])
def test_a_name_that_no_order_of_the_brand_has(desk: Desk, name: str) -> None:
    desk.keeps(in_step())

    refused = desk.types(f"case show '{name}'")

    assert refused.exit_code == 2
    assert f"{name}: expected an order's id or its name in Shopify, found no order of that name" in refused.output


def test_a_name_of_two_orders_is_refused_and_their_ids_told(desk: Desk) -> None:
    desk.keeps(in_step().about("5013").shopify(an_order("5013").with_line("MUG", 1).routed("72")))

    refused = desk.types("case close 'acme/#1042' short_closed --why lost")

    assert refused.exit_code == 2
    assert "acme/#1042: expected one order of that name, found acme/5012, acme/5013" in refused.output
    assert desk.written() == []
