"""Stock that lies in the warehouse and that no shopper can buy."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from connectors.clarus.setup import Balance
from connectors.shopify.setup import Variant
from lockstep.audit.catalogue import Finding
from lockstep.audit.codes import Code
from lockstep.audit.mapping import locations_of, product_codes
from lockstep.audit.seen import Seen


def check_stock(seen: Seen) -> Iterator[Finding]:
    if seen.shop.variants is None or seen.clarus.balances is None:
        return
    by_code: dict[str, list[Variant]] = defaultdict(list)
    for one in seen.shop.variants:
        if one.sku:
            for code in product_codes(seen.config, one.sku):
                by_code[code].append(one)
    yield Finding.of(
        Code.STOCK_STRANDED,
        [
            f"{balance.product!r}: {balance.available.normalize():f} in {balance.warehouse}, {why}"
            for balance in seen.clarus.balances
            if balance.available > 0 and (why := _stranded(seen, balance, by_code.get(balance.product, ())))
        ],
    )


def _stranded(seen: Seen, balance: Balance, variants: Sequence[Variant]) -> str:
    """Why nobody can buy it; '' when somebody can."""
    locations = locations_of(seen.config, balance.warehouse)
    if not variants:
        return "Shopify has no such SKU"
    active = [one for one in variants if one.active]
    if not active:
        return "its product is a draft or archived"
    published = [one for one in active if one.published]
    if not published:
        return "not published to the online store"
    if not locations:
        return "no location has this warehouse"
    if all(one.stocked_at is not None and not one.stocked_at & locations for one in published):
        return f"not stocked at location {', '.join(sorted(locations))}"
    return ""
