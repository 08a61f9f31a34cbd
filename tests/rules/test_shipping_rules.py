"""Which shipping rule fits an order at its borders, and which rules of a file cannot mean what they say."""

from decimal import Decimal
from typing import Any

import pytest

from schemas.base import Money
from schemas.cases import CaseCode
from schemas.mapping import ShippingRule
from schemas.orders import ShippingLine
from streams.rules.orders.mapping.doubts import doubts
from streams.rules.orders.mapping.shipping import has_tag, priority, rules_for, shipping_holds, shipping_rule
from tests.builders import LEEDS, OrderBuilder, a_brand, an_order

MUG = an_order().with_line("MUG", 1)


def rule(service: str = "A", **asks: Any) -> ShippingRule:
    return ShippingRule(carrier="DPD", service=service, **{"code": "standard", **asks})


def an_order_of(*, grams: int = 500, worth: str = "19.00", tags: tuple[str, ...] = (), to: Any = LEEDS) -> OrderBuilder:
    total = Money(amount=Decimal(worth), currency="GBP")
    return MUG.shipping_to(to)._with(weight=grams, total=total, tags=tags)


@pytest.mark.parametrize(
    ("asks", "order", "fits"),
    [
        ({}, an_order_of(), True),
        ({"countries": ("GB",)}, an_order_of(), True),
        ({"countries": ("DE",)}, an_order_of(), False),
        ({"countries": ("DE", "GB")}, an_order_of(), True),
        ({"countries": ("GB",)}, an_order_of(to=LEEDS.model_copy(update={"country_code": "gb"})), True),
        ({"countries": ("GB",)}, an_order_of(to=None), False),
        ({"postcodes": ("LS",)}, an_order_of(), True),
        ({"postcodes": ("L S1",)}, an_order_of(), True),
        ({"postcodes": ("ls1 4",)}, an_order_of(), True),
        ({"postcodes": ("M", "LS1")}, an_order_of(), True),
        ({"postcodes": ("S1",)}, an_order_of(), False),
        ({"postcodes": ("LS",)}, an_order_of(to=None), False),
        ({"weight_from": 500}, an_order_of(grams=500), True),
        ({"weight_from": 501}, an_order_of(grams=500), False),
        ({"weight_below": 501}, an_order_of(grams=500), True),
        ({"weight_below": 500}, an_order_of(grams=500), False),
        ({"weight_from": 0, "weight_below": 1}, an_order_of(grams=0), True),
        ({"value_from": "19.00"}, an_order_of(), True),
        ({"value_from": "19.01"}, an_order_of(), False),
        ({"value_below": "19.01"}, an_order_of(), True),
        ({"value_below": "19.00"}, an_order_of(), False),
        ({"tags": ("vip",)}, an_order_of(tags=("VIP", "new")), True),
        ({"tags": ("vip", "gift")}, an_order_of(tags=("Gift",)), True),
        ({"tags": ("vip",)}, an_order_of(tags=("new",)), False),
        ({"tags": ("vip",)}, an_order_of(), False),
        ({"countries": ("GB",), "weight_from": 900}, an_order_of(), False),
    ],
)
def test_a_rule_fits_when_all_it_asks_for_holds(asks: dict[str, Any], order: OrderBuilder, fits: bool) -> None:
    assert (shipping_rule(order.order, a_brand(shipping=(rule(**asks),))) is not None) == fits


LINE = ShippingLine(title="Standard", code="standard")


@pytest.mark.parametrize(
    ("rules", "services"),
    [
        (
            (rule("any", code="", countries=("GB",)), rule("title", code="", title="Standard"), rule("code")),
            ["code", "title", "any"],
        ),
        ((rule("code", code="STANDARD"), rule("title", code="", title="standarD")), ["code", "title"]),
        ((rule("one"), rule("two")), ["one", "two"]),
        ((rule("both", title="Standard"),), ["both", "both"]),
        ((rule("other", code="express"), rule("other", code="", title="Express")), []),
    ],
)
def test_who_knows_the_code_is_asked_before_who_knows_the_title_before_any(
    rules: tuple[ShippingRule, ...], services: list[str]
) -> None:
    assert [one.service for one in rules_for(LINE, a_brand(shipping=rules))] == services


