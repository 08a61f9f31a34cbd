"""What is read of a web order in Tryton, and how changed ones are found."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from connectors.erp.tryton.client import Record, TrytonClient, as_moment, moment
from connectors.runtime.port import Changes
from schemas.base import OrderId

SALE = "sale.sale"
SHIPMENT = "stock.shipment.out"

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


async def changes_since(client: TrytonClient, web_shop: str, cursor: str) -> Changes:
    """Orders whose sale or shipment was written since the cursor, with overlap.

    The cursor is the newest stamp of Tryton's own; our clock plays no part. No outgoing webhook
    was found in Tryton (series 8.0), so this poll is how its postings are noticed.
    """
    since = datetime.fromisoformat(cursor) - OVERLAP if cursor else None
    stamps = ("create_date", "write_date")
    written = [] if since is None else [["OR", *([stamp, ">=", moment(since)] for stamp in stamps)]]
    sales = await client.search(SALE, [["web_shop.name", "=", web_shop], *written], [*stamps, "web_id"])
    shipments = await client.search(SHIPMENT, written, [*stamps, "outgoing_moves.origin"])
    orders = dict.fromkeys(order_of(sale) for sale in sales)
    origins = {move["origin"] for shipment in shipments for move in shipment["outgoing_moves"]}
    lines = sorted(int(origin.partition(",")[2]) for origin in origins if origin and origin.startswith("sale.line,"))
    if lines:
        domain = [["id", "in", lines], ["sale.web_shop.name", "=", web_shop]]
        for line in await client.search("sale.line", domain, ["sale.web_id"]):
            orders[order_of(line["sale"])] = None
    newest = [as_moment(record[stamp]) for record in [*sales, *shipments] for stamp in stamps if record[stamp]]
    if since is not None:
        newest.append(since + OVERLAP)
    return Changes(tuple(orders), max(newest).isoformat() if newest else cursor, proven=True)
