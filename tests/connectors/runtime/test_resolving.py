"""Hints about something else than a key of ours: whose it is, is asked a few at a time, and while somebody answers."""

from connectors.runtime.errors import Incompatible, Unavailable
from connectors.runtime.runtime import RESOLVED_AT_ONCE
from schemas.events import ConnectionState
from schemas.raw import RawKind
from schemas.topics import HINTS
from tests.connectors.runtime.scripted import SYSTEM, Bench, bench


def resolved(on: Bench) -> list[float]:
    """When each call began."""
    return [call.began for call in on.port.calls if call.what == "resolve"]


def test_a_hint_for_something_else_is_hinted_again_under_its_order() -> None:
    async def story(on: Bench) -> None:
        on.port.resolved["~9001"] = on.create("5012").order
        on.start()
        await on.hint("~9001", why="goods_out")
        await on.finished()
        assert [(call.what, call.orders) for call in on.port.calls] == [("resolve", ("~9001",)), ("read", ("5012",))]
        await on.hint("~9999")
        await on.finished()
        assert len(on.log.records(HINTS[SYSTEM].name)) == 3, "what is no order of ours is hinted nowhere"

    bench(story)


def test_resolving_goes_on_through_any_number_of_failures() -> None:
    async def story(on: Bench) -> None:
        on.port.takes = 0.0
        on.port.resolved["~9001"] = on.create("5012").order
        on.port.failures["resolve"].extend(Unavailable("away") for _ in range(50))
        on.start()
        await on.hint("~9001")
        await on.until(lambda: len(on.told(RawKind.SNAPSHOT)) == 1, within=1500, step=1.0)
        assert len(resolved(on)) == 51
        assert on.letters == []

    bench(story)


def test_a_few_are_asked_at_a_time() -> None:
    async def story(on: Bench) -> None:
        on.start()
        for number in range(50):
            await on.hint(f"~goods_out/{number}")
        await on.finished()
        assert len(resolved(on)) == 50
        assert on.port.most_at_once == RESOLVED_AT_ONCE

    bench(story)


def test_equal_ones_that_wait_are_asked_once() -> None:
    async def story(on: Bench) -> None:
        for _ in range(40):
            await on.hint("~goods_out/9001")
        on.start()
        await on.finished()
        assert len(resolved(on)) == 1

    bench(story)


def test_while_the_breaker_is_down_they_wait_like_reads() -> None:
    async def story(on: Bench) -> None:
        on.port.takes = 0.0
        on.port.failures["resolve"].extend(Unavailable("answered 503") for _ in range(100_000))
        on.start()
        for number in range(200):
            await on.hint(f"~goods_out/{number}")
        await on.clock.sleep(240)
        assert on.connections == [ConnectionState.DOWN]
        assert len(resolved(on)) < 20 * RESOLVED_AT_ONCE
        assert on.unfinished() > 0
        on.port.failures["resolve"].clear()
        await on.finished()
        assert on.letters == []

    bench(story)


def test_one_that_is_always_refused_ends_in_the_dead_letters_when_others_are_answered() -> None:
    async def story(on: Bench) -> None:
        on.port.takes = 0.0
        on.port.failures["resolve"].extend(Incompatible("id: expected a number") for _ in range(100))
        on.start()
        await on.hint("~9001")
        for number in range(4):
            await on.clock.sleep(5)
            await on.hint(str(number))
        await on.finished()
        (letter,) = on.letters
        assert letter.key == b"acme/~9001"
        assert len(resolved(on)) < 15

    bench(story)
