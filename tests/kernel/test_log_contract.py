"""The contract of the log, told once and kept twice: in memory and by a real Kafka."""

import asyncio
from secrets import token_bytes
from types import SimpleNamespace

import pytest
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.consumer.subscription_state import SubscriptionState
from aiokafka.errors import GroupAuthorizationFailedError, NotCoordinatorForGroupError
from aiokafka.protocol.commit import OffsetFetchRequest

from kernel.kafka_consumer import KafkaConsumer
from kernel.kafka_log import KafkaLog, TopicSpec
from kernel.log import Fenced, Log, LogError, LogUnavailable, Outgoing, Partition, Record, RecordTooLarge, Span
from kernel.partitioner import partition_of
from tests.kernel.worlds import (
    DEADLINE,
    PARTITIONS,
    QUICK,
    KafkaWorld,
    MemoryWorld,
    Names,
    Rebalances,
    World,
    read,
    running,
    until,
    write,
)

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(params=["memory", pytest.param("kafka", marks=pytest.mark.kafka)])
def world(request: pytest.FixtureRequest, topic_prefix: str) -> World:
    names = Names.of(topic_prefix)
    if request.param == "memory":
        return MemoryWorld(names)
    return KafkaWorld(names, request.getfixturevalue("kafka_bootstrap"))


# --- appending


@pytest.mark.kafka
def test_a_producer_whose_batches_are_refused_leaves_nothing_running(topic_prefix: str, kafka_bootstrap: str) -> None:
    """Each refusal has it replaced; an intake may meet one after another for hours."""

    async def story() -> None:
        log = KafkaLog(kafka_bootstrap, client_id="contract", settings=QUICK)
        topic = f"{topic_prefix}short"
        await log.create_topics([TopicSpec(topic, 1, 1, {"max.message.bytes": "2000"})])
        async with running(log.producer()) as producer:
            await (await producer.send(topic, key=b"k", value=b""))
            running_before = len(asyncio.all_tasks())
            for _ in range(5):
                with pytest.raises(LogError):
                    await (await producer.send(topic, key=b"k", value=token_bytes(5000)))
            await (await producer.send(topic, key=b"k", value=b""))
            await until(lambda: len(asyncio.all_tasks()) <= running_before)

    asyncio.run(story())


def test_what_is_appended_is_read_in_order_with_place_and_time(world: World) -> None:
    async def story(log: Log, names: Names) -> None:
        written = await write(log, names.orders, [str(number) for number in range(100)])
        assert [record.offset for record in written] == list(range(100))
        async with running(log.reader([names.orders])) as reader:
            assert await read(reader, 100) == written

    world.run(story)


def test_a_key_decides_the_partition_alike_in_every_topic(world: World) -> None:
    async def story(log: Log, names: Names) -> None:
        keys = [f"acme/{number}".encode() for number in range(50)]
        async with running(log.producer()) as producer:
            for key in keys:
                expected = partition_of(key, PARTITIONS)
                for topic in (names.orders, names.commands):
                    sent = await producer.send(topic, key=key, value=b"")
                    assert (await sent).partition == Partition(topic, expected)
        assert {partition_of(key, PARTITIONS) for key in keys} == set(range(PARTITIONS))

    world.run(story)


def test_a_named_partition_wins_over_the_key(world: World) -> None:
    async def story(log: Log, names: Names) -> None:
        async with running(log.producer()) as producer:
            for number in range(PARTITIONS):
                sent = await producer.send(names.orders, key=b"acme/1", value=b"tick", partition=number)
                assert (await sent).partition == Partition(names.orders, number)
            with pytest.raises(LogError, match=f"expected a partition of {names.orders} below 4, found 4"):
                await producer.send(names.orders, key=b"acme/1", value=b"tick", partition=PARTITIONS)

    world.run(story)


