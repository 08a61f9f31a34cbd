"""What happens while we look and create: unclear answers, outages, ids that changed, what does not fit."""

import asyncio
from collections.abc import Sequence

import httpx
import pytest

from connectors.runtime.errors import RateLimited, Unauthorised, Unavailable
from connectors.runtime.http import READ_TRIES
from connectors.runtime.port import Reading
from sandbox.faults import Fault
from schemas.base import OrderId
from schemas.outcomes import OutcomeKind
from tests.builders import ACME
from tests.connectors.clarus.commands import IDA, about, cancel, create, units
from tests.connectors.clarus.scenes import Floor
from tests.connectors.clarus.sides import Clarus
from tests.connectors.clarus.wire import Wire, before, on_the_floor, references

CREATE = "POST /api/goods_outs"


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
        floor.faults.force("graphql", Fault.SERVER_ERROR, times=READ_TRIES)
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
        before(clarus, CREATE, lambda: floor.faults.force("graphql", trouble, times=READ_TRIES))
        execution = await clarus.port.execute(create())
        assert (execution.outcome.kind, execution.outcome.external_id) == (OutcomeKind.APPLIED, "90001")
        assert execution.readings == ()

    on_the_floor(story)


def test_a_look_that_became_old_is_made_again() -> None:
    """While the ids were being looked up, somebody keyed it in."""

    async def story(clarus: Clarus, floor: Floor, _wire: Wire) -> None:
        floor.faults.force("graphql", Fault.NONE)
        floor.faults.force("graphql", Fault.SLOW, seconds=6)
        before(clarus, "Products", lambda: floor.goods_out("ACME-5012-71-1"))
        outcome = (await clarus.port.execute(create())).outcome
        assert (outcome.kind, outcome.external_id) == (OutcomeKind.ALREADY_APPLIED, "90001")
        assert clarus.network.writes() == []

    on_the_floor(story)


def test_a_write_that_waited_long_for_its_turn_is_preceded_by_another_look() -> None:
    """After the look Clarus asks another call of ours to wait half a minute; meanwhile somebody keys it in."""

    async def story(clarus: Clarus, floor: Floor, wire: Wire) -> None:
        busy = httpx.Response(429, headers={"Retry-After": "30"})
        wire.instead = lambda request: busy if b"ACME-5099-" in request.content else None
        others: list[asyncio.Task[Sequence[Reading]]] = []

        def meanwhile() -> None:
            others.append(asyncio.create_task(clarus.port.read(ACME, [OrderId("5099")])))
            floor.goods_out("ACME-5012-71-1")

        floor.faults.force("graphql", Fault.NONE, times=2)
        floor.faults.force("graphql", Fault.SLOW, seconds=2)
        before(clarus, "Products", meanwhile)
        outcome = (await clarus.port.execute(create())).outcome
        with pytest.raises(RateLimited):
            await others[0]
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


def test_a_create_does_not_wait_for_hints_of_other_channels_to_be_resolved() -> None:
    async def story(clarus: Clarus, floor: Floor, _wire: Wire) -> None:
        for number in range(200):
            floor.goods_out(f"W-{number}")
        hints = [asyncio.ensure_future(clarus.port.resolve(about(f"goods_out/{90001 + n}"))) for n in range(200)]
        await clarus.clock.sleep(1)
        assert (await clarus.port.execute(create())).outcome.kind is OutcomeKind.APPLIED
        assert clarus.seconds() < 15
        await asyncio.gather(*hints)
        assert clarus.seconds() > 40

    on_the_floor(story)
