"""The sandbox ERP over HTTP: keys, shapes, refusals, and what can happen to a request on the way."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from sandbox.erp import ErpTimings, ErpWorld, create_app
from sandbox.faults import Chance, Fault, FaultPlan, Faults
from tests.sandbox.erp.test_world import an_order
from tests.sandbox.step_clock import StepClock

ACME = {"Authorization": "Bearer acme-key"}


class GatedClock(StepClock):
    """Sleeps until the gate is opened."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[float] = []
        self.asleep, self.gate = asyncio.Event(), asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        self.asked.append(seconds)
        self.asleep.set()
        await self.gate.wait()


class Desk:
    """A caller's desk: the ERP, its people's hands and a client."""

    def __init__(self) -> None:
        self.clock = GatedClock()
        self.world = ErpWorld(self.clock, {"acme": "acme-key", "borealis": "borealis-key"}, None, ErpTimings())
        self.faults = FaultPlan(Faults(), Chance(1), "erp")
        transport = httpx.ASGITransport(create_app(self.world, self.faults))
        self.http = httpx.AsyncClient(transport=transport, base_url="http://erp.example", headers=ACME)


def tell(story: Callable[[Desk], Awaitable[None]]) -> None:
    async def whole() -> None:
        desk = Desk()
        async with desk.http:
            await story(desk)

    asyncio.run(whole())


def error(answer: httpx.Response) -> tuple[int, str, str]:
    body: dict[str, Any] = answer.json()["error"]
    return answer.status_code, body["code"], body["field"]


def test_an_order_from_entry_to_posting() -> None:
    async def story(desk: Desk) -> None:
        entered = await desk.http.put("/api/sales_orders/5001", json=an_order(_1=2))
        assert (entered.status_code, entered.json()["state"]) == (201, "draft")
        desk.clock.advance(60)
        posted = await desk.http.post("/api/sales_orders/5001/fulfilments/ACME-5001-7-1%231", json={"lines": {"1": 2}})
        assert posted.status_code == 201
        assert posted.json()["fulfilments"][0]["key"] == "ACME-5001-7-1#1"
        desk.clock.advance(60)
        order = (await desk.http.get("/api/sales_orders/5001")).json()
        assert order["state"] == "done"
        books = (await desk.http.get("/_sandbox/books")).json()
        assert books["fulfilments"] == [
            {
                "shop": "acme",
                "key": "ACME-5001-7-1#1",
                "order": "5001",
                "state": "posted",
                "posted_at": "2026-05-04T12:01:05.000000Z",
                "lines": [{"line": "1", "quantity": 2}],
            }
        ]

    tell(story)


def test_a_key_opens_its_own_shop_only() -> None:
    async def story(desk: Desk) -> None:
        await desk.http.put("/api/sales_orders/5001", json=an_order(_1=2))
        other = {"Authorization": "Bearer borealis-key"}
        assert (await desk.http.get("/api/sales_orders/5001", headers=other)).status_code == 404
        wrong = await desk.http.get("/api/sales_orders/5001", headers={"Authorization": "Bearer nobody"})
        assert error(wrong) == (401, "unauthorised", "")

    tell(story)


def test_refusals_name_the_place() -> None:
    async def story(desk: Desk) -> None:
        body = an_order(_1=2)
        body["currency"] = "pounds"
        assert error(await desk.http.put("/api/sales_orders/1", json=body)) == (422, "invalid", "currency")
        assert error(await desk.http.put("/api/sales_orders/1", content=b"{")) == (400, "invalid", "")
        assert error(await desk.http.get("/api/sales_orders?after=x")) == (422, "invalid", "after")
        naive = await desk.http.get("/api/sales_orders?changed_since=2026-05-04T12:00:00")
        assert error(naive) == (422, "invalid", "changed_since")

    tell(story)


def test_many_orders_in_one_answer_and_changes_by_number() -> None:
    async def story(desk: Desk) -> None:
        for key in ("1", "2", "3"):
            await desk.http.put(f"/api/sales_orders/{key}", json=an_order(_1=1))
        some = (await desk.http.get("/api/sales_orders?keys=3,9,1")).json()["orders"]
        assert [order["key"] for order in some] == ["3", "1"]
        first = (await desk.http.get("/api/sales_orders?limit=2")).json()["orders"]
        assert [order["key"] for order in first] == ["1", "2"]
        rest = (await desk.http.get(f"/api/sales_orders?after={first[-1]['change']}")).json()["orders"]
        assert [order["key"] for order in rest] == ["3"]

    tell(story)


def test_an_answer_that_is_lost_was_executed_all_the_same() -> None:
    async def story(desk: Desk) -> None:
        desk.faults.force("put_order", Fault.ANSWER_LOST)
        assert (await desk.http.put("/api/sales_orders/1", json=an_order(_1=1))).status_code == 504
        assert (await desk.http.get("/api/sales_orders/1")).status_code == 200

    tell(story)


def test_an_error_before_the_effect_and_a_throttled_call_leave_nothing() -> None:
    async def story(desk: Desk) -> None:
        desk.faults.force("put_order", Fault.SERVER_ERROR)
        desk.faults.force("put_order", Fault.THROTTLED)
        assert (await desk.http.put("/api/sales_orders/1", json=an_order(_1=1))).status_code == 502
        throttled = await desk.http.put("/api/sales_orders/1", json=an_order(_1=1))
        assert (throttled.status_code, throttled.headers["Retry-After"]) == (429, "1")
        assert (await desk.http.get("/api/sales_orders/1")).status_code == 404

    tell(story)


def test_a_late_execution_happens_after_its_answer() -> None:
    async def story(desk: Desk) -> None:
        desk.faults.force("put_order", Fault.LATE_EXECUTION, seconds=20)
        assert (await desk.http.put("/api/sales_orders/1", json=an_order(_1=1))).status_code == 504
        assert (await desk.http.get("/api/sales_orders/1")).status_code == 404
        await desk.clock.asleep.wait()
        assert desk.clock.asked == [20]
        desk.clock.gate.set()
        await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))
        assert (await desk.http.get("/api/sales_orders/1")).status_code == 200

    tell(story)