def test_a_line_without_a_code_or_title_is_known_by_the_other_only() -> None:
    rules = (rule("code"), rule("title", code="", title="Standard"))
    bare = ShippingLine(title="", code="")
    assert list(rules_for(bare, a_brand(shipping=rules))) == []
    assert [one.service for one in rules_for(ShippingLine(title="Standard", code=""), a_brand(shipping=rules))] == [
        "title"
    ]
    assert [one.service for one in rules_for(ShippingLine(title="", code="standard"), a_brand(shipping=rules))] == [
        "code"
    ]


def test_the_first_shipping_line_counts() -> None:
    two = MUG._with(shipping_lines=(LINE, ShippingLine(title="Express", code="express")))
    rules = (rule("express", code="express"), rule("standard"))
    chosen = shipping_rule(two.order, a_brand(shipping=rules))
    assert chosen is not None
    assert chosen.service == "standard"


def test_how_urgent_an_order_is() -> None:
    config = a_brand(priorities=[{"tag": "vip", "priority": 1}, {"tag": "gift", "priority": 7}])
    plain = rule(priority=20)
    assert priority(an_order_of().order, plain, config) == 20
    assert priority(an_order_of(tags=("Gift",)).order, plain, config) == 7
    assert priority(an_order_of(tags=("gift", "vip")).order, plain, config) == 1
    assert not has_tag(an_order_of(tags=("gift",)).order, ("vip",))


@pytest.mark.parametrize(
    ("order", "rules", "named"),
    [
        (MUG, (rule(),), None),
        (MUG._with(shipping_lines=()), (rule(),), "no shipping line"),
        (MUG.sent_by("Pigeon", "pigeon"), (rule(),), "'Pigeon' (code 'pigeon')"),
        (
            an_order_of(), (rule(countries=("DE",)), rule(countries=("FR",))),
            "'Standard' (code 'standard'): 2 rules know it, none of them fits (to GB, 500 g, 19.00 GBP)",
        ),
        (
            an_order_of(tags=("vip", "new"), to=None), (rule(title="Standard", countries=("DE",)),),
            "'Standard' (code 'standard'): 1 rules know it, none of them fits "
            "(to nowhere, 500 g, 19.00 GBP, tags 'vip', 'new')",
        ),
    ],
)  # fmt: skip
def test_what_nobody_mapped_is_named(order: OrderBuilder, rules: tuple[ShippingRule, ...], named: str | None) -> None:
    holds = list(shipping_holds(order.order, a_brand(shipping=rules)))
    assert [(one.code, one.named) for one in holds] == ([(CaseCode.UNMAPPED_SHIPPING_LINE, named)] if named else [])


