"""The normalise agent's fold: what the systems said, in our terms, appended to the one log of each order or item.

Stateless. A record it cannot read goes to the dead letters, and when it knows whose it is, the order hears of it too.
That holds for whatever a translator raises: it is a function of one body, and nothing of that is kept.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import PurePath
from traceback import extract_tb
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError

from kernel.log import Record
from kernel.metrics import Stage
from schemas.actions import OperatorAction
from schemas.aggregates import Kind, kind_of
from schemas.avro import Codec
from schemas.base import Brand, OrderId, System, order_key, split_key
from schemas.config import BrandConfig
from schemas.erp import ErpOrder
from schemas.errors import Unreadable
from schemas.events import (
    CONFIG_ID,
    EVENT_KINDS,
    ITEM_EVENT_KINDS,
    STOCK_EVENT_KINDS,
    BalanceSeen,
    CommandEnded,
    ConfigChanged,
    ConnectionSeen,
    ErpOrderSeen,
    GoodsOutsSeen,
    ItemsSeen,
    LevelSeen,
    OffersSeen,
    OperatorActed,
    OrderEvent,
    OrderListed,
    ProductSeen,
    Seen,
    ShopifyOrderSeen,
    SnapshotUnreadable,
    Source,
    SystemSwept,
)
from schemas.goods_outs import GoodsOut
from schemas.items import ErpItem, Offer, Product
from schemas.newest import Newest
from schemas.orders import Order
from schemas.outcomes import Outcome
from schemas.raw import ConnectionReport, RawHeaders, RawKind
from schemas.stock import Balance, Level
from schemas.sweep import Listed, SweepReport
from schemas.topics import CONFIG, ITEMS_EVENTS, OPERATOR_ACTIONS, ORDERS_EVENTS, RAW, STOCK_EVENTS
from streams.engine.contract import Emission, Step, Took, UnreadableRecord, Verdict

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")

EVENTS = Codec(tuple(dict.fromkeys((*EVENT_KINDS, *STOCK_EVENT_KINDS, *ITEM_EVENT_KINDS))), repeated=Seen)
EVENT_LOGS = {Kind.ORDER: ORDERS_EVENTS, Kind.STOCK: STOCK_EVENTS, Kind.ITEM: ITEMS_EVENTS}
"""Each has every brand's configuration in each of its partitions."""
SOURCES = (*(topic.name for topic in RAW.values()), OPERATOR_ACTIONS.name, CONFIG.name)


@dataclass(frozen=True, slots=True)
class Translators:
    """The systems' bodies into our terms; pure, each raises Unreadable. Handed in by the composition root."""

    shopify: Callable[[bytes], Order]
    clarus: Callable[[bytes], tuple[GoodsOut, ...]]
    erp: Callable[[bytes], ErpOrder]
    level: Callable[[bytes], Level]
    balance: Callable[[bytes], Balance]
    items: Callable[[bytes], tuple[ErpItem, ...]]
    product: Callable[[bytes], Product | None]
    offers: Callable[[bytes], tuple[Offer, ...]]


