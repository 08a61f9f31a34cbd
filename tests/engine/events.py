"""Events for `orders.events`, written as normalise would."""

from collections.abc import Iterable, Sequence

from kernel.log import Outgoing, Producer
from kernel.partitioner import partition_of
from schemas.base import OrderId
from schemas.config import BrandConfig
from schemas.events import CONFIG_ID, ConfigChanged, OrderEvent, ShopifyOrderSeen, Source
from schemas.topics import ORDERS_EVENTS
from streams.agents.orders import EVENTS
from tests.builders import ACME, NOON, OrderBuilder, an_order
from tests.engine.corner import PARTITIONS


class Events:
    """Appends to the event log. Every event has a source of its own, so that none is a duplicate."""

    def __init__(self, producer: Producer) -> None:
        self._producer = producer
        self._raw = 0

    async def configure(self, config: BrandConfig) -> None:
        """In every partition, as configuration is."""
        event = ConfigChanged(brand=config.brand, order=CONFIG_ID, source=self._source(), config=config)
        value, headers = EVENTS.encode(event)
        key = event.key.encode()
        await self._append([Outgoing(ORDERS_EVENTS.name, key, value, headers, number) for number in range(PARTITIONS)])

    async def seen(self, *orders: OrderBuilder) -> None:
        """Snapshots of these orders, appended together and acknowledged."""
        await self._append(
            [
                self._outgoing(
                    ShopifyOrderSeen(
                        brand=ACME,
                        order=builder.order.id,
                        source=self._source(),
                        epoch=1,
                        read_started_at=NOON,
                        snapshot=builder.order,
                    )
                )
                for builder in orders
            ]
        )

    async def append(self, *events: OrderEvent) -> None:
        await self._append([self._outgoing(event) for event in events])

    def _source(self) -> Source:
        self._raw += 1
        return Source(topic="raw.shopify", cluster="test", partition=0, offset=self._raw)

    def _outgoing(self, event: OrderEvent) -> Outgoing:
        value, headers = EVENTS.encode(event)
        return Outgoing(ORDERS_EVENTS.name, event.key.encode(), value, headers)

    async def _append(self, records: Sequence[Outgoing]) -> None:
        await (await self._producer.send_many(records))


def orders_in(partitions: Iterable[int], count: int, *, first: int = 5000) -> list[OrderId]:
    """So many order ids whose keys lie in these partitions."""
    wanted = set(partitions)
    candidates = (OrderId(str(number)) for number in range(first, first + 1000))
    found = [order for order in candidates if partition_of(f"{ACME}/{order}".encode(), PARTITIONS) in wanted]
    return found[:count]


def wanting(order: str, quantity: int = 1) -> OrderBuilder:
    """An order ready to be released, in this version."""
    return an_order(order).with_line("0042-A", quantity).routed(f"7{order}")