NEVER, BOTH, NOTHING = "never reached", "can both fit", ""


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        # the same line, nothing asked
        ({}, {}, NEVER),
        ({}, {"code": "express"}, NOTHING),
        ({}, {"code": "STANDARD"}, NEVER),
        ({"code": "", "title": "Any"}, {"code": "", "title": "any"}, NEVER),
        ({"code": "", "countries": ("GB",)}, {"code": "", "countries": ("GB",)}, NEVER),
        ({"code": "", "countries": ("GB",)}, {}, NOTHING),
        ({"title": "Any"}, {"title": "Any"}, NEVER),
        ({}, {"title": "Any"}, NOTHING),
        ({}, {"title": "Any", "countries": ("GB",)}, BOTH),
        ({"title": "Any"}, {}, NEVER),
        # countries
        ({"countries": ("GB",)}, {"countries": ("GB",)}, NEVER),
        ({"countries": ("GB", "DE")}, {"countries": ("GB",)}, NEVER),
        ({"countries": ("GB",)}, {"countries": ("GB", "DE")}, NOTHING),
        ({"countries": ("GB", "FR")}, {"countries": ("GB", "DE")}, BOTH),
        ({"countries": ("GB",)}, {"countries": ("DE",)}, NOTHING),
        ({"countries": ("GB",)}, {}, NOTHING),
        ({}, {"countries": ("GB",)}, NEVER),
        # postcodes
        ({"postcodes": ("LS",)}, {"postcodes": ("LS1",)}, NEVER),
        ({"postcodes": ("L", "M")}, {"postcodes": ("LS", "M1")}, NEVER),
        ({"postcodes": ("LS",)}, {"postcodes": ("LS1", "M1")}, BOTH),
        ({"postcodes": ("LS1",)}, {"postcodes": ("LS",)}, NOTHING),
        ({"postcodes": ("LS1", "M")}, {"postcodes": ("LS", "M1")}, BOTH),
        ({"postcodes": ("L S1",)}, {"postcodes": ("ls1 4",)}, NEVER),
        ({"postcodes": ("LS",)}, {"postcodes": ("M",)}, NOTHING),
        ({"postcodes": ("LS",)}, {}, NOTHING),
        ({"postcodes": ("LS",)}, {"countries": ("GB",)}, BOTH),
        ({"postcodes": ("LS14",)}, {"postcodes": ("LS",), "countries": ("GB",)}, BOTH),
        ({"countries": ("GB",)}, {"postcodes": ("LS",)}, BOTH),
        # tags: an order may have both
        ({"tags": ("vip",)}, {"tags": ("VIP",)}, NEVER),
        ({"tags": ("vip", "gift")}, {"tags": ("vip",)}, NEVER),
        ({"tags": ("vip",)}, {"tags": ("gift",)}, BOTH),
        ({"tags": ("vip",)}, {"tags": ("vip", "gift")}, NOTHING),
        ({"tags": ("vip",)}, {}, NOTHING),
        # weights and values
        ({"weight_below": 500}, {"weight_below": 500}, NEVER),
        ({"weight_below": 500}, {"weight_below": 501}, NOTHING),
        ({"weight_below": 500}, {"weight_below": 400}, NEVER),
        ({"weight_from": 500}, {"weight_from": 500}, NEVER),
        ({"weight_from": 500}, {"weight_from": 499}, NOTHING),
        ({"weight_from": 500}, {"weight_from": 501}, NEVER),
        ({"weight_below": 500}, {"weight_from": 500}, NOTHING),
        ({"weight_below": 500}, {"weight_from": 499}, BOTH),
        ({"weight_from": 500}, {"weight_below": 500}, NOTHING),
        ({"weight_from": 500}, {"weight_below": 501}, BOTH),
        ({"weight_from": 500}, {}, NOTHING),
        ({"weight_below": 500}, {}, NOTHING),
        ({"value_below": "20"}, {"value_from": "10"}, BOTH),
        ({"value_below": "20"}, {"value_from": "20"}, NOTHING),
        ({"value_from": "20"}, {"value_from": "30"}, NEVER),
        # several at once
        ({"countries": ("GB",)}, {"weight_from": 500}, BOTH),
        ({"countries": ("GB",), "weight_from": 500}, {"countries": ("DE",), "weight_from": 500}, NOTHING),
        ({"countries": ("GB",)}, {"countries": ("GB",), "weight_from": 500}, NEVER),
    ],
)
def test_two_rules_of_which_one_may_be_meant_otherwise(
    first: dict[str, Any], second: dict[str, Any], said: str
) -> None:
    found = list(doubts(a_brand(shipping=(rule("A", **first), rule("B", **second)))))
    assert len(found) == bool(said), found
    if found:
        assert said in found[0]
        assert "shipping.0" in found[0]
        assert "shipping.1" in found[0]


def test_each_pair_is_told_in_the_order_of_the_file() -> None:
    said = list(doubts(a_brand(shipping=(rule("A"), rule("B", code="express"), rule("C"), rule("D", code="express")))))
    assert len(said) == 2
    assert said[0].startswith("shipping.2 is never reached: shipping.0")
    assert said[1].startswith("shipping.3 is never reached: shipping.1")
