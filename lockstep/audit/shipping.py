"""Shipping lines that orders bore, the rules for them, and the carriers those rules name."""

from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from connectors.shopify.setup import Bought
from lockstep.audit.catalogue import Finding
from lockstep.audit.codes import Code
from lockstep.audit.mapping import said_of, shipping_rule
from lockstep.audit.seen import Seen
from schemas.config import BrandConfig


def check_shipping(seen: Seen) -> Iterator[Finding]:
    if seen.shop.orders:
        yield from _lines(seen, seen.shop.orders)
    yield from _carriers(seen)


def _lines(seen: Seen, orders: tuple[Bought, ...]) -> Iterator[Finding]:
    config = seen.config
    unmapped: dict[tuple[str, str], list[Bought]] = {}
    used = set()
    for order in orders:
        rule = shipping_rule(config, order)
        if rule is not None:
            used.add(rule)
        elif order.shipping is not None:
            unmapped.setdefault(order.shipping, []).append(order)
    yield Finding.of(
        Code.SHIPPING_UNMAPPED,
        [
            f"title {line[0]!r}, code {line[1]!r}: {_orders(bore)}, the last {bore[-1].name}; {_fitting(config, *line)}"
            for line, bore in sorted(unmapped.items(), key=lambda item: -len(item[1]))
        ],
    )
    yield Finding.of(Code.SHIPPING_RULE_UNUSED, [said_of(rule) for rule in config.shipping if rule not in used])


def _orders(bore: list[Bought]) -> str:
    return f"{len(bore)} orders" if len(bore) != 1 else "1 order"


def _fitting(config: BrandConfig, title: str, code: str) -> str:
    """The rule whose words come nearest, for a person to judge."""
    words = {word.casefold(): rule for rule in config.shipping for word in (rule.code, rule.title) if word}
    for given in (code.casefold(), title.casefold()):
        near = get_close_matches(given, words, n=1) if given else []
        within = [word for word in words if given and (word in given or given in word)]
        if near or within:
            return f"nearest is the rule for {said_of(words[(near or within)[0]])}"
    return "no rule comes near"


def _carriers(seen: Seen) -> Iterator[Finding]:
    config, carriers, services = seen.config, seen.clarus.carriers, seen.clarus.services
    named = list(dict.fromkeys(rule.carrier for rule in config.shipping))
    pairs = list(dict.fromkeys((rule.carrier, rule.service) for rule in config.shipping))
    yield Finding.of(Code.CARRIER_UNNAMED, [carrier for carrier in named if config.carrier_of(carrier) is None])
    if carriers is None:
        return
    unknown = [carrier for carrier in named if carrier not in carriers]
    off = [carrier for carrier in named if carriers.get(carrier) is False]
    yield Finding.of(Code.CARRIER_UNKNOWN, [f"{one!r}{_near(one, carriers)}" for one in unknown])
    if services is not None:
        active = {(one.carrier, one.code): one.active for one in services}
        missing = [pair for pair in pairs if pair[0] in carriers and pair not in active]
        known = {carrier: [one.code for one in services if one.carrier == carrier] for carrier in carriers}
        yield Finding.of(
            Code.SERVICE_UNKNOWN,
            [f"{code!r} of {carrier}; Clarus has {', '.join(known[carrier]) or 'none'}" for carrier, code in missing],
        )
        off += [f"{carrier} {code}" for carrier, code in pairs if active.get((carrier, code)) is False]
    yield Finding.of(Code.CARRIER_INACTIVE, off)


def _near(code: str, known: Iterable[str]) -> str:
    near = get_close_matches(code, list(known), n=1)
    return f"; Clarus has {near[0]!r}" if near else ""
