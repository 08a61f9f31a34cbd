"""What a predecessor tried, as it stands in the raw topic."""

from connectors.runtime.recall import RECALLED, tried
from kernel.clock import LoopClock
from kernel.memory_log import MemoryLog
from kernel.virtual_time import run_virtual
from schemas.base import CommandId, System
from schemas.outcomes import Outcome, OutcomeKind
from schemas.topics import RAW
from tests.builders import NOON
from tests.kernel.worlds import running

TOPIC = RAW[System.CLARUS].name


def test_commands_that_have_an_outcome_were_tried_unless_they_were_superseded() -> None:
    async def main() -> None:
        log = MemoryLog(LoopClock(NOON), {TOPIC: 2})
        async with running(log.producer()) as producer:
            for number, name, kind in (
                (0, "made", OutcomeKind.APPLIED),
                (0, "refused", OutcomeKind.REJECTED),
                (0, "late", OutcomeKind.DELAYED),
                (0, "overtaken", OutcomeKind.SUPERSEDED),
                (1, "elsewhere", OutcomeKind.APPLIED),
            ):
                outcome = Outcome(command=CommandId(name), object="goods-out:G", generation=1, kind=kind)
                await producer.send(
                    TOPIC, key=b"acme/1", value=outcome.model_dump_json().encode(), headers={"kind": b"outcome"},
                    partition=number,
                )  # fmt: skip
            await producer.send(TOPIC, key=b"acme/1", value=b"{}", headers={"kind": b"snapshot"}, partition=0)
            assert [one async for one in tried(log, TOPIC, 0)] == ["made", "refused", "late"]
            assert [one async for one in tried(log, TOPIC, 1)] == ["elsewhere"]
            for _ in range(RECALLED):
                await producer.send(TOPIC, key=b"acme/1", value=b"{}", headers={"kind": b"snapshot"}, partition=1)
            assert [one async for one in tried(log, TOPIC, 1)] == [], "older than what lies between two commits"

    run_virtual(main())
