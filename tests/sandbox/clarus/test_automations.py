"""Automations: what is posted where, and how it gets lost, doubled and late."""

import json
from typing import Any

import httpx
import pytest

from sandbox.clarus import Deliveries, Tenant, seed
from sandbox.faults import Chance, Faults
from tests.sandbox.clarus.warehouse import MONDAY, Warehouse, in_the_warehouse

HOOK = "https://hooks.example.test/clarus/k7"


class Receiver:
    """Our end of it: remembers what came, answers as told, else 200."""

    def __init__(self, clarus: Warehouse, faults: Faults | None = None, answers: tuple[int, ...] = ()) -> None:
        self.came: list[tuple[float, httpx.Request]] = []
        self._clarus, self._answers = clarus, list(answers)
        client = httpx.AsyncClient(transport=httpx.MockTransport(self._answer))
        self.deliveries = Deliveries(clarus.world, client, lambda: faults or Faults(), Chance(1))

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        self.came.append(((self._clarus.world.clock.now() - MONDAY).total_seconds(), request))
        return httpx.Response(self._answers.pop(0) if self._answers else 200)

    async def all(self) -> list[tuple[str, str]]:
        """Automation and status of everything that came, once nothing is on its way."""
        await self._clarus.world.errands.finished()
        return [
            (request.headers["X-ClarusWMS-Automation-ID"], body(request)["goods_out_status"]["code"])
            for _, request in self.came
        ]


def body(request: httpx.Request) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(request.content)["data"]
    return found


async def automate(clarus: Warehouse, event: str, **condition: str) -> str:
    """The new automation's id."""
    parameters = {"webhook_url": f"{HOOK}/{event}", "webhook_method": "POST"}
    attributes: dict[str, Any] = {
        "resource_name": "goods_out",
        "event": event,
        "name": event,
        "actions_changes": [
            {
                "type": "ADD",
                "attributes": {
                    "destination_type": "webhook",
                    "parameters_changes": [
                        {"type": "ADD", "attributes": {"parameter_code": code, "value": value}}
                        for code, value in parameters.items()
                    ],
                },
            }
        ],
    }
    if condition:
        attributes["conditions_changes"] = [{"type": "ADD", "attributes": condition}]
    answer = await clarus.call("POST", "/api/automations", {"data": {"type": "automations", "attributes": attributes}})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["data"]["id"])


def test_a_goods_outs_life_is_told_with_the_whole_record_and_no_signature() -> None:
    async def story(clarus: Warehouse) -> None:
        receiver = Receiver(clarus)
        ids = [await automate(clarus, event) for event in ("created", "processed", "completed")]
        number = await clarus.create(clarus.a_goods_out("ACME-5012-7-1", lamp=2))
        clarus.world.despatch(number)
        told = list(zip(ids, ["PENDING", "ALLOCATED", "COMPLETED"], strict=True))
        assert await receiver.all() == told
        _, last = receiver.came[-1]
        assert (last.method, str(last.url)) == ("POST", f"{HOOK}/completed")
        assert last.headers["X-ClarusWMS-Subdomain"] == "northwind"
        assert not any("sign" in name or "hmac" in name or "event-id" in name for name in last.headers)
        told_of = body(last)
        assert (told_of["id"], told_of["reference"]) == (number, "ACME-5012-7-1")
        assert [(line["order_quantity"], line["dispatch_quantity"]) for line in told_of["goods_out_lines"]] == [(2, 2)]

    in_the_warehouse(story)


def test_conditions_and_tenants_keep_others_out() -> None:
    async def story(clarus: Warehouse) -> None:
        receiver = Receiver(clarus)
        wanted = str(clarus.id_of("ACME"))
        await automate(
            clarus, "created", condition_code="account_id", source_path="data.account_id", operator="eq", value=wanted
        )
        await clarus.create(clarus.a_goods_out("BORE-1-1-1", account="BOREALIS", rug=1))
        await clarus.create(clarus.a_goods_out("ACME-1-1-1"))
        await automate(clarus, "created")
        seed(clarus.world, Tenant(subdomain="southwind", client_id="c", client_secret="s", accounts={"ACME": ("CUP",)}))
        clarus.world.enter_by_hand("southwind", "ACME", "MAIN", {"CUP": 1}, reference="SOUTH-1-1-1")
        await receiver.all()
        assert [body(request)["reference"] for _, request in receiver.came] == ["ACME-1-1-1"]

    in_the_warehouse(story)


def test_lost_ones_never_come() -> None:
    async def story(clarus: Warehouse) -> None:
        receiver = Receiver(clarus, Faults(webhook_lost=1.0))
        await automate(clarus, "created")
        await clarus.create(clarus.a_goods_out())
        assert await receiver.all() == []
        assert receiver.deliveries.lost == 1

    in_the_warehouse(story)


def test_doubled_ones_come_twice_the_same() -> None:
    async def story(clarus: Warehouse) -> None:
        receiver = Receiver(clarus, Faults(webhook_doubled=1.0))
        await automate(clarus, "created")
        await clarus.create(clarus.a_goods_out())
        await receiver.all()
        first, second = (request.content for _, request in receiver.came)
        assert first == second

    in_the_warehouse(story)


def test_delayed_ones_overtake_each_other_and_tell_what_was() -> None:
    async def story(clarus: Warehouse) -> None:
        receiver = Receiver(clarus, Faults(webhook_delay=20.0))
        await automate(clarus, "created")
        references = [f"ACME-{number}-1-1" for number in range(6)]
        for reference in references:
            number = await clarus.create(clarus.a_goods_out(reference))
        clarus.world.despatch(number)
        assert {status for _, status in await receiver.all()} == {"PENDING"}
        came = [body(request)["reference"] for _, request in receiver.came]
        assert sorted(came) == references
        assert came != references
        assert 0 < receiver.came[-1][0] <= 20

    in_the_warehouse(story)


@pytest.mark.parametrize(("answers", "tries", "given_up"), [((500, 503), 3, 0), ((500, 500, 500), 3, 1), ((), 1, 0)])
def test_what_is_not_taken_is_tried_again_for_a_while(answers: tuple[int, ...], tries: int, given_up: int) -> None:
    async def story(clarus: Warehouse) -> None:
        receiver = Receiver(clarus, answers=answers)
        await automate(clarus, "created")
        await clarus.create(clarus.a_goods_out())
        await receiver.all()
        assert [at for at, _ in receiver.came] == pytest.approx([5.0 * number for number in range(tries)])
        assert receiver.deliveries.given_up == given_up

    in_the_warehouse(story)


def test_a_deleted_automation_is_silent() -> None:
    async def story(clarus: Warehouse) -> None:
        receiver = Receiver(clarus)
        number = await automate(clarus, "created")
        assert (await clarus.call("DELETE", f"/api/automations/{number}")).status_code == 204
        await clarus.create(clarus.a_goods_out())
        assert await receiver.all() == []
        assert (await clarus.call("DELETE", f"/api/automations/{number}")).status_code == 404

    in_the_warehouse(story)
