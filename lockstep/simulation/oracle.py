"""What must be true of the books, whatever happened: no effect twice, nothing too early, every order at its right end.

Reads the outside systems' books, the cases in the log and the account of what people were made to do; nothing else.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from lockstep.demo.judge import Books
from lockstep.simulation.evidence import Evidence, OrderStory, Told, Units, lines_of, read
from lockstep.simulation.history import Kind
from lockstep.simulation.people import OVERRIDE, Account
from schemas.cases import Case, CaseCode

EXPECTED: Mapping[str, frozenset[CaseCode]] = {
    Kind.CANCEL: frozenset(
        {CaseCode.CANCELLED_AFTER_RELEASE, CaseCode.SHIPPED_NOT_OWED, CaseCode.SHORT_CLOSED, CaseCode.ERP_REFUSED}
    ),
    Kind.HAND_FULFILMENT: frozenset(
        {CaseCode.FULFILLED_BY_HAND, CaseCode.SHIPPED_NOT_OWED, CaseCode.ORPHAN_FULFILMENT}
    ),
    Kind.CANCEL_FULFILMENT: frozenset({CaseCode.RESHIP}),
    Kind.DELETE_PENDING: frozenset({CaseCode.GOODS_OUT_MISSING}),
    Kind.SHORT_CLOSE: frozenset({CaseCode.SHORT_CLOSED, CaseCode.HALF_A_KIT}),
    Kind.OVER_DESPATCH: frozenset({CaseCode.OVER_DESPATCHED}),
}
"""Cases that may be left open at the end, by what people did to the order. What is not here must end without one."""

DOUBLES = frozenset({"asked twice", "told twice", "tracking told twice", "mailed twice", "posted twice"})
"""Rules that a write breaks which stood between its last check and its sending while its process was paused."""

FOUND_BY: Mapping[str, frozenset[CaseCode]] = {
    "asked twice": frozenset({CaseCode.UNKNOWN_GOODS_OUT, CaseCode.CHANGED_AFTER_RELEASE}),
    "told twice": frozenset({CaseCode.UNDESPATCHED}),
}
"""What such a double must have become, open or closed. Tracking told with units that had left is right as it stands, a
second mail leaves no trace in any system, and the ERP takes no second posting under one key.
"""

REPLACED = frozenset({Kind.READDRESS, Kind.CHOOSE})
"""For these a goods-out is taken back though as much is wanted as before. Where somebody deleted it at that moment, who
of the two it was nobody can see in Clarus.
"""

Compared = Callable[[str], Sequence[tuple[datetime, datetime]]]
"""Of an order's key: the sweeps that compared it, the first one first, by when each began and when it was compared."""

DECIDED = "release again"
"""An operator decided that what a goods-out did not bring may be sent once more."""


@dataclass(frozen=True, slots=True)
class Violation:
    """`rule` names what does not hold, `says` the order and the evidence."""

    rule: str
    says: str
    order: str = ""
    at: str = ""
    """When it came about, where that is known: ISO 8601."""

    def __str__(self) -> str:
        return f"{self.rule}: {self.order} {self.says}" if self.order else f"{self.rule}: {self.says}"


def never(books: Books, account: Account, told: Told) -> Iterator[Violation]:
    """What may not be so at any moment. `told`: see `evidence.read`."""
    evidence = read(books, told)
    for text in evidence.strange:
        yield Violation("stranger", text)
    for order in evidence.orders.values():
        for rule, says in _never(order, account, books.mapped_at(order.brand, order.book)):
            yield Violation(rule, says, f"{order.brand}/{order.id}", _last_effect(order))


def unsettled(books: Books, cases: Sequence[Case], account: Account) -> Iterator[Violation]:
    """What may be so for a while, and not at the end."""
    evidence: Evidence = read(books)
    open_: dict[tuple[str, str], set[CaseCode]] = {}
    for case in cases:
        if case.open:
            open_.setdefault((case.brand, case.order), set()).add(case.code)
    for key, order in evidence.orders.items():
        codes = open_.pop(key, set())
        for rule, says in _unsettled(order, codes, account):
            yield Violation(rule, says, f"{order.brand}/{order.id}")
    for (brand, name), codes in open_.items():
        yield Violation("case", f"open cases {', '.join(sorted(codes))}, of no order", f"{brand}/{name}")


def _last_effect(order: OrderStory) -> str:
    """When the last goods-out that doubled anything was made, or else the shopper was told last; '' for neither."""
    doubled = [at for at, _ in order.doubled_by]
    return max(doubled or [str(one["at"]) for one in order.tellings], default="")


def not_found(doubled: Iterable[Violation], cases: Sequence[Case], compared: Compared) -> Iterator[Violation]:
    """Nothing fences these doubles; but nobody may have to learn of one from the customer, and the first sweep that
    began after it finds it at the latest.
    """
    opened = {(f"{case.brand}/{case.order}", case.code): case.opened_at for case in cases}
    for one in doubled:
        codes = FOUND_BY.get(one.rule)
        if codes is None:
            continue
        found = min((at for code in codes if (at := opened.get((one.order, code))) is not None), default=None)
        if found is None:
            yield Violation("double not found", f"no case {' or '.join(sorted(codes))}: {one.says}", one.order)
            continue
        swept = next((end for begun, end in compared(one.order) if begun >= datetime.fromisoformat(one.at)), None)
        if swept is None:
            yield Violation("double not swept", f"no sweep compared the order after {one.at}", one.order)
        elif found > swept:
            yield Violation("double found late", f"at {found}, the first sweep after it ended at {swept}", one.order)


