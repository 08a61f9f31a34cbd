"""Which product Clarus should have of an item, and what stands in the way. Each rule is asked every time."""

import re
import unicodedata
from collections.abc import Callable, Iterator

from schemas.base import System
from schemas.cases import CaseCode
from schemas.commands import AmendProduct, CreateProduct
from schemas.config import BrandConfig
from schemas.items import ErpItem, Product
from schemas.limits import DESCRIPTION_MOST, PRODUCT_CODE_MOST
from streams.rules.items.state import ItemState
from streams.rules.orders.findings import Finding, Look, Waiting, Wanted

PRODUCT = "product"
"""The object of both commands: of a create and an amendment the newest counts."""

Rule = Callable[[ItemState, BrandConfig], Iterator[Finding]]


def described(item: ErpItem) -> str:
    """One line of text; what is longer than Clarus takes is cut: it is a label, and the ERP has the whole."""
    return re.sub(r"\s+", " ", item.description).strip()[:DESCRIPTION_MOST].rstrip()


def wrong_with(state: ItemState, item: ErpItem) -> Iterator[str]:
    """Why no product can be made of it, in words."""
    if not state.code:
        yield f"item {item.id} ({item.code!r}) has no code, or nothing is left of it by the brand's SKU rules"
    if len(state.code) > PRODUCT_CODE_MOST:
        yield f"its code has {len(state.code)} characters, Clarus takes {PRODUCT_CODE_MOST}"
    if _unscannable(state.code):
        yield f"its code {state.code!r} has space at an end, or characters that nobody can type"
    if _unscannable(item.barcode):
        yield f"its barcode {item.barcode!r} has space at an end, or characters that nobody can scan"
    if not described(item):
        yield "it has no description, and Clarus makes no product without one"
    elif any(unicodedata.category(letter) == "Cc" for letter in described(item)):
        yield "its description has control characters"


def _unscannable(text: str) -> bool:
    """Categories of Unicode: control, format, surrogate, private, unassigned; separators of lines."""
    return text != text.strip() or any(unicodedata.category(letter) in _NOT_TYPED for letter in text)


_NOT_TYPED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def is_bundle(state: ItemState, config: BrandConfig) -> bool:
    """The warehouse has it as its components only."""
    return any(state.code in (bundle.sku, config.skus.code_of(bundle.sku)) for bundle in config.bundles)


def _usable(state: ItemState, config: BrandConfig) -> ErpItem | None:
    """The one item of the ERP that a product can be made of."""
    if len(state.active) != 1 or is_bundle(state, config):
        return None
    (item,) = state.active
    return None if any(wrong_with(state, item)) else item


def unusable(state: ItemState, config: BrandConfig) -> Iterator[Finding]:
    """Rule: an item that cannot become a product is a case that names all that is wrong with it."""
    if len(state.active) == 1 and not is_bundle(state, config):
        wrong = [*wrong_with(state, state.active[0])]
        if wrong:
            yield Look(CaseCode.ITEM_UNUSABLE, state.order, "; ".join(wrong))


def colliding(state: ItemState, _config: BrandConfig) -> Iterator[Finding]:
    """Rule: several items that would be one product are a case; none of them is sent."""
    if len(state.active) > 1:
        named = ", ".join(f"{item.code!r} (item {item.id})" for item in state.active)
        yield Look(CaseCode.ITEM_CODES_COLLIDE, state.order, f"{named} would all be {state.code!r}")


def made(state: ItemState, config: BrandConfig) -> Iterator[Finding]:
    """Rule: what the ERP sells is a product of the brand's account in Clarus."""
    item = _usable(state, config)
    if item is None or (state.product is not None and state.product.ours):
        return
    yield _waiting(state, config, "not in Clarus yet" if state.product_at else "not read in Clarus yet")
    if state.product_at is None:
        return
    fields = {
        "item": item.id,
        "code": state.code,
        "account": config.account,
        "stock_unit": config.items.stock_unit,
        "description": described(item),
        "barcode": item.barcode if "barcode" in config.items.fields else "",
    }
    yield Wanted(CreateProduct, System.CLARUS, PRODUCT, f"product {state.code}: {described(item)}", fields=fields)


def amended(state: ItemState, config: BrandConfig) -> Iterator[Finding]:
    """Rule: the product says what the ERP says, in the brand's fields; one that others use too is left alone."""
    item, product = _usable(state, config), state.product
    if config.items.mode == "create" or item is None or product is None or not product.ours or product.shared:
        return
    target = differing(item, product, config)
    if not target:
        return
    yield _waiting(state, config, f"{', '.join(target)} not as in the ERP yet")
    fields = {"product": product.id, "code": state.code, "account": config.account, **target}
    said = ", ".join(f"{field} {text!r}" for field, text in target.items())
    yield Wanted(AmendProduct, System.CLARUS, PRODUCT, f"product {state.code}: {said}", fields=fields)


def differing(item: ErpItem, product: Product, config: BrandConfig) -> dict[str, str]:
    """What the ERP says and the product does not; what the ERP does not say is the warehouse's."""
    says = {"description": (described(item), product.description), "barcode": (item.barcode, product.barcode)}
    found = ((field, *says[field]) for field in sorted(config.items.fields))
    return {field: wanted for field, wanted, there in found if wanted and wanted != there}


def _waiting(state: ItemState, config: BrandConfig, detail: str) -> Waiting:
    """A refusal is a case of its own. Where nothing is written nothing is late, and Clarus is looked at again only when
    something else is known to change there, or an order waits: a catalogue that is observed costs no pace of orders.
    """
    written = config.items.writes and config.mode == "live"
    late = written and not state.refusals
    why = next((delay.why for delay in state.delays), "")
    return Waiting(
        name=PRODUCT,
        after=config.items.patience,
        code=CaseCode.ITEM_SLOW if late else None,
        object=state.order,
        detail=f"{detail}: {why}" if why else detail,
        read=(System.CLARUS,) if written or state.waiting or state.product_at is None else (),
    )


def refused(state: ItemState, _config: BrandConfig) -> Iterator[Finding]:
    """Rule: what Clarus refused is a case until it is accepted or not wanted any more."""
    for refusal in state.refusals:
        code = CaseCode.ITEM_BARCODE_TAKEN if refusal.code == "barcode_taken" else CaseCode.ITEM_REFUSED
        said = " ".join(part for part in (refusal.code, refusal.field, refusal.text) if part)
        yield Look(code, state.order, said)


def inactive(state: ItemState, _config: BrandConfig) -> Iterator[Finding]:
    """Rule: an item that the ERP no longer sells is told while the warehouse works with it. Nothing is deleted."""
    works = state.product is not None and state.product.ours and not state.product.stopped
    if works and state.sold and state.erp and not state.active:
        yield Look(CaseCode.ITEM_INACTIVE, state.order, f"{state.code!r} is inactive in the ERP")


def unreadable(state: ItemState, _config: BrandConfig) -> Iterator[Finding]:
    """Rule: an answer that nobody understands is a case."""
    for one in state.unreadable:
        yield Look(CaseCode.SNAPSHOT_UNREADABLE, state.order, f"{one.system}: {one.reason}")


ITEM_RULES: tuple[Rule, ...] = (unusable, colliding, made, amended, refused, inactive, unreadable)
