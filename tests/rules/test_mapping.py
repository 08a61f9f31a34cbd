"""From a brand's words to the warehouse's, by its configuration: literal cases, and complaints of the field."""

from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from schemas.base import Money, Sku
from schemas.cases import CATALOGUE, CaseCode
from schemas.commands import CreateGoodsOut, PostFulfilment, UpsertErpOrder
from schemas.config import BrandConfig
from schemas.goods_outs import GoodsOutStatus
from schemas.mapping import Bundle, Component, Instructions, PriorityRule, Rename, ShippingRule, SkuRules
from schemas.orders import NoteAttribute, Personal
from streams.rules.orders.mapping.doubts import doubts
from streams.rules.orders.mapping.instructions import instructions
from streams.rules.orders.mapping.products import product_code
from streams.rules.orders.mapping.shipping import shipping_rule
from tests.builders import LEEDS, OrderBuilder, a_brand, a_goods_out, an_erp_order, an_order
from tests.story import Story

MUG = an_order().with_line("MUG", 1)


def rule(service: str, **fields: Any) -> ShippingRule:
    return ShippingRule(carrier="DPD", service=service, **fields)


# --- shipping


LADDER = (
    rule("HIGHLAND", code="standard", postcodes=("IV", "KW1"), countries=("GB",)),
    rule("HEAVY", code="standard", weight_from=20_000),
    rule("INSURED", code="standard", value_from=Decimal(250)),
    rule("VIP", code="standard", tags=("VIP",)),
    rule("NEXTDAY", code="standard", countries=("GB",)),
    rule("EU", title="Europe", countries=("DE", "FR")),
    rule("ANYWHERE", countries=("IE",)),
)
SENT: tuple[tuple[str, dict[str, Any], str | None], ...] = (
    ("plain", {}, "NEXTDAY"),
    ("Inverness", {"postcode": "iv1 1aa"}, "HIGHLAND"),
    ("Kirkwall", {"postcode": "KW15 1AA"}, "HIGHLAND"),
    ("Wick is not among them", {"postcode": "KW2 6AA"}, "NEXTDAY"),
    ("just heavy enough", {"weight": 20_000}, "HEAVY"),
    ("just too light", {"weight": 19_999}, "NEXTDAY"),
    ("dear", {"value": "250.00"}, "INSURED"),
    ("tagged, in other letters", {"tags": ("gift", "vip")}, "VIP"),
    ("the first that fits", {"weight": 30_000, "value": "900", "tags": ("vip",)}, "HEAVY"),
    ("a code in other letters", {"code": "STANDARD"}, "NEXTDAY"),
    ("by title, where the code is not known", {"code": "x9", "title": "europe", "country": "FR"}, "EU"),
    ("known by title, and goes elsewhere", {"code": "x9", "title": "Europe", "country": "US"}, None),
    ("known by nobody, to a country with a rule for anything", {"code": "x9", "country": "IE"}, "ANYWHERE"),
    ("known, to a country with a rule for anything", {"country": "IE"}, "ANYWHERE"),
    ("known by nobody", {"code": "pigeon", "title": "Pigeon"}, None),
)


def sent(
    code: str = "standard",
    title: str = "Standard",
    postcode: str = "LS1 4AB",
    country: str = "GB",
    weight: int = 750,
    value: str = "19.00",
    tags: tuple[str, ...] = (),
) -> OrderBuilder:
    to = LEEDS.model_copy(update={"postcode": postcode, "country_code": country})
    order = MUG.sent_by(title, code).shipping_to(to).order
    total = Money(amount=Decimal(value), currency="GBP")
    return OrderBuilder(order.model_copy(update={"weight": weight, "total": total, "tags": tags}))


@pytest.mark.parametrize(("said", "service"), [case[1:] for case in SENT], ids=[case[0] for case in SENT])
def test_how_it_is_sent(said: dict[str, Any], service: str | None) -> None:
    found = shipping_rule(sent(**said).order, a_brand(shipping=LADDER))
    assert (None if found is None else found.service) == service


