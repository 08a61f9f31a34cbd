"""From SKUs to the warehouse's product codes, and bundles to their components. A SKU is text to the last zero."""

from collections.abc import Iterator

from schemas.base import Sku
from schemas.cases import CaseCode
from schemas.commands import GoodsOutUnits
from schemas.config import BrandConfig
from schemas.limits import PRODUCT_CODE_MOST
from schemas.mapping import Bundle
from schemas.orders import FulfilmentOrderLine, Order
from streams.rules.orders.holds import Hold


def product_code(sku: Sku, config: BrandConfig) -> Sku:
    """As the warehouse knows it; a bundle has none of its own, see `units_of`."""
    return config.skus.code_of(sku)


def bundle_of(sku: Sku, config: BrandConfig) -> Bundle | None:
    return next((bundle for bundle in config.bundles if bundle.sku == sku), None)


def units_of(line: FulfilmentOrderLine, quantity: int, config: BrandConfig) -> tuple[GoodsOutUnits, ...]:
    """What the warehouse is to pick for so many units of a line."""
    bundle = bundle_of(line.sku, config)
    if bundle is None:
        code = product_code(line.sku, config)
        return (GoodsOutUnits(line=line.line, sku=code, shop_sku=line.sku, quantity=quantity),)
    return tuple(
        GoodsOutUnits(
            line=line.line, sku=part.sku, shop_sku=line.sku, quantity=part.quantity * quantity, each=part.quantity
        )
        for part in bundle.components
    )


def sku_holds(order: Order, config: BrandConfig) -> Iterator[Hold]:
    """Lines that ship without a SKU, and SKUs that no product code can be made of."""
    lines = [line for line in order.lines if line.requires_shipping and line.current_quantity > 0]
    bare = [line.id for line in lines if not line.sku]
    if bare:
        yield Hold(code=CaseCode.SKU_MISSING, named=f"line {', '.join(bare)}")
    wrong = [*_unusable({line.sku for line in lines if line.sku}, config)]
    if wrong:
        yield Hold(code=CaseCode.SKU_UNUSABLE, named="; ".join(wrong))


def _unusable(skus: set[Sku], config: BrandConfig) -> Iterator[str]:
    for sku, code in codes(skus, config):
        if not code.strip():
            yield f"{sku!r}: nothing is left of it"
        elif len(code) > PRODUCT_CODE_MOST:
            yield f"{sku!r}: longer than {PRODUCT_CODE_MOST} characters"
    yield from collisions(skus, config)


def codes(skus: set[Sku], config: BrandConfig) -> list[tuple[Sku, Sku]]:
    """Each SKU with its product code, without bundles."""
    return [(sku, product_code(sku, config)) for sku in sorted(skus) if bundle_of(sku, config) is None]


def collisions(skus: set[Sku], config: BrandConfig) -> Iterator[str]:
    """Different SKUs that would be one product in the warehouse: which was meant, nobody could tell."""
    by_code: dict[Sku, list[Sku]] = {}
    for sku, code in codes(skus, config):
        by_code.setdefault(code, []).append(sku)
    for code, same in by_code.items():
        if len(same) > 1:
            yield f"{', '.join(map(repr, same))} would all be {code!r}"
