"""What the connector reads, told once, run over the sandbox and over recorded answers."""

import orjson
import pytest

from connectors.clarus.translate import translate_goods_outs
from connectors.runtime.errors import Blind, RateLimited, Unavailable
from schemas.base import OrderId
from schemas.goods_outs import GoodsOut, GoodsOutStatus
from tests.connectors.clarus.commands import ACME, LAMP, ORDER, RUG, create, reference
from tests.connectors.clarus.conftest import Tell
from tests.connectors.clarus.sides import NOON, Clarus


def quantities(goods_out: GoodsOut) -> list[tuple[str, str, int, int, int, int]]:
    """Per line: order line, SKU, ordered, allocated, picked, despatched."""
    return [(one.line, one.sku, one.ordered, one.allocated, one.picked, one.despatched) for one in goods_out.lines]


def test_an_order_is_read_whole_with_lines_parcels_and_numbers(tell: Tell) -> None:
    async def story(clarus: Clarus) -> None:
        reading = await clarus.reading()
        assert (reading.complete, reading.absent, reading.read_started_at) == (True, False, NOON)
        assert b"ACME-50123" not in reading.body
        first, second = translate_goods_outs(reading.body)
        assert (first.reference, first.status) == ("ACME-5012-71-1", GoodsOutStatus.COMPLETED)
        assert (first.account, first.warehouse, first.carrier, first.service) == ("ACME", "LDS1", "DPD", "NEXTDAY")
        assert first.despatched_at == NOON
        assert quantities(first) == [("1", LAMP, 2, 2, 2, 2), ("2", RUG, 1, 1, 1, 1)]
        assert [one.tracking_number for one in first.packages] == ["15501234567890", ""]
        assert len({one.shipment for one in first.packages}) == 2
        assert (second.reference, second.status) == ("ACME-5012-72-1", GoodsOutStatus.PENDING)
        assert (quantities(second), second.packages) == ([("1", LAMP, 1, 0, 0, 0)], ())
        assert clarus.network.names() == ["Look goods_outs", "Look goods_out_lines shipments", "Look packages"]

    tell("whole_order", story)


def test_completed_with_a_shortfall_shows_in_the_quantities(tell: Tell) -> None:
    async def story(clarus: Clarus) -> None:
        (goods_out,) = await clarus.goods_outs()
        assert goods_out.status is GoodsOutStatus.COMPLETED
        assert quantities(goods_out) == [("1", LAMP, 3, 2, 2, 2), ("2", RUG, 1, 0, 0, 0)]

    tell("picked_in_part", story)


def test_all_pages_are_read_and_once_more(tell: Tell) -> None:
    async def story(clarus: Clarus) -> None:
        goods_outs = await clarus.goods_outs()
        assert [one.reference for one in goods_outs] == [reference(generation=number) for number in range(1, 6)]
        assert [len(one.lines) for one in goods_outs] == [2] * 5
        once = [*["Look goods_outs"] * 3, "Look goods_out_lines shipments", *["Look goods_out_lines"] * 4]
        assert clarus.network.names() == once * 2

    tell("five_goods_outs", story, page_size=2)


def test_several_orders_are_read_together_and_told_apart(tell: Tell) -> None:
    async def story(clarus: Clarus) -> None:
        asked = [OrderId("5012"), OrderId("5013"), OrderId("5014")]
        readings = {one.order: one for one in await clarus.port.read(ACME, asked)}
        held = {order: [node["id"] for node in orjson.loads(one.body)["lines"]] for order, one in readings.items()}
        assert [len(held[order]) for order in asked] == [1, 1, 0]
        assert all(one.complete and not one.absent for one in readings.values())
        assert clarus.network.names() == [
            "Look goods_outs goods_outs_1 goods_outs_2",
            "Look goods_out_lines shipments",
        ]

    tell("two_orders", story)


def test_of_several_orders_the_one_of_several_pages_is_read_alone(tell: Tell) -> None:
    async def story(clarus: Clarus) -> None:
        few, many = await clarus.port.read(ACME, [OrderId("5013"), ORDER])
        assert (few.absent, few.complete) == (False, True)
        assert len(translate_goods_outs(few.body)) == 0
        assert [one.reference for one in translate_goods_outs(many.body)] == [
            reference(generation=number) for number in range(1, 6)
        ]
        together, alone = ["Look goods_outs goods_outs_1", *["Look goods_outs_1"] * 2], ["Look goods_outs"]
        assert clarus.network.names()[:7] == [*together, *alone, *alone * 3]

    tell("five_goods_outs", story, page_size=2)


def test_the_same_content_is_the_same_bytes(tell: Tell) -> None:
    async def story(clarus: Clarus) -> None:
        assert (await clarus.reading()).body == (await clarus.reading()).body
        assert clarus.network.names() == ["Look goods_outs", "Look goods_out_lines shipments"] * 2

    tell("already_there", story)


def test_an_empty_answer_without_rights_is_not_complete(tell: Tell) -> None:
    async def story(clarus: Clarus) -> None:
        assert not (await clarus.reading()).complete
        with pytest.raises(Blind):
            await clarus.port.execute(create())
        assert clarus.network.writes() == []

    tell("no_rights", story)


def test_an_answer_that_does_not_show_all_warehouses_is_not_complete(tell: Tell) -> None:
    async def story(clarus: Clarus) -> None:
        reading = await clarus.reading()
        assert not reading.complete
        assert b"ACME-5012-71-1" in reading.body

    tell("one_warehouse_hidden", story)


def test_a_throttled_read_says_how_long(tell: Tell) -> None:
    async def story(clarus: Clarus) -> None:
        with pytest.raises(RateLimited) as caught:
            await clarus.reading()
        assert caught.value.retry_after == 1
        await clarus.reading()
        assert clarus.seconds() >= 1

    tell("reads_throttled", story)


def test_one_bad_gateway_does_not_end_a_read(tell: Tell) -> None:
    async def story(clarus: Clarus) -> None:
        reading = await clarus.reading()
        assert reading.complete
        assert b"ACME-5012-71-1" in reading.body
        assert clarus.network.names()[:3] == ["Look goods_outs", "Look goods_outs", "Look goods_out_lines shipments"]

    tell("one_read_broken", story)


def test_a_read_without_an_answer_executed_nothing(tell: Tell) -> None:
    async def story(clarus: Clarus) -> None:
        with pytest.raises(Unavailable):
            await clarus.reading()
        broken = len(clarus.network.names())
        assert (await clarus.reading()).complete
        assert clarus.network.names()[broken:] == ["Look goods_outs"], "nothing is there: one request"

    tell("reads_broken", story)


def test_a_refused_token_is_renewed_once(tell: Tell) -> None:
    async def story(clarus: Clarus) -> None:
        await clarus.reading()
        clarus.move("role edited")
        (goods_out,) = await clarus.goods_outs()
        assert goods_out.id == "90001"
        tokens = [asked for asked in clarus.network.asked if asked["path"] == "/oauth/token"]
        assert len(tokens) == 2

    tell("token_revoked", story)
