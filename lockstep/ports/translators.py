"""What each system's answers are in our terms."""

from collections.abc import Mapping

from connectors.clarus.translate import translate_goods_outs
from connectors.clarus.translate_items import translate_product
from connectors.clarus.translate_stock import translate_balance
from connectors.erp.sandbox import translate as translate_sandbox
from connectors.erp.sandbox import translate_items as translate_sandbox_items
from connectors.erp.tryton import translate as translate_tryton
from connectors.erp.tryton import translate_items as translate_tryton_items
from connectors.shopify.translate import translate_order
from connectors.shopify.translate_offers import translate_offers
from connectors.shopify.translate_stock import translate_level
from lockstep.settings import Connections, SettingsError
from schemas.base import Brand
from streams.agents.normalise import Translators


def translators(brands: Mapping[Brand, Connections]) -> Translators:
    """The ERP's translator follows from the connections; one kind of ERP for all brands of a cluster."""
    kinds = {one.erp.kind for one in brands.values()}
    if len(kinds) != 1:
        raise SettingsError(
            f"erp.kind: expected one kind of ERP for all brands, found {', '.join(sorted(kinds)) or 'none'}"
        )
    tryton = kinds == {"tryton"}
    return Translators(
        shopify=translate_order,
        clarus=translate_goods_outs,
        erp=translate_tryton if tryton else translate_sandbox,
        level=translate_level,
        balance=translate_balance,
        items=translate_tryton_items if tryton else translate_sandbox_items,
        product=translate_product,
        offers=translate_offers,
    )
