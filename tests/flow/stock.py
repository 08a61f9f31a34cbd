"""What the stories of stock share: the figure in the shop, and an order the warehouse ships though it is cancelled."""

from lockstep.simulation.house import House
from sandbox.shopify.records import Address

LEEDS = Address(
    name="R. Example", address1="8 Mill Lane", city="Leeds", zip="LS1 4AB", country_code="GB", phone="+441130000000"
)


def on_hand(house: House, sku: str = "0042-A") -> int:
    inventory = house.outside.shop("acme").inventory
    variant = inventory.variant(sku)
    assert variant is not None
    level = inventory.level(variant.id, 11)
    assert level is not None
    return level.quantity("on_hand")


async def cancelled_while_picked(house: House, units: int) -> None:
    """The warehouse still ships what Shopify has cancelled: only the orders' table knows."""
    shop = house.outside.shop("acme")
    order = shop.place_order([("0042-A", units)], address=LEEDS)
    shop.route(order, [11])
    await house.until(lambda: bool(house.outside.clarus.goods_outs))
    (goods_out,) = house.outside.clarus.goods_outs.values()
    house.outside.clarus.allocate(goods_out.id)
    house.outside.clarus.pick(goods_out.id)
    shop.cancel(order)
