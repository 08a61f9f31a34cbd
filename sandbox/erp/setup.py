"""How the sandbox ERP is set up for its callers: item master, what a key may do, what it does by itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass
class ErpSetup:
    """`items`: SKU → barcode, '' for none; None accepts any SKU and lists none. `rights` are what every key may do.

    The settings are only told: this ERP never really fulfils anything by itself.
    """

    items: dict[str, str] | None = None
    rights: set[str] = field(default_factory=lambda: {"orders", "fulfilments"})
    settings: dict[str, bool] = field(default_factory=lambda: {"fulfils_by_itself": False, "back_orders": False})

    @classmethod
    def of(cls, skus: Sequence[str] | None) -> "ErpSetup":
        return cls(None if skus is None else dict.fromkeys(skus, ""))

    def page(self, offset: int, limit: int) -> Mapping[str, Any]:
        """Items in the order of their SKUs, and how many there are."""
        found = sorted((self.items or {}).items())
        shown = [{"sku": sku, "barcode": barcode} for sku, barcode in found[offset : offset + limit]]
        return {"items": shown, "total": len(found)}

    def json(self) -> Mapping[str, Any]:
        return {"rights": sorted(self.rights), "settings": dict(self.settings)}
