"""What a person asked for, on `operator.actions`: who, why and what. JSON, so that a console can write it too."""

from typing import Literal

from schemas.base import Brand, Frozen, OrderId, Utc


class OperatorAction(Frozen):
    """`target` is a case code, a goods-out reference or '' for the whole order."""

    brand: Brand
    order: OrderId
    action: Literal["retry", "refresh", "close", "release_again"]
    target: str = ""
    who: str
    why: str = ""
    at: Utc
