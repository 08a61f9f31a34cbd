"""Every gap that is planted is found and named; where there is none, none is found; and nothing is written."""

from collections.abc import Callable, Iterable
from datetime import timedelta

import pytest

from connectors.clarus import documents
from lockstep.audit.catalogue import CATALOGUE, Finding
from lockstep.audit.codes import Code, Severity
from lockstep.audit.judge import Verdict, findings, verdict
from sandbox.faults import Fault, Faults
from sandbox.shopify.setup import Subscription
from schemas.base import System
from schemas.mapping import SkuRules
from tests.lockstep.audit.estate import (
    ALONE_ONLY,
    GAPS,
    INTAKE,
    Estate,
    a_new_location,
    a_new_shipping_rate,
    a_tag_in_two_spellings,
    an_untracked_variant,
    another_barcode_in_clarus,
    another_service,
    audited,
    back_orders_in_the_shop,
    no_right_to_the_account,
    zeros_lost_in_the_erp,
)

TOGETHER = [gap for gap in GAPS if gap not in ALONE_ONLY]


def found(*spoil: Callable[[Estate], None]) -> dict[Code, Finding]:
    return {one.code: one for one in findings(audited(*spoil)[0])}


def test_a_well_set_up_brand_has_no_gaps() -> None:
    seen, _ = audited()

    assert findings(seen) == []
    assert seen.unseen == ()
    assert verdict(seen, []) is Verdict.CLEAN


def test_places_that_send_by_themselves_are_no_gap_but_when_they_are_gone() -> None:
    def named(*locations: str) -> Callable[[Estate], None]:
        def name(estate: Estate) -> None:
            estate.config = estate.config.model_copy(update={"elsewhere": locations})

        return name

    assert found(a_new_location, another_service, named("13", "77")) == {}
    assert found(named("13"))[Code.LOCATION_GONE].examples == ("location 13 in elsewhere",)


@pytest.mark.parametrize(("gap", "code"), GAPS.items(), ids=[gap.__name__ for gap in GAPS])
def test_each_gap_alone_is_found_and_nothing_else(gap: Callable[[Estate], None], code: Code) -> None:
    there = found(gap)

    assert set(there) == {code}
    assert there[code].count >= 1
    assert there[code].examples


def test_all_gaps_together_are_all_found() -> None:
    """Twenty and more in one brand: none hides another."""
    there = found(*TOGETHER)

    assert len(TOGETHER) > 20
    assert {GAPS[gap] for gap in TOGETHER} <= set(there)
    assert not any(said.startswith("Ida") for one in there.values() for said in one.examples)


def test_nothing_is_written_anywhere() -> None:
    _, estate = audited(*TOGETHER)

    assert {system: wire.writes for system, wire in estate.wires.items()} == {system: [] for system in System}


def test_every_finding_is_planted_by_some_test() -> None:
    elsewhere = {Code.API_VERSION_OTHER}

    assert {*GAPS.values(), *elsewhere} == set(CATALOGUE) == set(Code)


def test_another_version_that_answers_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.shopify.app.VERSION", "2027-01")

    assert found()[Code.API_VERSION_OTHER].examples == ("2027-01 answers, 2026-10 is pinned",)


def example(code: Code, *spoil: Callable[[Estate], None]) -> str:
    return found(*spoil)[code].examples[0]


def test_a_shipping_line_is_told_with_how_often_the_last_order_and_the_nearest_rule() -> None:
    said = example(Code.SHIPPING_UNMAPPED, a_new_shipping_rate)

    assert said.startswith("title 'Express Saturday', code 'exp-sat': 17 orders, the last #10")
    assert said.endswith("nearest is the rule for title 'Express' (DPD AM12)")


def test_tags_are_told_with_how_many_orders_bear_them_and_nobodys_address() -> None:
    assert found(a_tag_in_two_spellings)[Code.TAGS_ALIKE].examples == ("'VIP' on 2, 'v.i.p.' on 1",)


def test_orders_older_than_the_days_asked_for_do_not_count() -> None:
    def an_old_order(estate: Estate) -> None:
        estate.bought("Gone", "gone")
        for order in estate.shop.orders.values():
            if order.shipping_code == "gone":
                order.created_at -= timedelta(days=61)

    assert Code.SHIPPING_UNMAPPED not in found(an_old_order)


