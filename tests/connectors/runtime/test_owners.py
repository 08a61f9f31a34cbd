"""Partitions come and go: a predecessor is waited for, calls are abandoned, nothing is taken up that was taken away."""

import asyncio
from collections import deque
from collections.abc import Sequence

import pytest

from connectors.runtime.errors import RateLimited, Unavailable
from kernel.log import Fenced, LogUnavailable, Record
from schemas.outcomes import OutcomeKind
from schemas.raw import RawKind
from schemas.topics import DLQ, RAW
from tests.connectors.runtime.scripted import HINTS_TOPIC, PARTITIONS, SYSTEM, Bench, ScriptedPort, bench


def test_commands_found_at_the_start_wait_for_the_longest_request() -> None:
    async def story(on: Bench) -> None:
        found = on.create("1")
        await on.send(found)
        on.start()
        await on.until(lambda: bool(on.told(RawKind.OWNERSHIP)))
        await on.send(on.create("2"))
        await on.until(lambda: len(on.outcomes) == 1)
        assert on.clock.monotonic() < 2, "a newer command does not wait"
        await on.until(lambda: len(on.outcomes) == 2)
        (old,) = (call for call in on.port.calls if call.orders == ("1",))
        assert old.began >= on.port.longest_request - 1e-6

    bench(story)


def test_a_newer_command_for_the_same_object_does_not_jump_that_wait() -> None:
    async def story(on: Bench) -> None:
        await on.send(on.create())
        on.start()
        await on.until(lambda: bool(on.told(RawKind.OWNERSHIP)))
        await on.send(on.create())
        await on.finished()
        assert [outcome.kind for outcome in on.outcomes] == [OutcomeKind.SUPERSEDED, OutcomeKind.APPLIED]
        (call,) = on.port.calls
        assert call.began >= on.port.longest_request - 1e-6

    bench(story)


def test_revoke_abandons_calls_and_nothing_new_begins_meanwhile() -> None:
    async def story(on: Bench) -> None:
        on.port.takes = 10.0
        runtime = on.start()
        await on.until(lambda: bool(on.told(RawKind.OWNERSHIP)))
        for number in range(6):
            await on.send(on.create(str(number)))
            await on.hint(str(number))
        await on.until(lambda: len(on.port.calls) == 6)
        await on.clock.sleep(1)
        await on.stop(runtime)
        assert on.port.finished == []
        assert len(on.port.calls) == 6
        assert on.outcomes == []
        assert on.port.closed
        assert on.unfinished() == 12, "the next owner gets them all"

    bench(story)


def test_the_next_owner_looks_at_what_was_abandoned_only_when_it_is_over() -> None:
    async def story(on: Bench) -> None:
        on.port.takes = 10.0
        first = on.start()
        await on.until(lambda: bool(on.told(RawKind.OWNERSHIP)))
        await on.send(on.create())
        await on.until(lambda: len(on.port.calls) == 1)
        await on.stop(first)
        taken = on.clock.monotonic()
        on.start()
        await on.finished()
        assert on.port.calls[1].began == pytest.approx(taken + on.port.longest_request, abs=0.3)
        assert [outcome.kind for outcome in on.outcomes] == [OutcomeKind.APPLIED]

    bench(story)


def test_a_rebalance_in_the_middle_of_a_batch_drops_its_rest() -> None:
    """The dead letter of the first record is slow; meanwhile everything goes to another: the rest is the other's."""

    async def story(on: Bench) -> None:
        slow = SlowLetters(on)
        first = on.start()
        await on.until(lambda: bool(on.told(RawKind.OWNERSHIP)))
        slow.hold(first)
        await (await on.producer.send(HINTS_TOPIC, key=b"acme/5012", value=b"{"))
        await on.hint("5012")
        await slow.reached.wait()
        second_port = ScriptedPort(on.clock)
        on.start(second_port)
        await on.until(lambda: len(on.told(RawKind.OWNERSHIP)) > PARTITIONS)
        slow.let_go.set()
        await on.finished()
        assert len(on.told(RawKind.SNAPSHOT)) == 1
        assert len(on.port.calls) + len(second_port.calls) == 1

    bench(story)


class SlowLetters:
    """Makes a runtime's dead letters wait for `let_go`."""

    def __init__(self, on: Bench) -> None:
        self._on = on
        self.reached, self.let_go = asyncio.Event(), asyncio.Event()

    def hold(self, runtime: object) -> None:
        producer = runtime._producer  # type: ignore[attr-defined]  # one test looks inside
        send = producer.send

        async def slowly(topic: str, **rest: object) -> object:
            if topic == DLQ.name:
                self.reached.set()
                await self.let_go.wait()
            return await send(topic, **rest)

        producer.send = slowly


def test_a_log_that_does_not_acknowledge_ends_the_process() -> None:
    async def story(on: Bench) -> None:
        runtime = on.start()
        await on.until(lambda: bool(on.told(RawKind.OWNERSHIP)))
        on.log.refuse(RAW[SYSTEM].name)
        await on.hint("5012")
        await on.clock.sleep(5)
        assert isinstance(await on.stop(runtime), LogUnavailable)
        assert on.unfinished() == 1

    bench(story)


def test_stuck_is_a_call_that_never_ends_and_not_a_system_that_is_away() -> None:
    async def story(on: Bench) -> None:
        runtime = on.start()
        await on.clock.sleep(1000)
        assert runtime.stuck_for(on.clock.monotonic()) < 1, "nothing waits"
        on.port.failures["read"] = deque(Unavailable("away") for _ in range(30))
        await on.hint("5012")
        for _ in range(20):
            await on.clock.sleep(30)
            assert runtime.stuck_for(on.clock.monotonic()) < 35
        await on.finished()
        on.port.failures["read"].append(RateLimited("busy", 900.0))
        await on.hint("5012")
        await on.clock.sleep(890)
        assert runtime.stuck_for(on.clock.monotonic()) < 1, "held back on purpose"
        await on.finished()
        on.port.takes = 1e6
        await on.hint("5012")
        await on.clock.sleep(500)
        assert runtime.stuck_for(on.clock.monotonic()) > 490

    bench(story)


def test_who_stood_still_past_its_session_ends_before_it_writes_anything() -> None:
    """Nobody has told it yet that others own its partitions; what was decided meanwhile is in its hands already."""

    async def story(on: Bench) -> None:
        runtime = on.start()
        await on.until(lambda: bool(on.told(RawKind.OWNERSHIP)))
        poll = runtime._consumer.poll

        async def stopped(*, timeout: float, most: int = 500) -> Sequence[Record]:
            await on.clock.sleep(25.0)
            return await poll(timeout=timeout, most=most)

        runtime._consumer.poll = stopped  # type: ignore[method-assign]  # as SIGSTOP and SIGCONT would do it
        await on.clock.sleep(1.0)
        await on.send(on.create())
        work = on._works[id(runtime)]
        await asyncio.wait([work])
        assert isinstance(work.exception(), Fenced)
        assert on.port.calls == []
        assert await on.stop(runtime) is not None

    bench(story)
