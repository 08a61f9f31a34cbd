"""Log and table of a partition beside each other: equal while workers run, and the first difference in words."""

import json
from pathlib import Path

import pytest

from kernel.log import Outgoing
from kernel.memory_log import MemoryLog
from lockstep.replay.table import difference
from lockstep.replay.tables import ORDERS as ORDERS_TABLE
from schemas.topics import ORDERS_STATE
from streams.agents.orders import orders_fold
from streams.engine.prefix import Prefix, pack, unpack
from tests.engine.events import Events, wanting
from tests.lockstep.replay.small_logs import ORDERS, after_a_day, append, committed, compared, newest_of

KEY = f"acme/{ORDERS[0]}"


def changed(log: MemoryLog, key: str, old: bytes, new: bytes, *, later: int = 0) -> Outgoing:
    """The newest state of a key with some bytes changed, behind it in the table."""
    record = newest_of(log, key)
    assert record.value is not None
    prefix, body = unpack(record.value)
    assert old in body
    value = pack(prefix._replace(last_offset=prefix.last_offset + later), body.replace(old, new))
    return Outgoing(ORDERS_STATE.name, record.key, value, {}, record.partition.number)


def test_a_table_that_its_worker_wrote_is_equal(tmp_path: Path) -> None:
    async def story(log: MemoryLog, _: Events) -> None:
        parts = await compared(log, tmp_path)
        assert all(one.equal and not one.findings and not one.rejected for one in parts)
        assert sum(one.keys for one in parts) == len(ORDERS) + len(parts), (
            "the configuration is a key of each partition"
        )
        assert {one.number: one.until for one in parts} == committed(log)
        assert len({one.log_digest for one in parts}) == len(parts)

    after_a_day(story)


def test_a_changed_field_is_named_with_what_both_say(tmp_path: Path) -> None:
    async def story(log: MemoryLog, _: Events) -> None:
        await append(log, changed(log, KEY, b'"financial_status":"PAID"', b'"financial_status":"VOIDED"'))
        (part,) = (one for one in await compared(log, tmp_path) if not one.equal)
        (said,) = part.differences
        assert (part.differing, said.key, said.path) == (1, KEY, "shopify.financial_status")
        assert str(said).startswith(f"{KEY} (partition {part.number}), shopify.financial_status: the log says")
        assert 'the log says "PAID", the table says "VOIDED"; at offset ' in str(said)

    after_a_day(story)


def test_what_is_personal_is_not_shown(tmp_path: Path) -> None:
    async def story(log: MemoryLog, _: Events) -> None:
        await append(log, changed(log, KEY, b"8 Mill Lane", b"9 Mill Lane"))
        (said,) = (said for one in await compared(log, tmp_path) for said in one.differences)
        assert said.path == "shopify.personal.ship_to.line1"
        assert "Mill Lane" not in str(said)

    after_a_day(story)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("shopify", "tags"), ["call Ida Marlow"]),
        (("overridden",), [{"code": "edit_window", "who": "kim", "why": "Ida Marlow rang"}]),
        (("answers",), [{"object": "X", "detail": "", "answer": "Ida Marlow keeps it"}]),
        (("cases",), [{"answer": "Ida Marlow keeps it"}]),
    ],
)
def test_nor_is_what_people_typed(place: tuple[str, ...], value: object) -> None:
    def state(of: object) -> bytes:
        nested = of
        for name in reversed(place):
            nested = {name: nested}
        return pack(Prefix(7, None, 1), json.dumps(nested).encode())

    another = json.loads(json.dumps(value).replace("Ida", "Ada"))
    others: list[object] = [another, []]
    for other in others:
        said = difference(ORDERS_TABLE, 0, KEY.encode(), state(value), state(other))
        assert "Marlow" not in str(said)


def test_a_key_that_the_table_has_lost_and_one_that_no_event_tells_of(tmp_path: Path) -> None:
    async def story(log: MemoryLog, _: Events) -> None:
        lost, foreign = newest_of(log, KEY), newest_of(log, f"acme/{ORDERS[1]}")
        stored = log._stored[lost.partition]
        stored.records = [record for record in stored.records if record.key != lost.key]
        await append(log, Outgoing(ORDERS_STATE.name, b"acme/77", foreign.value, {}, foreign.partition.number))
        said = {one.key: str(one) for part in await compared(log, tmp_path) for one in part.differences}
        assert said.keys() == {KEY, "acme/77"}
        assert "the table says nothing" in said[KEY]
        assert "the log says nothing: no event tells of it" in said["acme/77"]

    after_a_day(story)


def test_a_worker_that_has_not_committed_what_it_wrote_is_met_where_the_table_is(tmp_path: Path) -> None:
    async def story(log: MemoryLog, events: Events) -> None:
        before = committed(log)
        await events.seen(wanting(ORDERS[0], 4), wanting(ORDERS[2], 5), wanting(ORDERS[0], 6))
        where, later = newest_of(log, KEY).partition.number, []
        fold = orders_fold(where)
        for record in log.records("orders.events"):
            if record.partition.number == where:
                step = fold.handle(record)
                if record.offset >= before[where]:
                    later.append(step)
        change = later[0].changes[0]
        await append(log, Outgoing(ORDERS_STATE.name, change.key, change.value, {}, where))
        parts = await compared(log, tmp_path)
        assert all(one.equal for one in parts)
        assert parts[where].until == before[where] + 1
        assert all(one.until == before[one.number] for one in parts if one.number != where)

    after_a_day(story)


def test_a_state_behind_the_commit_that_the_log_never_made_differs(tmp_path: Path) -> None:
    async def story(log: MemoryLog, events: Events) -> None:
        await events.seen(wanting(ORDERS[0], 4))
        await append(log, changed(log, KEY, b'"PAID"', b'"VOIDED"', later=1))
        (part,) = (one for one in await compared(log, tmp_path) if not one.equal)
        assert [said.key for said in part.differences] == [KEY]

    after_a_day(story)
