"""What happens to requests on the way: latency, throttling, answers lost, executed late or not at all."""

import httpx
import pytest

from sandbox.clarus import GatewaySettings
from sandbox.faults import Fault, Faults
from tests.sandbox.clarus.warehouse import GOODS_OUTS, MONDAY, Warehouse, in_the_warehouse


def seconds(clarus: Warehouse) -> float:
    return (clarus.world.clock.now() - MONDAY).total_seconds()


@pytest.mark.parametrize(
    ("fault", "status", "made", "made_later"),
    [
        (Fault.ANSWER_LOST, 502, 1, 1),
        (Fault.LATE_EXECUTION, 504, 0, 1),
        (Fault.SERVER_ERROR, 502, 0, 0),
        (Fault.THROTTLED, 429, 0, 0),
        (Fault.SLOW, 200, 1, 1),
    ],
)
def test_a_write_that_goes_wrong(fault: Fault, status: int, made: int, made_later: int) -> None:
    async def story(clarus: Warehouse) -> None:
        clarus.faults.force("create_goods_out", fault, seconds=3.0)
        answer = await clarus.call("POST", "/api/goods_outs", clarus.a_goods_out())
        assert answer.status_code == status
        assert len(clarus.world.books.json()["goods_outs"]) == made
        before = seconds(clarus)
        await clarus.world.errands.finished()
        assert seconds(clarus) - before == pytest.approx(3.0 if made_later > made else 0.0)
        assert len(await clarus.read(GOODS_OUTS)) == made_later
        await clarus.create(clarus.a_goods_out("ACME-2-1-1"))

    in_the_warehouse(story)


def test_what_a_proxy_answers_is_no_json() -> None:
    async def story(clarus: Warehouse) -> None:
        clarus.faults.force("graphql", Fault.SERVER_ERROR)
        answer = await clarus.call("POST", "/graphql", {"query": GOODS_OUTS})
        assert (answer.status_code, answer.headers["content-type"]) == (502, "text/html; charset=utf-8")

    in_the_warehouse(story)


def test_a_slow_read_shows_what_was_when_it_was_asked() -> None:
    async def story(clarus: Warehouse) -> None:
        clarus.faults.force("graphql", Fault.SLOW, seconds=4.0)
        assert await clarus.read(GOODS_OUTS) == []
        assert seconds(clarus) == pytest.approx(4.0)

    in_the_warehouse(story)


def test_every_request_takes_its_time() -> None:
    async def story(clarus: Warehouse) -> None:
        before = seconds(clarus)
        await clarus.create(clarus.a_goods_out())
        await clarus.read(GOODS_OUTS)
        assert seconds(clarus) - before == pytest.approx(0.5)

    in_the_warehouse(story, gateway=GatewaySettings(latency=0.25))


def test_too_many_requests_are_told_when_to_come_again() -> None:
    async def story(clarus: Warehouse) -> None:
        answers = [await clarus.call("POST", "/graphql", {"query": GOODS_OUTS}) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        await clarus.world.clock.sleep(float(answers[-1].headers["Retry-After"]))
        assert await clarus.read(GOODS_OUTS) == []

    in_the_warehouse(story, gateway=GatewaySettings(per_second=0.5, burst=2))


def test_chance_makes_the_same_faults_from_the_same_seed() -> None:
    def statuses(seed: int) -> list[int]:
        told: list[int] = []

        async def story(clarus: Warehouse) -> None:
            for number in range(40):
                answer = await clarus.call("POST", "/api/goods_outs", clarus.a_goods_out(f"ACME-{number}-1-1"))
                told.append(answer.status_code)

        in_the_warehouse(story, faults=Faults(answer_lost=0.2, server_error=0.2, throttled=0.1), seed=seed)
        return told

    once = statuses(1)
    assert once == statuses(1)
    assert once != statuses(2)
    assert {200, 429, 502} == set(once)


def test_faults_are_set_over_http() -> None:
    async def story(clarus: Warehouse) -> None:
        async def set_faults(body: dict[str, object]) -> httpx.Response:
            return await clarus.http.post("/_sandbox/faults", json=body)

        assert (await set_faults({"operation": "graphql", "fault": "throttled", "times": 2})).status_code == 204
        answers = [await clarus.call("POST", "/graphql", {"query": GOODS_OUTS}) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [429, 429, 200]
        assert (await set_faults({"preset": "many"})).status_code == 204
        assert (await clarus.http.get("/_sandbox/faults")).json() == Faults.preset("many").model_dump()
        assert (await set_faults({"fautls": {}})).status_code == 422
        await set_faults({"faults": {}})
        assert (await clarus.http.post("/_sandbox/rights", json={"seen": False})).status_code == 204
        assert await clarus.read("query { accounts { all { edges { node { id } } } } }") == []

    in_the_warehouse(story)
