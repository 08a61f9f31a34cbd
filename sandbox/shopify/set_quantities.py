"""`inventorySetQuantities`: figures set by compare-and-set, whole calls or none, each key once (Admin API 2026-10).

That one stale element refuses the whole call comes from the community; the code of a list that is too long, and that
`inventoryAdjustmentGroup` is null when nothing moved, are assumed.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLError, GraphQLResolveInfo
from graphql.execution.values import get_directive_values

from sandbox.shopify.idempotency import Keys
from sandbox.shopify.inventory_books import Write, Wrote
from sandbox.shopify.shop import Shop
from sandbox.shopify.stock_views import item_view, location_view, must
from sandbox.shopify.views import View, gid, number_of, stamp

MOST_ELEMENTS = 250
MOST_UNITS = 1_000_000_000
WRITABLE = ("available", "on_hand")
REASONS = frozenset(
    {
        "correction", "cycle_count_available", "damaged", "movement_created", "movement_updated", "movement_received",
        "movement_canceled", "other", "promotion", "quality_control", "received", "reservation_created",
        "reservation_updated", "reservation_deleted", "restock", "safety_stock", "shrinkage",
    }
)  # fmt: skip
_REFERENCE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S+")

Input = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class UserError:
    """`field` None: about the call, not about one of its fields."""

    code: str
    message: str
    field: tuple[str, ...] | None = None

    def view(self) -> View:
        return {"code": self.code, "message": self.message, "field": None if self.field is None else list(self.field)}


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of a call: what moved, with its delta, or why nothing did. `group` is the id of the changes."""

    moved: tuple[tuple[Wrote, int], ...] = ()
    group: int = 0
    at: str | None = None
    errors: tuple[UserError, ...] = ()


