"""What can be wrong with a log or a table: each is told with its place and what to do."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from kernel.log import Outgoing, Partition
from kernel.memory_log import MemoryLog
from lockstep.replay.checks import Finding, Rejected, Weight, rejected_records
from lockstep.replay.tables import ORDERS as ORDERS_TABLE
from schemas.base import OrderId
from schemas.events import GoodsOutsSeen, ShopifyOrderSeen, Source
from schemas.topics import CONFIG, DLQ, ORDERS_EVENTS, ORDERS_STATE
from streams.agents.orders import EVENTS
from streams.engine.changelog import BEGUN, WHOLE, restore
from tests.builders import ACME, NOON, a_brand
from tests.engine.events import Events, wanting
from tests.engine.memory import SetClock
from tests.lockstep.replay.small_logs import ORDERS, after_a_day, append, committed, compared, found, newest_of, worked

KEY = f"acme/{ORDERS[0]}"


def of_weight(findings: list[Finding], weight: Weight) -> list[str]:
    return [str(one) for one in findings if one.weight is weight]


def where_of(log: MemoryLog) -> Partition:
    return Partition(ORDERS_EVENTS.name, newest_of(log, KEY).partition.number)


def test_nothing_is_wrong_with_a_good_day(tmp_path: Path) -> None:
    async def story(log: MemoryLog, _: Events) -> None:
        assert await found(log, tmp_path) == []

    after_a_day(story)


def test_a_log_that_begins_late(tmp_path: Path) -> None:
    async def story(log: MemoryLog, _: Events) -> None:
        where = where_of(log)
        log.delete_before(where, 2)
        said = of_weight(await found(log, tmp_path), Weight.STOPS)
        assert len(said) == 2
        begins, hole = said[0], said[1]
        assert begins.startswith(f"{where} offset 2: expected a log that is kept for ever and begins at offset 0")
        assert "lockstep rebuild --from-systems" in begins
        assert hole.startswith(f"{where} offset 0: expected the record at this offset, found offset 2: a hole")

    after_a_day(story)


@pytest.mark.parametrize("last", [False, True], ids=["in the middle", "at the end"])
def test_a_hole(tmp_path: Path, *, last: bool) -> None:
    async def story(log: MemoryLog, _: Events) -> None:
        where = where_of(log)
        stored = log._stored[where]
        gone = stored.records.pop(-1 if last else 2)
        (said,) = of_weight(await found(log, tmp_path), Weight.STOPS)
        after = "nothing up to the partition's end" if last else "offset 3"
        assert said.startswith(
            f"{where} offset {gone.offset}: expected the record at this offset, found {after}: a hole"
        )

    after_a_day(story)


def test_a_group_that_is_ahead_of_the_log(tmp_path: Path) -> None:
    async def story(log: MemoryLog, _: Events) -> None:
        where = where_of(log)
        log._groups[ORDERS_TABLE.group].committed[where] = 900
        said = of_weight(await found(log, tmp_path), Weight.STOPS)[0]
        assert said.startswith(
            f"{where} offset 900: group lockstep.orders has finished 900 records, the partition ends"
        )

    after_a_day(story)


def test_a_table_that_is_ahead_of_the_log(tmp_path: Path) -> None:
    async def story(log: MemoryLog, _: Events) -> None:
        record = newest_of(log, KEY)
        assert record.value is not None
        later = (900).to_bytes(8) + record.value[8:]
        await append(log, Outgoing(ORDERS_STATE.name, record.key, later, {}, record.partition.number))
        (said,) = of_weight(await found(log, tmp_path), Weight.STOPS)
        assert f"{KEY} was folded up to offset 900 of {where_of(log)}, which ends at" in said

    after_a_day(story)


async def add(log: MemoryLog, value: bytes, headers: dict[str, bytes], *, handled: bool = True) -> int:
    """A record of the first order, in the log; and the commit behind it, as if somebody had handled it."""
    where = where_of(log)
    offset = log.end(where)
    await append(log, Outgoing(where.topic, KEY.encode(), value, headers, where.number))
    if handled:
        log._groups[ORDERS_TABLE.group].committed[where] = offset + 1
    return offset


def letter(where: Partition, offset: int) -> Outgoing:
    headers = {"topic": where.topic, "partition": str(where.number), "offset": str(offset), "reason": "", "stage": ""}
    return Outgoing(DLQ.name, b"k", b"v", {name: text.encode() for name, text in headers.items()})


def test_a_configuration_of_a_newer_release_is_one_all_the_same(tmp_path: Path) -> None:
    async def story(log: MemoryLog, _: Events) -> None:
        newer = {**a_brand().model_dump(mode="json"), "of_the_next_release": True}
        await append(log, Outgoing(CONFIG.name, b"acme", json.dumps(newer).encode()))
        assert await found(log, tmp_path) == []

    after_a_day(story)


def test_a_record_of_an_unknown_schema_that_the_worker_could_read(tmp_path: Path) -> None:
    async def story(log: MemoryLog, _: Events) -> None:
        offset = await add(log, b"x", {"kind": b"GoodsOutsSeen", "schema": b"0123456789abcdef"})
        (said,) = of_weight(await found(log, tmp_path), Weight.STOPS)
        assert said.startswith(f"{where_of(log)} offset {offset}: header schema: expected a schema of GoodsOutsSeen")
        assert "Run this command from the release that the workers run" in said

    after_a_day(story)


CORRUPT = {"kind": b"Tick", "schema": EVENTS._header["Tick"]}


def test_a_corrupt_record_without_its_dead_letter_and_with_it(tmp_path: Path) -> None:
    async def story(log: MemoryLog, _: Events) -> None:
        offset = await add(log, b"\xff", CORRUPT)
        (said,) = of_weight(await found(log, tmp_path), Weight.DIFFERS)
        assert said.startswith(f"{where_of(log)} offset {offset}: cannot be read (Tick value: expected bytes")
        assert "no dead letter of it lies in dlq" in said
        await append(log, letter(where_of(log), offset))
        assert await found(log, tmp_path / "again") == []

    after_a_day(story)


def test_the_worker_s_own_dead_letter_is_recognised(tmp_path: Path) -> None:
    async def story(log: MemoryLog, _: Events) -> None:
        await add(log, b"\xff", CORRUPT, handled=False)
        await worked(log, SetClock())
        assert len(log.records(DLQ.name)) == 1
        parts = await compared(log, tmp_path)
        assert sum(len(one.rejected) for one in parts) == 1
        assert all(one.equal for one in parts)
        assert await found(log, tmp_path / "again") == []

    after_a_day(story)


def test_a_corrupt_record_that_no_worker_has_come_to_or_whose_letter_would_be_gone() -> None:
    where = Partition(ORDERS_EVENTS.name, 0)
    one = Rejected(7, NOON, "Tick value", "broken")
    waiting, old = (
        list(rejected_records(where, [one], set(), committed, now))
        for committed, now in ((7, NOON), (8, NOON + timedelta(days=31)))
    )
    assert [finding.weight for finding in (*waiting, *old)] == [Weight.NOTE, Weight.NOTE]
    assert "has not come to it yet" in str(waiting[0])
    assert "older than dead letters are kept" in str(old[0])


def test_events_of_another_cluster(tmp_path: Path) -> None:
    async def story(log: MemoryLog, _: Events) -> None:
        source = Source(topic="raw.shopify", cluster="other", partition=0, offset=1)
        event = GoodsOutsSeen(
            brand=ACME,
            order=OrderId(ORDERS[0]),
            source=source,
            epoch=1,
            read_started_at=NOON,
            goods_outs=(),
            complete=True,
        )
        offset = await add(log, *EVENTS.encode(event))
        (said,) = of_weight(await found(log, tmp_path), Weight.STOPS)
        assert said.startswith(
            f"{where_of(log)} offset {offset}: {KEY}: expected records of raw.shopify in cluster test"
        )

    after_a_day(story)


def test_a_brand_that_nobody_configures_any_more_is_told_and_may_be_left_out(tmp_path: Path) -> None:
    async def story(log: MemoryLog, events: Events) -> None:
        gone = a_brand(brand="gone", version=1)
        await events.configure(gone)
        seen = wanting("77").order
        source = Source(topic="raw.shopify", cluster="test", partition=0, offset=10_000)
        await events.append(
            ShopifyOrderSeen(
                brand=gone.brand, order=seen.id, source=source, epoch=1, read_started_at=NOON, snapshot=seen
            )
        )
        await worked(log, SetClock())
        (said,) = of_weight(await found(log, tmp_path), Weight.NOTE)
        assert "expected a configuration of brand gone, of which the log has 1 orders, found none" in said
        assert "--without-brand gone" in said
        assert await found(log, tmp_path, without=["gone"]) == []
        parts = await compared(log, tmp_path, without=["gone"])
        assert all(one.equal for one in parts)
        assert sum(one.verdicts["left out"] for one in parts) == len(committed(log)) + 1

    after_a_day(story)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (b"{}", "expected a changelog value of at least 24 bytes, found 2"),
        (b"\x00" * 24 + b'{"orders": 7}', "4 validation errors for OrderState"),
    ],
    ids=["too short", "of other code"],
)
def test_a_table_of_other_code(tmp_path: Path, value: bytes, says: str) -> None:
    async def story(log: MemoryLog, _: Events) -> None:
        number = where_of(log).number
        await append(log, Outgoing(ORDERS_STATE.name, b"acme/1", value, {}, number))
        (said,) = of_weight(await found(log, tmp_path), Weight.DIFFERS)
        assert said.startswith(f"{ORDERS_STATE.name}/{number}")
        assert f"acme/1: expected a state as this release writes it, found other bytes ({says}" in said

    after_a_day(story)


def test_a_table_half_put_in_place(tmp_path: Path) -> None:
    async def story(log: MemoryLog, _: Events) -> None:
        number = where_of(log).number
        await append(log, Outgoing(ORDERS_STATE.name, BEGUN, b"20261103-120000", {}, number))
        (said,) = of_weight(await found(log, tmp_path), Weight.STOPS)
        assert said.startswith(f"{ORDERS_STATE.name}/{number}: a rebuilt table (20261103-120000) was begun")
        with pytest.raises(Exception, match="half put in its place: run `lockstep rebuild --yes` again"):
            await restore(log, ORDERS_STATE.name, [number])
        await append(log, Outgoing(ORDERS_STATE.name, WHOLE, b"20261103-120000", {}, number))
        assert (await restore(log, ORDERS_STATE.name, [number]))[number].newest == {}

    after_a_day(story)
