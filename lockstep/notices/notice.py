"""A notice: what is said of a case when it opens, goes up or closes. Nothing personal: no handle, no reason given."""

import json
from enum import StrEnum
from hashlib import sha256
from typing import Any, Literal

from lockstep.case_words import moment
from schemas.base import order_key
from schemas.cases import CATALOGUE, Case, Severity

Form = Literal["plain", "slack"]


class Stage(StrEnum):
    """In the order in which they come."""

    OPENED = "opened"
    ESCALATED = "escalated"
    CLOSED = "closed"


def stage_of(case: Case) -> Stage:
    if not case.open:
        return Stage.CLOSED
    return Stage.OPENED if case.escalated_at is None else Stage.ESCALATED


def id_of(*parts: str) -> str:
    """The same for the same, also after a restart; shows nothing of what it was made of."""
    return f"lk_{sha256('|'.join(parts).encode()).hexdigest()[:32]}"


def notice_id(case: Case) -> str:
    return id_of(case.key, case.opened_at.isoformat(), stage_of(case))


def body(case: Case, form: Form) -> bytes:
    """What is posted."""
    said: dict[str, Any] = {"text": _slack(case)} if form == "slack" else _plain(case)
    return json.dumps(said, separators=(",", ":")).encode()


def escaped(text: str) -> str:
    """For a chat that reads `<...>` and `&` as its own."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _plain(case: Case) -> dict[str, Any]:
    entry = CATALOGUE[case.code]
    return {
        "id": notice_id(case),
        "kind": f"case.{stage_of(case)}",
        **case.model_dump(mode="json", exclude={"assignee", "answer"}),
        "taken": bool(case.assignee),
        "meaning": entry.meaning,
        "first_action": entry.first_action,
        "closes_when": entry.closes_when,
        "command": _command(case),
    }


_MARK = {Severity.URGENT: ":red_circle:", Severity.HIGH: ":large_orange_circle:", Severity.NORMAL: ":white_circle:"}


def _slack(case: Case) -> str:
    entry, stage = CATALOGUE[case.code], stage_of(case)
    key = order_key(case.brand, case.order)
    if stage is Stage.CLOSED:
        return escaped(f":white_check_mark: *{case.code}* {key} closed: {entry.closes_when}")
    head = f"{_MARK[case.severity]} *{case.code}* {key} {case.object}: {case.detail}"
    up = f" It went up to *{case.escalated_to}*." if stage is Stage.ESCALATED else ""
    whose = f"{case.owner}, {case.severity}, due {moment(case.due_at)}.{up}"
    return escaped(f"{head}\n{entry.meaning}\n*First:* {entry.first_action}\n{whose}\n") + f"`{_command(case)}`"


def _command(case: Case) -> str:
    return f"lockstep case show {order_key(case.brand, case.order)}"
