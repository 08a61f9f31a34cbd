"""What is read of a web order in Tryton, and how changed ones are found."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from connectors.erp.tryton.client import Record, TrytonClient, as_moment, moment
from connectors.runtime.port import Changes
from kernel.clock import Clock
from schemas.base import OrderId

SALE = "sale.sale"
SHIPMENT = "stock.shipment.out"
STAMPS = ("create_date", "write_date")

SUPPLEMENT = "~"
"""`5012~2` is the web id of the second sale of order 5012: Tryton takes no new line once a sale is committed."""

SALE_FIELDS = (
    "number",
    "state",
    "web_id",
    "currency.code",
    "lines.note",
    "lines.quantity",
    "lines.unit_price",
    "lines.product.code",
    "shipments.reference",
    "shipments.state",
    "shipments.write_date",
    "shipments.outgoing_moves.origin",
    "shipments.outgoing_moves.quantity",
    "shipments.inventory_moves.origin",
    "shipments.inventory_moves.quantity",
)

OVERLAP = timedelta(seconds=30)
"""A record's stamp is taken before its transaction ends, so one may appear behind a cursor that has passed it."""


def order_of(sale: Record) -> OrderId:
    """The order a sale belongs to, first or supplement."""
    return OrderId(sale["web_id"].partition(SUPPLEMENT)[0])


async def sales_of(client: TrytonClient, web_shop: str, orders: Sequence[OrderId]) -> dict[OrderId, list[Record]]:
    """The sales of each order, the first one first, in the fields of SALE_FIELDS; orders without a sale left out."""
    supplements = [["web_id", "like", f"{order}{SUPPLEMENT}%"] for order in orders]
    domain = [["web_shop.name", "=", web_shop], ["OR", ["web_id", "in", list(orders)], *supplements]]
    found: dict[OrderId, list[Record]] = {}
    for sale in await client.search(SALE, domain, SALE_FIELDS):
        found.setdefault(order_of(sale), []).append(sale)
    return found


async def changes_since(client: TrytonClient, web_shop: str, since: datetime, clock: Clock) -> Changes:
    """Orders of which a sale, or a shipment of it, was written since, with overlap.

    The cursor is the newest stamp of Tryton's own, less the time the pages took: what was written meanwhile in a page
    that had been read comes again. No outgoing webhook was found in Tryton (series 8.0), so this poll is how its
    postings are noticed.
    """
    began, newest = clock.monotonic(), since
    orders: dict[OrderId, None] = {}
    for of in ("", "shipments."):
        stamps = [f"{of}{stamp}" for stamp in STAMPS]
        written = ["OR", *([stamp, ">=", moment(since - OVERLAP)] for stamp in stamps)]
        async for sale in client.every(SALE, [["web_shop.name", "=", web_shop], written], [*stamps, "web_id"]):
            orders[order_of(sale)] = None
            records = sale["shipments"] if of else [sale]
            newest = max((newest, *(as_moment(one[stamp]) for one in records for stamp in STAMPS if one.get(stamp))))
    reached = newest - timedelta(seconds=clock.monotonic() - began)
    return Changes(tuple(orders), max(since, reached).isoformat(), proven=True)
