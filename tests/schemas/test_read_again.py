"""A snapshot that says what the one before it said brings that very one back; whatever else it is, it is as written."""

from decimal import Decimal
from importlib.resources import files

import pytest

from schemas import newest
from schemas.avro import Codec
from schemas.compatibility import AVRO_KINDS
from schemas.errors import Unreadable
from schemas.events import EVENT_KINDS, Seen, ShopifyOrderSeen
from schemas.newest import very_same

SNAPSHOTS = [model for model in AVRO_KINDS if issubclass(model, Seen)]
PLAIN = Codec(AVRO_KINDS)


def example(kind: type[Seen]) -> Seen:
    return kind.model_validate_json(files("schemas").joinpath(f"examples/{kind.__name__}.json").read_bytes())


def an_order() -> ShopifyOrderSeen:
    order = example(ShopifyOrderSeen)
    assert isinstance(order, ShopifyOrderSeen)
    return order


def later(seen: Seen) -> Seen:
    """Read again by a later owner."""
    return seen.model_copy(update={"epoch": seen.epoch + 1, "trace": "another"})


@pytest.mark.parametrize("kind", SNAPSHOTS, ids=lambda kind: kind.__name__)
def test_every_snapshot_is_read_as_it_was_written(kind: type[Seen]) -> None:
    codec = Codec(AVRO_KINDS, repeated=Seen)
    first = example(kind)

    for seen in (first, later(first), first):
        value, headers = PLAIN.encode(seen)
        back = codec.decode(value, headers, b"acme/1")
        assert back == seen == PLAIN.decode(value, headers)
        assert type(back) is kind
        assert codec.encode(back) == (value, headers)
        for _ in range(2):
            assert codec.encode(back, b"acme/1") == (value, headers), "written once, and put in again"


def test_equal_is_not_enough_to_be_written_alike() -> None:
    """1.5 and 1.50 are equal, and are written as they stand."""
    codec, seen = Codec(EVENT_KINDS, repeated=Seen), an_order()
    assert seen.snapshot is not None
    totals = [seen.snapshot.total.model_copy(update={"amount": Decimal(amount)}) for amount in ("1.5", "1.50")]
    orders = [seen.snapshot.model_copy(update={"total": total}) for total in totals]
    assert orders[0] == orders[1]

    for order in (*orders, *orders):
        one = seen.model_copy(update={"snapshot": order})
        assert codec.encode(one, b"acme/1") == PLAIN.encode(one)


def test_goods_outs_are_the_same_by_what_they_are_not_by_their_list() -> None:
    first, second, third = object(), object(), object()
    assert very_same((1, (first, second)), (1, (first, second)))
    assert not very_same((first, second), (first, third))
    assert not very_same((first,), (first, second))
    assert not very_same(Decimal("1.5"), Decimal("1.5"))


def test_an_equal_body_of_the_same_key_is_the_same_body() -> None:
    codec, seen = Codec(EVENT_KINDS, repeated=Seen), an_order()

    def read(one: Seen, key: bytes) -> ShopifyOrderSeen:
        back = codec.decode(*codec.encode(one), key)
        assert isinstance(back, ShopifyOrderSeen)
        return back

    first = read(seen, b"acme/1").snapshot
    assert read(later(seen), b"acme/1").snapshot is first
    assert read(seen, b"acme/2").snapshot is not first
    gone = read(seen.model_copy(update={"snapshot": None}), b"acme/1")
    assert gone.snapshot is None
    assert read(seen, b"acme/1").snapshot is not first, "only the newest is remembered"


def test_no_more_bodies_are_remembered_than_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(newest, "KEPT", 2)
    codec, (value, headers) = Codec(EVENT_KINDS, repeated=Seen), PLAIN.encode(an_order())

    def body(key: bytes) -> object:
        seen = codec.decode(value, headers, key)
        assert isinstance(seen, ShopifyOrderSeen)
        return seen.snapshot

    one, two = body(b"1"), body(b"2")
    assert body(b"1") is one, "met again, it stands last"
    body(b"3")
    assert body(b"1") is one
    assert body(b"2") is not two


def test_a_broken_snapshot_is_unreadable_and_hides_none() -> None:
    codec, (value, headers) = Codec(EVENT_KINDS, repeated=Seen), PLAIN.encode(an_order())
    whole = codec.decode(value, headers, b"acme/1")

    for length in range(0, len(value), 7):
        with pytest.raises(Unreadable, match="ShopifyOrderSeen value"):
            codec.decode(value[:length], headers, b"acme/1")

    assert codec.decode(value, headers, b"acme/1") == whole
