"""Tryton, a real open-source ERP, series 8.0."""

from connectors.erp.tryton.adapter import TrytonErp
from connectors.erp.tryton.master import Shop
from connectors.erp.tryton.translate import translate, translate_items

__all__ = ["Shop", "TrytonErp", "translate", "translate_items"]
