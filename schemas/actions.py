"""What a person asked for, on `operator.actions`: who, why and what. JSON, so that a console can write it too."""

from typing import Literal

from schemas.base import Brand, Frozen, OrderId, Utc

ActionKind = Literal["retry", "refresh", "close", "release_again", "override", "assign", "answer", "sweep"]


class OperatorAction(Frozen):
    """`target` is a case code, a goods-out reference or '' for the whole order. Each may be written twice: the second
    changes nothing.

    retry, refresh    the order, or with a code what was refused
    close             the case `target`
    release_again     the goods-out `target`
    override          the hold `target`: the order may leave in spite of it
    assign            the case `target` to `says`, a handle; '' is nobody
    sweep             under a connection's key: the system is swept now; `says` is when it was asked, ISO 8601
    answer            the question of the case `target`, with `says`
    """

    brand: Brand
    order: OrderId
    action: ActionKind
    target: str = ""
    object: str = ""
    """Of the case, where an order has several of one code; '' is all of them."""
    says: str = ""
    who: str
    why: str = ""
    at: Utc
