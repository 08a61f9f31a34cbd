"""The verdict of a run as JSON and in words. Every number is counted in the outside world's own books."""

from collections.abc import Iterator, Mapping, Sequence

from pydantic import Field

from lockstep.demo.stock_report import StockReport
from schemas.base import Frozen


class Percentiles(Frozen):
    """Milliseconds over `n` cases; None when there were none."""

    n: int = 0
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None


def percentiles(milliseconds: Sequence[float]) -> Percentiles:
    """By nearest rank: each is a value that occurred."""
    ordered = sorted(milliseconds)

    def rank(hundredths: int) -> float | None:
        return round(ordered[-(-hundredths * len(ordered) // 100) - 1], 1) if ordered else None

    return Percentiles(n=len(ordered), p50=rank(50), p95=rank(95), p99=rank(99))


class Orders(Frozen):
    placed: int
    ready: int
    held: int


class Clarus(Frozen):
    goods_outs: int
    missing: int
    doubled: int
    unwanted: int


class Erp(Frozen):
    sales_orders: int
    fulfilments_posted: int
    missing: int
    doubled: int


class Shopify(Frozen):
    fulfillments: int
    missing: int
    doubled: int
    before_erp_posted: int
    without_tracking: int


class Latency(Frozen):
    """`…_lost_webhook` are orders of which Shopify lost a webhook: the poll found them."""

    webhook_to_goods_out: Percentiles
    webhook_to_goods_out_lost_webhook: Percentiles
    despatch_to_tracking: Percentiles


class Held(Frozen):
    """Orders that something kept back, by the fold of the log. What every order passes counts apart: `passing` only
    waited for the shop's routing, a date or the end of the edit window.

    `orders` is the sum of `released_by_themselves`, `released_by_person` (a reason stood, and somebody had overridden
    it), `ended` (cancelled meanwhile) and `still`. An order counts in `by_reason` under each reason it ever had, in
    `still_by_reason` under each it has now.
    """

    orders: int = 0
    by_reason: dict[str, int] = Field(default_factory=dict)
    released_by_themselves: int = 0
    released_by_person: int = 0
    ended: int = 0
    still: int = 0
    still_by_reason: dict[str, int] = Field(default_factory=dict)
    passing: int = 0


class Cases(Frozen):
    opened: int = 0
    open: int = 0
    by_code: dict[str, int] = Field(default_factory=dict)


class Report(Frozen):
    """`kills` were asked for; `restarts` are processes that ended by themselves and were started again."""

    in_step: bool
    seconds: float
    orders: Orders
    held: Held = Held()
    clarus: Clarus
    erp: Erp
    shopify: Shopify
    latency_ms: Latency
    dead_letters: int
    cases: Cases
    seed: int = 0
    erp_kind: str = ""
    faults: str = ""
    kills: int = 0
    restarts: int = 0
    stock: StockReport | None = None
    """Of a sale; None where no stock was counted."""
    why_not: tuple[str, ...] = ()
    """What keeps `in_step` from being true, a sentence each."""


Row = tuple[str, str, str, bool]
"""Where, number, what it is in one sentence, and whether it must be zero."""


def rows(report: Report) -> Iterator[Row]:
    """The report for people."""
    o, c, e, s = report.orders, report.clarus, report.erp, report.shopify
    yield "Shopify", str(o.placed), "orders were placed by shoppers", False
    yield "", str(o.ready), "of them became complete and are owed to their shoppers", False
    yield (
        "",
        str(o.held),
        "were incomplete, cancelled or cannot be shipped, and stay held until somebody mends them",
        False,
    )
    yield "Clarus", str(c.goods_outs), "goods-outs stand in the warehouse's book", False
    yield "", str(c.missing), "orders are owed and the warehouse was not asked for all of their units", True
    yield "", str(c.doubled), "orders have more units asked for than were ordered", True
    yield "", str(c.unwanted), "goods-outs are there that nobody owes, or came before their order was complete", True
    yield "ERP", str(e.sales_orders), "sales orders stand in the ERP", False
    yield "", str(e.fulfilments_posted), "fulfilments are posted there", False
    yield "", str(e.missing), "orders lack their sales order, or left the warehouse and are not posted in full", True
    yield (
        "",
        str(e.doubled),
        "orders stand in the ERP twice, with more units than are owed or left, or were never placed",
        True,
    )
    yield (
        "Shopify",
        str(s.fulfillments),
        "fulfilments with tracking told shoppers that their parcel is on its way",
        False,
    )
    yield "", str(s.missing), "orders left the warehouse and their shopper was not told of all units", True
    yield "", str(s.doubled), "orders had more units told than left the warehouse", True
    yield "", str(s.before_erp_posted), "fulfilments reached Shopify before the ERP had posted that despatch", True
    yield "", str(s.without_tracking), "fulfilments have no tracking number", True
    if report.stock is not None:
        yield from _stock(report.stock)
    yield "Lockstep", str(report.dead_letters), "records could not be read and lie in the dead letters", False
    h = report.held
    yield "", str(h.orders), f"orders were held for a reason: {_codes(h.by_reason)}", False
    yield "", str(h.released_by_themselves), "of them left by themselves when the last reason was gone", False
    yield "", str(h.released_by_person), "left because a person let them go in spite of a reason", False
    yield "", str(h.ended), "were cancelled while they were held", False
    yield "", str(h.still), f"are held still: {_codes(h.still_by_reason)}", False
    yield "", str(h.passing), "others only waited for routing, a date or the end of the edit window", False
    yield "", str(report.cases.opened), "cases were opened for people during the run", False
    yield "", str(report.cases.open), f"of them are open now: {_codes(report.cases.by_code)}", False


def _stock(stock: StockReport) -> Iterator[Row]:
    excused = sum(stock.window_oversold.values())
    by_cause = ", ".join(f"{cause} {units}" for cause, units in stock.window_oversold.items()) or "none"
    causes = ", ".join(f"{cause} {count}" for cause, count in stock.drift_repaired_by_cause.items()) or "none"
    yield "Stock", str(stock.units_sold), "units were sold", False
    yield "", str(stock.oversold), "of them could not be shipped when they were sold: sold twice", True
    yield "", str(excused), f"more in the moments after others moved stock: {by_cause}", False
    lasted = ", ".join(f"{cause} {seconds:.0f} s" for cause, seconds in stock.longest_window.items()) or "none"
    yield "", str(len(stock.longest_window)), f"causes opened such moments; the longest lasted: {lasted}", False
    yield "", str(stock.undersold_beyond_buffer), "units could be shipped and are not offered at the end", True
    yield "", str(stock.still_beyond), "units are offered at the end that cannot be shipped", True
    yield "", str(stock.writes), f"calls wrote figures, {stock.items_per_write} a call; why: {causes}", False
    yield "", str(stock.compares_lost), "figures were refused because Shopify's had moved, and decided anew", False
    yield "", str(stock.stale_overwrites), "figures were written over without looking", True


def latencies(report: Report) -> Iterator[tuple[str, Percentiles]]:
    one = report.latency_ms
    yield "order complete in Shopify → goods-out in the warehouse", one.webhook_to_goods_out
    yield "the same where Shopify lost a webhook (found by the poll)", one.webhook_to_goods_out_lost_webhook
    yield "despatch → tracking in Shopify (the ERP's own posting time is in it)", one.despatch_to_tracking


def _codes(by_code: Mapping[str, int]) -> str:
    return ", ".join(f"{code} {count}" for code, count in sorted(by_code.items())) or "none"
