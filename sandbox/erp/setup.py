"""How the sandbox ERP is set up for its callers: what a key may do, what it does by itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class ErpSetup:
    """`rights` are what every key may do. The settings are only told: this ERP never really fulfils by itself."""

    rights: set[str] = field(default_factory=lambda: {"orders", "fulfilments"})
    settings: dict[str, bool] = field(default_factory=lambda: {"fulfils_by_itself": False, "back_orders": False})

    def json(self) -> Mapping[str, Any]:
        return {"rights": sorted(self.rights), "settings": dict(self.settings)}
