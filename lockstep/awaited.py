"""What an order waits for, in plain words: what is held and why, since when, and what happens next."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from lockstep.case_words import moment
from schemas.cases import CATALOGUE, Case, CaseCode
from schemas.config import BrandConfig
from streams.rules.orders.findings import Waiting
from streams.rules.orders.plan import asked
from streams.rules.orders.state import OrderState, Overridden

HOLD = "hold"
"""What the names of waits that keep an order back begin with; the code follows."""

_SAID = {
    "first-read": "it had begun before we knew it: Clarus and the ERP are asked first what they have",
    "clarus-doubted": "Clarus lost sight of much at once: nothing is created until it can be believed again",
    "create": "sent to the warehouse, and the goods-out is not seen in Clarus yet",
    "item": "a product that Clarus does not have yet; it is made from the ERP's item, and then the goods-out",
    "despatch": "in the warehouse, and not despatched yet",
    "missing": "the goods-out is gone from Clarus though we did not cancel it; nothing is created in its place",
    "cancel": "Clarus was asked to cancel the goods-out, and it is not seen cancelled yet",
    "erp-commit": "sent to the ERP, and the sales order is not committed yet",
    "erp-post": "despatched, and not posted in the ERP yet; the shopper is told when it is",
    "tell": "posted, and Shopify does not show the fulfilment yet",
    "tracking": "despatched without a tracking number",
    "track": "the tracking number is there, and Shopify does not show it yet",
    "drift": "the three systems differ and nothing explains it yet: all are read again",
    "manifest": "the shipment failed to manifest, so no carrier knows of the parcel",
    "orphan-posting": "the ERP has a posting of a goods-out that Clarus does not show",
    "orphan-sale": "the ERP has a sales order, and Shopify has no such order",
    "sweep": "the nightly comparison is under way, or due",
    "not-owed": "left, and Shopify does not let us fulfil it: it is read again in case that changes",
}
"""By what stands before the colon in a wait's name; a goods-out's reference follows."""


def holds_of(state: OrderState) -> tuple[CaseCode, ...]:
    """What keeps the order back, as it was last planned."""
    names = [since.name.split(":") for since in state.since]
    return tuple(code for code in CaseCode if any(name[0] == HOLD and code in name[1:] for name in names))


def still_holding(state: OrderState, config: BrandConfig, codes: Iterable[CaseCode]) -> Iterator[str]:
    """What would hold the order if these were overridden, in words."""
    lifted = (Overridden(code=code, who="", why="", at=state.now) for code in codes)
    without = state.model_copy(update={"overridden": (*state.overridden, *lifted)})
    for waiting in asked(without, config):
        if isinstance(waiting, Waiting) and waiting.name.startswith(f"{HOLD}:") and waiting.code is not None:
            yield f"{waiting.code}, {waiting.detail}. {CATALOGUE[waiting.code].first_action}"


def awaited(state: OrderState, config: BrandConfig | None) -> Iterator[str]:
    """Every wait in two lines: what and since when, and what happens next. Empty: nothing is waited for."""
    if config is None:
        yield "waits: the brand is not configured, so nothing is decided"
        yield "  next: lockstep config apply FILE"
        return
    for waiting in asked(state, config):
        if isinstance(waiting, Waiting):
            yield from _wait(state, waiting)
    yield from (f"sent: {command.object}, no outcome yet" for command in state.in_flight)
    yield from (f"delayed: {one.object} until {moment(one.until)}: {one.why}" for one in state.delays)
    for one in state.refusals:
        yield f"refused: {one.object}: {one.code} {one.field} {one.text}".rstrip()
        yield f"  next: it is tried again by itself; at once: lockstep case retry {state.brand}/{state.order}"
    yield from (f"would send: {said}" for said in state.would_send)


def decided(state: OrderState) -> Iterator[str]:
    """What people decided about this order, for good."""
    for one in state.overridden:
        yield f"overridden: {one.code} by {one.who} {moment(one.at)}: {one.why}"
    for answer in state.answers:
        said = f"{answer.code} {answer.object}: {answer.answer}"
        yield f"answered: {said}, by {answer.who} {moment(answer.at)}: {answer.why}"


def at_ease(state: OrderState) -> str:
    """What there is to say of an order that waits for nothing."""
    if state.order.startswith("~"):
        return f"the connection is {state.connection}" if state.connection else "nothing is known of the connection"
    if state.shopify_gone:
        return "nothing to do: Shopify has no such order"
    if state.shopify is None:
        return "nothing to do: it was in step and has left the hot state"
    if state.shopify.cancelled_at is not None:
        return "nothing to do: it is cancelled"
    if state.at_rest_since is not None:
        return f"nothing to do since {moment(state.at_rest_since)}"
    return "nothing is waited for"


def _wait(state: OrderState, waiting: Waiting) -> Iterator[str]:
    kind, _, about = waiting.name.partition(":")
    since = state.since_of(waiting.name) or state.now
    if kind == HOLD and waiting.code is not None:
        what = f"held: {waiting.code}, {waiting.detail}: {CATALOGUE[waiting.code].meaning}"
    else:
        what = f"waits: {about}: {_SAID.get(kind, kind)}" if about else f"waits: {_SAID.get(kind, kind)}"
    yield f"{what} Since {moment(since)}." if what.endswith(".") else f"{what}, since {moment(since)}"
    then = tuple(_next(state, waiting, since)) or tuple(_refused(state, about))
    if then:
        yield f"  next: {'; '.join(then)}"


def _next(state: OrderState, waiting: Waiting, since: datetime) -> Iterator[str]:
    if waiting.name.startswith(f"{HOLD}:") and waiting.code is not None:
        yield f"it goes on by itself when {CATALOGUE[waiting.code].closes_when}"
    for system in waiting.read:
        again = next((one.next_at for one in state.rereads if one.system is system), None)
        yield f"{system} is read again {'soon' if again is None else moment(again)}"
    if waiting.code is None:
        return
    open_case = next((one for one in state.cases if (one.code, one.object) == (waiting.code, waiting.object)), None)
    opens = since + timedelta(seconds=waiting.after)
    if open_case is not None:
        yield _is_open(open_case)
    elif opens > state.now:
        entry = CATALOGUE[waiting.code]
        yield f"if it lasts, a case {waiting.code} opens {moment(opens)} for {entry.owner}"


def _refused(state: OrderState, about: str) -> Iterator[str]:
    """Of a goods-out that Clarus refused: nothing is read and no other case opens until that is mended."""
    for one in state.refusals:
        if about and one.object == f"goods-out:{about}":
            yield f"{one.system} refused it, {one.code}"
    yield from (_is_open(case) for case in state.cases if case.object == about)


def _is_open(case: Case) -> str:
    return f"the case {case.code} is open, due {moment(case.due_at)} at {case.owner}"