def _never(order: OrderStory, account: Account, mapped: datetime | None) -> Iterator[tuple[str, str]]:
    """`mapped`: from when on its shipping line was; None: never."""
    touched = account.orders.get(order.key, set())
    deleted_for_us = Kind.DELETE_PENDING in touched and touched & REPLACED
    if DECIDED not in touched and not deleted_for_us:
        for _, says in order.doubled_by:
            yield "asked twice", says
    for one in order.goods_outs.values():
        complete = order.book["complete_at"]
        fixed = "" if OVERRIDE in touched else order.book["fixed_at"]
        if order.book["planted"] or complete is None or one.arrived_at < max(complete, fixed):
            said = f"the order is complete {complete}, the shopper could change it until {fixed}"
            yield "asked too early", f"goods-out {one.number} came at {one.arrived_at}, {said}"
        if mapped is None or datetime.fromisoformat(one.arrived_at) < mapped:
            yield "asked too early", f"goods-out {one.number} came at {one.arrived_at}, its line was mapped {mapped}"
    told, left = order.told(standing=False, by_hand=frozenset(account.by_hand)), order.most_left
    if told - left:
        yield "told twice", f"told {dict(told)}, despatched at most {dict(left)}"
    if len(order.sales) > 1:
        yield "sold twice", f"{len(order.sales)} sales orders"
    if order.entered - left:
        yield "posted twice", f"entered in the ERP {dict(order.entered)}, despatched at most {dict(left)}"
    yield from _tellings(order, account)


def _tellings(order: OrderStory, account: Account) -> Iterator[tuple[str, str]]:
    told: Units = Counter()
    ours = [one for one in order.tellings if one["id"] not in account.by_hand]
    for one in sorted(ours, key=lambda one: str(one["at"])):
        told.update(lines_of(one))
        posted: Units = Counter()
        for posting in one["posted_at_arrival"] or ():
            posted.update(lines_of(posting))
        if told - posted:
            yield "told too early", f"fulfilment {one['id']}: told {dict(told)}, posted then {dict(posted)}"
        if one["mails"] > 1 + (len(one["tracking"]) > 0):
            yield "mailed twice", f"fulfilment {one['id']}: {one['mails']} mails"
    numbers = [number for one in ours for number in one["tracking"] if not one["cancelled"]]
    twice = {number for number in numbers if numbers.count(number) > 1}
    if twice and sum(bool(one.most_left) for one in order.goods_outs.values()) >= len(ours):
        yield "tracking told twice", f"{', '.join(sorted(twice))} in several fulfilments"


def _unsettled(order: OrderStory, codes: set[CaseCode], account: Account) -> Iterator[tuple[str, str]]:
    touched = account.orders.get(order.key, set())
    planted = order.book["planted"]
    if planted:
        if codes != {CaseCode(planted)}:
            yield "case", f"planted {planted}, open cases {sorted(codes)}"
        return
    expected = frozenset().union(*(EXPECTED.get(what, frozenset()) for what in touched))
    if strays := codes - expected:
        yield (
            "case",
            f"open cases {', '.join(sorted(strays))}; what happened to it: {', '.join(sorted(touched)) or '-'}",
        )
    lacking = list(_lacking(order, account))
    if lacking and not codes & expected:
        yield lacking[0]


def _lacking(order: OrderStory, account: Account) -> Iterator[tuple[str, str]]:
    """Why the order is not in step."""
    left, told, posted = order.left, order.told(standing=True), order.posted
    if left - posted:
        yield "not posted", f"despatched {dict(left)}, posted {dict(posted)}"
    if left - told:
        yield "not told", f"despatched {dict(left)}, told {dict(told)}"
    if working := [one.reference for one in order.goods_outs.values() if one.working]:
        yield "not despatched", f"goods-outs {', '.join(working)} are still worked on"
    if order.book["cancelled"]:
        return
    if order.wanted - told:
        yield "not released", f"owed {dict(order.wanted)}, told {dict(told)}, despatched {dict(left)}"
    ours = [one for one in order.tellings if not one["cancelled"] and one["id"] not in account.by_hand]
    if any(not one["tracking"] for one in ours):
        yield "no tracking", "told without tracking"
    for sale in order.sales[:1]:
        price = {line["id"]: (line["quantity"], Decimal(line["price"])) for line in order.sold_lines}
        sold = {line["line"]: (line["quantity"], Decimal(str(line["unit_price"]))) for line in sale["lines"]}
        if sold != price:
            yield "money", f"sold for {_words(sold)}, owed {_words(price)}"
    if not order.sales and (order.goods_outs or not _by_hand(order, account)):
        yield "not sold", "no sales order"


def _by_hand(order: OrderStory, account: Account) -> Units:
    return sum((lines_of(one) for one in order.tellings if one["id"] in account.by_hand), Counter())


def _words(lines: Mapping[str, tuple[int, Decimal]]) -> str:
    return ", ".join(f"{line}: {quantity} x {price}" for line, (quantity, price) in sorted(lines.items()))
