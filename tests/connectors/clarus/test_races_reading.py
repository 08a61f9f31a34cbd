"""What happens while we read: hands on the floor, rights lost, answers in another shape."""

from typing import Any

import httpx
import pytest

from connectors.runtime.errors import Blind, Incompatible
from sandbox.clarus.office import Header
from tests.connectors.clarus.commands import ACME, create
from tests.connectors.clarus.scenes import Floor
from tests.connectors.clarus.sides import Clarus
from tests.connectors.clarus.wire import Wire, before, on_the_floor


def test_one_deleted_between_its_header_and_its_lines_is_not_shown_without_lines() -> None:
    async def story(clarus: Clarus, floor: Floor, _wire: Wire) -> None:
        goods_out = floor.goods_out("ACME-5012-71-1")
        before(clarus, "Lines", lambda: floor.world.delete_by_hand(goods_out.id))
        assert await clarus.goods_outs() == ()
        assert clarus.network.names() == ["GoodsOuts", "Lines", "Shipments", "GoodsOuts", "Rights"]

    on_the_floor(story)


def test_one_that_has_no_lines_is_shown_without() -> None:
    async def story(clarus: Clarus, floor: Floor, _wire: Wire) -> None:
        goods_out = floor.goods_out("ACME-5012-71-1")
        (line,) = goods_out.lines
        header = Header(goods_out.account, goods_out.reference, goods_out.warehouse)
        floor.world.amend_goods_out(goods_out.id, header, destroy=[line])
        (shown,) = await clarus.goods_outs()
        assert shown.lines == ()

    on_the_floor(story)


def test_what_a_looser_like_shows_besides_is_another_orders() -> None:
    async def story(clarus: Clarus, floor: Floor, wire: Wire) -> None:
        floor.goods_out("ACME-5012-71-1")
        others = ("acme-5012-71-1", "ACME-50123-71-1", "ACME-5012", "X-ACME-5012-71-1")
        for reference in others:
            floor.goods_out(reference)

        def looser(request: httpx.Request) -> httpx.Response | None:
            if b"GoodsOuts" not in request.content:
                return None
            nodes = [
                {"node": {"id": str(one.id), "reference": one.reference, "goods_out_status": {"code": one.status}}}
                for one in floor.world.goods_outs.values()
            ]
            page = {"pageInfo": {"hasNextPage": False, "endCursor": None}, "edges": nodes}
            return httpx.Response(200, json={"data": {"goods_outs": {"all": page}}})

        wire.instead = looser
        assert [one.reference for one in await clarus.goods_outs()] == ["ACME-5012-71-1"]

    on_the_floor(story)


@pytest.mark.parametrize("request_name", ["GoodsOuts", "Lines", "Shipments", "Packages", "Rights"])
def test_rights_lost_at_any_moment_make_the_answer_incomplete(request_name: str) -> None:
    async def story(clarus: Clarus, floor: Floor, _wire: Wire) -> None:
        goods_out = floor.goods_out("ACME-5012-71-1")
        floor.world.despatch(goods_out.id)
        before(clarus, request_name, floor.world.lose_rights)
        assert not (await clarus.reading()).complete

    on_the_floor(story)


def test_rights_lost_while_polling_are_told() -> None:
    async def story(clarus: Clarus, floor: Floor, _wire: Wire) -> None:
        floor.goods_out("ACME-5012-71-1")
        before(clarus, "GoodsOuts", floor.world.lose_rights)
        with pytest.raises(Blind):
            await clarus.port.changes(ACME, "")

    on_the_floor(story)


@pytest.mark.parametrize(
    "node",
    [
        {"id": None, "reference": "ACME-5012-71-1"},
        {"id": "90001"},
        {"id": "90001", "reference": None},
        {"id": {"x": 1}, "reference": "ACME-5012-71-1"},
    ],
)
def test_nodes_in_another_shape_are_no_absence(node: dict[str, Any]) -> None:
    async def story(clarus: Clarus, _floor: Floor, wire: Wire) -> None:
        page = {"pageInfo": {"hasNextPage": False, "endCursor": None}, "edges": [{"node": node}]}
        answer = {"data": {"goods_outs": {"all": page}}}
        wire.instead = lambda request: httpx.Response(200, json=answer) if b"GoodsOuts" in request.content else None
        with pytest.raises(Incompatible):
            await clarus.reading()
        with pytest.raises(Incompatible):
            await clarus.port.execute(create())

    on_the_floor(story)


def test_the_poll_takes_no_cursor_but_its_own() -> None:
    async def story(clarus: Clarus, _floor: Floor, _wire: Wire) -> None:
        for cursor in ("x", "[1]", '{"90001": 1}', '{"90001": ["5012"]}'):
            with pytest.raises(Incompatible):
                await clarus.port.changes(ACME, cursor)

    on_the_floor(story)
