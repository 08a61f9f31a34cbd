"""Whether we may: the account in Clarus, scopes at Shopify, rights in the ERP."""

from collections.abc import Iterator
from dataclasses import dataclass

from lockstep.audit.catalogue import Finding
from lockstep.audit.codes import Code
from lockstep.audit.seen import Seen

KINDS = ("merchant_managed", "third_party", "assigned")
"""Of fulfilment orders: an app sees and fulfils only the kinds it has scopes for (Admin API 2026-10)."""


@dataclass(frozen=True, slots=True)
class Need:
    """One of these scopes, and what for."""

    scopes: tuple[str, ...]
    what: str


ADVISED = (
    Need(("read_all_orders",), "to read orders older than 60 days again"),
    Need(("read_products",), "to compare SKUs, as this audit does"),
    Need(("read_inventory",), "to see where items are stocked"),
    Need(("write_inventory",), "to keep stock in step"),
)


def check_access(seen: Seen) -> Iterator[Finding]:
    config, scopes = seen.config, seen.shop.scopes
    if seen.clarus.accounts is not None:
        known = ", ".join(sorted(seen.clarus.accounts)) or "none"
        yield Finding.of(
            Code.ACCOUNT_UNKNOWN,
            [] if config.account in seen.clarus.accounts else [f"{config.account!r}; Clarus shows us {known}"],
        )
    if scopes is not None:
        held = scopes | {scope.replace("write_", "read_", 1) for scope in scopes if scope.startswith("write_")}
        for code, needs in ((Code.SCOPE_MISSING, _needed(seen)), (Code.SCOPE_ADVISED, ADVISED)):
            yield Finding.of(
                code, [f"{' or '.join(need.scopes)}, {need.what}" for need in needs if not held & set(need.scopes)]
            )
    yield Finding.of(Code.ERP_LACKING, list(seen.erp.lacking or ()))


def _needed(seen: Seen) -> tuple[Need, ...]:
    mapped = {rule.location for rule in seen.config.warehouses}
    own = any(place.id in mapped and not place.service for place in seen.shop.places or ())
    kinds = KINDS[:1] if own else KINDS
    return (
        Need(("read_orders",), "to read orders and get their webhooks"),
        Need(tuple(f"read_{kind}_fulfillment_orders" for kind in kinds), "to see what is to be shipped from where"),
        Need(tuple(f"write_{kind}_fulfillment_orders" for kind in kinds), "to tell the shopper what left"),
        Need(("read_locations", "read_inventory"), "to tell locations apart"),
    )
