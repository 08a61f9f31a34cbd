"""What is larger than a record may be is told without its body, and everything else goes on."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from connectors.clarus.translate import translate_goods_outs
from connectors.runtime.port import Execution, Reading
from kernel.log import Appended, RecordTooLarge
from schemas.base import Brand, OrderId
from schemas.commands import Command
from schemas.errors import Unreadable
from schemas.outcomes import OutcomeKind
from schemas.raw import RawKind
from tests.connectors.runtime.scripted import COMMANDS_TOPIC, HINTS_TOPIC, RAW_TOPIC, Bench, ScriptedPort, bench

LARGE = b"[" + b"1," * 600_000 + b"1]"


class LargeFor77(ScriptedPort):
    """One order of many pages, which a system tells much about."""

    async def read(self, brand: Brand, orders: Sequence[OrderId]) -> Sequence[Reading]:
        return [_large(one) for one in await super().read(brand, orders)]

    async def execute(self, command: Command) -> Execution:
        execution = await super().execute(command)
        told = execution.outcome.model_copy(update={"text": "no " * 400_000})
        return Execution(told, tuple(_large(one) for one in execution.readings))


def _large(reading: Reading) -> Reading:
    return replace(reading, body=LARGE) if reading.order == "77" else reading


def test_an_answer_too_large_for_the_log_ends_its_hint_as_a_dead_letter_and_others_are_told() -> None:
    async def story(on: Bench) -> None:
        for order in ("76", "77", "78"):
            await on.hint(order)
        on.start(LargeFor77(on.clock))
        await on.finished()
        assert {record.key for record in on.told(RawKind.SNAPSHOT)} == {b"acme/76", b"acme/77", b"acme/78"}
        (letter,) = on.letters
        said = letter.headers["reason"].decode()
        assert said.startswith(f"acme/77: an answer of {len(LARGE)} bytes is not kept: expected at most 1000000 bytes")
        assert (letter.key, letter.headers["topic"]) == (b"acme/77", HINTS_TOPIC.encode())

    bench(story)


def test_what_is_told_instead_of_it_cannot_be_read_so_the_order_gets_its_case() -> None:
    async def story(on: Bench) -> None:
        on.port.body = LARGE
        await on.hint("77")
        on.start()
        await on.finished()
        (told,) = on.told(RawKind.SNAPSHOT)
        assert b"acme/77: an answer of" in (told.value or b"")
        with pytest.raises(Unreadable):
            translate_goods_outs(told.value or b"")
        on.port.body = b"[]"
        await on.hint("77")
        await on.finished()
        assert on.told(RawKind.SNAPSHOT)[-1].value == b"[]", "the next answer that fits is told as ever"

    bench(story)


def test_a_broker_that_takes_less_than_we_send_says_so_when_it_is_asked_to_acknowledge() -> None:
    async def story(on: Bench) -> None:
        on.port.body = b"[" + b"1," * 1000 + b"1]"
        runtime = on.start()
        runtime._producer.send = _taking_at_most(1000, runtime._producer.send)  # type: ignore[method-assign,assignment]  # a smaller limit
        await on.hint("77")
        await on.finished()
        (letter,) = on.letters
        assert b"acme/77: an answer of 2003 bytes is not kept" in letter.headers["reason"]

    bench(story)


def _taking_at_most(
    most: int, send: Callable[..., Awaitable[Awaitable[Appended]]]
) -> Callable[..., Awaitable[Awaitable[Appended]]]:
    async def sent(topic: str, *, value: bytes | None, **rest: Any) -> Awaitable[Appended]:
        if topic != RAW_TOPIC or len(value or b"") <= most:
            return await send(topic, value=value, **rest)
        refused: asyncio.Future[Appended] = asyncio.get_running_loop().create_future()
        refused.set_exception(RecordTooLarge("MessageSizeTooLargeError"))
        return refused

    return sent


def test_a_command_whose_answer_and_outcome_are_too_large_has_its_outcome() -> None:
    async def story(on: Bench) -> None:
        on.start(LargeFor77(on.clock))
        await on.send(on.create("77"))
        await on.finished()
        (outcome,) = on.outcomes
        assert outcome.kind is OutcomeKind.APPLIED
        assert outcome.external_id == "9001"
        assert outcome.text.startswith("no no no")
        assert b"is not kept" in (on.told(RawKind.SNAPSHOT)[0].value or b"")

    bench(story)


@pytest.mark.parametrize("topic", [HINTS_TOPIC, COMMANDS_TOPIC])
def test_a_record_that_just_fits_and_cannot_be_read_is_a_dead_letter_without_its_body(topic: str) -> None:
    async def story(on: Bench) -> None:
        on.start()
        await (await on.producer.send(topic, key=b"acme/77", value=b"?" * 999_993))
        on.log._largest_record = 900_000  # what is said of it takes room too
        await on.finished()
        (letter,) = on.letters
        assert letter.value == b""
        assert letter.headers["reason"].endswith(b"(a body of 999993 bytes, left where it lies)")

    bench(story)
