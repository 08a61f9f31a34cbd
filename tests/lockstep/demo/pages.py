"""Pages of the outside world's books, literal: one order that is in step, and what a test changes on it."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from lockstep.demo.judge import Books, Judged
from lockstep.demo.report import Held, Report
from schemas.base import Brand, OrderId
from schemas.cases import CATALOGUE, Case, CaseCode

NOON = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)
ACME = Brand("acme")

Body = dict[str, Any]


def at(seconds: float) -> str:
    """So many seconds after noon."""
    return (NOON + timedelta(seconds=seconds)).isoformat()


def an_order(id_: str = "5012", **changed: Any) -> Body:
    """Two of line 1, complete at noon and owed."""
    order = {
        "shop": "acme.example.test", "id": id_, "name": "#1042", "placed_at": at(-9), "planted": "",
        "shipping": "standard", "webhooks": {"sent": 1, "lost": 0, "doubled": 0}, "fixed_at": at(-9),
        "complete_at": at(0), "cancelled": False, "owed": True,
        "lines": [{"id": "1", "sku": "0042-A", "quantity": 2, "kit": {}}], "fetched": [],
    }  # fmt: skip
    return order | changed


def a_planted_order(code: str = "unknown_sku") -> Body:
    return an_order(planted=code, owed=False)


def a_goods_out(
    generation: int = 1, *, reference: str = "", units: int = 2, despatched: int | None = None, **changed: Any
) -> Body:
    """Of order 5012; asked for at second 10, its units left at second 60 in parcel T-generation."""
    left = units if despatched is None else despatched
    goods_out = {
        "goods_out": 90_000 + generation, "arrived_at": at(10), "by": "api", "tenant": "acme",
        "reference": reference or f"ACME-5012-73-{generation}", "ended": None,
        "lines": [
            {
                "line": 1, "sku": "0042-A", "units": units, "despatched": left,
                "external_reference": "gid://shopify/LineItem/1",
            }
        ],
        "despatches": [{"at": at(60), "tracking": [f"T-{generation}"], "lines": []}] if left else [],
    }  # fmt: skip
    return goods_out | changed


def a_sale(order: str = "5012", quantity: int = 2) -> Body:
    return {"shop": "acme", "key": order, "lines": [{"line": "1", "sku": "0042-A", "quantity": quantity}]}


def a_posting(generation: int = 1, quantity: int = 2, *, order: str = "5012", state: str = "posted") -> Body:
    lines = [{"line": "1", "quantity": quantity}]
    return {
        "shop": "acme", "key": f"ACME-{order}-73-{generation}#1", "order": order, "state": state,
        "posted_at": at(66), "lines": lines,
    }  # fmt: skip


def a_fulfilment(
    number: int = 1, quantity: int = 2, *, posted: Sequence[Body] | None = None, order: str = "5012", **changed: Any
) -> Body:
    """Of parcel T-number, at second 70; `posted` is what the ERP showed at that moment, by default just enough."""
    fulfilment = {
        "shop": "acme.example.test", "id": str(number), "order": order, "at": at(69 + number), "cancelled": False,
        "lines": [{"line": "1", "quantity": quantity}], "tracking": [f"T-{number}"],
        "posted_at_arrival": list(posted) if posted is not None else [a_posting(1, 2)],
    }  # fmt: skip
    return fulfilment | changed


def books(
    orders: Iterable[Body] = (),
    goods_outs: Iterable[Body] = (),
    sales: Iterable[Body] = (),
    postings: Iterable[Body] = (),
    fulfilments: Iterable[Body] = (),
) -> Books:
    return Books(
        shopify={"orders": list(orders), "fulfillments": list(fulfilments)},
        clarus={"goods_outs": list(goods_outs)},
        erp={"sales_orders": list(sales), "fulfilments": list(postings)},
        shops={"acme.example.test": ACME},
        prefixes={ACME: "ACME"},
    )


def in_step() -> dict[str, list[Body]]:
    """The pages of one order that is in step; a test replaces some of them."""
    return {
        "orders": [an_order()],
        "goods_outs": [a_goods_out()],
        "sales": [a_sale()],
        "postings": [a_posting()],
        "fulfilments": [a_fulfilment()],
    }


def a_case(code: str = "unknown_sku", order: str = "5012", *, closed: bool = False) -> Case:
    entry = CATALOGUE[CaseCode(code)]
    return Case(
        brand=ACME, order=OrderId(order), object=order, code=CaseCode(code), opened_at=NOON, due_at=NOON,
        owner=entry.owner, severity=entry.severity, closed_at=NOON if closed else None,
    )  # fmt: skip


def verdict(of: Books, *cases: Case, in_time: bool = True, dead_letters: int = 0, held: Held | None = None) -> Report:
    return Judged(of).report(seconds=61.2, in_time=in_time, cases=cases, dead_letters=dead_letters, held=held)


MUST_BE_ZERO = (
    "clarus.missing", "clarus.doubled", "clarus.unwanted", "erp.missing", "erp.doubled", "shopify.missing",
    "shopify.doubled", "shopify.before_erp_posted", "shopify.without_tracking",
)  # fmt: skip


def wrong(report: Report) -> dict[str, int]:
    """The numbers that should be zero and are not."""
    figures = {name: getattr(getattr(report, name.split(".")[0]), name.split(".")[1]) for name in MUST_BE_ZERO}
    return {name: count for name, count in figures.items() if count}
