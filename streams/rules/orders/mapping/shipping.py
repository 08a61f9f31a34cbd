"""How an order is sent: the first shipping rule that fits; how urgent it is."""

from collections.abc import Iterator
from decimal import Decimal

from schemas.cases import CaseCode
from schemas.config import BrandConfig
from schemas.mapping import ShippingRule
from schemas.orders import Order, ShippingLine, is_like_a_person
from streams.rules.orders.holds import Hold
from streams.rules.orders.once import once


@once
def shipping_rule(order: Order, config: BrandConfig) -> ShippingRule | None:
    """By its first shipping line: a rule that knows the code comes before one that knows the title, that before one
    for any line; among those the first whose conditions hold.
    """
    if not order.shipping_lines:
        return None
    return next((rule for rule in rules_for(order.shipping_lines[0], config) if _fits(rule, order)), None)


def rules_for(line: ShippingLine, config: BrandConfig) -> Iterator[ShippingRule]:
    """Rules that know the line, in the order in which they are asked."""
    yield from (rule for rule in config.shipping if rule.code and _same(rule.code, line.code))
    yield from (rule for rule in config.shipping if rule.title and _same(rule.title, line.title))
    yield from (rule for rule in config.shipping if not (rule.code or rule.title))


def _same(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()


def _fits(rule: ShippingRule, order: Order) -> bool:
    to = order.personal.ship_to
    country = "" if to is None else to.country_code.upper()
    postcode = "" if to is None else bare(to.postcode)
    return (
        (not rule.countries or country in rule.countries)
        and (not rule.postcodes or any(postcode.startswith(bare(begins)) for begins in rule.postcodes))
        and _between(rule.weight_from, Decimal(order.weight), rule.weight_below)
        and _between(rule.value_from, order.total.amount, rule.value_below)
        and (not rule.tags or has_tag(order, rule.tags))
    )


def named(line: ShippingLine) -> str:
    """A shipping line as people would look for it."""
    return f"{line.title!r} (code {line.code!r})"


def bare(postcode: str) -> str:
    """As postcodes are compared."""
    return "".join(postcode.split()).upper()


def _between(low: Decimal | int | None, value: Decimal, below: Decimal | int | None) -> bool:
    return (low is None or value >= low) and (below is None or value < below)


def has_tag(order: Order, tags: tuple[str, ...]) -> bool:
    """Whether the order has one of them. Without regard to case, as Shopify compares tags."""
    wanted = {tag.casefold() for tag in tags}
    return any(tag.casefold() in wanted for tag in order.tags)


def priority(order: Order, rule: ShippingRule, config: BrandConfig) -> int:
    """1 is the most urgent."""
    return next((one.priority for one in config.priorities if has_tag(order, (one.tag,))), rule.priority)


def shipping_holds(order: Order, config: BrandConfig) -> Iterator[Hold]:
    """Unmapped: names what the configuration does not know."""
    if shipping_rule(order, config) is not None:
        return
    if not order.shipping_lines:
        yield Hold(code=CaseCode.UNMAPPED_SHIPPING_LINE, named="no shipping line")
        return
    line = order.shipping_lines[0]
    said = named(line)
    known = len(dict.fromkeys(rules_for(line, config)))
    if known:
        to = order.personal.ship_to
        where = "nowhere" if to is None else to.country_code
        order_is = f"to {where}, {order.weight} g, {order.total.amount} {order.total.currency}"
        tags = [repr(tag) for tag in order.tags if not is_like_a_person(tag)]
        tagged = f", tags {', '.join(tags)}" if tags else ""
        said += f": {known} rules know it, none of them fits ({order_is}{tagged})"
    yield Hold(code=CaseCode.UNMAPPED_SHIPPING_LINE, named=said)
