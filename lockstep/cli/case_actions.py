"""`case assign`, `answer`, `retry`, `override`, `release`, `close`, `release-again`: what a person does about a case.

Each writes one record of `operator.actions` with who and why, and says what will happen next. Typed twice it writes
nothing the second time, or something that changes nothing.
"""

from typing import Annotated

import typer

from lockstep.case_words import after_answer, goes_up
from lockstep.cli.acting import WHY, Order, Why, act, acted_on, person, who_asks
from lockstep.cli.common import finish, out, the_log
from lockstep.deciding import to_try_again
from lockstep.reading import newest_cases, read_state
from lockstep.settings import handle
from schemas.base import OrderKey, order_key
from schemas.cases import CATALOGUE, Case, CaseCode
from schemas.questions import QUESTIONS, answer_of
from streams.rules.items.state import ItemState
from streams.rules.orders.acted import may_go_again
from streams.rules.orders.state import KnownGoodsOut, OrderState
from streams.rules.stock.state import StockState

Code = Annotated[
    CaseCode, typer.Argument(help="the case's code, as `case list` shows it", metavar="CODE", show_choices=False)
]
About = Annotated[str, typer.Option("--object", help="only the case about this, where an order has several of a code")]
Leaves = Annotated[str, typer.Option(*WHY, help="why the order may leave; kept with the action")]

NOTHING_WRITTEN = "Nothing was written."


def assign(
    order: Order,
    code: Code,
    to: Annotated[str, typer.Option(help="a handle; yours (LOCKSTEP_OPERATOR) when left out")] = "",
    nobody: Annotated[bool, typer.Option("--nobody", help="free it instead")] = False,
    about: About = "",
) -> None:
    """Take a case, or give it to somebody. It stays with its owner; others see that someone is at it."""
    key = acted_on(order)
    try:
        taker = "" if nobody else handle(to) or who_asks()
    except ValueError as wrong:
        raise typer.BadParameter(str(wrong), param_hint="--to") from wrong
    found = _open(key, code, about)
    whose = f"{taker}'s" if taker else "nobody's"
    if all(case.assignee == taker for case in found):
        out.print(f"{key}: case {code} is {whose} already. {NOTHING_WRITTEN}")
        return
    finish(act(key, "assign", target=code, about=about, says=taker))
    out.print(f"{key}: case {code} is {whose} now.")
    up = goes_up(found[0])
    out.print(f"Next: {CATALOGUE[code].first_action} {up[0].upper()}{up[1:]}.")


def answer(
    order: Order,
    code: Code,
    said: Annotated[str, typer.Argument(metavar="ANSWER", help="one of those `case show` lists")],
    why: Why,
    about: About = "",
) -> None:
    """Answer a case's question. The answer is kept as a decision; with the same facts it is not asked again."""
    key = acted_on(order)
    question = QUESTIONS.get(code)
    if question is None:
        raise typer.BadParameter(f"{code} asks nothing: {CATALOGUE[code].first_action}", param_hint="CODE")
    if answer_of(code, said) is None:
        known = "; ".join(f"{one}: {what.next}" for one, what in question.answers.items())
        raise typer.BadParameter(f"expected one of these answers, found {said!r}. {known}", param_hint="ANSWER")
    found = _open(key, code, about)
    if all(case.answer == said for case in found):
        out.print(f"{key}: {code} is answered with {said} already. {NOTHING_WRITTEN}")
    else:
        finish(act(key, "answer", target=code, about=about, says=said, why=why))
        out.print(f"{key}: {code} is answered with {said}.")
    out.print(f"Next: {after_answer(found[0], said)}")


def retry(order: Order, why: Why = "") -> None:
    """Send again now what was refused or delayed for this order."""
    key = acted_on(order)
    if not to_try_again(_state(key)):
        out.print(f"{key}: nothing was refused or delayed. {NOTHING_WRITTEN} To have it read: lockstep refresh {key}")
        return
    finish(act(key, "retry", why=why))
    out.print(f"{key}: what was refused is tried again now.")
    out.print(
        "Next: the three systems are read, then it is sent as it is wanted by then. When it is refused again, the case "
        "stays open and says why."
    )


def override(order: Order, code: Code, why: Leaves) -> None:
    """Let an order leave in spite of one reason that holds it, for good. What is overridden stays on record."""
    key = acted_on(order)
    entry = CATALOGUE[code]
    if not entry.override:
        can = ", ".join(one for one, what in CATALOGUE.items() if what.override)
        raise typer.BadParameter(
            f"{code} cannot be overridden, for nothing could be sent then. {entry.first_action} Can be: {can}",
            param_hint="CODE",
        )
    finish(act(key, "override", target=code, why=why))
    out.print(f"{key}: {code} keeps this order back no more.")
    out.print(f"Next: {entry.override}. Another reason may still hold it: lockstep show {key}")


