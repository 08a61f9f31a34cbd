"""Commands for the warehouse, in one line each."""

from datetime import UTC, datetime
from typing import Any

from schemas.aggregates import item_id
from schemas.base import Brand, CommandId, FulfilmentOrderId, GoodsOutId, GoodsOutRef, LineId, LocationId, OrderId, Sku
from schemas.commands import AmendProduct, CancelGoodsOut, CreateGoodsOut, CreateProduct, GoodsOutUnits
from schemas.goods_outs import GoodsOutStatus
from schemas.hints import Hint
from schemas.items import ErpItemId, ProductId
from schemas.orders import Address
from schemas.references import goods_out_reference

ACME = Brand("acme")
ORDER = OrderId("5012")
LAMP, RUG, KETTLE = "0042-LAMP", "0007-RUG", "KETTLE"
BOWL = "0031-BOWL"
"""Nobody has made it."""
IDA = Address(
    name="Ida Marlow",
    line1="4 Kiln Row",
    line2="Flat 2",
    city="Leeds",
    region="West Yorkshire",
    postcode="LS1 4AB",
    country_code="GB",
    phone="+441130000000",
    email="ida.marlow@example.test",
)


def reference(order: OrderId = ORDER, generation: int = 1) -> GoodsOutRef:
    """`ACME-5012-71-1`."""
    return goods_out_reference("ACME", order, FulfilmentOrderId("71"), generation)


def units(line: str, sku: str, quantity: int, shop_sku: str | None = None) -> GoodsOutUnits:
    return GoodsOutUnits(
        line=LineId(line), sku=Sku(sku), shop_sku=Sku(sku if shop_sku is None else shop_sku), quantity=quantity
    )


def create(*lines: GoodsOutUnits, order: OrderId = ORDER, generation: int = 1, **changes: Any) -> CreateGoodsOut:
    """Of two lamps to Ida, when no lines are given."""
    name = reference(order, generation)
    plain = CreateGoodsOut(
        **_decided(order, f"goods-out:{name}"),
        generation=generation,
        reference=name,
        order_name="#1042",
        fulfilment_order=FulfilmentOrderId("71"),
        location=LocationId("11"),
        account="ACME",
        warehouse="LDS1",
        carrier="DPD",
        service="NEXTDAY",
        priority=20,
        order_notes="Ring twice",
        ship_to=IDA,
        lines=lines or (units("1", LAMP, 2),),
    )
    return plain.model_copy(update=changes)


def cancel(
    goods_out: str,
    only_if: tuple[GoodsOutStatus, ...] = (GoodsOutStatus.DRAFT, GoodsOutStatus.PENDING),
    name: GoodsOutRef | None = None,
) -> CancelGoodsOut:
    """Of a goods-out by its Clarus id; `name` where it is not the order's first."""
    name = name or reference()
    return CancelGoodsOut(
        **_decided(ORDER, f"cancel:{name}"), reference=name, goods_out=GoodsOutId(goods_out), only_if=only_if
    )


def make(code: str = BOWL, **changes: Any) -> CreateProduct:
    """Of a bowl that is the ERP's item 31."""
    plain = CreateProduct(
        **_decided(item_id(Sku(code)), "product"),
        item=ErpItemId("31"),
        code=Sku(code),
        account="ACME",
        stock_unit="EACH",
        description="Bowl, blue",
        barcode="0501",
    )
    return plain.model_copy(update=changes)


def amend(code: str = LAMP, product: str = "20001", **changes: Any) -> AmendProduct:
    """The lamp shall have another description."""
    plain = AmendProduct(
        **_decided(item_id(Sku(code)), "product"),
        product=ProductId(product),
        code=Sku(code),
        account="ACME",
        description="Lamp, brass",
    )
    return plain.model_copy(update=changes)


def _decided(order: OrderId, about: str) -> dict[str, Any]:
    return {
        "id": CommandId(f"acme/{order}@0:7:1"),
        "brand": ACME,
        "order": order,
        "object": about,
        "fingerprint": "f",
        "decided_at": datetime(2026, 11, 5, 12, tzinfo=UTC),
        "decided_partition": 0,
        "decided_offset": 7,
    }


def about(what: str) -> Hint:
    """Of an automation of something else than an order."""
    seen_at = datetime(2026, 11, 5, 12, tzinfo=UTC)
    return Hint(brand=ACME, order=OrderId(f"~{what}"), why="goods_out.completed", seen_at=seen_at)
