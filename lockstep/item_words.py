"""An item explained: all sides, what is sent or waited for, and who waits for it. In plain words."""

from collections.abc import Iterator

from lockstep.case_words import moment
from schemas.config import BrandConfig
from schemas.items import ErpItem, Measures, Offer
from streams.rules.items.plan import asked
from streams.rules.items.state import ItemState
from streams.rules.orders.findings import Waiting


def explained(state: ItemState, config: BrandConfig) -> Iterator[str]:
    """Line by line: the ERP, the warehouse, what happens next."""
    if config.items.mode == "off":
        yield "items are switched off for this brand, so nothing is decided"
    yield from (f"ERP: {_item(item)}" for item in state.erp)
    if not state.erp:
        yield "ERP: no item with this code" if state.erp_read else "ERP: not read yet"
    yield f"Clarus: {_product(state)}"
    if config.items.audited:
        yield from (f"Shopify: {_offer(offer)}" for offer in state.offers)
        if not state.offers:
            yield "Shopify: no such SKU" if state.offers_at else "Shopify: not read yet"
    for waiting in asked(state, config):
        if isinstance(waiting, Waiting):
            yield f"waits since {moment(state.since_of(waiting.name) or state.now)}: {waiting.detail}"
    yield from (f"sent: {type(one).__name__}, no outcome yet" for one in state.in_flight)
    yield from (f"delayed until {moment(one.until)}: {one.why}" for one in state.delays)
    yield from (f"refused: {one.code} {one.field} {one.text}".rstrip() for one in state.refusals)
    yield from (f"would send: {said}" for said in state.would_send)
    if state.waiting:
        yield f"orders that wait for it: {', '.join(state.waiting)}"
    for gap in state.gaps:
        if not any(case.code is gap for case in state.cases):
            yield f"found by the audit: {gap}; closed by a person, or enough of its kind are open"
    for case in state.cases:
        yield f"case {case.code}: {case.detail} (owner {case.owner}, due {moment(case.due_at)})"


def _item(item: ErpItem) -> str:
    barcode = f", barcode {item.barcode}" if item.barcode else ""
    sold = "" if item.active else ", no longer sold"
    return f"item {item.id}, {item.code!r}: {item.description!r}{barcode}{sold}{_measures(item.measures)}"


def _measures(of: Measures) -> str:
    """What Clarus takes by its product file only."""
    weight = f", {of.weight} kg" if of.weight is not None else ""
    sides = [side for side in (of.length, of.width, of.height) if side is not None]
    return weight + (f", {' x '.join(map(str, sides))} m" if sides else "")


def _offer(offer: Offer) -> str:
    barcode = f", barcode {offer.barcode}" if offer.barcode else ""
    said = ((not offer.active, "draft or archived"), (not offer.published, "not in the online store"))
    more = "".join(
        f", {text}" for so, text in (*said, (not offer.ships, "not shipped"), (offer.bundle, "a bundle")) if so
    )
    places = ", ".join(offer.stocked_at) or "no location"
    return f"variant {offer.id}, {offer.sku!r}{barcode}{more}, stocked at {places}{' and more' * offer.more_places}"


def _product(state: ItemState) -> str:
    product = state.product
    if state.product_at is None:
        return "not read yet"
    if product is None:
        return f"no product with this code, as of {moment(state.product_at)}"
    barcode = f", barcode {product.barcode}" if product.barcode else ""
    whose = "" if product.ours else ", not assigned to the brand's account"
    shared = ", serves another account too" if product.shared else ""
    stopped = ", stopped" if product.stopped else ""
    stock = f", free stock in {', '.join(product.stocked_in)}" if product.stocked_in else ""
    return f"product {product.id}: {product.description!r}{barcode}{whose}{shared}{stopped}{stock}"