def test_rules_that_know_the_line_and_do_not_fit_are_counted_in_the_case() -> None:
    story = Story().configured(shipping=(rule("NEXTDAY", code="standard", countries=("DE",)),))
    story.shopify(sent(tags=("wholesale",)).routed("71"))
    assert [case.detail for case in story.state.cases] == [
        "'Standard' (code 'standard'): 1 rules know it, none of them fits (to GB, 750 g, 19.00 GBP, tags 'wholesale')"
    ]


def test_a_rule_that_fits_is_added_and_the_stranded_order_goes() -> None:
    story = Story().shopify(MUG.sent_by("Carrier pigeon").routed("71"))
    assert story.open_cases == {CaseCode.UNMAPPED_SHIPPING_LINE}
    story.configured(shipping=(*story.config.shipping, rule("PIGEON", title="carrier pigeon"))).later(minutes=2)
    assert story.one(CreateGoodsOut).service == "PIGEON"
    assert story.open_cases == set()


def test_a_tag_like_a_person_is_not_told() -> None:
    """Some tag an order with an address or a telephone number; a case goes to chats."""
    story = Story().configured(shipping=(rule("VIP", code="standard", tags=("VIP",)),))
    for tags, told in ((("wholesale",), ", tags 'wholesale')"), ((), ")")):
        story.shopify(sent(tags=("r.example@example.test", *tags, "+441130000000")).routed("71"))
        (case,) = story.state.cases
        assert case.detail.endswith(f"GBP{told}")


def test_tags_make_an_order_urgent() -> None:
    ordered = (PriorityRule(tag="vip", priority=5), PriorityRule(tag="wholesale", priority=80))
    story = Story().configured(priorities=ordered).shopify(sent(tags=("Wholesale", "VIP")).routed("71"))
    assert story.one(CreateGoodsOut).priority == 5
    assert Story().configured(priorities=ordered).shopify(sent().routed("71")).one(CreateGoodsOut).priority == 50


DOUBTED: tuple[tuple[str, tuple[ShippingRule, ...], tuple[str, ...]], ...] = (
    ("a ladder from narrow to wide", LADDER[:1] + LADDER[4:], ()),
    ("the wide one first", (rule("A", code="s"), rule("B", code="S", countries=("GB",))),
     ("shipping.1 is never reached: shipping.0 fits whatever it fits",)),
    ("twice the same", (rule("A", title="t"), rule("B", title="T")),
     ("shipping.1 is never reached: shipping.0 fits whatever it fits",)),
    ("heavy and far overlap", (rule("A", code="s", weight_from=100), rule("B", code="s", countries=("IE",))),
     ("shipping.0 and shipping.1 can both fit one order: the first is taken then",)),
    ("weights side by side", (rule("A", code="s", weight_below=100), rule("B", code="s", weight_from=100)), ()),
    ("other countries", (rule("A", code="s", countries=("GB",)), rule("B", code="s", countries=("IE",))), ()),
    ("postcodes within others", (rule("A", code="s", postcodes=("IV",)), rule("B", code="s", postcodes=("IV1 2",))),
     ("shipping.1 is never reached: shipping.0 fits whatever it fits",)),
    ("reached by its title still", (rule("A", code="s"), rule("B", code="s", title="t")), ()),
    ("other names", (rule("A", code="s"), rule("B", code="t"), rule("C", countries=("GB",))), ()),
)  # fmt: skip


@pytest.mark.parametrize(("mode", "told"), [("off", False), ("observe", True), ("write", True)])
def test_a_warehouse_whose_units_two_locations_would_offer_is_told(mode: str, told: bool) -> None:
    served = {"11": "LDS1", "12": "MAN1", "13": "LDS1"}
    warehouses = [{"location": location, "warehouse": name} for location, name in served.items()]
    found = list(doubts(a_brand(warehouses=warehouses, stock={"mode": mode})))
    assert len(found) == told
    assert all(one.startswith("warehouses: LDS1 serves locations 11, 13; ") for one in found)
    assert list(doubts(a_brand(stock={"mode": mode}))) == []


