"""One partition of a table as its changelog holds it now, and how two values of a key differ, in words."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from kernel.log import Log, Partition
from lockstep.reading import everything
from lockstep.replay.checks import Finding, foreign_value, half_put
from lockstep.replay.put import anew_at
from lockstep.replay.tables import ORDERS, FoldedTable
from schemas.events import CONFIG_ID, ConfigChanged
from streams.engine.changelog import BEGUN, WHOLE, Restored
from streams.engine.prefix import Prefix, unpack

PERSONAL = {"personal", "ship_to", "order_notes", "tags", "answer", "answers", "overridden"}
"""Fields of a state whose content is never printed: addresses, notes, and what people typed about a shopper."""
_CONFIG = f"/{CONFIG_ID}".encode()
BROKEN = (ValueError, OverflowError)
"""What other code's bytes raise when they are read as ours."""
SHOWN = 80
"""Characters of a value, at most."""


@dataclass(slots=True)
class Table:
    """The newest value per key, as a worker would restore it; `findings` are values that are none of ours.

    `anew_at`: the offset of its log at which it was emptied to be made anew; 0 if it never was.
    """

    of: FoldedTable
    number: int
    newest: dict[bytes, bytes] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    anew_at: int = 0


async def read_table(log: Log, number: int, of: FoldedTable = ORDERS, *, topic: str = "") -> Table:
    """Read it to its present end, from its changelog or a copy of that in another topic."""
    where = Partition(topic or of.state.name, number)
    table, restored = Table(of, number), Restored()
    async with everything(log, [where.topic], partitions=[number]) as records:
        async for record in records:
            if record.key is None or record.value is None:
                continue
            if record.key == BEGUN:
                table.findings.clear()  # what lay there does not count any more
            elif record.key == WHOLE:
                table.anew_at = anew_at(record.value)
            else:
                try:
                    unpack(record.value)
                except BROKEN as cause:
                    name = record.key.decode(errors="replace")
                    table.findings.append(foreign_value(where, record.offset, name, cause, of))
                    continue
            restored.note(record.key, record.value)
    if restored.under_way is not None:
        table.findings.append(half_put(where, restored.under_way, of))
    table.newest = restored.newest
    return table


@dataclass(frozen=True, slots=True)
class Difference:
    """What the log says of a key, and what the table says. `offset` is the event at which they part."""

    key: str
    number: int
    offset: int
    path: str
    fold_says: str
    table_says: str

    def __str__(self) -> str:
        return (
            f"{self.key} (partition {self.number}), {self.path}: the log says {self.fold_says}, "
            f"the table says {self.table_says}; at offset {self.offset}"
        )


def difference(of: FoldedTable, number: int, key: bytes, fold: bytes | None, table: bytes | None) -> Difference:
    """The first field in which the two values of a key differ. One of them may be missing."""
    name = key.decode(errors="replace")
    if table is None:
        assert fold is not None
        offset = unpack(fold)[0].last_offset
        return Difference(name, number, offset, of.key, f"it is there since offset {offset}", "nothing")
    there = _unpacked(table)
    if fold is None:
        offset = -1 if there is None else there[0].last_offset
        return Difference(name, number, offset, of.key, "nothing: no event tells of it", "it is there")
    prefix, body = unpack(fold)
    if there is None:
        return Difference(name, number, prefix.last_offset, "the value", "a state", "bytes that are no state of ours")
    if there[0].last_offset != prefix.last_offset:
        said = (f"{prefix.last_offset} was the last event folded", f"it was {there[0].last_offset}")
        return Difference(name, number, max(prefix.last_offset, there[0].last_offset), "last offset", *said)
    path, one, other = next(_first(json.loads(body), json.loads(there[1]), ()), ((), None, None))
    if path:
        hidden = bool(PERSONAL & set(path))
        return Difference(
            name, number, prefix.last_offset, ".".join(path), *(_shown(said, hidden=hidden) for said in (one, other))
        )
    for field_ in ("wake_at", "config_version"):
        if getattr(prefix, field_) != getattr(there[0], field_):
            said = (str(getattr(prefix, field_)), str(getattr(there[0], field_)))
            return Difference(name, number, prefix.last_offset, f"{field_} beside the state", *said)
    return Difference(name, number, prefix.last_offset, "the bytes", "the same fields", "them in another spelling")


def foreign(of: FoldedTable, number: int, key: bytes, value: bytes) -> Finding | None:
    """Whether a value of the table is no state as this release writes it."""
    model = ConfigChanged if key.endswith(_CONFIG) else of.fold.KIND
    try:
        model.model_validate_json(unpack(value)[1])
    except BROKEN as cause:
        return foreign_value(Partition(of.state.name, number), None, key.decode(errors="replace"), cause, of)
    return None


def _unpacked(value: bytes) -> tuple[Prefix, bytes] | None:
    """None: no state of ours."""
    try:
        prefix, body = unpack(value)
        json.loads(body)
    except BROKEN:
        return None
    return prefix, body


_MISSING = object()


def _first(one: Any, other: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    """The places in which two JSON values differ, in order."""
    match one, other:
        case dict(), dict():
            for name in (*one, *(name for name in other if name not in one)):
                yield from _first(one.get(name, _MISSING), other.get(name, _MISSING), (*path, name))
        case list(), list():
            for place in range(max(len(one), len(other))):
                mine = one[place] if place < len(one) else _MISSING
                theirs = other[place] if place < len(other) else _MISSING
                yield from _first(mine, theirs, (*path, str(place)))
        case _:
            if one != other or type(one) is not type(other):
                yield path, one, other


def _shown(value: Any, *, hidden: bool) -> str:
    if value is _MISSING:
        return "nothing"
    if hidden or isinstance(value, dict | list):
        return "something personal, not shown" if hidden else _names(value)
    text = json.dumps(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def _names(value: Any) -> str:
    """Of what is more than a plain value only what it is, for personal fields may be in it."""
    return f"a record with {', '.join(value)}" if isinstance(value, dict) else f"a list of {len(value)}"
