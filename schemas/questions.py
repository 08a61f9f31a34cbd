"""What only a person can decide about a case, as a question asked once: the answer is kept with who gave it and why."""

from enum import StrEnum
from types import MappingProxyType

from schemas.base import Frozen
from schemas.cases import CaseCode


class Then(StrEnum):
    """What an answer does."""

    CLOSES = "closes"
    """The case closes, and stays closed while it says the same."""
    RELEASES = "releases"
    """What the goods-out still covers may be released again, which closes the case."""
    WAITS = "waits"
    """The case stays open until its fact is seen; nobody is asked again."""


class Answer(Frozen):
    """`next` says what happens then, in plain words."""

    then: Then
    next: str


class Question(Frozen):
    asks: str
    answers: dict[str, Answer]


def _question(asks: str, **answers: tuple[Then, str]) -> Question:
    named = {name.replace("_", "-"): Answer(then=then, next=said) for name, (then, said) in answers.items()}
    return Question(asks=asks, answers=named)


_C, _R, _W = Then.CLOSES, Then.RELEASES, Then.WAITS

QUESTIONS: MappingProxyType[CaseCode, Question] = MappingProxyType(
    {
        CaseCode.GOODS_OUT_MISSING: _question(
            "Shall the units of the goods-out that is gone be sent again?",
            send_again=(_R, "the warehouse gets a new goods-out for what is still owed"),
            keep_back=(_C, "nothing is sent for these units; cancel or refund them in Shopify"),
        ),
        CaseCode.CHANGED_AFTER_RELEASE: _question(
            "Shall the warehouse stop, or go on with what it has?",
            stop=(_W, "cancel the goods-out in Clarus; what Shopify wants is then released anew"),
            go_on=(_C, "the goods leave as the warehouse has them; what leaves is posted and told"),
        ),
        CaseCode.CANCELLED_AFTER_RELEASE: _question(
            "Can the warehouse stop, or will the parcel come back as a return?",
            stop=(_W, "cancel the goods-out in Clarus; the case closes when that is seen"),
            treat_as_return=(_C, "the parcel is left alone; take it back in Shopify when it arrives"),
        ),
        CaseCode.SHORT_CLOSED: _question(
            "Shall the missing units be refunded, or sent again?",
            refund=(_W, "refund them in Shopify; the case closes when the refund is seen"),
            send_again=(_R, "the warehouse gets a new goods-out for them"),
        ),
        CaseCode.OVER_DESPATCHED: _question(
            "What becomes of the units that were sent too many?",
            take_back=(_C, "nothing is sent or told; arrange the return with the shopper"),
            write_off=(_C, "nothing is sent or told; correct the stock in the ERP"),
        ),
        CaseCode.FULFILLED_BY_HAND: _question(
            "Is the parcel that was fulfilled by hand one of the warehouse's?",
            ours=(_W, "add the warehouse's tracking to the fulfilment in Shopify; the case closes when it is seen"),
            another=(_C, "the warehouse's own parcel is told as if the other did not exist"),
        ),
        CaseCode.RESHIP: _question(
            "Was the fulfilment cancelled to correct it, or shall the goods be sent again?",
            corrected=(_C, "nothing is sent; the shopper is not told again"),
            send_again=(_C, "nothing is sent by itself: make a new order in Shopify for the goods"),
        ),
        CaseCode.SHIPPED_NOT_OWED: _question(
            "Shall the parcel come back, or is it charged again?",
            take_back=(_C, "the shopper is told by you; nothing more is sent"),
            charge=(_C, "charge it in Shopify; nothing more is sent"),
        ),
        CaseCode.ORDER_GONE: _question(
            "Has the warehouse been told what to do with the goods-outs of the deleted order?",
            stopped=(_C, "nothing more is sent for this order"),
            let_go=(_C, "what leaves is posted in the ERP; nobody can be told in Shopify"),
        ),
    }
)


def answer_of(code: CaseCode, said: str) -> Answer | None:
    """What this answer does; None when the code asks nothing, or not that."""
    question = QUESTIONS.get(code)
    return None if question is None else question.answers.get(said)
