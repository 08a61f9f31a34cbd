"""An answer of the very bytes that came before, of the same order, is not translated again; nothing else is spared."""

from collections.abc import Sequence

import pytest

from kernel.log import Partition, Record
from schemas.base import Brand, System
from schemas.errors import Unreadable
from schemas.events import GoodsOutsSeen, SnapshotUnreadable
from schemas.goods_outs import GoodsOut
from schemas.raw import RawHeaders, RawKind
from schemas.topics import RAW
from streams.agents.normalise import EVENTS, NormaliseFold, Translators
from streams.engine.contract import UnreadableRecord
from tests.builders import NOON

WHERE = Partition(RAW[System.CLARUS].name, 0)


class Clarus:
    """Translates nothing but what it was told to; every other translator is never asked."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []

    def translate(self, body: bytes) -> tuple[GoodsOut, ...]:
        self.asked.append(body)
        if body == b"broken":
            raise Unreadable("body", "goods-outs", "something else")
        if body == b"unheard of":
            raise AttributeError("8 Mill Lane has no attribute 'get'")
        return ()

    def normalise(self) -> NormaliseFold:
        def never(body: bytes) -> None:
            raise AssertionError(body)

        others = dict.fromkeys(("shopify", "erp", "level", "balance", "items", "product", "offers"), never)
        return NormaliseFold(Translators(clarus=self.translate, **others), "cluster", 1)  # type: ignore[arg-type]  # never asked


def seen(fold: NormaliseFold, answers: Sequence[tuple[bytes, bytes]], *, epoch: int = 3) -> list[GoodsOutsSeen]:
    """What became of answers of Clarus, given as key and body."""
    found = []
    for offset, (key, body) in enumerate(answers):
        headers = RawHeaders(
            brand=Brand("acme"), system=System.CLARUS, kind=RawKind.SNAPSHOT, epoch=epoch, read_started_at=NOON
        )
        (sent,) = fold.handle(Record(WHERE, offset, key, body, NOON, headers.dump())).emissions
        assert sent.value is not None
        event = EVENTS.decode(sent.value, sent.headers)
        assert isinstance(event, GoodsOutsSeen)
        found.append(event)
    return found


def test_what_says_the_same_is_translated_once_and_is_an_event_of_its_own() -> None:
    clarus = Clarus()
    one, other = b"acme/1", b"acme/2"

    events = seen(clarus.normalise(), [(one, b"a"), (one, b"a"), (other, b"a"), (one, b"b"), (one, b"a")])

    assert clarus.asked == [b"a", b"a", b"b", b"a"], "not the second; another order's and an older answer are"
    assert [event.source.offset for event in events if event.source is not None] == [0, 1, 2, 3, 4]
    assert [event.order for event in events] == ["1", "1", "2", "1", "1"]


def test_what_cannot_be_understood_is_refused_each_time() -> None:
    clarus = Clarus()
    fold = clarus.normalise()

    for _ in range(2):
        with pytest.raises(Unreadable, match="something else"):
            seen(fold, [(b"acme/1", b"broken")])

    assert clarus.asked == [b"broken", b"broken"]


def test_what_a_translator_was_not_made_for_is_a_dead_letter_of_its_order_and_ends_nothing() -> None:
    """Told by its place: what such an error says may be of somebody's address."""
    fold = Clarus().normalise()

    with pytest.raises(UnreadableRecord) as refused:
        seen(fold, [(b"acme/1", b"unheard of")])

    assert str(refused.value).startswith("body: expected one that can be translated, found AttributeError in line ")
    assert "Mill Lane" not in str(refused.value)
    (told,) = refused.value.emissions
    assert told.value is not None
    event = EVENTS.decode(told.value, told.headers)
    assert isinstance(event, SnapshotUnreadable)
    assert (event.order, event.system) == ("1", System.CLARUS)
