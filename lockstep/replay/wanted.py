"""What would be commanded: the commands that one table has in flight and another has not."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from kernel.log import Log
from lockstep.reading import everything
from lockstep.replay.table import Difference, difference
from lockstep.replay.tables import ORDERS
from schemas.errors import Unreadable
from schemas.topics import COMMANDS
from streams.agents.orders import decode_command
from streams.engine.prefix import last_offset, unpack

_IN_FLIGHT = (b'"in_flight":', b'"withdrawn":')
"""Stand in the JSON of a state with commands on their way: the others need not be decoded."""
SHOWN = 20
"""Keys of a partition that are told one by one."""
KEPT = timedelta(milliseconds=min(topic.retention_ms or 0 for topic in COMMANDS.values()))


class Was(StrEnum):
    """Whether a command lies in its topic."""

    SENT = "was sent"
    NEVER_SENT = "was never sent"
    UNKNOWN = "is older than its topic is kept: whether it was sent cannot be told"


@dataclass(frozen=True, slots=True)
class Flying:
    """A command in flight. `last_offset`: of its order, in the table that has it in flight."""

    id: str
    key: str
    number: int
    kind: str
    object: str
    decided_at: datetime
    decided_offset: int
    last_offset: int
    was: Was = Was.UNKNOWN

    def __str__(self) -> str:
        decided = f"decided {self.decided_at:%Y-%m-%d %H:%M:%S} UTC at offset {self.decided_offset}"
        return f"{self.key}: {self.kind} {self.object}, {decided} of partition {self.number}; {self.was}"


def flying(number: int, key: bytes, value: bytes | None) -> dict[str, Flying]:
    """The commands in flight in one value of a table, withdrawals among them, by id."""
    if value is None or not any(mark in value for mark in _IN_FLIGHT):
        return {}
    prefix, body = unpack(value)
    state = json.loads(body)
    if not isinstance(state, dict):
        return {}
    return {
        one["id"]: Flying(
            id=one["id"],
            key=key.decode(),
            number=number,
            kind=one["kind"],
            object=one["object"],
            decided_at=datetime.fromisoformat(one["decided_at"]),
            decided_offset=one["decided_offset"],
            last_offset=prefix.last_offset,
        )
        for one in (*state.get("in_flight", ()), *state.get("withdrawn", ()))
    }


@dataclass(frozen=True, slots=True)
class Beside:
    """A rebuilt table of one partition beside the one in place.

    `waiting` counts the rebuilt one's commands in flight that a worker sends when it starts: of orders folded at or
    past its commit.
    """

    equal: int = 0
    differing: int = 0
    only_rebuilt: int = 0
    only_table: int = 0
    wanted: tuple[Flying, ...] = ()
    unwanted: tuple[Flying, ...] = ()
    waiting: int = 0
    first: tuple[Difference, ...] = ()
    """The first keys in which the two are not the same."""

    @property
    def same(self) -> bool:
        return not (self.differing or self.only_rebuilt or self.only_table)


def beside(number: int, rebuilt: Mapping[bytes, bytes], table: Mapping[bytes, bytes], committed: int | None) -> Beside:
    """`committed` None: the group has no commit, and nothing waits for its worker."""
    wanted: list[Flying] = []
    unwanted: list[Flying] = []
    unlike: list[bytes] = []
    equal = waiting = 0
    for key in rebuilt.keys() | table.keys():
        value, there = rebuilt.get(key), table.get(key)
        if value == there:
            equal += 1
        else:
            unlike.append(key)
            mine, theirs = flying(number, key, value), flying(number, key, there)
            wanted.extend(one for id_, one in mine.items() if id_ not in theirs)
            unwanted.extend(one for id_, one in theirs.items() if id_ not in mine)
        if committed is not None and value is not None and last_offset(value) >= committed:
            waiting += len(flying(number, key, value))
    first = sorted(unlike)[:SHOWN]
    only_rebuilt, only_table = len(rebuilt.keys() - table.keys()), len(table.keys() - rebuilt.keys())
    return Beside(
        equal=equal,
        differing=len(rebuilt.keys() & table.keys()) - equal,
        only_rebuilt=only_rebuilt,
        only_table=only_table,
        wanted=tuple(sorted(wanted, key=lambda one: (one.decided_offset, one.id))),
        unwanted=tuple(sorted(unwanted, key=lambda one: (one.decided_offset, one.id))),
        waiting=waiting,
        first=tuple(difference(ORDERS, number, key, rebuilt.get(key), table.get(key)) for key in first),
    )


async def were_sent(log: Log, commands: Sequence[Flying], now: datetime) -> list[Flying]:
    """The same, each with whether it lies in `commands.*`."""
    if not commands:
        return []
    keys, sent = {one.key.encode() for one in commands}, set[str]()
    async with everything(log, [topic.name for topic in COMMANDS.values()]) as records:
        async for record in records:
            if record.key in keys and record.value is not None:
                try:
                    sent.add(decode_command(record.value, dict(record.headers)).id)
                except Unreadable:
                    continue  # a dead letter of its connector
    return [replace(one, was=_was(one, sent, now)) for one in commands]


def _was(one: Flying, sent: set[str], now: datetime) -> Was:
    if one.id in sent:
        return Was.SENT
    return Was.UNKNOWN if now - one.decided_at > KEPT else Was.NEVER_SENT