def test_zeros_that_were_lost_are_told_with_both_spellings() -> None:
    assert example(Code.SKU_ZEROS_LOST, zeros_lost_in_the_erp) == "'00815' is '815' in the ERP"


def test_a_sku_that_the_shop_sells_too_is_nobodys_misspelling() -> None:
    def sell_both(estate: Estate) -> None:
        estate.sell("0815")
        estate.known("0815")
        estate.sell("815")
        estate.known("815", clarus=False)

    there = found(sell_both)

    assert there[Code.SKU_UNKNOWN_TO_CLARUS].examples == ("815",)
    assert there[Code.SKUS_COLLIDE].examples == ("'0815' and '815'",)
    assert Code.SKU_ZEROS_LOST not in there


def test_skus_that_the_brands_rules_make_one_product_code_collide() -> None:
    def cleaned_too_much(estate: Estate) -> None:
        estate.sell("POT/S")
        estate.sell("POTS")
        estate.known("POTS")
        estate.config = estate.config.model_copy(update={"skus": SkuRules(remove="/")})

    assert found(cleaned_too_much)[Code.SKUS_COLLIDE].examples == ("'POT/S', 'POTS' would all be 'POTS'",)


def test_a_barcode_with_more_zeros_before_it_is_the_same_number() -> None:
    def as_gtin(estate: Estate) -> None:
        estate.product("MUG-BLUE").attributes["barcode"] = "05012345678917"

    assert found(as_gtin) == {}
    assert example(Code.BARCODE_DIFFERS, another_barcode_in_clarus) == (
        "'MUG-BLUE': 5012345678917 in Shopify, 5099999999999 in Clarus"
    )


def test_what_is_not_shipped_or_not_sold_needs_no_product() -> None:
    def others(estate: Estate) -> None:
        estate.sell("GIFT-CARD", ships=False)
        estate.sell("DRAFT-1", status="DRAFT")
        estate.sell("KIT", components=True)
        estate.sell(None, status="ARCHIVED")

    assert found(others) == {}


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda estate: setattr(estate.sells(0), "published", False), "not published to the online store"),
        (lambda estate: setattr(estate.sells(0), "locations", {12}), "not stocked at location 11"),
        (lambda estate: setattr(estate.sells(0), "status", "ARCHIVED"), "its product is a draft or archived"),
        (lambda estate: estate.shop.setup.variants.pop(0), "Shopify has no such SKU"),
    ],
)
def test_stranded_stock_says_why(spoil: Callable[[Estate], None], why: str) -> None:
    assert example(Code.STOCK_STRANDED, spoil) == f"'0042-A': 40 in LDS1, {why}"


def test_stock_in_a_warehouse_of_no_location_is_stranded() -> None:
    def elsewhere(estate: Estate) -> None:
        estate.clarus.master.add_warehouse("acme", "OLD1")
        estate.stocked("MUG-BLUE", 3, "OLD1")

    assert example(Code.STOCK_STRANDED, elsewhere) == "'MUG-BLUE': 3 in OLD1, no location has this warehouse"


def test_without_the_intakes_address_a_webhook_is_known_by_its_path() -> None:
    def behind_a_proxy(estate: Estate) -> None:
        estate.intake = ""
        for one in estate.shop.setup.subscriptions:
            one.uri = one.uri.replace(INTAKE, "https://edge.example.test/lockstep")

    def another_brands(estate: Estate) -> None:
        behind_a_proxy(estate)
        estate.shop.setup.subscriptions[0].uri = "https://edge.example.test/lockstep/shopify/brio/orders/create"

    assert found(behind_a_proxy) == {}
    assert example(Code.WEBHOOK_ELSEWHERE, another_brands) == (
        "orders/create to https://edge.example.test/shopify/brio/orders/create"
    )


def test_a_second_subscription_elsewhere_is_told_beside_ours_without_its_secret() -> None:
    def twice(estate: Estate) -> None:
        estate.shop.setup.subscriptions.append(
            Subscription(99, "ORDERS_CREATE", "https://old.example.test/hooks/s3cret?key=s3cret")
        )

    assert example(Code.WEBHOOK_ELSEWHERE, twice) == "orders/create to https://old.example.test/…, and to us"


def test_scopes_for_the_merchants_own_locations() -> None:
    def assigned_only(estate: Estate) -> None:
        estate.shop.setup.scopes -= {
            "read_merchant_managed_fulfillment_orders",
            "write_merchant_managed_fulfillment_orders",
        }
        estate.shop.setup.scopes |= {"read_assigned_fulfillment_orders", "write_assigned_fulfillment_orders"}

    assert found(assigned_only)[Code.SCOPE_MISSING].count == 2


