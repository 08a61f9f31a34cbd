"""Judges a run from the books of Shopify, Clarus and the ERP alone. Pure.

Units are counted per order line. For each order four figures are compared: what is owed (Shopify's book), what the
warehouse was asked for and despatched (Clarus' book), what is posted (the ERP's book), what the shopper was told
(Shopify's book).
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from lockstep.demo.parts import in_order_lines, order_line, recipes_of
from lockstep.demo.report import Cases, Clarus, Erp, Held, Latency, Orders, Report, Shopify, percentiles
from schemas.base import Brand, OrderId
from schemas.cases import Case, CaseCode
from schemas.references import read_reference

AFTER_CANCEL = frozenset({CaseCode.CANCELLED_AFTER_RELEASE, CaseCode.SHIPPED_NOT_OWED})
"""What people must look at where the shop cancels what the warehouse has begun."""
ALWAYS = datetime.min.replace(tzinfo=UTC)
Body = Mapping[str, Any]
Units = Counter[str]
"""Order line id → units."""


@dataclass(frozen=True, slots=True)
class Books:
    """As each system keeps them. `shops` maps a shop's domain to its brand, `prefixes` a brand to its references',
    `new_lines` codes of its shipping lines that were not mapped at first to the time from which on they were, if any.
    """

    shopify: Body
    clarus: Body
    erp: Body
    shops: Mapping[str, Brand]
    prefixes: Mapping[Brand, str]
    new_lines: Mapping[Brand, Mapping[str, str | None]] = field(default_factory=dict)

    def mapped_at(self, brand: Brand, order: Body) -> datetime | None:
        """From when on the order's shipping line was mapped; None while it is not."""
        new = self.new_lines.get(brand, {})
        if order.get("shipping") not in new:
            return ALWAYS
        at = new[order["shipping"]]
        return None if at is None else _at(at)


class Stage(StrEnum):
    """Where an order is, by the books."""

    INCOMPLETE = "incomplete: address, payment or routing is still missing"
    PLANTED = "planted: cannot be shipped, must end as a case"
    CANCELLED = "cancelled: nothing is owed any more, and what left all the same is a case"
    TO_RELEASE = "ready, the warehouse has not been asked yet"
    PICKING = "in the warehouse: waiting, picked or packed"
    WAITING_FOR_ERP = "despatched, waiting for the ERP to post it"
    TELLING = "posted, Shopify is being told"
    TOLD = "told: the shopper has tracking for every unit"


@dataclass(slots=True)
class Ledger:
    """One order through all books."""

    order: Body
    brand: Brand
    wanted: Units
    mapped_at: datetime | None
    """From when on its shipping line is mapped."""
    goods_outs: list[Body] = field(default_factory=list)
    asked: Units = field(default_factory=Counter)
    despatched: Units = field(default_factory=Counter)
    sales_orders: list[Body] = field(default_factory=list)
    posted: Units = field(default_factory=Counter)
    fulfilments: list[Body] = field(default_factory=list)
    told: Units = field(default_factory=Counter)

    @property
    def owed(self) -> bool:
        return bool(self.order["owed"])

    @property
    def oversold(self) -> bool:
        """Whether the ERP sells more than is owed. A cancelled order's sale may stand: it was owed when it was made."""
        if self.order["cancelled"]:
            return False
        return _lacks(self.sold if self.owed else Counter(), _sold(self.sales_orders))

    @property
    def sold(self) -> Units:
        """What the ERP is to hold: also what the shopper fetches."""
        return self.wanted + Counter({line["id"]: line["quantity"] for line in self.order["fetched"]})

    @property
    def stage(self) -> Stage:
        if self.order["planted"]:
            return Stage.PLANTED
        if self.order["cancelled"]:
            return Stage.CANCELLED
        if not self.owed:
            return Stage.INCOMPLETE
        if _lacks(self.asked, self.wanted):
            return Stage.TO_RELEASE
        if _lacks(self.told, self.despatched):
            return Stage.WAITING_FOR_ERP if _lacks(self.posted, self.despatched) else Stage.TELLING
        return Stage.PICKING if _lacks(self.despatched, self.asked) else Stage.TOLD


