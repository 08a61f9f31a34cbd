"""What would be commanded: commands in flight in one of two tables only, and whether they were ever sent."""

from datetime import timedelta

from kernel.log import Partition
from kernel.memory_log import MemoryLog
from lockstep.replay.fold import BulkFold, fold_to
from lockstep.replay.pool import Quiet
from lockstep.replay.wanted import Was, beside, were_sent
from schemas.base import System
from schemas.topics import COMMANDS
from streams.engine.prefix import pack, unpack
from tests.builders import NOON
from tests.engine.events import Events, wanting
from tests.lockstep.replay.small_logs import ORDERS, after_a_day, committed, ends, newest_of

KEY = f"acme/{ORDERS[0]}".encode()


async def folded(log: MemoryLog, number: int) -> BulkFold:
    bulk = BulkFold(number)
    await fold_to(log, bulk, ends(log)[number], Quiet())
    return bulk


def test_a_table_that_was_lost_wants_everything_in_flight_and_all_of_it_was_sent() -> None:
    async def story(log: MemoryLog, _: Events) -> None:
        number = newest_of(log, KEY.decode()).partition.number
        bulk = await folded(log, number)
        one = beside(number, bulk.newest, {}, committed(log)[number])
        assert (one.equal, one.only_table, one.differing, one.waiting) == (0, 0, 0, 0)
        assert one.only_rebuilt == len(bulk.newest)
        told = await were_sent(log, one.wanted, NOON)
        assert {said.kind for said in told} >= {"CreateGoodsOut", "UpsertErpOrder"}
        assert {said.was for said in told} == {Was.SENT}
        assert str(told[0]).endswith("was sent")
        assert beside(number, bulk.newest, bulk.newest, committed(log)[number]).same
        assert beside(number, {}, bulk.newest, None).unwanted == one.wanted

    after_a_day(story)


def test_the_first_keys_that_are_not_the_same_are_told() -> None:
    async def story(log: MemoryLog, _: Events) -> None:
        number = newest_of(log, KEY.decode()).partition.number
        newest = (await folded(log, number)).newest
        prefix, body = unpack(newest[KEY])
        one = beside(number, newest, {**newest, KEY: pack(prefix, body.replace(b'"PAID"', b'"VOIDED"'))}, None)
        assert [(said.key, said.path) for said in one.first] == [(KEY.decode(), "shopify.financial_status")]
        table = {f"acme/{order}".encode(): newest[KEY] for order in range(7000, 7030)}
        assert [said.key for said in beside(number, {}, table, None).first] == [f"acme/{n}" for n in range(7000, 7020)]
        assert beside(number, newest, newest, None).first == ()

    after_a_day(story)


def test_a_command_that_lies_in_no_topic_was_never_sent_unless_it_would_be_gone() -> None:
    async def story(log: MemoryLog, _: Events) -> None:
        number = newest_of(log, KEY.decode()).partition.number
        one = beside(number, (await folded(log, number)).newest, {}, None)
        for topic in COMMANDS.values():
            log.delete_before(Partition(topic.name, number), 1000)
        assert {said.was for said in await were_sent(log, one.wanted, NOON)} == {Was.NEVER_SENT}
        assert {said.was for said in await were_sent(log, one.wanted, NOON + timedelta(days=8))} == {Was.UNKNOWN}

    after_a_day(story)


def test_commands_younger_than_the_commit_are_left_to_the_workers() -> None:
    async def story(log: MemoryLog, events: Events) -> None:
        await events.seen(wanting("5990"), wanting("5991"), wanting("5992"))
        waiting = 0
        for number in committed(log):
            bulk = await folded(log, number)
            waiting += beside(number, bulk.newest, {}, committed(log)[number]).waiting
        assert waiting == 6
        assert len(log.records(COMMANDS[System.ERP].name)) == len(ORDERS) + 1

    after_a_day(story)
