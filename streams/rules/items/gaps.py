"""What the audit of items finds: what Shopify sells and the warehouse holds, beside the master of item codes.

Only readings speak: what a system was not asked about, or answered in a way that nobody understood, is no gap.
"""

from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta

from schemas.aggregates import GAPS
from schemas.base import Sku, System
from schemas.cases import CaseCode
from schemas.config import BrandConfig
from schemas.items import Offer, trade_number
from streams.rules.items.state import ItemState
from streams.rules.items.wishes import is_bundle
from streams.rules.orders.findings import Finding, Look

KINDS = (
    CaseCode.SKU_UNKNOWN_TO_ERP,
    CaseCode.SKU_UNKNOWN_TO_CLARUS,
    CaseCode.BARCODE_DIFFERS,
    CaseCode.STOCK_STRANDED,
)
LOOKED_AT_EVERY = timedelta(days=1)
"""What is wrong is looked at again in all three systems, whether or not a list names it still."""


def sold(state: ItemState, config: BrandConfig) -> tuple[Offer, ...]:
    """What the shop sells under this very code; a bundle of the brand's is its components to the warehouse."""
    return () if is_bundle(state, config) else tuple(one for one in state.offers if one.sold)


def unknown_to_erp(state: ItemState, config: BrandConfig) -> Iterator[Finding]:
    """Rule: what Shopify sells is an active item of the ERP."""
    offers = sold(state, config)
    if not (offers and state.erp_read and _in_step(state, config)) or state.is_unreadable(System.ERP) or state.active:
        return
    why = "is not active in the ERP" if state.erp else "is no item of the ERP"
    yield Look(CaseCode.SKU_UNKNOWN_TO_ERP, state.order, f"{_skus(offers)}, sold in Shopify, {why}")


def unknown_to_clarus(state: ItemState, config: BrandConfig) -> Iterator[Finding]:
    """Rule: what Shopify sells, and what a bundle is packed of, is a product of the account. Where Lockstep makes the
    ERP's items products, whatever keeps it from that is a case already.
    """
    offers, bundles = sold(state, config), _bundles_of(state, config)
    if not (offers or bundles) or state.product_at is None or state.is_unreadable(System.CLARUS):
        return
    if (state.product is not None and state.product.ours) or (config.items.writes and _in_step(state, config)):
        return
    why = "is no product in Clarus" if state.product is None else f"is in Clarus, and not of account {config.account}"
    what = f"{_skus(offers)}, sold in Shopify" if offers else f"{state.code!r}, a component of {', '.join(bundles)}"
    yield Look(CaseCode.SKU_UNKNOWN_TO_CLARUS, state.order, f"{what}, {why}")


def _in_step(state: ItemState, config: BrandConfig) -> bool:
    """Whether it is among the codes that the ERP is asked about: of others its silence says nothing."""
    prefixes = config.items.prefixes
    return not prefixes or any(code.startswith(prefixes) for code in (state.code, *(one.sku for one in state.offers)))


def _skus(offers: Sequence[Offer]) -> str:
    return " and ".join(dict.fromkeys(repr(one.sku) for one in offers))


def barcode_differs(state: ItemState, config: BrandConfig) -> Iterator[Finding]:
    """Rule: all systems that have a barcode of it have the same number; one that Lockstep amends in Clarus will."""
    product = state.product if state.product is not None and state.product.ours else None
    amended = config.items.mode == "create_and_amend" and "barcode" in config.items.fields and bool(state.active)
    said = {
        "Shopify": [one.barcode for one in sold(state, config)],
        "the ERP": [barcode for item in state.active for barcode in (item.barcode, *item.more_barcodes)],
        "Clarus": [product.barcode] if product is not None and not (amended and not product.shared) else [],
    }
    barcodes = {system: [one for one in found if one] for system, found in said.items() if any(found)}
    numbers = [{trade_number(one) for one in found} for found in barcodes.values()]
    if any(one.isdisjoint(other) for one in numbers for other in numbers):
        told = "; ".join(f"{', '.join(dict.fromkeys(found))} in {system}" for system, found in barcodes.items())
        yield Look(CaseCode.BARCODE_DIFFERS, state.order, told)


