"""What happens while we look, read and write; over the sandbox, with hands on the floor between two requests."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from connectors.runtime.errors import Blind, Incompatible, Unauthorised, Unavailable
from kernel.virtual_time import run_virtual
from sandbox.clarus.office import Header
from sandbox.faults import Fault
from schemas.base import OrderId
from schemas.goods_outs import GoodsOutStatus
from schemas.outcomes import OutcomeKind
from tests.connectors.clarus.commands import ACME, IDA, cancel, create, units
from tests.connectors.clarus.scenes import Floor
from tests.connectors.clarus.sides import NOON, Clarus, a_port

CREATE, CANCEL = "POST /api/goods_outs", "POST /api/goods_outs/90001/cancel"


class Wire(httpx.AsyncBaseTransport):
    """To the sandbox; answers in its place what `instead` gives for a request."""

    def __init__(self, floor: Floor) -> None:
        self._inner = httpx.ASGITransport(floor.app)
        self.instead: Callable[[httpx.Request], httpx.Response | Exception | None] = lambda _request: None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        match self.instead(request):
            case None:
                return await self._inner.handle_async_request(request)
            case httpx.Response() as answer:
                return answer
            case error:
                raise error


def on_the_floor(story: Callable[[Clarus, Floor, Wire], Awaitable[None]], **settings: Any) -> None:
    async def whole() -> None:
        floor = Floor(NOON)
        wire = Wire(floor)
        async with a_port(wire, **settings) as clarus:
            await story(clarus, floor, wire)
            await floor.world.errands.finished()

    run_virtual(whole())


def before(clarus: Clarus, name: str, happens: Callable[[], object], *, time: int = 1) -> None:
    """Let it happen before the request of this name arrives the so-manieth time from now."""
    left = [time]

    def count(asked: str) -> None:
        if asked == name:
            left[0] -= 1
            if left[0] == 0:
                happens()

    clarus.network.before = count


def references(floor: Floor) -> list[str]:
    return [story["reference"] for story in floor.world.books.json()["goods_outs"]]


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


def test_what_is_executed_late_is_found_and_not_made_again() -> None:
    async def story(clarus: Clarus, floor: Floor, _wire: Wire) -> None:
        floor.faults.force("create_goods_out", Fault.LATE_EXECUTION, seconds=25)
        outcome = (await clarus.port.execute(create())).outcome
        assert (outcome.kind, outcome.external_id) == (OutcomeKind.APPLIED, "90001")
        assert references(floor) == ["ACME-5012-71-1"]

    on_the_floor(story)


@pytest.mark.parametrize(
    "answer",
    [
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("dropped"),
        httpx.Response(503),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json={"data": {}}),
        httpx.Response(302, headers={"Location": "/login"}),
    ],
)
def test_no_unclear_answer_makes_a_second_goods_out(answer: httpx.Response | Exception) -> None:
    """Clarus makes it, and something else is what we hear."""

    async def story(clarus: Clarus, floor: Floor, wire: Wire) -> None:
        def heard(request: httpx.Request) -> httpx.Response | Exception | None:
            if request.url.path != "/api/goods_outs":
                return None
            floor.goods_out("ACME-5012-71-1")
            return answer

        wire.instead = heard
        outcome = (await clarus.port.execute(create())).outcome
        assert (outcome.kind, outcome.external_id) == (OutcomeKind.APPLIED, "90001")
        assert clarus.network.writes() == [CREATE]
        assert references(floor) == ["ACME-5012-71-1"]

    on_the_floor(story)


def test_a_look_that_fails_after_an_unclear_answer_leaves_it_open() -> None:
    async def story(clarus: Clarus, floor: Floor, wire: Wire) -> None:
        floor.faults.force("create_goods_out", Fault.ANSWER_LOST)

        def away(request: httpx.Request) -> httpx.Response | None:
            return httpx.Response(502) if clarus.seconds() > 29 and request.url.path == "/graphql" else None

        wire.instead = away
        execution = await clarus.port.execute(create())
        assert (execution.outcome.kind, execution.outcome.code) == (OutcomeKind.DELAYED, "unclear")
        assert execution.readings == ()
        wire.instead = lambda _request: None
        assert (await clarus.port.execute(create())).outcome.kind is OutcomeKind.ALREADY_APPLIED

    on_the_floor(story)


def test_before_anything_was_written_an_outage_is_just_one() -> None:
    async def story(clarus: Clarus, floor: Floor, wire: Wire) -> None:
        floor.faults.force("graphql", Fault.SERVER_ERROR)
        with pytest.raises(Unavailable):
            await clarus.port.execute(create())
        wire.instead = lambda request: httpx.Response(502) if b"Products" in request.content else None
        with pytest.raises(Unavailable):
            await clarus.port.execute(create())
        assert references(floor) == []

    on_the_floor(story)


@pytest.mark.parametrize("trouble", [Fault.SERVER_ERROR, Fault.THROTTLED])
def test_a_create_stands_when_reading_it_back_fails(trouble: Fault) -> None:
    async def story(clarus: Clarus, floor: Floor, _wire: Wire) -> None:
        before(clarus, CREATE, lambda: floor.faults.force("graphql", trouble))
        execution = await clarus.port.execute(create())
        assert (execution.outcome.kind, execution.outcome.external_id) == (OutcomeKind.APPLIED, "90001")
        assert execution.readings == ()

    on_the_floor(story)


def test_a_look_that_became_old_is_made_again() -> None:
    """While the ids were being looked up, somebody keyed it in."""

    async def story(clarus: Clarus, floor: Floor, _wire: Wire) -> None:
        floor.faults.force("graphql", Fault.NONE, times=2)
        floor.faults.force("graphql", Fault.SLOW, seconds=6)
        before(clarus, "Products", lambda: floor.goods_out("ACME-5012-71-1"))
        outcome = (await clarus.port.execute(create())).outcome
        assert (outcome.kind, outcome.external_id) == (OutcomeKind.ALREADY_APPLIED, "90001")
        assert clarus.network.writes() == []

    on_the_floor(story)


def test_a_product_with_a_new_id_is_resolved_anew() -> None:
    async def story(clarus: Clarus, floor: Floor, _wire: Wire) -> None:
        await clarus.port.execute(create())
        product = floor.world.master.product("acme", "0042-LAMP")
        assert product is not None
        del floor.world.master.products[product.id]
        product.id = 20777
        floor.world.master.products[20777] = product
        execution = await clarus.port.execute(create(order=OrderId("5013")))
        assert execution.outcome.kind is OutcomeKind.APPLIED
        assert clarus.network.writes() == [CREATE] * 3

    on_the_floor(story)


def test_without_the_right_to_write_it_is_the_connection_that_fails() -> None:
    async def story(clarus: Clarus, floor: Floor, _wire: Wire) -> None:
        before(clarus, CREATE, floor.world.lose_rights)
        with pytest.raises(Unauthorised):
            await clarus.port.execute(create())
        assert references(floor) == []

    on_the_floor(story)


def test_a_wrong_prefix_is_a_refusal() -> None:
    async def story(clarus: Clarus, floor: Floor, _wire: Wire) -> None:
        floor.goods_out("ACME-5013-71-1")
        assert (await clarus.port.execute(create())).outcome.code == "not_found"
        missed = await clarus.port.execute(cancel("90001", name=None).model_copy(update={"order": OrderId("5013")}))
        assert (missed.outcome.kind, missed.outcome.code) == (OutcomeKind.REJECTED, "not_found")

    on_the_floor(story, rest_prefix="/api/v9")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"line1": "x" * 81}, "address_1"),
        ({"postcode": "12345678901"}, "postcode"),
        ({"name": "x" * 81}, "name"),
        ({"company": "Kiln Works", "name": "x" * 81}, "address_5"),
    ],
)
def test_an_address_that_does_not_fit_is_refused_and_never_cut(change: dict[str, str], field: str) -> None:
    async def story(clarus: Clarus, floor: Floor, _wire: Wire) -> None:
        outcome = (await clarus.port.execute(create(ship_to=IDA.model_copy(update=change)))).outcome
        assert (outcome.kind, outcome.code, outcome.field) == (OutcomeKind.REJECTED, "too_long", field)
        assert references(floor) == []

    on_the_floor(story)


def test_a_company_comes_first_and_what_is_empty_is_left_out() -> None:
    async def story(clarus: Clarus, floor: Floor, _wire: Wire) -> None:
        ship_to = IDA.model_copy(update={"company": "Kiln Works", "line2": "", "region": ""})
        command = create(units("1", "0042-LAMP", 1, ""), ship_to=ship_to, order_notes="", order_name="")
        assert (await clarus.port.execute(command)).outcome.kind is OutcomeKind.APPLIED
        address = floor.world.goods_outs[90001].address
        assert (address["name"], address["address_5"]) == ("Kiln Works", "Ida Marlow")
        assert "" not in [*address.values(), *floor.world.goods_outs[90001].attributes.values()]

    on_the_floor(story)


def test_long_notes_are_cut_and_say_so() -> None:
    async def story(clarus: Clarus, floor: Floor, _wire: Wire) -> None:
        await clarus.port.execute(create(order_notes="n" * 300))
        notes = floor.world.goods_outs[90001].attributes["packing_notes"]
        assert len(notes) == 255
        assert notes.endswith("n [cut]")

    on_the_floor(story)


def test_picking_that_began_before_the_cancel_arrives_shows_in_the_reading() -> None:
    async def story(clarus: Clarus, floor: Floor, _wire: Wire) -> None:
        goods_out = floor.goods_out("ACME-5012-71-1")
        before(clarus, CANCEL, lambda: floor.world.pick(goods_out.id))
        execution = await clarus.port.execute(cancel("90001"))
        assert execution.outcome.kind is OutcomeKind.APPLIED
        (shown,) = await clarus.goods_outs()
        assert (shown.status, shown.lines[0].picked) == (GoodsOutStatus.CANCELLED, 2)
        assert b'"pick_quantity":2' in execution.readings[0].body

    on_the_floor(story)


def test_despatched_before_the_cancel_arrives_it_is_refused() -> None:
    async def story(clarus: Clarus, floor: Floor, _wire: Wire) -> None:
        goods_out = floor.goods_out("ACME-5012-71-1")
        before(clarus, CANCEL, lambda: floor.world.despatch(goods_out.id))
        execution = await clarus.port.execute(cancel("90001"))
        assert (execution.outcome.kind, execution.outcome.code) == (OutcomeKind.REJECTED, "goods_out_completed")
        assert b"COMPLETED" in execution.readings[0].body

    on_the_floor(story)


def test_despatched_while_an_unclear_cancel_is_waited_out_it_was_not_cancelled() -> None:
    async def story(clarus: Clarus, floor: Floor, _wire: Wire) -> None:
        goods_out = floor.goods_out("ACME-5012-71-1")
        floor.faults.force("cancel_goods_out", Fault.SERVER_ERROR)
        before(clarus, "GoodsOuts", lambda: floor.world.despatch(goods_out.id), time=2)
        execution = await clarus.port.execute(cancel("90001"))
        assert (execution.outcome.kind, execution.outcome.text) == (OutcomeKind.REJECTED, "COMPLETED")

    on_the_floor(story)


def test_gone_before_the_cancel_arrives_is_as_wished() -> None:
    async def story(clarus: Clarus, floor: Floor, _wire: Wire) -> None:
        goods_out = floor.goods_out("ACME-5012-71-1")
        before(clarus, CANCEL, lambda: floor.world.delete_by_hand(goods_out.id))
        execution = await clarus.port.execute(cancel("90001"))
        assert execution.outcome.kind is OutcomeKind.ALREADY_APPLIED
        assert clarus.seconds() < 29, "nothing to wait out"

    on_the_floor(story)


def test_of_two_with_one_reference_the_one_meant_is_judged_and_cancelled() -> None:
    async def story(clarus: Clarus, floor: Floor, _wire: Wire) -> None:
        first, second = floor.goods_out("ACME-5012-71-1"), floor.goods_out("ACME-5012-71-1")
        floor.world.pick(first.id)
        assert (await clarus.port.execute(cancel(str(second.id)))).outcome.kind is OutcomeKind.APPLIED
        assert list(floor.world.goods_outs) == [first.id]

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