def test_headers_tombstones_and_empty_values_come_back_as_they_were(world: World) -> None:
    async def story(log: Log, names: Names) -> None:
        headers = {"brand": b"acme", "trace": b"\x00\xff", "empty": b""}
        async with running(log.producer()) as producer:
            for value in (None, b"", b"body"):
                await (await producer.send(names.orders, key=b"acme/1", value=value, headers=headers))
            await (await producer.send(names.orders, key=None, value=b"no key", partition=0))
            with pytest.raises(LogError, match="expected a key or a value"):
                await producer.send(names.orders, key=None, value=None)
        async with running(log.reader([names.orders])) as reader:
            records = await read(reader, 4)
        with_key = [record for record in records if record.key is not None]
        assert [record.value for record in with_key] == [None, b"", b"body"]
        assert all(record.headers == headers for record in with_key)
        assert [record.headers for record in records if record.key is None] == [{}]

    world.run(story)


def test_many_at_once_keep_their_order_and_tell_each_place(world: World) -> None:
    async def story(log: Log, names: Names) -> None:
        many = [
            Outgoing(topic, f"acme/{number}".encode(), str(number).encode(), {"n": str(number).encode()})
            for number in range(200)
            for topic in (names.orders, names.commands)
        ]
        async with running(log.producer()) as producer:
            assert await (await producer.send_many([])) == []
            appended = await (await producer.send_many(many))
        assert len(appended) == len(many)
        async with running(log.reader([names.orders, names.commands])) as reader:
            found = {(record.partition, record.offset): record for record in await read(reader, len(many))}
        for outgoing, one in zip(many, appended, strict=True):
            record = found[one.partition, one.offset]
            assert (record.key, record.value, record.headers) == (outgoing.key, outgoing.value, outgoing.headers)
            assert record.at == one.at
            assert one.partition.topic == outgoing.topic

    world.run(story)


def test_single_sends_and_many_share_one_order(world: World) -> None:
    async def story(log: Log, names: Names) -> None:
        async with running(log.producer()) as producer:
            acknowledged = []
            for number in range(0, 60, 3):
                pair = [Outgoing(names.orders, b"acme/1", str(number + more).encode()) for more in (0, 1)]
                acknowledged.append(await producer.send_many(pair))
                await producer.send(names.orders, key=b"acme/1", value=str(number + 2).encode())
            await asyncio.gather(*acknowledged)
        async with running(log.reader([names.orders])) as reader:
            assert [record.value for record in await read(reader, 60)] == [str(n).encode() for n in range(60)]

    world.run(story)


def test_a_record_too_large_is_refused_and_the_next_one_is_not(world: World) -> None:
    async def story(log: Log, names: Names) -> None:
        large = Outgoing(names.orders, b"acme/1", bytes(2_000_000))
        async with running(log.producer()) as producer:
            with pytest.raises(RecordTooLarge, match=names.orders):
                await (await producer.send(names.orders, key=large.key, value=large.value))
            with pytest.raises(RecordTooLarge, match=names.orders):
                await (await producer.send_many([Outgoing(names.orders, b"acme/1", b"small"), large]))
            sent = await producer.send(names.orders, key=b"acme/1", value=b"next")
            assert (await sent).offset == 0, "of many with one that never fits, none is sent"

    world.run(story)


def test_a_producer_that_does_not_run_says_so(world: World) -> None:
    async def story(log: Log, names: Names) -> None:
        producer = log.producer()
        with pytest.raises(LogUnavailable, match="not started"):
            await producer.send(names.orders, key=b"acme/1", value=b"early")
        async with running(producer):
            pass
        with pytest.raises(LogUnavailable, match="stopped"):
            await producer.send(names.orders, key=b"acme/1", value=b"late")

    world.run(story)


# --- reading


def test_a_reader_has_caught_up_when_all_that_was_there_at_its_start_was_returned(world: World) -> None:
    async def story(log: Log, names: Names) -> None:
        before = await write(log, names.orders, [str(number) for number in range(20)])
        async with running(log.reader([names.orders])) as reader:
            assert not await reader.caught_up()
            later = await write(log, names.orders, ["later"])
            records: list[Record] = []
            while not await reader.caught_up():
                records.extend(await reader.poll(timeout=1, most=7))
            assert records[: len(before)] == before
            if len(records) == len(before):
                assert await read(reader, 1) == later

    world.run(story)


def test_a_reader_of_nothing_has_caught_up_at_once(world: World) -> None:
    async def story(log: Log, names: Names) -> None:
        async with running(log.reader([names.orders])) as reader:
            assert await reader.caught_up()
            assert await reader.poll(timeout=0.05) == []

    world.run(story)


