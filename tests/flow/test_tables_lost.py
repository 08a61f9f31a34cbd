"""A table of stock or of items that is gone is made anew: a configuration, what is told with it, and a sweep."""

from kernel.log import Partition
from kernel.virtual_time import run_virtual
from lockstep.publishing import apply
from lockstep.reading import newest_configs
from lockstep.simulation.house import PARTITIONS, House
from schemas.item_rules import ItemRules
from schemas.stock_rules import StockRules
from schemas.topics import ITEMS_STATE, STOCK_STATE, Topic
from tests.flow.items import ACME, master
from tests.flow.stock import cancelled_while_picked, on_hand

RULES = StockRules(mode="write", quiet_for=2, max_wait=10)
CREATED = ItemRules(mode="create_and_amend", stock_unit="EACH", prefixes=("00",), patience=120)


async def lose(house: House, table: Topic, role: str) -> None:
    await house.kill(role)
    for number in range(PARTITIONS):
        where = Partition(table.name, number)
        house.log.delete_before(where, house.log.end(where))
    house.start(role)


async def configure_again(house: House) -> None:
    await apply(house.log, (await newest_configs(house.log))[ACME])


async def sweep(house: House, *roles: str) -> None:
    """A connector sweeps when it starts."""
    for role in roles:
        await house.kill(role)
        house.start(role)


def test_nothing_is_written_before_it_is_configured_and_then_what_the_warehouse_owes_is_known_again() -> None:
    async def story(house: House) -> None:
        house.outside.stock_up(10)
        await house.until(lambda: on_hand(house) == 10)
        await cancelled_while_picked(house, 4)
        await house.until(lambda: on_hand(house) == 6)

        await lose(house, STOCK_STATE, "stock")
        house.outside.shop("acme").inventory.set_by_hand("0042-A", 11, on_hand=50)
        await house.clock.sleep(300)
        assert on_hand(house) == 50

        await configure_again(house)
        await sweep(house, "shopify", "clarus")
        written: set[int] = set()

        def settled() -> bool:
            written.add(on_hand(house))
            return on_hand(house) == 6

        await house.until(settled)
        await house.clock.sleep(300)
        assert on_hand(house) == 6
        assert written == {50, 6}, "never the ten that are there, of which four are owed"

    async def whole() -> None:
        async with House(stock=RULES) as house:
            await story(house)
            house.raise_what_ended()

    run_virtual(whole())


def test_items_are_made_again_once_they_are_configured_again() -> None:
    async def story(house: House) -> None:
        def made(code: str) -> bool:
            return house.outside.clarus.master.product("acme", code) is not None

        master(house).enter("00815-B", "Kettle, steel", weight="0.350")
        await house.until(lambda: made("00815-B"))

        await lose(house, ITEMS_STATE, "items")
        master(house).enter("00816-B", "Kettle, copper", weight="0.400")
        await house.clock.sleep(300)
        assert not made("00816-B")

        await configure_again(house)
        await sweep(house, "erp", "clarus")
        await house.until(lambda: made("00816-B"))
        await house.until(lambda: {"acme/item:00815-B", "acme/item:00816-B"} <= house.items().keys())

    async def whole() -> None:
        async with House(items={ACME: CREATED}) as house:
            await story(house)
            house.raise_what_ended()

    run_virtual(whole())
