"""What only the sandbox ERP can be made to do: be a draft, close a period, lose an answer and execute late."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import httpx
import orjson
from starlette.applications import Starlette

from connectors.erp.port import ErpPort
from connectors.erp.sandbox import SandboxErp
from sandbox.erp import ErpTimings, ErpWorld, create_app
from sandbox.erp.records import order_json
from sandbox.faults import Chance, Fault, FaultPlan, Faults
from schemas.outcomes import OutcomeKind
from tests.connectors.erp.wishes import ACME, LAMP, an_order, goods_out, line, posting, wish
from tests.sandbox.step_clock import StepClock


class Desk:
    def __init__(self) -> None:
        self.clock = StepClock()
        timings = ErpTimings(commit_delay=timedelta(seconds=60), posting_delay=timedelta(seconds=60))
        self.world = ErpWorld(self.clock, {"acme": "acme-key"}, [LAMP], timings)
        self.faults = FaultPlan(Faults(), Chance(1), "erp")
        self.before_posting: Callable[[], object] = lambda: None
        self.asked: list[str] = []
        app = create_app(self.world, self.faults)
        erp = SandboxErp("http://erp.example/", {ACME: "acme-key"}, self.clock, Overtaken(self, app))
        self.port = ErpPort({ACME: erp}, self.clock)


class Overtaken(httpx.ASGITransport):
    """Remembers what was asked for, and lets somebody else act just before a posting arrives."""

    def __init__(self, desk: Desk, app: Starlette) -> None:
        super().__init__(app)
        self._desk = desk

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._desk.asked.append(f"{request.method} {request.url.path}")
        if request.method == "POST":
            self._desk.before_posting()
        return await super().handle_async_request(request)


def tell(story: Callable[[Desk], Awaitable[None]]) -> None:
    async def whole() -> None:
        desk = Desk()
        await story(desk)
        await desk.port.aclose()

    asyncio.run(whole())


def test_a_read_of_many_is_one_request_and_shows_each_as_by_itself() -> None:
    async def story(desk: Desk) -> None:
        bought, shipped = an_order(), an_order()
        for order in (bought, shipped):
            await desk.port.execute(wish(order, line(1, LAMP, 2)))
        desk.clock.advance(60)
        await desk.port.execute(posting(shipped, goods_out(shipped), _1=1))
        desk.asked.clear()
        readings = await desk.port.read(ACME, [bought, an_order(), shipped])
        assert desk.asked == ["GET /api/sales_orders"]
        assert [one.absent for one in readings] == [False, True, False]
        for reading in (readings[0], readings[2]):
            assert orjson.loads(reading.body) == order_json(desk.world.order("acme", reading.order))

    tell(story)


def test_a_posting_against_a_draft_waits_for_its_approval() -> None:
    async def story(desk: Desk) -> None:
        order = an_order()
        await desk.port.execute(wish(order, line(1, LAMP, 1)))
        early = (await desk.port.execute(posting(order, goods_out(order), _1=1))).outcome
        assert (early.kind, early.code) == (OutcomeKind.DELAYED, "order_not_committed")
        desk.clock.advance(60)
        assert (await desk.port.execute(posting(order, goods_out(order), _1=1))).outcome.kind is OutcomeKind.APPLIED

    tell(story)


def test_erp_refuses_closed_period() -> None:
    async def story(desk: Desk) -> None:
        order = an_order()
        await desk.port.execute(wish(order, line(1, LAMP, 1)))
        desk.clock.advance(60)
        desk.world.close_period()
        refused = (await desk.port.execute(posting(order, goods_out(order), _1=1))).outcome
        assert (refused.kind, refused.code, refused.field) == (OutcomeKind.REJECTED, "period_closed", "posting_date")
        desk.world.open_period()
        assert (await desk.port.execute(posting(order, goods_out(order), _1=1))).outcome.kind is OutcomeKind.APPLIED

    tell(story)


def test_an_order_executed_after_its_answer_was_given_up_is_made_once() -> None:
    async def story(desk: Desk) -> None:
        order = an_order()
        desk.faults.force("put_order", Fault.LATE_EXECUTION, seconds=5)
        ended = await desk.port.execute(wish(order, line(1, LAMP, 1)))
        assert ended.outcome.kind is OutcomeKind.APPLIED
        assert [sale["key"] for sale in desk.world.books()["sales_orders"]] == [order]

    tell(story)


def test_a_fulfilment_whose_answer_is_lost_is_entered_once() -> None:
    async def story(desk: Desk) -> None:
        order = an_order()
        await desk.port.execute(wish(order, line(1, LAMP, 2)))
        desk.clock.advance(60)
        desk.faults.force("post_fulfilment", Fault.ANSWER_LOST)
        ended = await desk.port.execute(posting(order, goods_out(order), _1=1))
        assert ended.outcome.external_id == f"{goods_out(order)}#1"
        desk.faults.force("post_fulfilment", Fault.SERVER_ERROR)
        ended = await desk.port.execute(posting(order, goods_out(order), _1=2))
        assert ended.outcome.external_id == f"{goods_out(order)}#2"
        entered = desk.world.books()["fulfilments"]
        assert [(one["key"], one["lines"]) for one in entered] == [
            (f"{goods_out(order)}#1", [{"line": "1", "quantity": 1}]),
            (f"{goods_out(order)}#2", [{"line": "1", "quantity": 1}]),
        ]

    tell(story)


def test_zombie_connector_has_entered_another_part_under_the_key_meanwhile() -> None:
    async def story(desk: Desk) -> None:
        order, left = an_order(), goods_out(an_order())
        await desk.port.execute(wish(order, line(1, LAMP, 3)))
        desk.clock.advance(60)

        def zombie() -> None:
            desk.before_posting = lambda: None
            desk.world.enter_fulfilment("acme", order, f"{left}#1", {"lines": {"1": 1}})

        desk.before_posting = zombie
        ended = await desk.port.execute(posting(order, left, _1=3))
        assert ended.outcome.kind is OutcomeKind.APPLIED
        entered = {one["key"]: one["lines"][0]["quantity"] for one in desk.world.books()["fulfilments"]}
        assert entered == {f"{left}#1": 1, f"{left}#2": 2}

    tell(story)
