"""What the sandbox ERP checks in a body before it looks at its books."""

from collections.abc import Set
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.erp.records import SalesLine


class Refused(Exception):
    """The ERP says no. `status` is the HTTP status, `field` the place in what was sent, where there is one."""

    def __init__(self, status: int, code: str, message: str, field: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.field = field


def checked_order(body: Any, skus: Set[str] | None) -> tuple[str, dict[str, SalesLine]]:
    """Currency and lines by key. A SKU outside `skus` is refused; None accepts any. Raises Refused 422."""
    if not isinstance(body, dict) or not isinstance(body.get("lines"), list):
        raise Refused(422, "invalid", "expected an object with a list of lines", "lines")
    currency = body.get("currency")
    if not isinstance(currency, str) or len(currency) != 3:
        raise Refused(422, "invalid", "expected an ISO 4217 currency", "currency")
    lines: dict[str, SalesLine] = {}
    for at, entry in enumerate(body["lines"]):
        line = _checked_line(entry, f"lines.{at}")
        if line.line in lines:
            raise Refused(422, "line_twice", f"line {line.line!r} stands twice", f"lines.{at}.line")
        if skus is not None and line.sku not in skus:
            raise Refused(422, "unknown_item", f"no item {line.sku!r}", f"lines.{at}.sku")
        lines[line.line] = line
    return currency, lines


def checked_content(body: Any) -> dict[str, int]:
    """Units by line, in the order of the lines' keys. Raises Refused 422."""
    lines = body.get("lines") if isinstance(body, dict) else None
    if not isinstance(lines, dict) or not lines:
        raise Refused(422, "invalid", "expected lines: {line: units}", "lines")
    for line, quantity in lines.items():
        if not isinstance(quantity, int) or isinstance(quantity, bool) or quantity <= 0:
            raise Refused(422, "invalid", "expected a whole, positive number of units", f"lines.{line}")
    return dict(sorted(lines.items()))


def moment(text: str) -> datetime:
    """An aware moment from ISO 8601. Raises Refused 422."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Refused(422, "invalid", "expected an ISO 8601 time", "changed_since") from None
    if at.tzinfo is None:
        raise Refused(422, "invalid", "expected a time with its zone", "changed_since")
    return at.astimezone(UTC)


def _checked_line(entry: Any, where: str) -> SalesLine:
    if not isinstance(entry, dict):
        raise Refused(422, "invalid", "expected an object", where)
    for name in ("line", "sku", "unit_price"):
        if not isinstance(entry.get(name), str) or not entry[name]:
            raise Refused(422, "invalid", "expected text", f"{where}.{name}")
    quantity = entry.get("quantity")
    if not isinstance(quantity, int) or isinstance(quantity, bool) or quantity < 0:
        raise Refused(422, "invalid", "expected a whole number of units", f"{where}.quantity")
    try:
        price = Decimal(entry["unit_price"])
    except InvalidOperation:
        price = Decimal("NaN")
    if not price.is_finite():
        raise Refused(422, "invalid", "expected a decimal as text", f"{where}.unit_price")
    return SalesLine(entry["line"], entry["sku"], quantity, entry["unit_price"])