def release(order: Order, why: Leaves) -> None:
    """Let a held order leave in spite of every reason that may be overridden; names the others. Reads its log."""
    key = acted_on(order)
    with out.status(f"reading the log of {key} …"):
        made = finish(person().release(key, why))
    if made.unknown:
        out.print(f"{key}: {made.unknown}. {NOTHING_WRITTEN}")
        raise typer.Exit(1)
    if not made.held:
        out.print(f"{key}: nothing holds it. {NOTHING_WRITTEN} See lockstep show {key}")
        return
    for code in made.lifted:
        out.print(f"{key}: {code} is overridden: {CATALOGUE[code].override}.")
    for said in made.stays:
        out.print(f"{key}: cannot be overridden: {said}")
    if made.stays:
        out.print("Next: the order leaves when that is mended, too.")
        raise typer.Exit(1)
    out.print("Next: the order is released within seconds; the warehouse gets its goods-out.")


def close(order: Order, code: Code, why: Why, about: About = "") -> None:
    """Close a case that only a person can close; it opens again when its facts change."""
    key = acted_on(order)
    entry = CATALOGUE[code]
    if not entry.by_person:
        raise typer.BadParameter(
            f"{code} closes when {entry.closes_when}, not by hand. First: {entry.first_action}", param_hint="CODE"
        )
    _open(key, code, about)
    finish(act(key, "close", target=code, about=about, why=why))
    out.print(f"{key}: case {code} is closed.")
    out.print("Next: nothing is sent because of it. It opens again when its facts change.")


def release_again(
    order: Order,
    goods_out: Annotated[str, typer.Argument(help="reference of the goods-out whose units shall go again")],
    why: Why,
) -> None:
    """Release the units of a missing or short-closed goods-out again. The warehouse gets a new goods-out."""
    key = acted_on(order)
    state = _state(key)
    theirs = state.goods_outs if isinstance(state, OrderState) else ()
    known = next((one for one in theirs if one.reference == goods_out), None)
    if known is None:
        there = ", ".join(f"{one.reference} {_where(one)}" for one in theirs) or "none"
        out.print(
            f"{key}: expected a goods-out of this order, found {goods_out}. There are: {there}. {NOTHING_WRITTEN}"
        )
        raise typer.Exit(1)
    if known.given_up:
        out.print(f"{key}: what {goods_out} still covers may be released again already. {NOTHING_WRITTEN}")
        return
    if not may_go_again(known):
        out.print(
            f"{key}: expected a goods-out that has ended or is missing, found {goods_out} {_where(known)}: the "
            f"warehouse still works on it. {NOTHING_WRITTEN} Cancel it in Clarus first; when "
            f"`lockstep show {key}` says so, type this again."
        )
        raise typer.Exit(1)
    finish(act(key, "release_again", target=goods_out, why=why))
    out.print(f"{key}: what {goods_out} still covers may be released again.")
    out.print("Next: the warehouse gets a new goods-out for it. What left and was told is not sent again.")


def _state(key: OrderKey) -> OrderState | StockState | ItemState:
    """What the workers know of it. Nothing: says so, writes nothing, ends."""
    state = finish(read_state(the_log(), key))
    if state is None:
        out.print(
            f"{key}: not in the log. {NOTHING_WRITTEN} Is the order id right? `lockstep refresh {key}` asks the "
            "systems for it."
        )
        raise typer.Exit(1)
    return state


def _where(known: KnownGoodsOut) -> str:
    return "missing" if known.missing else known.goods_out.status


def _open(key: OrderKey, code: CaseCode, about: str) -> list[Case]:
    """The open cases that are meant. None: says what is there, writes nothing, ends; closed already is no mistake."""
    theirs = [case for case in finish(newest_cases(the_log())) if order_key(case.brand, case.order) == key]
    meant = [case for case in theirs if case.code is code and about in ("", case.object)]
    found = [case for case in meant if case.open]
    if found:
        return found
    if meant:
        out.print(f"{key}: case {code} is closed already. {NOTHING_WRITTEN}")
        raise typer.Exit
    there = ", ".join(f"{case.code} {case.object}" for case in theirs if case.open) or "none"
    named = f" about {about}" if about else ""
    out.print(f"{key}: expected an open case {code}{named}, found {there}. {NOTHING_WRITTEN}")
    raise typer.Exit(1)
