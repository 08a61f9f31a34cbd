"""What happens while we read: hands on the floor, rights lost, answers in another shape."""

from dataclasses import replace
from typing import Any

import httpx
import pytest

from connectors.clarus.translate import translate_goods_outs
from connectors.runtime.errors import Blind, Incompatible, Unavailable
from sandbox.clarus.office import Header
from tests.connectors.clarus.commands import ACME, LAMP, create
from tests.connectors.clarus.scenes import Floor
from tests.connectors.clarus.sides import Clarus
from tests.connectors.clarus.wire import Wire, before, on_the_floor

GOODS_OUTS = "Look goods_outs"
PARTS = "Look goods_out_lines shipments"
ALL_RIGHTS = {
    "accounts": {"all": {"edges": [{"node": {"id": "31", "code": "ACME"}}]}},
    "warehouses": {
        "all": {"edges": [{"node": {"id": "401", "code": "LDS1"}}, {"node": {"id": "402", "code": "MAN1"}}]}
    },
}


def test_one_deleted_between_its_header_and_its_lines_is_not_shown_without_lines() -> None:
    async def story(clarus: Clarus, floor: Floor, _wire: Wire) -> None:
        goods_out = floor.goods_out("ACME-5012-71-1")
        before(clarus, PARTS, lambda: floor.world.delete_by_hand(goods_out.id))
        assert await clarus.goods_outs() == ()
        assert clarus.network.names() == [GOODS_OUTS, PARTS, GOODS_OUTS]

    on_the_floor(story)


def test_one_deleted_meanwhile_is_looked_for_along_with_the_packages_of_another() -> None:
    async def story(clarus: Clarus, floor: Floor, _wire: Wire) -> None:
        gone, despatched = floor.goods_out("ACME-5012-71-1"), floor.goods_out("ACME-5012-72-1")
        floor.world.despatch(despatched.id)
        before(clarus, PARTS, lambda: floor.world.delete_by_hand(gone.id))
        (shown,) = await clarus.goods_outs()
        assert (shown.reference, len(shown.packages)) == ("ACME-5012-72-1", 1)
        assert clarus.network.names() == [GOODS_OUTS, PARTS, "Look packages goods_outs"]

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
            if b'"with_goods_outs":true' not in request.content:
                return None
            nodes = [
                {"node": {"id": str(one.id), "reference": one.reference, "goods_out_status": {"code": one.status}}}
                for one in floor.world.goods_outs.values()
            ]
            page = {"pageInfo": {"hasNextPage": False, "endCursor": None}, "edges": nodes}
            return httpx.Response(200, json={"data": {"goods_outs": {"all": page}, **ALL_RIGHTS}})

        wire.instead = looser
        assert [one.reference for one in await clarus.goods_outs()] == ["ACME-5012-71-1"]

    on_the_floor(story)


@pytest.mark.parametrize("request_name", [GOODS_OUTS, PARTS, "Look packages"])
def test_rights_lost_at_any_moment_make_the_answer_incomplete(request_name: str) -> None:
    async def story(clarus: Clarus, floor: Floor, _wire: Wire) -> None:
        goods_out = floor.goods_out("ACME-5012-71-1")
        floor.world.despatch(goods_out.id)
        before(clarus, request_name, floor.world.lose_rights)
        assert not (await clarus.reading()).complete

    on_the_floor(story)


def test_rights_that_are_back_at_the_end_do_not_make_it_complete() -> None:
    """Without them the lines seemed to be none: units would seem to be uncovered."""

    async def story(clarus: Clarus, floor: Floor, _wire: Wire) -> None:
        floor.goods_out("ACME-5012-71-1")
        happens = {1: floor.world.lose_rights, 2: floor.world.restore_rights}
        clarus.network.before = lambda _name: happens.get(len(clarus.network.names()) - 1, lambda: None)()
        reading = await clarus.reading()
        assert clarus.network.names() == [GOODS_OUTS, PARTS, GOODS_OUTS]
        assert translate_goods_outs(reading.body) == ()
        assert not reading.complete

    on_the_floor(story)


def test_without_all_rights_one_that_shows_no_lines_is_not_shown() -> None:
    """They may be hidden: its units would seem to be uncovered."""

    async def story(clarus: Clarus, floor: Floor, _wire: Wire) -> None:
        bare, whole = floor.goods_out("ACME-5012-71-1"), floor.goods_out("ACME-5012-72-1")
        (line,) = bare.lines
        floor.world.amend_goods_out(bare.id, Header(bare.account, bare.reference, bare.warehouse), destroy=[line])
        floor.sees_warehouses("LDS1")
        reading = await clarus.reading()
        assert not reading.complete
        assert [one.reference for one in translate_goods_outs(reading.body)] == [whole.reference]

    on_the_floor(story)


@pytest.mark.parametrize("page", [1, 2, 3])
def test_rights_lost_between_two_pages_make_the_answer_incomplete(page: int) -> None:
    async def story(clarus: Clarus, floor: Floor, _wire: Wire) -> None:
        for generation in range(1, 6):
            floor.goods_out(f"ACME-5012-71-{generation}")
        before(clarus, GOODS_OUTS, floor.world.lose_rights, time=page)
        assert not (await clarus.reading()).complete

    on_the_floor(story, page_size=2)


def test_each_list_goes_on_for_itself() -> None:
    async def story(clarus: Clarus, floor: Floor, _wire: Wire) -> None:
        goods_out = floor.goods_out("ACME-5012-71-1", lamp=3)
        for number in range(3):
            floor.world.despatch(goods_out.id, {floor.line(goods_out, LAMP): 1}, [f"1550{number}"])
        (shown,) = await clarus.goods_outs()
        assert [one.tracking_number for one in shown.packages] == ["15500", "15501", "15502"]
        once = [GOODS_OUTS, PARTS, "Look shipments", "Look packages", "Look packages"]
        assert clarus.network.names() == once * 2, "and again: what took several pages must be the same twice"

    on_the_floor(story, page_size=2)


@pytest.mark.parametrize("polls", [0, 1])
def test_rights_lost_while_polling_are_told(polls: int) -> None:
    """The first poll asks for the account's id before; the next ones remember it."""

    async def story(clarus: Clarus, floor: Floor, _wire: Wire) -> None:
        floor.goods_out("ACME-5012-71-1")
        for _ in range(polls):
            await clarus.port.changes(ACME, "")
        before(clarus, GOODS_OUTS, floor.world.lose_rights)
        with pytest.raises(Blind):
            await clarus.port.changes(ACME, "")

    on_the_floor(story)


def test_an_account_with_a_new_id_is_not_polled_by_the_old_one() -> None:
    async def story(clarus: Clarus, floor: Floor, _wire: Wire) -> None:
        goods_out = floor.goods_out("ACME-5012-71-1")
        first = await clarus.port.changes(ACME, "")
        accounts = floor.world.master.accounts
        del accounts[goods_out.account.id]
        accounts[777] = goods_out.account = replace(goods_out.account, id=777)
        with pytest.raises(Unavailable):
            await clarus.port.changes(ACME, first.cursor)
        assert (await clarus.port.changes(ACME, first.cursor)).orders == (), "nothing seems to be gone"

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
        answer = {"data": {"goods_outs": {"all": page}, **ALL_RIGHTS}}
        wire.instead = lambda request: httpx.Response(200, json=answer) if request.url.path == "/graphql" else None
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
