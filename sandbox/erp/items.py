"""The sandbox ERP's item master: what is sold, under a code that is text to the last zero."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any


@dataclass(frozen=True, slots=True)
class Item:
    """`id` is the ERP's own and never changes; the code may. Weight in kilograms, sizes in metres, decimals as text.

    `change` is the number of its newest change among all changes of items; it only grows.
    """

    id: int
    sku: str
    description: str
    barcode: str = ""
    weight: str | None = None
    length: str | None = None
    width: str | None = None
    height: str | None = None
    active: bool = True
    change: int = 0

    def json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in Item.__slots__}


class ItemMaster:
    """Nothing is checked, as in many an ERP: a code may be empty, a barcode stand twice. Nothing is deleted either."""

    def __init__(self, skus: Iterable[str] = ()) -> None:
        self._items: dict[int, Item] = {}
        """In the order of their newest change."""
        self._ids, self._changes = count(1), count(1)
        for sku in skus:
            self.enter(sku)

    def enter(self, sku: str, description: str | None = None, **fields: Any) -> Item:
        """A new item; without a description it is called after its code."""
        said = f"Item {sku}" if description is None else description
        return self._keep(Item(next(self._ids), sku, said, **fields))

    def change(self, sku: str, **fields: Any) -> Item:
        """Change every field that is named, `sku` of the first item with this code. Raises KeyError for none."""
        found = self.find(sku)
        if found is None:
            raise KeyError(sku)
        return self._keep(replace(found, **{("sku" if name == "code" else name): to for name, to in fields.items()}))

    def find(self, sku: str) -> Item | None:
        return next((item for item in sorted(self._items.values(), key=lambda it: it.id) if item.sku == sku), None)

    @property
    def skus(self) -> frozenset[str]:
        """Codes that an order may name."""
        return frozenset(item.sku for item in self._items.values() if item.active)

    def page(self, offset: int, limit: int) -> Mapping[str, Any]:
        """Items in the order of their codes, and how many there are."""
        found = sorted(self._items.values(), key=lambda it: (it.sku, it.id))
        return {"items": [item.json() for item in found[offset : offset + limit]], "total": len(found)}

    def of(self, ids: Sequence[int]) -> Mapping[str, Any]:
        """Those that there are."""
        found = [self._items[id_] for id_ in sorted(set(ids)) if id_ in self._items]
        return {"items": [item.json() for item in found], "total": len(found)}

    def changes(self, after: int, limit: int) -> Mapping[str, Any]:
        """Items whose newest change is numbered above `after`, oldest change first."""
        found = [item for item in self._items.values() if item.change > after]
        return {"items": [item.json() for item in found[:limit]], "total": len(found)}

    def _keep(self, item: Item) -> Item:
        changed = replace(item, change=next(self._changes))
        self._items.pop(item.id, None)
        self._items[item.id] = changed
        return changed