@pytest.mark.parametrize(("rules", "told"), [case[1:] for case in DOUBTED], ids=[case[0] for case in DOUBTED])
def test_rules_that_cannot_mean_what_they_say(rules: tuple[ShippingRule, ...], told: tuple[str, ...]) -> None:
    assert tuple(doubts(a_brand(shipping=rules))) == told


@pytest.mark.parametrize(
    "wrong",
    [
        {"shipping": ({"carrier": "DPD", "service": "X"},)},
        {"shipping": ({"carrier": "DPD", "service": "X", "code": "s", "weight_from": 5, "weight_below": 5},)},
        {"shipping": ({"carrier": "DPD", "service": "X", "code": "s", "countries": ("gb",)},)},
        {"bundles": ({"sku": "SET", "components": ()},)},
        {"bundles": ({"sku": "SET", "components": ({"sku": "A"}, {"sku": "A"})},)},
        {"bundles": ({"sku": "SET", "components": ({"sku": "A"},)}, {"sku": "SET", "components": ({"sku": "B"},)})},
        {"skus": {"renames": ({"shop": "A", "clarus": "X"}, {"shop": "B", "clarus": "X"})}},
        {"skus": {"renames": ({"shop": "A", "clarus": "X"}, {"shop": "A", "clarus": "Y"})}},
    ],
)
def test_what_no_configuration_may_say(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        a_brand(**wrong)


# --- instructions


def noted(note: str, **attributes: str) -> OrderBuilder:
    said = tuple(NoteAttribute(name=name, value=value) for name, value in attributes.items())
    personal = Personal(ship_to=LEEDS, note=note, attributes=said)
    return OrderBuilder(MUG.order.model_copy(update={"personal": personal}))


WISHES: tuple[tuple[str, Instructions, OrderBuilder, str], ...] = (
    ("the note as it is written", Instructions(), noted("Ring twice."), "Ring twice."),
    ("attributes nobody asked for stay away", Instructions(), noted("", gift="Zoë"), ""),
    ("chosen ones, in the brand's order", Instructions(attributes=("wrap", "Gift")),
     noted("Ring.", gift="Zoë", wrap="red", utm="x"), "Ring.\nwrap: red\ngift: Zoë"),
    ("without the note", Instructions(note=False, attributes=("gift",)), noted("Ring.", gift="Zoë"), "gift: Zoë"),
    ("empty ones are left out", Instructions(attributes=("gift",)), noted(" ", gift=" "), ""),
    ("plain letters", Instructions(characters="ascii"), noted("Zoë, Łódź 🎁"), "Zoe, Lodz :gift:"),
    ("Western letters", Instructions(characters="latin"), noted("Zoë, Łódź"), "Zoë, Lódz"),
    ("cut, and it shows", Instructions(most=20), noted("Please wrap it in red."), "Please wrap it [cut]"),
    ("just long enough", Instructions(most=20), noted("Please wrap in blue!"), "Please wrap in blue!"),
)  # fmt: skip


@pytest.mark.parametrize(("rules", "order", "text"), [case[1:] for case in WISHES], ids=[case[0] for case in WISHES])
def test_what_the_packing_desk_reads(rules: Instructions, order: OrderBuilder, text: str) -> None:
    assert instructions(order.order, a_brand(instructions=rules)).text == text


def test_what_was_cut_is_told_until_the_parcel_has_left() -> None:
    story = Story().configured(instructions=Instructions(most=20))
    story.shopify(noted("Please wrap it in red.").routed("71"))
    create = story.one(CreateGoodsOut)
    assert create.order_notes == "Please wrap it [cut]"
    assert story.open_cases == set(), "nobody can pack it yet"
    story.applied(create)
    (case,) = story.state.cases
    assert (case.code, case.detail) == (CaseCode.INSTRUCTIONS_CUT, "22 characters, 20 went along")
    story.clarus(a_goods_out("ACME-5012-71-1").with_line("901", "MUG").despatched())
    assert CaseCode.INSTRUCTIONS_CUT not in story.open_cases


# --- SKUs


CODES: tuple[tuple[str, SkuRules, str, str], ...] = (
    ("as it is", SkuRules(), " 0042-a ", " 0042-a "),
    ("zeros whole", SkuRules(trim=True), "007 ", "007"),
    ("never a number", SkuRules(trim=True), "1e5", "1e5"),
    ("characters taken out", SkuRules(remove="#/"), "#00/42", "0042"),
    ("renamed", SkuRules(remove="#", renames=(Rename(shop=Sku("#1"), clarus=Sku("ONE#")),)), "#1", "ONE#"),
)


@pytest.mark.parametrize(("rules", "sku", "code"), [case[1:] for case in CODES], ids=[case[0] for case in CODES])
def test_a_product_code(rules: SkuRules, sku: str, code: str) -> None:
    assert product_code(Sku(sku), a_brand(skus=rules)) == code


def test_the_warehouse_and_the_erp_are_told_one_code() -> None:
    story = Story().configured(skus=SkuRules(remove="#")).shopify(an_order().with_line("#0042").routed("71"))
    (unit,) = story.one(CreateGoodsOut).lines
    assert (unit.sku, unit.shop_sku) == ("0042", "#0042")
    assert [line.sku for line in story.one(UpsertErpOrder).lines] == ["0042"]


def test_two_skus_that_clean_to_one_are_refused() -> None:
    """Complaint: A-1 and A1 became one product, and the wrong one was sent."""
    order = an_order().with_line("A-1").with_line("A1").with_line("#")
    story = Story().configured(skus=SkuRules(remove="-#")).shopify(order.routed("71"))
    assert story.commands == []
    (case,) = story.state.cases
    assert (case.code, case.detail) == (
        CaseCode.SKU_UNUSABLE,
        "'#': nothing is left of it; 'A-1', 'A1' would all be 'A1'",
    )


def test_the_same_sku_on_two_lines_is_no_collision() -> None:
    story = (
        Story().configured(skus=SkuRules(remove="-")).shopify(an_order().with_line("A-1").with_line("A-1").routed("71"))
    )
    assert story.quantities == [{"901": 1, "902": 1}]


def test_a_sku_longer_than_clarus_takes_is_held() -> None:
    story = Story().shopify(an_order().with_line("X" * 51).routed("71"))
    assert story.commands == []
    assert story.open_cases == {CaseCode.SKU_UNUSABLE}


# --- bundles


SET = Bundle(sku=Sku("SET"), components=(Component(sku=Sku("CUP"), quantity=2), Component(sku=Sku("POT"))))
G1 = "ACME-5012-71-1"
TWO_SETS = an_order().with_line("SET", 2).with_line("MUG", 1)


def selling_sets() -> BrandConfig:
    return a_brand(bundles=(SET,))


def in_the_warehouse(story: Story) -> Story:
    story.shopify(TWO_SETS.routed("71"))
    story.applied(story.one(UpsertErpOrder))
    story.erp(an_erp_order().with_line("901", "SET", 2).with_line("902", "MUG"))
    return story.applied(story.one(CreateGoodsOut))


def sets(cups: int, pots: int, mugs: int = 0) -> Any:
    """The goods-out with so many despatched."""
    made = a_goods_out(G1).with_part("901", "CUP", 4, each=2, left=cups).with_part("901", "POT", 2, each=1, left=pots)
    return made.with_part("902", "MUG", 1, each=0, left=mugs).picking()


def test_a_bundle_is_picked_as_its_components_and_sold_as_itself() -> None:
    story = Story(selling_sets()).shopify(TWO_SETS.routed("71"))
    lines = [(unit.line, unit.sku, unit.shop_sku, unit.quantity, unit.each) for unit in story.one(CreateGoodsOut).lines]
    assert lines == [("901", "CUP", "SET", 4, 2), ("901", "POT", "SET", 2, 1), ("902", "MUG", "MUG", 1, 0)]
    assert [(line.sku, line.quantity) for line in story.one(UpsertErpOrder).lines] == [("SET", 2), ("MUG", 1)]


def test_a_bundle_has_no_code_of_its_own_that_could_be_too_long_or_another_products() -> None:
    long = Bundle(sku=Sku("S" * 51), components=(Component(sku=Sku("POT")),))
    story = Story(a_brand(bundles=(SET, long), skus=SkuRules(remove="-")))
    story.shopify(an_order().with_line("SET").with_line("S-ET").with_line("S" * 51).routed("71"))
    assert [unit.sku for unit in story.one(CreateGoodsOut).lines] == ["CUP", "POT", "SET", "POT"]
    assert story.open_cases == set()


def test_whole_bundles_are_covered_and_nothing_is_created_twice() -> None:
    story = in_the_warehouse(Story(selling_sets())).clarus(sets(0, 0)).shopify(TWO_SETS.routed("71"))
    assert len(story.sent(CreateGoodsOut)) == 1
    assert story.open_cases == set()


def test_half_a_kit_despatched() -> None:
    """One of two components leaves: a case, and no kit is told. The rest leaves: told, and the case closes."""
    story = in_the_warehouse(Story(selling_sets())).clarus(sets(2, 0, mugs=1))
    (case,) = [case for case in story.state.cases if case.code is CaseCode.HALF_A_KIT]
    assert (case.object, case.detail) == (f"{G1} line 901", "1 left in part, lacking CUP, POT")
    assert posted(story)[-1] == {"902": 1}
    story.clarus(sets(3, 1, mugs=1))
    assert posted(story)[-1] == {"901": 1, "902": 1}
    assert CaseCode.HALF_A_KIT in story.open_cases, "of the second only a cup has left"
    story.clarus(sets(4, 2, mugs=1))
    assert posted(story)[-1] == {"901": 2, "902": 1}
    assert CaseCode.HALF_A_KIT not in story.open_cases


def test_a_torn_bundle_of_a_cancelled_goods_out_is_not_sent_again_by_itself() -> None:
    story = in_the_warehouse(Story(selling_sets()))
    story.clarus(sets(2, 0).status(GoodsOutStatus.CANCELLED)).shopify(TWO_SETS.routed("71"))
    assert story.quantities_of("901") == [2, 1], "the bundle nobody began may go again, the torn one may not"
    story.operator("release_again", G1)
    assert CaseCode.HALF_A_KIT not in story.open_cases


def test_a_torn_bundle_that_was_refunded_is_closed_by_a_person_and_the_order_comes_to_rest() -> None:
    """The rest never comes, and what left of it is the shopper's: no system shows that this was agreed."""
    torn, refunded = sets(1, 0).status(GoodsOutStatus.COMPLETED), TWO_SETS.refunded(L901=2, L902=1).routed("71")
    assert CATALOGUE[CaseCode.HALF_A_KIT].by_person
    story = in_the_warehouse(Story(selling_sets())).clarus(torn).shopify(refunded)
    assert CaseCode.HALF_A_KIT in story.open_cases
    story.operator("close", "half_a_kit")
    assert CaseCode.HALF_A_KIT not in story.open_cases
    assert story.later(days=8).state.shopify is None


def test_a_component_too_many_is_reported_and_no_torn_bundle() -> None:
    story = in_the_warehouse(Story(selling_sets())).clarus(sets(5, 2, mugs=1))
    assert CaseCode.HALF_A_KIT not in story.open_cases
    assert [case.detail for case in story.state.cases if case.code is CaseCode.OVER_DESPATCHED] == ["1 units too many"]


def test_what_a_bundle_is_made_of_may_change_while_one_is_under_way() -> None:
    """The recipe of a release stands on the goods-out's lines and is read from there."""
    story = in_the_warehouse(Story(selling_sets())).clarus(sets(0, 0))
    other = Bundle(sku=Sku("SET"), components=(Component(sku=Sku("CUP"), quantity=6),))
    story.configured(bundles=(other,)).later(minutes=2)
    story.clarus(sets(4, 2, mugs=1))
    assert posted(story)[-1] == {"901": 2, "902": 1}
    assert len(story.sent(CreateGoodsOut)) == 1


def posted(story: Story) -> list[dict[str, int]]:
    return [{unit.line: unit.quantity for unit in post.target} for post in story.sent(PostFulfilment)]