class Judged:
    """The books laid side by side."""

    def __init__(self, books: Books) -> None:
        self.ledgers: dict[tuple[Brand, OrderId], Ledger] = {}
        self.unwanted: list[Body] = []
        """Goods-outs that nobody owes."""
        self._strangers: set[tuple[Brand, OrderId]] = set()
        """Orders that stand in the ERP and that no shopper placed."""
        self._goods_outs = 0
        for order in books.shopify["orders"]:
            brand = books.shops[order["shop"]]
            wanted: Units = Counter({line["id"]: line["quantity"] for line in order["lines"]})
            self.ledgers[brand, OrderId(order["id"])] = Ledger(order, brand, wanted, books.mapped_at(brand, order))
        self._clarus(books)
        self._erp(books)
        for one in books.shopify["fulfillments"]:
            ledger = self.ledgers[books.shops[one["shop"]], OrderId(one["order"])]
            if not one["cancelled"]:
                ledger.fulfilments.append(one)
                ledger.told.update({line["line"]: line["quantity"] for line in one["lines"]})

    def _clarus(self, books: Books) -> None:
        for goods_out in books.clarus["goods_outs"]:
            if goods_out["by"] != "api":
                continue
            left = any(line["despatched"] for line in goods_out["lines"])
            if goods_out["ended"] and not left:
                continue
            self._goods_outs += 1
            brand = Brand(goods_out["tenant"])
            read = read_reference(goods_out["reference"])
            ours = read is not None and read[0] == books.prefixes.get(brand)
            ledger = self.ledgers.get((brand, read[1])) if ours and read is not None else None
            overtaken = ledger is not None and ledger.stage is Stage.CANCELLED and left
            if ledger is None or not (ledger.owed or overtaken) or _early(goods_out, ledger):
                self.unwanted.append(goods_out)
            if ledger is None:
                continue
            ledger.goods_outs.append(goods_out)
            recipes = recipes_of(ledger.order)
            figure = "despatched" if goods_out["ended"] else "units"
            ledger.asked.update(in_order_lines(_parts(goods_out, figure), recipes, begun=True))
            ledger.despatched.update(in_order_lines(_parts(goods_out, "despatched"), recipes, begun=False))

    def _erp(self, books: Books) -> None:
        for sale in books.erp["sales_orders"]:
            if ledger := self._known(Brand(sale["shop"]), OrderId(sale["key"])):
                ledger.sales_orders.append(sale)
        posted = [one for one in books.erp["fulfilments"] if one["state"] == "posted"]
        for one in posted:
            if ledger := self._known(Brand(one["shop"]), OrderId(one["order"])):
                ledger.posted.update({line["line"]: line["quantity"] for line in one["lines"]})
        self._sales_orders, self._posted = len(books.erp["sales_orders"]), len(posted)

    def _known(self, brand: Brand, order: OrderId) -> Ledger | None:
        ledger = self.ledgers.get((brand, order))
        if ledger is None:
            self._strangers.add((brand, order))
        return ledger

    # --- counts

    def stages(self) -> Counter[Stage]:
        return Counter(ledger.stage for ledger in self.ledgers.values())

    def orders(self) -> Orders:
        ready = sum(ledger.owed for ledger in self.ledgers.values())
        return Orders(placed=len(self.ledgers), ready=ready, held=len(self.ledgers) - ready)

    def clarus(self) -> Clarus:
        all_ = self.ledgers.values()
        return Clarus(
            goods_outs=self._goods_outs,
            missing=sum(one.owed and _lacks(one.asked, one.wanted) for one in all_),
            doubled=sum(_lacks(one.wanted, one.asked) for one in all_),
            unwanted=len(self.unwanted),
        )

    def erp(self) -> Erp:
        all_ = self.ledgers.values()
        return Erp(
            sales_orders=self._sales_orders,
            fulfilments_posted=self._posted,
            missing=sum(
                (one.owed and _lacks(_sold(one.sales_orders), one.sold)) or _lacks(one.posted, one.despatched)
                for one in all_
            ),
            doubled=len(self._strangers)
            + sum(len(one.sales_orders) > 1 or one.oversold or _lacks(one.despatched, one.posted) for one in all_),
        )

    def shopify(self) -> Shopify:
        all_ = self.ledgers.values()
        fulfilments = [one for ledger in all_ for one in ledger.fulfilments]
        return Shopify(
            fulfillments=len(fulfilments),
            missing=sum(one.stage is not Stage.CANCELLED and _lacks(one.told, one.despatched) for one in all_),
            doubled=sum(_lacks(one.despatched, one.told) for one in all_),
            before_erp_posted=sum(_before_posted(ledger.fulfilments) for ledger in all_),
            without_tracking=sum(not one["tracking"] for one in fulfilments),
        )

    def latency(self) -> Latency:
        told: list[float] = []
        lost: list[float] = []
        for ledger in self.ledgers.values():
            waited = list(_release_ms(ledger))
            (lost if ledger.order["webhooks"]["lost"] else told).extend(waited)
        tracking = [ms for ledger in self.ledgers.values() for ms in _tracking_ms(ledger)]
        return Latency(
            webhook_to_goods_out=percentiles(told),
            webhook_to_goods_out_lost_webhook=percentiles(lost),
            despatch_to_tracking=percentiles(tracking),
        )

    # --- the verdict

    def finished(self) -> bool:
        """Whether everything owed has been told, with tracking, and nothing is on its way."""
        on_the_way = self.stages().keys() - {Stage.TOLD, Stage.PLANTED, Stage.CANCELLED}
        return not on_the_way and not self.shopify().without_tracking

    def report(
        self, *, seconds: float, in_time: bool, cases: Sequence[Case], dead_letters: int, held: Held | None = None
    ) -> Report:
        """`cases`: every case of the run, open and closed. `held`: what the log says of held orders, where it was read;
        what it holds still must be what the books say was planted.
        """
        clarus, erp, shopify = self.clarus(), self.erp(), self.shopify()
        open_ = [case for case in cases if case.open]
        reasons = [*_counted(clarus, erp, shopify), *self.strays(open_), *self.silent(open_)]
        if held is not None:
            reasons.extend(self._held_otherwise(held))
        if not in_time:
            reasons.append("the end did not come in time")
        return Report(
            in_step=not reasons,
            seconds=round(seconds, 1),
            orders=self.orders(),
            held=held or Held(),
            clarus=clarus,
            erp=erp,
            shopify=shopify,
            latency_ms=self.latency(),
            dead_letters=dead_letters,
            cases=Cases(
                opened=len(cases), open=len(open_), by_code=dict(sorted(Counter(str(c.code) for c in open_).items()))
            ),
            why_not=tuple(reasons),
        )

    def _held_otherwise(self, held: Held) -> Iterator[str]:
        planted = Counter(str(one.order["planted"]) for one in self.ledgers.values() if one.order["planted"])
        if held.still_by_reason != planted:
            yield f"the log still holds orders for {held.still_by_reason}, planted were {dict(sorted(planted.items()))}"

    def strays(self, open_: Sequence[Case]) -> Iterator[str]:
        """A sentence for each open case that nobody planted, nor made by cancelling what the warehouse had begun."""
        for case in open_:
            ledger = self.ledgers.get((case.brand, case.order))
            if ledger is not None and ledger.stage is Stage.CANCELLED and case.code in AFTER_CANCEL:
                continue
            if ledger is None or ledger.order["planted"] != case.code:
                yield f"case {case.code} of {case.brand}/{case.order} is open, and nobody planted it"

    def silent(self, open_: Sequence[Case]) -> Iterator[str]:
        """A sentence for each planted order whose case is not open."""
        heard = {(case.brand, case.order, str(case.code)) for case in open_}
        for (brand, order), ledger in self.ledgers.items():
            planted = ledger.order["planted"]
            if planted and (brand, order, planted) not in heard:
                yield f"{brand}/{order} cannot be shipped ({planted}) and has no such case open"


