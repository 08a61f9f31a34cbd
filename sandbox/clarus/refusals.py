"""How the sandbox Clarus says no: a status and a list of `{code, symbol, details, source, context}`.

Codes 36, 37, 39 and 59 and `product_code_exists` are Clarus' own (its API description 1.0.0); the symbols from 9000 on
are ours, because Clarus does not publish those of plain validation.
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from pydantic import ValidationError


class Symbol(Enum):
    """A reason: the code and the symbol a caller branches on."""

    EMPTY_IDS = (36, "empty_ids_provided")
    INVALID_IDS = (37, "invalid_ids_provided")
    NOT_ENOUGH_STOCK = (39, "not_enough_stocks_for_picking")
    ALREADY_ALLOCATED = (59, "goods_out_already_allocated")
    PRODUCT_CODE_EXISTS = (1, "product_code_exists")
    MISSING = (9001, "blank")
    TOO_LONG = (9002, "too_long")
    UNKNOWN_ATTRIBUTE = (9003, "unknown_attribute")
    INVALID = (9004, "invalid")
    NOT_FOUND = (9005, "not_found")
    FORBIDDEN = (9006, "forbidden")
    PROCESSING_STARTED = (9007, "goods_out_processing_started")
    COMPLETED = (9008, "goods_out_completed")
    WRONG_STATUS = (9009, "goods_out_in_wrong_status")


@dataclass(frozen=True, slots=True)
class Refusal:
    """One thing that is wrong. `context` tells the field where there is one."""

    symbol: Symbol
    details: str
    context: dict[str, Any] = field(default_factory=dict)

    def json(self) -> dict[str, Any]:
        code, symbol = self.symbol.value
        return {
            "code": code,
            "symbol": symbol,
            "details": self.details,
            "source": "Sandbox::Clarus",
            "context": self.context,
        }


class Refused(Exception):
    """A call that changed nothing, of the API or of a hand on the floor."""

    def __init__(self, status: int, *refusals: Refusal) -> None:
        super().__init__("; ".join(refusal.details for refusal in refusals))
        self.status = status
        self.refusals = refusals

    @property
    def symbols(self) -> tuple[Symbol, ...]:
        return tuple(refusal.symbol for refusal in self.refusals)

    def json(self) -> dict[str, Any]:
        return {"errors": [refusal.json() for refusal in self.refusals]}


def refused(symbol: Symbol, details: str, *, status: int = 422, **context: Any) -> Refused:
    """One reason, to be raised."""
    return Refused(status, Refusal(symbol, details, context))


def not_found(what: str, number: int) -> Refused:
    return refused(Symbol.NOT_FOUND, f"no {what} with id {number}", status=404, id=number)


def of_body(error: ValidationError) -> Refused:
    """A body that does not fit: one refusal per field."""
    symbols = {
        "missing": Symbol.MISSING,
        "string_too_short": Symbol.MISSING,
        "string_too_long": Symbol.TOO_LONG,
        "extra_forbidden": Symbol.UNKNOWN_ATTRIBUTE,
    }
    return Refused(
        422,
        *(
            Refusal(
                symbols.get(found["type"], Symbol.INVALID),
                f"{'.'.join(map(str, found['loc']))}: {found['msg']}",
                {"field": ".".join(map(str, found["loc"]))},
            )
            for found in error.errors(include_url=False, include_context=False)
        ),
    )
