"""What a configuration allows and hardly means: shipping rules that are never reached or fit the same order, stock that
two locations would offer. Told, never refused.
"""

from collections.abc import Iterator
from decimal import Decimal
from itertools import combinations

from schemas.config import BrandConfig
from schemas.mapping import ShippingRule
from streams.rules.orders.mapping.shipping import bare

Name = tuple[str, str]
"""`code` or `title` and its value, or two empty words for a rule without a name."""


def doubts(config: BrandConfig) -> Iterator[str]:
    """A sentence for each thing a person should look at, in the order of the file."""
    yield from _offered_twice(config)
    for (first, one), (second, other) in combinations(enumerate(config.shipping), 2):
        shared = _names(one) & _names(other)
        if not shared:
            continue
        if _holds_wherever(one, other) and shared == _names(other):
            yield f"shipping.{second} is never reached: shipping.{first} fits whatever it fits"
        elif _can_both_hold(one, other) and not _holds_wherever(other, one):
            yield f"shipping.{first} and shipping.{second} can both fit one order: the first is taken then"


def _offered_twice(config: BrandConfig) -> Iterator[str]:
    """Each location's figure is that of its whole warehouse."""
    if config.stock.mode == "off":
        return
    for warehouse in dict.fromkeys(rule.warehouse for rule in config.warehouses):
        locations = config.locations_of(warehouse)
        if len(locations) > 1:
            yield (
                f"warehouses: {warehouse} serves locations {', '.join(locations)}; an item that is stocked at several "
                "of them is offered with all its units at each: stock it at one, or give the others a buffer"
            )


def _names(rule: ShippingRule) -> set[Name]:
    named = {(kind, name.casefold()) for kind, name in (("code", rule.code), ("title", rule.title)) if name}
    return named or {("", "")}


def _holds_wherever(one: ShippingRule, other: ShippingRule) -> bool:
    """Whether the conditions of one hold for every order for which those of the other do."""
    return (
        (not one.countries or bool(other.countries and set(other.countries) <= set(one.countries)))
        and (
            not one.postcodes
            or (
                bool(other.postcodes)
                and all(any(bare(there).startswith(bare(here)) for here in one.postcodes) for there in other.postcodes)
            )
        )
        and (not one.tags or bool(other.tags and _folded(other.tags) <= _folded(one.tags)))
        and all(
            (low is None or (low_other is not None and low_other >= low))
            and (high is None or (high_other is not None and high_other <= high))
            for (low, high), (low_other, high_other) in zip(_bounds(one), _bounds(other), strict=True)
        )
    )


def _can_both_hold(one: ShippingRule, other: ShippingRule) -> bool:
    """Tags never exclude each other: an order may have both."""
    if one.countries and other.countries and not set(one.countries) & set(other.countries):
        return False
    if one.postcodes and other.postcodes and not _share_a_postcode(one, other):
        return False
    bounds = zip(_bounds(one), _bounds(other), strict=True)
    return all(_below(low, high_other) and _below(low_other, high) for (low, high), (low_other, high_other) in bounds)


def _below(low: Decimal | int | None, high: Decimal | int | None) -> bool:
    return low is None or high is None or low < high


def _share_a_postcode(one: ShippingRule, other: ShippingRule) -> bool:
    return any(
        bare(here).startswith(bare(there)) or bare(there).startswith(bare(here))
        for here in one.postcodes
        for there in other.postcodes
    )


def _bounds(rule: ShippingRule) -> tuple[tuple[Decimal | int | None, Decimal | int | None], ...]:
    return (rule.weight_from, rule.weight_below), (rule.value_from, rule.value_below)


def _folded(tags: tuple[str, ...]) -> set[str]:
    return {tag.casefold() for tag in tags}
