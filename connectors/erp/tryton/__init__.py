"""Tryton, a real open-source ERP, series 8.0."""

from connectors.erp.tryton.adapter import TrytonErp
from connectors.erp.tryton.master import Shop
from connectors.erp.tryton.translate import translate

__all__ = ["Shop", "TrytonErp", "translate"]