class NormaliseFold:
    """One partition of every source topic. See `streams.engine.contract.PartitionFold`."""

    def __init__(self, translators: Translators, cluster: str, partitions: int) -> None:
        self._translators = translators
        self._cluster = cluster
        self._partitions = partitions
        self._translated = Newest[bytes, Any]()

    def restore(self, key: bytes, value: bytes) -> None:
        """Nothing is kept."""

    def restored(self) -> None:
        """Nothing is kept."""

    def resend(self, committed: int) -> Sequence[Emission]:
        """Nothing: an event that may be lost is made again from its record, and the fold knows it by its source."""
        return ()

    def next_due(self) -> datetime | None:
        return None

    def tick(self, at: datetime) -> Emission:
        msg = f"normalise waits for nothing, asked for a tick at {at}"
        raise AssertionError(msg)

    def handle(self, record: Record) -> Step:
        if record.partition.topic == CONFIG.name:
            return self._config(record)
        if record.value is None or record.key is None:
            raise Unreadable(str(record.partition), "a record with key and value", "a tombstone or no key")
        if record.partition.topic == OPERATOR_ACTIONS.name:
            return self._appended(record.key, self._action(record))
        return self._raw(record)

    def _source(self, record: Record) -> Source:
        topic, partition = record.partition
        return Source(topic=topic, cluster=self._cluster, partition=partition, offset=record.offset)

    def _raw(self, record: Record) -> Step:
        assert record.key is not None
        assert record.value is not None
        headers = RawHeaders.load(record.headers)
        if headers.kind is RawKind.OWNERSHIP:
            return Step(Verdict.APPLIED)
        try:
            brand, order = split_key(record.key.decode())
        except ValueError as wrong:
            raise Unreadable("key", "brand/order", str(wrong)) from wrong
        if brand != headers.brand:
            raise Unreadable("key", f"the brand of the header, {headers.brand}", brand)
        try:
            event = self._event(headers, order, record.value, self._source(record))
            step = self._appended(record.key, event)
        except Unreadable as cause:
            self._refuse(record, headers, order, cause)
        except Exception as defect:  # noqa: BLE001 - one answer of a shape nobody thought of must not stop all others
            self._refuse(record, headers, order, _not_translated(defect))
        if headers.kind is not RawKind.SNAPSHOT:
            return step
        return replace(step, took=[Took(Stage.SNAPSHOT_TO_EVENT, headers.brand, record.at)])

    def _event(self, headers: RawHeaders, order: OrderId, body: bytes, source: Source) -> OrderEvent:
        match headers.kind:
            case RawKind.SNAPSHOT:
                return self._snapshot(headers, order, body, source)
            case RawKind.OUTCOME:
                return CommandEnded(
                    brand=headers.brand,
                    order=order,
                    source=source,
                    trace=headers.trace,
                    system=headers.system,
                    epoch=headers.epoch,
                    outcome=_parse(Outcome, body),
                )
            case RawKind.CONNECTION:
                report = _parse(ConnectionReport, body)
                return ConnectionSeen(
                    brand=headers.brand,
                    order=order,
                    source=source,
                    trace=headers.trace,
                    system=headers.system,
                    state=report.state,
                    text=report.text,
                )
            case RawKind.LISTED:
                listed = _parse(Listed, body)
                return OrderListed(
                    brand=headers.brand, order=order, source=source, system=headers.system, sweep=listed.sweep
                )
            case RawKind.SWEPT:
                swept = _parse(SweepReport, body)
                return SystemSwept(
                    brand=headers.brand, order=order, source=source, system=headers.system, **dict(swept)
                )
            case RawKind.OWNERSHIP:
                raise Unreadable("header kind", "a record about an order", headers.kind)

    def _snapshot(self, headers: RawHeaders, order: OrderId, body: bytes, source: Source) -> OrderEvent:
        translate = self._translators
        match kind_of(order):
            case Kind.STOCK:
                return self._stock(headers, order, body, source)
            case Kind.ITEM:
                return self._item(headers, order, body, source)
            case Kind.ORDER:
                pass
        match headers.system:
            case System.SHOPIFY:
                seen = None if headers.absent else self._of(headers, order, body, translate.shopify)
                if seen is not None and seen.id != order:
                    raise Unreadable("id", f"the order of the key, {order}", seen.id)
                return ShopifyOrderSeen(
                    brand=headers.brand,
                    order=order,
                    source=source,
                    trace=headers.trace,
                    epoch=headers.epoch,
                    read_started_at=headers.read_started_at,
                    snapshot=seen,
                )
            case System.CLARUS:
                return GoodsOutsSeen(
                    brand=headers.brand,
                    order=order,
                    source=source,
                    trace=headers.trace,
                    epoch=headers.epoch,
                    read_started_at=headers.read_started_at,
                    goods_outs=() if headers.absent else self._of(headers, order, body, translate.clarus),
                    complete=headers.complete,
                )
            case System.ERP:
                return ErpOrderSeen(
                    brand=headers.brand,
                    order=order,
                    source=source,
                    trace=headers.trace,
                    epoch=headers.epoch,
                    read_started_at=headers.read_started_at,
                    snapshot=None if headers.absent else self._of(headers, order, body, translate.erp),
                )

    def _of(self, headers: RawHeaders, order: OrderId, body: bytes, translate: Callable[[bytes], T]) -> T:
        """What was made of the very bytes that this system answered before, of the same key, is that again."""
        translated: T = self._translated.of((headers.brand, order, headers.system), body, translate)
        return translated

    def _stock(self, headers: RawHeaders, order: OrderId, body: bytes, source: Source) -> OrderEvent:
        of = _seen(headers, order, source)
        match headers.system:
            case System.SHOPIFY:
                return LevelSeen(**of, level=self._translators.level(body))
            case System.CLARUS:
                balance = self._translators.balance(body)
                return BalanceSeen(**of, token=headers.token, balance=balance, complete=headers.complete)
            case System.ERP:
                raise Unreadable("header system", "shopify or clarus: the ERP is not asked about stock", headers.system)

    def _item(self, headers: RawHeaders, order: OrderId, body: bytes, source: Source) -> OrderEvent:
        of = _seen(headers, order, source)
        match headers.system:
            case System.ERP:
                return ItemsSeen(**of, items=() if headers.absent else self._translators.items(body))
            case System.CLARUS:
                product = None if headers.absent else self._translators.product(body)
                return ProductSeen(**of, product=product, complete=headers.complete)
            case System.SHOPIFY:
                return OffersSeen(**of, offers=() if headers.absent else self._translators.offers(body))

    def _refuse(self, record: Record, headers: RawHeaders, order: OrderId, cause: Unreadable) -> NoReturn:
        """To the dead letters, and as an event to the order itself, so that it becomes a case."""
        assert record.key is not None
        event = SnapshotUnreadable(
            brand=headers.brand,
            order=order,
            source=self._source(record),
            trace=headers.trace,
            system=headers.system,
            reason=f"{record.partition} offset {record.offset}: at {cause.where}, expected {cause.expected}",
        )
        raise UnreadableRecord(cause, self._appended(record.key, event).emissions) from cause

    def _action(self, record: Record) -> OperatorActed:
        assert record.value is not None
        action = _parse(OperatorAction, record.value)
        return OperatorActed(
            brand=action.brand,
            order=action.order,
            source=self._source(record),
            action=action.action,
            target=action.target,
            object=action.object,
            says=action.says,
            who=action.who,
            why=action.why,
        )

    def _config(self, record: Record) -> Step:
        """A brand's configuration goes into every partition: each order's partition replays with its own copy."""
        if record.value is None:
            return Step(Verdict.APPLIED)
        config = _parse(BrandConfig, record.value)
        event = ConfigChanged(brand=config.brand, order=CONFIG_ID, source=self._source(record), config=config)
        value, headers = EVENTS.encode(event)
        key = order_key(Brand(config.brand), CONFIG_ID).encode()
        return Step(
            Verdict.APPLIED,
            emissions=[
                Emission(topic.name, key, value, headers, partition)
                for topic in EVENT_LOGS.values()
                for partition in range(self._partitions)
            ],
        )

    def _appended(self, key: bytes, event: OrderEvent) -> Step:
        value, headers = EVENTS.encode(event, key)
        headers |= {"brand": event.brand.encode(), "trace": event.trace.encode()}
        topic = EVENT_LOGS[kind_of(event.order)]
        return Step(Verdict.APPLIED, emissions=[Emission(topic.name, key, value, headers)])


def _seen(headers: RawHeaders, order: OrderId, source: Source) -> dict[str, Any]:
    """What every snapshot's event carries."""
    return {
        "brand": headers.brand,
        "order": order,
        "source": source,
        "trace": headers.trace,
        "epoch": headers.epoch,
        "read_started_at": headers.read_started_at,
    }


def _not_translated(defect: Exception) -> Unreadable:
    """What a translator, or the form of our events, was not made for. Its place is told; its text may hold values."""
    at = extract_tb(defect.__traceback__)[-1]
    found = f"{type(defect).__name__} in line {at.lineno} of {PurePath(at.filename).name}"
    return Unreadable("body", "one that can be translated", found)


def _parse(model: type[M], body: bytes) -> M:
    """Our own JSON. Raises Unreadable with the first field that is wrong, never with its value."""
    try:
        return model.model_validate_json(body)
    except ValidationError as wrong:
        first = wrong.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or model.__name__
        raise Unreadable(where, f"a valid {model.__name__}", first["msg"]) from wrong