def _counted(clarus: Clarus, erp: Erp, shopify: Shopify) -> Iterator[str]:
    must_be_zero = {
        "clarus": (clarus, ("missing", "doubled", "unwanted")),
        "erp": (erp, ("missing", "doubled")),
        "shopify": (shopify, ("missing", "doubled", "before_erp_posted", "without_tracking")),
    }
    for system, (figures, names) in must_be_zero.items():
        for name in names:
            if count := getattr(figures, name):
                yield f"{system}.{name} is {count}, expected 0"


def _parts(goods_out: Body, figure: str) -> Iterator[tuple[str, str, int]]:
    for line in goods_out["lines"]:
        yield order_line(line["external_reference"]), line["sku"], line[figure]


def _lacks(there: Units, wanted: Units) -> bool:
    """Whether some line has fewer units there than wanted."""
    return any(there[line] < quantity for line, quantity in wanted.items())


def _sold(sales_orders: Iterable[Body]) -> Units:
    sold: Units = Counter()
    for sale in sales_orders:
        for line in sale["lines"]:
            sold[line["line"]] += line["quantity"]
    return sold


def _early(goods_out: Body, ledger: Ledger) -> bool:
    """Whether the warehouse was asked before the order was complete and mapped, or while it could be changed."""
    free = _may_leave(ledger)
    return free is None or _at(goods_out["arrived_at"]) < free


def _may_leave(ledger: Ledger) -> datetime | None:
    if ledger.order["complete_at"] is None or ledger.mapped_at is None:
        return None
    return max(_at(ledger.order["complete_at"]), _at(ledger.order["fixed_at"]), ledger.mapped_at)


def _before_posted(fulfilments: Sequence[Body]) -> int:
    """How many came while the ERP's book did not show all that had been told by then as posted."""
    told: Units = Counter()
    count = 0
    for one in sorted(fulfilments, key=lambda one: _at(one["at"])):
        told.update({line["line"]: line["quantity"] for line in one["lines"]})
        posted: Units = Counter()
        for posting in one["posted_at_arrival"] or ():
            posted.update({line["line"]: line["quantity"] for line in posting["lines"]})
        count += _lacks(posted, told)
    return count


def _release_ms(ledger: Ledger) -> Iterator[float]:
    """Of what waited for a mapping nothing: it is planned again within a minute, spread, which is no measure here."""
    free = _may_leave(ledger)
    if ledger.owed and ledger.goods_outs and free is not None and free != ledger.mapped_at:
        first = min(_at(one["arrived_at"]) for one in ledger.goods_outs)
        yield (first - free).total_seconds() * 1000


def _tracking_ms(ledger: Ledger) -> Iterator[float]:
    """Per despatch that had its tracking at once: until Shopify's book has a fulfilment with it."""
    for goods_out in ledger.goods_outs:
        for despatch in goods_out["despatches"]:
            numbers = {number for number in despatch["tracking"] if number}
            told = [_at(one["at"]) for one in ledger.fulfilments if numbers & set(one["tracking"])]
            if told:
                yield (min(told) - _at(despatch["at"])).total_seconds() * 1000


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)