def test_a_reader_takes_only_the_partitions_asked_for_and_from_where(world: World) -> None:
    async def story(log: Log, names: Names) -> None:
        async with running(log.producer()) as producer:
            for number in range(PARTITIONS):
                for value in (b"a", b"b", b"c"):
                    await (await producer.send(names.orders, key=None, value=value, partition=number))
        async with running(log.reader([names.orders], partitions=[1, 3, 99], since=1)) as reader:
            records = await read(reader, 4)
            assert await reader.caught_up()
        places = sorted((record.partition.number, record.offset) for record in records)
        assert places == [(1, 1), (1, 2), (3, 1), (3, 2)]
        async with running(log.reader([names.orders], since=99)) as beyond:
            assert await beyond.caught_up()
            (late,) = await write(log, names.orders, ["late"])
            assert await read(beyond, 1) == [late], "a start beyond the end is the end"

    world.run(story)


# --- groups


def test_a_group_goes_on_where_it_committed(world: World) -> None:
    async def story(log: Log, names: Names) -> None:
        written = await write(log, names.orders, [str(number) for number in range(10)])
        where = written[0].partition
        async with running(log.consumer(names.group, [names.orders])) as consumer:
            assert await consumer.committed(where) is None
            assert await read(consumer, 10) == written
            await consumer.commit({where: 4})
            assert await consumer.committed(where) == 4
            assert await consumer.end_offsets([where]) == {where: 10}
        async with running(log.consumer(names.group, [names.orders])) as again:
            assert await read(again, 6) == written[4:]

    world.run(story)


def test_groups_do_not_know_each_other(world: World) -> None:
    async def story(log: Log, names: Names) -> None:
        written = await write(log, names.orders, ["a", "b"])
        for group in (names.group, f"{names.group}.other"):
            async with running(log.consumer(group, [names.orders])) as consumer:
                assert await read(consumer, 2) == written
                await consumer.commit({written[0].partition: 2})

    world.run(story)


def test_partition_n_of_every_topic_goes_to_the_same_member(world: World) -> None:
    async def story(log: Log, names: Names) -> None:
        topics = [names.orders, names.commands]
        mine, theirs = Rebalances("first"), Rebalances("second")
        async with running(log.consumer(names.group, topics, mine)) as first:
            assert mine.held == {Partition(topic, number) for topic in topics for number in range(PARTITIONS)}
            async with running(log.consumer(names.group, topics, theirs)) as second:
                await until(lambda: len(mine.held) == len(theirs.held) == PARTITIONS, first, second)
                for held in (mine.held, theirs.held):
                    numbers = {where.number for where in held}
                    assert held == {Partition(topic, number) for topic in topics for number in numbers}
                assert not mine.held & theirs.held
            await until(lambda: len(mine.held) == 2 * PARTITIONS, first)

    world.run(story)


def test_revoked_has_returned_before_anybody_is_assigned(world: World) -> None:
    async def story(log: Log, names: Names) -> None:
        told: list[str] = []
        mine, theirs = Rebalances("first", told), Rebalances("second", told)
        async with running(log.consumer(names.group, [names.orders], mine)) as first:
            assert told == ["first assigned"]
            second = log.consumer(names.group, [names.orders], theirs)
            mine.when_revoked = lambda: asyncio.sleep(0.3)
            async with running(second):
                await until(lambda: len(mine.held) == len(theirs.held) == PARTITIONS / 2, first, second)
                assert told[1:3] == ["first revoking", "first revoked"]
                assert sorted(told[3:]) == ["first assigned", "second assigned"]

    world.run(story)


def test_what_is_committed_in_revoked_is_where_the_next_owner_begins(world: World) -> None:
    async def story(log: Log, names: Names) -> None:
        written = await write(log, names.orders, [str(number) for number in range(10)])
        where = written[0].partition
        mine = Rebalances()
        consumer = log.consumer(names.group, [names.orders], mine)
        mine.when_revoked = lambda: consumer.commit({where: 7})
        async with running(consumer):
            assert await read(consumer, 10) == written
        async with running(log.consumer(names.group, [names.orders])) as next_owner:
            assert await read(next_owner, 3) == written[7:]

    world.run(story)


