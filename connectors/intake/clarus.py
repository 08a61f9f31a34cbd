"""Clarus' automations: which order a posted record is about. Pure.

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
        "goods_out_pick_list", "goods_in", "stock", "stock_balance", "load_drop", "putaway_task", "failure_event_log",
        "ftp_file", "ftp_import", "invoice", "daily_schedule", "weekly_schedule", "monthly_schedule",
        "one_time_schedule",
    }
)  # fmt: skip
"""Resources of Clarus' automations whose records are no goods-outs: the `id` in them names something else."""


def about_goods_outs(event: str) -> bool:
    """Whether an automation is about a goods-out, by what follows the token in its address: `goods_out.completed`.

    Nothing, or a word that is no resource of Clarus', is the operator's own way of naming it: then it is one.
    """
    return re.split(r"[./]", event, maxsplit=1)[0] not in _OTHER_RESOURCES


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
