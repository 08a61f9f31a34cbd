"""From a shopper's order to the told shopper: webhook, log, warehouse, ERP, tracking; in memory and virtual time."""

from kernel.virtual_time import run_virtual
from lockstep.simulation.house import House
from sandbox.shopify.records import Address

LEEDS = Address(
    name="R. Example", address1="8 Mill Lane", city="Leeds", zip="LS1 4AB", country_code="GB", phone="+441130000000"
)


def test_one_order_from_the_webhook_to_the_told_shopper() -> None:
    async def story() -> None:
        async with House() as house:
            shop = house.outside.shop("acme")
            order = shop.place_order([("0042-A", 2), ("MUG-BLUE", 1)], address=LEEDS)
            await house.clock.sleep(1)
            shop.route(order, [11])
            await house.until(lambda: bool(house.outside.clarus.goods_outs))
            (goods_out,) = house.outside.clarus.goods_outs.values()
            assert goods_out.warehouse is not None
            assert goods_out.warehouse.code == "LDS1"
            house.outside.clarus.despatch(goods_out.id, tracking=["T1"])
            await house.until(lambda: bool(order.fulfillments))
            (told,) = order.fulfillments
            assert told.numbers == ["T1"]
            assert told.company == "DPD UK"
            assert {line.sku: quantity for line, quantity in told.units} == {"0042-A": 2, "MUG-BLUE": 1}
            assert told.notified == 1
            (posted,) = (await house.outside.erp.books())["fulfilments"]
            assert posted["state"] == "posted"
            books = shop.books.dump()["fulfillments"][0]
            assert [one["key"] for one in books["posted_at_arrival"]] == [posted["key"]]
            await house.until(lambda: not house.states()[f"acme/{order.id}"].since)

    run_virtual(story())
