"""What all our records share: frozen, closed, times in UTC, money exact, ids that the type checker keeps apart."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, NewType, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, PlainSerializer

_set_given, _set_extra, _set_private = (
    vars(BaseModel)[slot].__set__ for slot in ("__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__")
)


class Frozen(BaseModel):  # noqa: PLW1641 - pydantic makes the hash of what is frozen
    """A record that never changes. An unknown field is an error: a typo in a configuration must not pass silently.

    The text of an error tells the place and what was expected, not what was found: that may be personal, or a secret.
    """

    __slots__ = ("worked_out",)
    """What was worked out of it, for whoever asks again; neither copied nor compared."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    def __eq__(self, other: object) -> bool:
        """As pydantic's, without what costs most of it: nothing of ours is generic, private or extra."""
        return self is other or (type(self) is type(other) and self.__dict__ == other.__dict__)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """As pydantic's, without what costs most of it: nothing of ours has private attributes or extra fields."""
        if deep:
            return super().model_copy(update=update, deep=True)
        mine, changes = self.__dict__, update or {}
        for name, value in changes.items():
            if mine.get(name) is not value:
                break
        else:
            return self  # frozen: nobody could tell
        given = self.__pydantic_fields_set__
        if not given.issuperset(changes):
            given = given.union(changes)
        copied = object.__new__(type(self))
        object.__setattr__(copied, "__dict__", {**mine, **changes})
        _set_given(copied, given)
        _set_extra(copied, None)
        _set_private(copied, None)
        return copied


def _to_utc(value: datetime) -> datetime:
    return value if value.tzinfo is UTC else value.astimezone(UTC)


Utc = Annotated[AwareDatetime, AfterValidator(_to_utc)]
"""An aware moment, always carried in UTC. A naive one is refused."""

Amount = Annotated[Decimal, PlainSerializer(str, return_type=str)]
"""An exact decimal; travels as its text, so that 1.50 stays 1.50."""

Brand = NewType("Brand", str)
OrderId = NewType("OrderId", str)
"""Shopify's numeric order id as text, `5012` of `gid://shopify/Order/5012`; `~clarus` etc. for a connection. What else
has a key of its own has an id with a kind before it, see `schemas.aggregates`.
"""
OrderKey = NewType("OrderKey", str)
"""`brand/order id`: the key of everything that bears on one order."""
LineId = NewType("LineId", str)
"""Shopify's numeric line item id as text. Stable across edits (Admin API, LineItem)."""
FulfilmentOrderId = NewType("FulfilmentOrderId", str)
FulfilmentOrderLineId = NewType("FulfilmentOrderLineId", str)
FulfilmentId = NewType("FulfilmentId", str)
LocationId = NewType("LocationId", str)
GoodsOutId = NewType("GoodsOutId", str)
"""Clarus' integer id as text (strings in its GraphQL, integers in its REST)."""
GoodsOutRef = NewType("GoodsOutRef", str)
"""Our reference in Clarus, at most 50 characters, see `schemas.references`."""
ErpOrderId = NewType("ErpOrderId", str)
Sku = NewType("Sku", str)
"""Text to the last zero: `0042-A` is not `42-A`."""
CommandId = NewType("CommandId", str)


class System(StrEnum):
    """The outside systems."""

    SHOPIFY = "shopify"
    CLARUS = "clarus"
    ERP = "erp"


class Money(Frozen):
    """An amount with its ISO 4217 currency."""

    amount: Amount
    currency: str


class Units(Frozen):
    """So many units of one order line."""

    line: LineId
    quantity: int


def order_key(brand: Brand, order: OrderId) -> OrderKey:
    return OrderKey(f"{brand}/{order}")


def split_key(key: str) -> tuple[Brand, OrderId]:
    """The brand and the order of a key. Raises ValueError when it is not `brand/order`."""
    brand, slash, order = key.partition("/")
    if not (brand and slash and order):
        msg = f"expected a key like brand/order, found {key!r}"
        raise ValueError(msg)
    return Brand(brand), OrderId(order)


def connection_id(system: System) -> OrderId:
    """The order-like id under which what is known about a whole connection is folded."""
    return OrderId(f"~{system}")