def test_advice_is_no_gap_and_what_is_accepted_does_not_count() -> None:
    def verdict_of(spoil: Iterable[Callable[[Estate], None]], *accepted: Code) -> Verdict:
        seen, _ = audited(*spoil)
        return verdict(seen, findings(seen), accepted)

    assert verdict_of([gap for gap, code in GAPS.items() if CATALOGUE[code].severity is Severity.ADVICE][:2]) == 0
    assert verdict_of([back_orders_in_the_shop]) == 1
    assert verdict_of([back_orders_in_the_shop], Code.BACKORDER_ON) == 0
    assert verdict_of([back_orders_in_the_shop, an_untracked_variant], Code.BACKORDER_ON) == 1
    assert verdict_of([no_right_to_the_account]) == 1


def test_the_worst_comes_first() -> None:
    severities = [one.severity for one in findings(audited(*TOGETHER)[0])]

    assert severities == sorted(severities, key=list(Severity).index)


@pytest.mark.parametrize("system", System)
def test_a_system_that_is_away_is_told_and_the_others_are_looked_at(system: System) -> None:
    def away(estate: Estate) -> None:
        estate.wires[system].away = True

    seen, estate = audited(away, a_new_location)

    assert verdict(seen, findings(seen)) is Verdict.CANNOT_LOOK
    assert {one.what.partition(":")[0].casefold() for one in seen.unseen} == {system}
    assert all("no connection" in one.why for one in seen.unseen)
    assert estate.wires[system].requests <= 30, "asked patiently once, not for every list"
    assert (Code.LOCATION_UNMAPPED in {one.code for one in findings(seen)}) is (system is not System.SHOPIFY)


def test_systems_that_throttle_and_stumble_are_waited_for() -> None:
    def rough(estate: Estate) -> None:
        for plan in estate.faults.values():
            plan.faults = Faults(throttled=0.2, server_error=0.2)

    seen, estate = audited(rough, a_new_location)

    assert seen.unseen == ()
    assert {one.code for one in findings(seen)} == {Code.LOCATION_UNMAPPED}
    assert all(plan.drawn[Fault.SERVER_ERROR] + plan.drawn[Fault.THROTTLED] for plan in estate.faults.values())


def test_a_scope_that_hides_the_catalogue_is_said() -> None:
    def blind(estate: Estate) -> None:
        estate.shop.setup.scopes -= {"read_products", "read_inventory", "write_inventory"}

    seen, _ = audited(blind)

    assert seen.shop.variants is None
    assert verdict(seen, findings(seen)) is Verdict.CANNOT_LOOK
    assert Code.SCOPE_ADVISED in {one.code for one in findings(seen)}


def test_a_list_clarus_does_not_know_is_no_reason_to_give_up(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = documents.document

    def document(name: str) -> str:
        text = whole(name)
        return text.replace("code stop", "code halted") if name == "setup/stopped" else text

    monkeypatch.setattr("connectors.clarus.lists.document", document)
    seen, _ = audited()

    assert [one.what for one in seen.unseen] == ["Clarus: stopped products"]
    assert verdict(seen, findings(seen)) is Verdict.CLEAN


def test_a_service_that_has_rights_for_nothing_shows_no_account() -> None:
    there = found(lambda estate: estate.clarus.lose_rights())

    assert {Code.ACCOUNT_UNKNOWN, Code.WAREHOUSE_UNKNOWN, Code.CARRIER_UNKNOWN} & set(there)
    assert "Clarus shows us none" in there[Code.ACCOUNT_UNKNOWN].examples[0]


def test_a_large_catalogue_is_read_whole_and_leaves_head_room() -> None:
    def a_large_catalogue(estate: Estate) -> None:
        for number in range(1500):
            estate.sell(f"BULK-{number:05}")
            estate.known(f"BULK-{number:05}")

    seen, estate = audited(a_large_catalogue)

    assert findings(seen) == []
    assert len(seen.shop.variants or ()) == 1504
    assert len(seen.clarus.products or ()) == len(seen.erp.items or ()) == 1504
    assert estate.shop.bucket.available(estate.clock.now()) >= 0.4 * estate.shop.bucket.maximum
