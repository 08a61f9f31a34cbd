"""Two owners of one partition of a connector's topics, one of them not knowing that it is none any more.

Real connectors, normalise and orders over one log in memory, on virtual time; only the outside system is a script.
"""

from typing import NoReturn

from pydantic import TypeAdapter

from kernel.metrics import Metrics
from schemas.base import System
from schemas.goods_outs import GoodsOut, GoodsOutStatus
from schemas.orders import Order
from schemas.raw import RawHeaders, RawKind
from schemas.topics import HINTS, ORDERS_EVENTS, ORDERS_STATE, RAW
from streams.agents.normalise import SOURCES, NormaliseFold, Translators
from streams.agents.orders import OrdersFold, orders_fold
from streams.engine.worker import Worker
from streams.rules.orders.state import OrderState
from tests.builders import GoodsOutBuilder, a_brand, a_goods_out, an_order
from tests.connectors.runtime.scripted import PARTITIONS, RAW_TOPIC, Bench, ScriptedPort, bench
from tests.engine.memory import Running

GOODS_OUTS = TypeAdapter(tuple[GoodsOut, ...])
KEY = "acme/5012"
GOODS_OUT = a_goods_out("ACME-5012-71-1").with_line("901", "0042-A", 2)


def not_asked(body: bytes) -> NoReturn:
    raise AssertionError(f"nothing of this system was published: {body!r}")


TRANSLATORS = Translators(Order.model_validate_json, GOODS_OUTS.validate_json, *[not_asked] * 6)


def test_stale_owner_publishes() -> None:
    """The old owner publishes its read after the new owner's: dropped by its epoch, and the order is read again."""

    async def story(on: Bench) -> None:
        async with Running(on.clock) as work:
            flow = Flow(on, work)
            await flow.shopify_shows_the_order()
            old = on.start()
            on.port.body = shown(GOODS_OUT)
            await on.hint("5012")
            await on.until(lambda: flow.goods_out_is(GoodsOutStatus.PENDING))
            await on.finished()

            on.port.takes = 20.0
            await on.hint("5012")
            await on.until(lambda: len(on.port.calls) > len(on.port.finished))
            await on.expire(old)
            fresh = ScriptedPort(on.clock, body=shown(GOODS_OUT.picking()))
            on.start(fresh)
            await on.until(lambda: flow.goods_out_is(GoodsOutStatus.PICK))
            reads, hints = len(fresh.calls), len(on.log.records(HINTS[System.CLARUS].name))
            epoch = flow.state.epochs.clarus

            await on.until(lambda: flow.last_read_is(GoodsOutStatus.PENDING))
            assert int(on.log.records(RAW_TOPIC)[-1].headers["epoch"]) < epoch
            await on.stop(old)
            await on.until(lambda: len(on.log.records(HINTS[System.CLARUS].name)) > hints)
            await on.until(lambda: len(fresh.finished) > reads)
            await on.clock.sleep(5)
            assert flow.goods_out_is(GoodsOutStatus.PICK)
            assert flow.last_read_is(GoodsOutStatus.PICK)
            assert flow.state.epochs.clarus >= epoch

    bench(story, config=a_brand(mode="observe"))


def shown(goods_out: GoodsOutBuilder) -> bytes:
    return GOODS_OUTS.dump_json((goods_out.goods_out,))


class Flow:
    """Normalise and orders over the bench's log."""

    def __init__(self, on: Bench, work: Running) -> None:
        self._on = on
        fold = NormaliseFold(TRANSLATORS, "test", PARTITIONS)
        normalise = Worker("normalise", on.log, SOURCES, lambda _: fold, None, on.clock, Metrics())
        sources, changelog = [ORDERS_EVENTS.name], ORDERS_STATE.name
        self._orders = Worker("orders", on.log, sources, orders_fold, changelog, on.clock, Metrics())
        work.start(normalise.run())
        work.start(self._orders.run())

    async def shopify_shows_the_order(self) -> None:
        order = an_order("5012").with_line("0042-A", 2).routed("71").order
        headers = RawHeaders(
            brand=a_brand().brand,
            system=System.SHOPIFY,
            kind=RawKind.SNAPSHOT,
            epoch=1,
            read_started_at=self._on.clock.now(),
        )
        body = order.model_dump_json().encode()
        sent = await self._on.producer.send(
            RAW[System.SHOPIFY].name, key=KEY.encode(), value=body, headers=headers.dump()
        )
        await sent
        await self._on.until(lambda: KEY in self._states())

    @property
    def state(self) -> OrderState:
        return self._states()[KEY]

    def goods_out_is(self, status: GoodsOutStatus) -> bool:
        return [known.goods_out.status for known in self.state.goods_outs] == [status]

    def last_read_is(self, status: GoodsOutStatus) -> bool:
        (goods_out,) = GOODS_OUTS.validate_json(self._on.told(RawKind.SNAPSHOT)[-1].value or b"")
        return goods_out.status is status

    def _states(self) -> dict[str, OrderState]:
        found: dict[str, OrderState] = {}
        for fold in self._orders.folds.values():
            assert isinstance(fold, OrdersFold)
            found |= fold.states()
        return found