def stock_stranded(state: ItemState, config: BrandConfig) -> Iterator[Finding]:
    """Rule: what the warehouse has free can be bought, at a location of that warehouse. A component of a bundle is
    sold with the bundle.
    """
    product = state.product
    if product is None or not product.ours or state.offers_at is None:
        return
    if state.is_unreadable(System.SHOPIFY) or state.is_unreadable(System.CLARUS) or _bundles_of(state, config):
        return
    found = [(place, why) for place in product.stocked_in if (why := _stranded(state, config, place))]
    if found:
        yield Look(CaseCode.STOCK_STRANDED, state.order, "; ".join(f"in {place}: {why}" for place, why in found))


def _bundles_of(state: ItemState, config: BrandConfig) -> list[Sku]:
    """The brand's bundles that this is a component of."""
    return [one.sku for one in config.bundles if any(part.sku == state.code for part in one.components)]


def _stranded(state: ItemState, config: BrandConfig, warehouse: str) -> str:
    """Why nobody can buy what lies there; '' when somebody can."""
    locations = {rule.location for rule in config.warehouses if rule.warehouse == warehouse}
    active = [one for one in state.offers if one.active]
    published = [one for one in active if one.published]
    if not state.offers:
        return "Shopify has no such SKU"
    if not active:
        return "its product is a draft or archived"
    if not published:
        return "it is not published to the online store"
    if not locations:
        return "no location has this warehouse"
    if all(not one.more_places and locations.isdisjoint(one.stocked_at) for one in published):
        return f"it is not stocked at location {', '.join(sorted(locations))}"
    return ""


def crowded(state: ItemState, _config: BrandConfig) -> Iterator[Finding]:
    """Rule: a kind of gap that more items have than get cases of their own is one case more."""
    for gap in KINDS:
        crowds = [one for one in state.crowds if one.gap is gap and one.items]
        if crowds:
            named = ", ".join(repr(code) for code in sorted({code for one in crowds for code in one.examples})[:5])
            detail = f"{gap}: at least {sum(one.items for one in crowds)} items without a case of their own: {named}"
            yield Look(CaseCode.ITEM_GAPS_MANY, f"{GAPS} {gap}", detail)


GAP_RULES: tuple[Callable[[ItemState, BrandConfig], Iterator[Finding]], ...] = (
    unknown_to_erp,
    unknown_to_clarus,
    barcode_differs,
    stock_stranded,
    crowded,
)


def bounded(
    state: ItemState, findings: Sequence[Finding], full: AbstractSet[CaseCode]
) -> tuple[ItemState, list[Finding]]:
    """Gaps of a kind of which there are cases enough get none; what has one, or was closed by a person, keeps it."""
    gaps = {one.code for one in findings if isinstance(one, Look) and one.code in KINDS}
    has = {case.code for case in state.cases} | {closed.code for closed in state.closed_by_person}
    without = (gaps & full) - has
    kept = [one for one in findings if not (isinstance(one, Look) and one.code in without)]
    return state.model_copy(update={"gaps": tuple(code for code in KINDS if code in gaps)}), kept


def looked_after(state: ItemState, wakes: list[datetime]) -> tuple[ItemState, tuple[System, ...]]:
    """Systems to be read, without hurry: those asked for, and all once a day while something is wrong. What is mended,
    or is no longer in any list, is found at the latest then.
    """
    asked, at = state.ask_gently, state.looked_at
    if not state.gaps:
        at = None
    elif at is None:
        at = state.now
    elif at + LOOKED_AT_EVERY <= state.now:
        asked, at = tuple(System), state.now
    if at is not None:
        wakes.append(at + LOOKED_AT_EVERY)
    if (at, state.ask_gently) != (state.looked_at, ()):
        state = state.model_copy(update={"looked_at": at, "ask_gently": ()})
    return state, asked