def test_a_member_that_stays_is_given_again_what_it_had_not_committed(world: World) -> None:
    async def story(log: Log, names: Names) -> None:
        written = await write(log, names.orders, [str(number) for number in range(10)])
        where = written[0].partition
        mine, theirs = Rebalances(), Rebalances()
        async with running(log.consumer(names.group, [names.orders], mine)) as first:
            assert await read(first, 10) == written
            await first.commit({where: 5})
            async with running(log.consumer(names.group, [names.orders], theirs)) as second:
                records: list[Record] = []
                async with asyncio.timeout(30):
                    while len(records) < 5:
                        records.extend(await first.poll(timeout=0.1))
                        records.extend(await second.poll(timeout=0.1))
                assert records == written[5:]

    world.run(story)


def test_a_member_that_was_overtaken_is_fenced_and_its_commit_does_not_count(world: World) -> None:
    async def story(log: Log, names: Names) -> None:
        written = await write(log, names.orders, [str(number) for number in range(10)])
        where = written[0].partition
        mine, theirs = Rebalances(hold_revoked=asyncio.Event()), Rebalances()
        assert mine.hold_revoked is not None
        slow, fresh = log.consumer(names.group, [names.orders], mine), log.consumer(names.group, [names.orders], theirs)
        async with running(slow):
            assert await read(slow, 10) == written
            await world.overtake(slow, fresh)
            try:
                assert len(theirs.held) == PARTITIONS
                with pytest.raises(Fenced, match=names.group):
                    await slow.commit({where: 10})
                assert await fresh.committed(where) is None
                assert await read(fresh, 10) == written
            finally:
                mine.hold_revoked.set()
                await fresh.stop()

    world.run(story)


def test_commits_of_partitions_never_owned_are_fenced(world: World) -> None:
    async def story(log: Log, names: Names) -> None:
        async with running(log.consumer(names.group, [names.orders])) as consumer:
            await consumer.commit({})
            with pytest.raises(Fenced, match=names.group):
                await consumer.commit({Partition(names.commands, 0): 1})

    world.run(story)


def test_a_paused_partition_keeps_its_records_until_it_is_resumed(world: World) -> None:
    async def story(log: Log, names: Names) -> None:
        async with running(log.producer()) as producer:
            for value in range(10):
                for number in (0, 1):
                    await (await producer.send(names.orders, key=None, value=str(value).encode(), partition=number))
        still, going = Partition(names.orders, 0), Partition(names.orders, 1)
        async with running(log.consumer(names.group, [names.orders])) as consumer:
            consumer.pause(still, Partition(names.commands, 0))
            assert {record.partition for record in await read(consumer, 10)} == {going}
            assert await consumer.poll(timeout=0.2) == []
            consumer.resume(still, Partition(names.commands, 0))
            first = await consumer.poll(timeout=10, most=3)
            consumer.pause(still)
            assert await consumer.poll(timeout=0.2) == [], "what was fetched already stays too"
            consumer.resume(still)
            records = [*first, *await read(consumer, 10 - len(first))]
            assert [(record.partition, record.offset) for record in records] == [(still, n) for n in range(10)]

    world.run(story)


def test_records_come_only_after_assigned_has_returned(world: World) -> None:
    async def story(log: Log, names: Names) -> None:
        written = await write(log, names.orders, ["a"])
        mine = Rebalances(hold_assigned=asyncio.Event())
        assert mine.hold_assigned is not None
        consumer = log.consumer(names.group, [names.orders], mine)
        starting = asyncio.create_task(consumer.start())
        await until(lambda: bool(mine.told))
        assert await consumer.poll(timeout=0.3) == []
        assert not starting.done()
        mine.hold_assigned.set()
        await starting
        try:
            assert await read(consumer, 1) == written
        finally:
            await consumer.stop()

    world.run(story)