class SetQuantities:
    """The mutation of one shop."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self.keys: Keys[Outcome] = Keys(shop.clock)

    def __call__(self, info: GraphQLResolveInfo, given: Input) -> View:
        """The payload. Raises GraphQLError for what Shopify refuses at the top of the answer."""
        must(self._shop, "write_inventory", "inventorySetQuantities")
        directive = info.schema.get_directive("idempotent")
        assert directive is not None
        stated = get_directive_values(directive, info.field_nodes[0], info.variable_values)
        if stated is None:
            raise _refused(
                "BAD_REQUEST", "The @idempotent directive is required for this mutation but was not provided."
            )
        elements: list[Input] = given["quantities"]
        if len(elements) > MOST_ELEMENTS:
            message = f"The input array size of {len(elements)} is greater than the maximum allowed of {MOST_ELEMENTS}."
            raise _refused("MAX_INPUT_SIZE_EXCEEDED", message)
        if any("changeFromQuantity" not in one for one in elements):
            raise _refused("INVALID_FIELD_ARGUMENTS", "InventoryQuantityInput must include changeFromQuantity.")
        return self._view(given, self._keyed(str(stated["key"]), given))

    def _keyed(self, key: str, given: Input) -> Outcome:
        parameters = json.dumps(given, sort_keys=True)
        wrotes = tuple(self._wrote(str(given["name"]), one) for one in given["quantities"])
        code, known = self.keys.refusal(key, parameters), self.keys.outcome(key)
        if code is not None:
            outcome, result = Outcome(errors=(UserError(code, "The idempotency key cannot be used for this."),)), code
        elif known is not None:
            outcome, result = known, "replayed"
        else:
            outcome = self._done(given, wrotes)
            result = outcome.errors[0].code if outcome.errors else "applied"
            self.keys.keep(key, parameters, outcome)
        self._shop.inventory.books.writes.append(
            Write(
                self._shop.clock.now(), "app", str(given["name"]), wrotes, result, key, str(given["reason"]),
                given.get("referenceDocumentUri"),
            )
        )  # fmt: skip
        return outcome

    def _done(self, given: Input, wrotes: Sequence[Wrote]) -> Outcome:
        if errors := tuple(self._errors(given, wrotes)):
            return Outcome(errors=errors)
        moved = self._shop.inventory.write(str(given["name"]), wrotes)
        return Outcome(tuple(moved), self._shop.new_id() if moved else 0, stamp(self._shop.clock.now()))

    def _errors(self, given: Input, wrotes: Sequence[Wrote]) -> Iterator[UserError]:
        if given["name"] not in WRITABLE:
            yield UserError(
                "INVALID_NAME", "The quantity name must be either 'available' or 'on_hand'.", ("input", "name")
            )
        if given["reason"] not in REASONS:
            yield UserError("INVALID_REASON", "The specified reason is invalid.", ("input", "reason"))
        reference = given.get("referenceDocumentUri")
        if reference is not None and _REFERENCE.fullmatch(reference) is None:
            where = ("input", "referenceDocumentUri")
            yield UserError("INVALID_REFERENCE_DOCUMENT", "The specified reference document is invalid.", where)
        times: Counter[tuple[int, int]] = Counter((one.item, one.location) for one in wrotes)
        for index, one in enumerate(wrotes):
            at = ("input", "quantities", str(index))
            if times[one.item, one.location] > 1:
                message = "The combination of inventoryItemId and locationId must be unique."
                yield UserError("NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR", message, at)
            wrong = self._wrong(one)
            if wrong is not None:
                yield UserError(wrong[0], wrong[1], (*at, wrong[2]))

    def _wrong(self, one: Wrote) -> tuple[str, str, str] | None:
        """Code, message and field of what is wrong with an element."""
        variant = self._shop.inventory.item(one.item)
        if variant is None:
            return "INVALID_INVENTORY_ITEM", "The specified inventory item could not be found.", "inventoryItemId"
        if variant.components:
            message = "The specified inventory item is not allowed to be adjusted via API."
            return "NON_MUTABLE_INVENTORY_ITEM", message, "inventoryItemId"
        if one.location not in self._shop.locations:
            return "INVALID_LOCATION", "The specified location could not be found.", "locationId"
        if one.to < 0:
            return "INVALID_QUANTITY_NEGATIVE", "The quantity can't be negative.", "quantity"
        if one.to > MOST_UNITS:
            return "INVALID_QUANTITY_TOO_HIGH", "The total quantity can't be higher than 1,000,000,000.", "quantity"
        if one.compare is not None and one.compare != one.was:
            message = "The changeFromQuantity value does not match persisted value."
            return "CHANGE_FROM_QUANTITY_STALE", message, "changeFromQuantity"
        return None

    def _wrote(self, name: str, element: Input) -> Wrote:
        item, location = number_of(element["inventoryItemId"]), number_of(element["locationId"])
        level, variant = self._shop.inventory.levels.get((item, location)), self._shop.inventory.item(item)
        was = level.quantity(name) if level is not None and name in WRITABLE else 0
        sku = None if variant is None else variant.sku
        return Wrote(item, location, sku, was, element["quantity"], element["changeFromQuantity"])

    # --- the answer

    def _view(self, given: Input, outcome: Outcome) -> View:
        group = None
        if outcome.moved:
            changes = [self._change(name, one, delta) for name in _moving(given) for one, delta in outcome.moved]
            group = {
                "__typename": "InventoryAdjustmentGroup",
                "id": gid("InventoryAdjustmentGroup", outcome.group),
                "createdAt": outcome.at,
                "reason": given["reason"],
                "referenceDocumentUri": given.get("referenceDocumentUri"),
                "changes": changes,
            }
        return {"inventoryAdjustmentGroup": group, "userErrors": [one.view() for one in outcome.errors]}

    def _change(self, name: str, one: Wrote, delta: int) -> View:
        variant = self._shop.inventory.item(one.item)
        return {
            "name": name,
            "delta": delta,
            "quantityAfterChange": None,
            "item": None if variant is None else item_view(self._shop, variant),
            "location": location_view(self._shop, one.location),
        }


def _moving(given: Input) -> tuple[str, ...]:
    """Either moves the other by as much (recorded for `available`)."""
    return (str(given["name"]), *(name for name in WRITABLE if name != given["name"]))


def _refused(code: str, message: str) -> GraphQLError:
    return GraphQLError(message, extensions={"code": code})
