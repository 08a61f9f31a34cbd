"""How an ERP is set up for a brand, for whoever checks it before orders flow. Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Item:
    """What the ERP can sell. `barcodes` is empty where it keeps none."""

    code: str
    barcodes: tuple[str, ...] = ()


class ErpSetup(Protocol):
    """Of one brand. Every method reads whole lists and raises ConnectorError."""

    async def items(self) -> Sequence[Item]:
        """The item master: all that an order of the brand may name."""
        ...

    async def lacking(self) -> Sequence[str]:
        """What a sales order or a fulfilment of ours would be refused for, in words; empty when nothing is."""
        ...

    async def automations(self) -> Sequence[str]:
        """What the ERP does by itself that we do, or that fills back-orders, in words; empty when nothing."""
        ...