@pytest.mark.kafka
def test_a_rebalance_does_not_wait_until_what_was_assigned_is_restored(topic_prefix: str, kafka_bootstrap: str) -> None:
    """Two that restore for longer than a rebalance may take, as in a rolling restart: neither puts the other out."""

    async def story(log: Log, names: Names) -> None:
        mine, theirs = Rebalances("first", hold_assigned=asyncio.Event()), Rebalances("second")
        first, second = (log.consumer(names.group, [names.orders], one) for one in (mine, theirs))
        joining = asyncio.create_task(first.start())
        await until(lambda: mine.told == ["first assigned"])
        async with running(second):
            await until(lambda: mine.told[1:] == ["first revoking", "first revoked", "first assigned"], second)
            assert len(theirs.held) == PARTITIONS / 2
            assert not mine.held
            assert mine.hold_assigned is not None
            mine.hold_assigned.set()
            await joining
            assert mine.held | theirs.held == {Partition(names.orders, number) for number in range(PARTITIONS)}
            await first.stop()

    KafkaWorld(Names.of(topic_prefix), kafka_bootstrap).run(story)


@pytest.mark.kafka
def test_who_restores_for_longer_than_aiokafka_lets_anybody_be_idle_stays_a_member(
    topic_prefix: str, kafka_bootstrap: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its clock goes an hour ahead meanwhile: five minutes are what aiokafka allows by itself."""

    async def story(log: Log, names: Names) -> None:
        written = await write(log, names.orders, ["a"])
        mine = Rebalances(hold_assigned=asyncio.Event())
        consumer = log.consumer(names.group, [names.orders], mine)
        joining = asyncio.create_task(consumer.start())
        await until(lambda: len(mine.told) == 1)
        monkeypatch.setattr(SubscriptionState, "fetcher_idle_time", property(lambda _: 3600.0))
        before = len(beats)
        await until(lambda: len(beats) >= before + 3)
        assert mine.hold_assigned is not None
        mine.hold_assigned.set()
        await joining
        try:
            assert await read(consumer, 1) == written
            assert mine.told == [" assigned"]
        finally:
            await consumer.stop()

    beats: list[None] = []
    beat = GroupCoordinator._do_heartbeat

    async def noted(coordinator: GroupCoordinator) -> object:
        beats.append(None)
        return await beat(coordinator)

    monkeypatch.setattr(GroupCoordinator, "_do_heartbeat", noted)

    KafkaWorld(Names.of(topic_prefix), kafka_bootstrap).run(story)


@pytest.mark.kafka
@pytest.mark.parametrize("restoring", [False, True])
def test_a_member_that_may_not_join_again_says_so(
    topic_prefix: str, kafka_bootstrap: str, monkeypatch: pytest.MonkeyPatch, *, restoring: bool
) -> None:
    """Its rights are taken from it, and another member joins: it must not wait in silence for partitions."""

    async def refused(_: object) -> object:
        raise GroupAuthorizationFailedError

    async def story(log: Log, names: Names) -> None:
        mine = Rebalances(hold_assigned=asyncio.Event() if restoring else None)
        first, second = log.consumer(names.group, [names.orders], mine), log.consumer(names.group, [names.orders])
        assert isinstance(first, KafkaConsumer)
        joining = asyncio.create_task(first.start())
        await until(lambda: bool(mine.told) and (restoring or joining.done()))
        monkeypatch.setattr(first._consumer._coordinator, "_do_rejoin_group", refused)
        other = asyncio.create_task(second.start())
        try:
            with pytest.raises(LogError, match=f"group {names.group}: GroupAuthorizationFailedError") as caught:
                await (asyncio.wait_for(joining, DEADLINE) if restoring else until(lambda: False, first))
            assert not isinstance(caught.value, LogUnavailable)
            await other
        finally:
            await asyncio.gather(other, return_exceptions=True)
            await asyncio.gather(first.stop(), second.stop())

    KafkaWorld(Names.of(topic_prefix), kafka_bootstrap).run(story)


@pytest.mark.kafka
def test_who_is_not_told_the_commits_begins_at_them_all_the_same(
    topic_prefix: str, kafka_bootstrap: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The coordinator moves to another broker just when it is asked: its answer is an error, and no partition."""

    async def story(log: Log, names: Names) -> None:
        written = await write(log, names.orders, ["a", "b", "c"])
        where = written[0].partition
        async with running(log.consumer(names.group, [names.orders])) as first:
            await first.commit({where: 2})
        monkeypatch.setattr(GroupCoordinator, "_send_req", moved)
        mine = Rebalances()
        async with running(log.consumer(names.group, [names.orders], mine)) as second:
            assert len(mine.held) == PARTITIONS
            assert await second.committed(where) == 2
            assert await second.committed(Partition(names.orders, (where.number + 1) % PARTITIONS)) is None
            assert await read(second, 1) == written[2:]

    send = GroupCoordinator._send_req

    async def moved(coordinator: GroupCoordinator, request: object) -> object:
        if isinstance(request, OffsetFetchRequest):
            return SimpleNamespace(topics=[], error_code=NotCoordinatorForGroupError.errno)
        return await send(coordinator, request)

    KafkaWorld(Names.of(topic_prefix), kafka_bootstrap).run(story)


def test_what_assigned_raises_comes_out_of_start(world: World) -> None:
    async def story(log: Log, names: Names) -> None:
        consumer = log.consumer(names.group, [names.orders], Rebalances(fail=ValueError("no room for the table")))
        with pytest.raises(ValueError, match="no room for the table"):
            await consumer.start()
        await consumer.stop()

    world.run(story)


def test_what_is_raised_in_a_later_rebalance_comes_out_of_poll(world: World) -> None:
    async def story(log: Log, names: Names) -> None:
        mine = Rebalances()
        async with running(log.consumer(names.group, [names.orders], mine)) as first:
            mine.fail = ValueError("no room for the table")
            async with running(log.consumer(names.group, [names.orders])):
                with pytest.raises(ValueError, match="no room for the table"):
                    await until(lambda: False, first)

    world.run(story)


def test_polls_end_in_time_during_a_rebalance(world: World) -> None:
    async def story(log: Log, names: Names) -> None:
        mine = Rebalances("first")
        async with running(log.consumer(names.group, [names.orders], mine)) as first:
            mine.hold_revoked = asyncio.Event()
            second = log.consumer(names.group, [names.orders])
            joining = asyncio.create_task(second.start())
            await until(lambda: "first revoking" in mine.told, first)
            loop = asyncio.get_running_loop()
            began = loop.time()
            assert await first.poll(timeout=0.2) == []
            assert loop.time() - began < 1.5
            mine.hold_revoked.set()
            await joining
            await second.stop()

    world.run(story)


# --- topics


def test_a_topic_that_is_not_there_is_named(world: World) -> None:
    async def story(log: Log, names: Names) -> None:
        assert await log.partitions(names.orders) == PARTITIONS
        with pytest.raises(LogError, match=names.missing):
            await log.partitions(names.missing)
        with pytest.raises(LogError, match=names.missing):
            await log.reader([names.orders, names.missing]).start()
        with pytest.raises(LogError, match=names.missing):
            await log.consumer(names.group, [names.missing]).start()
        async with running(log.producer()) as producer:
            with pytest.raises(LogError, match=names.missing) as caught:
                await producer.send(names.missing, key=b"acme/1", value=b"")
            assert not isinstance(caught.value, LogUnavailable)

    world.run(story)


def test_topics_of_one_consumer_must_be_partitioned_alike(world: World) -> None:
    async def story(log: Log, names: Names) -> None:
        consumer = log.consumer(names.group, [names.orders, names.narrow])
        with pytest.raises(LogError, match="same number of partitions"):
            await consumer.start()
        await consumer.stop()

    world.run(story)


def test_a_cluster_has_an_id_that_stays(world: World) -> None:
    async def story(log: Log, _: Names) -> None:
        assert await log.cluster_id() == await log.cluster_id() != ""

    world.run(story)


def test_partitions_tell_what_they_hold(world: World) -> None:
    async def story(log: Log, names: Names) -> None:
        nothing = {Partition(names.orders, number): Span(0, 0) for number in range(PARTITIONS)}
        assert await log.spans([names.orders]) == nothing
        async with running(log.producer()) as producer:
            for number in range(3):
                await (await producer.send(names.orders, key=b"k", value=str(number).encode(), partition=1))
        await world.delete_before(log, Partition(names.orders, 1), 2)
        assert await log.spans([names.orders, names.narrow]) == {
            **nothing,
            Partition(names.orders, 1): Span(2, 3),
            Partition(names.narrow, 0): Span(0, 0),
        }
        async with running(log.reader([names.orders])) as reader:
            assert [record.value for record in await read(reader, 1)] == [b"2"]
        with pytest.raises(LogError, match=names.missing):
            await log.spans([names.missing])

    world.run(story)
