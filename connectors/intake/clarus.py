"""Clarus' automations: which order or stock a posted record is about. Pure.

Automations post the full record, unsigned (Clarus' webhook guide); what it says is never applied, only looked up. No
complete sample is published, so `body.data` and `body` are both taken for the record.
"""

import re
from collections.abc import Mapping
from typing import Any

from schemas.base import OrderId
from schemas.errors import Unreadable
from schemas.references import read_reference

_OTHER_RESOURCES = frozenset(
    {
        "goods_out_pick_list", "goods_in", "load_drop", "putaway_task", "failure_event_log",
        "ftp_file", "ftp_import", "invoice", "daily_schedule", "weekly_schedule", "monthly_schedule",
        "one_time_schedule",
    }
)  # fmt: skip
"""Resources of Clarus' automations whose records are no goods-outs: the `id` in them names something else."""


def about_goods_outs(event: str) -> bool:
    """Whether an automation is about a goods-out, by what follows the token in its address: `goods_out.completed`.

    Nothing, or a word that is no resource of Clarus', is the operator's own way of naming it: then it is one.
    """
    return _resource_of(event) not in _OTHER_RESOURCES and not about_stock(event)


def about_stock(event: str) -> bool:
    """Whether an automation is about stock: a movement, or a balance."""
    return _resource_of(event) in ("stock", "stock_balance")


def balance_of(body: Mapping[str, Any]) -> OrderId:
    """`~balance/WAREHOUSE/CODE` of the record's warehouse and product. Raises Unreadable when it names none."""
    data = body.get("data")
    record = data if isinstance(data, Mapping) else body
    match record:
        case {"warehouse": {"code": str(warehouse)}, "product": {"code": str(code)}} if warehouse and code:
            return OrderId(f"~balance/{warehouse}/{code}")
    raise Unreadable("body", "a record with the codes of warehouse and product", "none")


def _resource_of(event: str) -> str:
    return re.split(r"[./]", event, maxsplit=1)[0]


def order_of(body: Mapping[str, Any], prefix: str | None) -> OrderId:
    """By our reference where the record bears one under `prefix`, else `~goods_out/ID` for the connector to resolve.

    `prefix` None: the brand is not configured yet. Raises Unreadable when there is no id either.
    """
    data = body.get("data")
    record = data if isinstance(data, Mapping) else body
    read = read_reference(str(record.get("reference") or ""))
    if read is not None and read[0] == prefix:
        return read[1]
    number = str(record.get("id", ""))
    if not (number.isascii() and number.isdigit()):
        raise Unreadable("body", "a record with a numeric id", "none")
    return OrderId(f"~goods_out/{number}")
