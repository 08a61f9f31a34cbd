"""A shop and a warehouse with one product each knows, and the joint books over both."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from decimal import Decimal

from kernel.virtual_time import run_virtual
from sandbox.clarus import ClarusWorld, Storekeeper, Tenant, seed
from sandbox.clarus.office import Header, LineWish
from sandbox.clarus.records import GoodsOut
from sandbox.clock import LoopClock
from sandbox.shopify.inventory_books import Wrote
from sandbox.shopify.records import Address, Order
from sandbox.shopify.setup import Variant
from sandbox.shopify.shop import Shop
from sandbox.stock.books import StockBooks
from sandbox.stock.ledger import Spot

LAMP, RUG, SET = "0042-LAMP", "0007-RUG", "SET"
LEEDS = 11
IDA = Address("Ida Marlow", "4 Kiln Row", "Leeds", "LS1 1AA", "GB")


class Worlds:
    """Ten lamps and ten rugs in both, if not said otherwise. A set is a lamp and two rugs."""

    def __init__(self, offered: int = 10, lying: int = 10, known_within: float = 0.0) -> None:
        self.clock = LoopClock(datetime(2026, 11, 5, 12, tzinfo=UTC))
        self.shop = Shop("acme.example", "shpat_1", ["s"], self.clock)
        self.shop.locations = {LEEDS: "Leeds"}
        self.shop.setup.variants = [Variant(1, LAMP), Variant(2, RUG), Variant(3, SET)]
        self.shop.kits = {SET: {LAMP: 1, RUG: 2}}
        self.clarus = ClarusWorld(self.clock)
        seed(self.clarus, Tenant(subdomain="acme", client_id="c", client_secret="s", accounts={"ACME": (LAMP, RUG)}))
        self.keeper = Storekeeper(self.clarus, "acme", "ACME", "MAIN")
        for sku in (LAMP, RUG):
            self.shop.inventory.stock(sku, LEEDS, offered)
            self.keeper.receive(sku, lying)
        self.lamps, self.rugs = (
            Spot("acme.example", sku, LEEDS, "acme", "ACME", sku, ("MAIN",)) for sku in (LAMP, RUG)
        )
        self.books = StockBooks([self.shop], self.clarus, [self.lamps, self.rugs], known_within=known_within)

    def bought(self, units: int, sku: str = LAMP) -> Order:
        order = self.shop.place_order([(sku, units)], address=IDA)
        self.shop.route(order)
        return order

    def released(self, order: Order) -> GoodsOut:
        """A goods-out for all of the order, as a connector would make it."""
        account = self.clarus.master.account("acme", "ACME")
        assert account is not None
        wishes = []
        for line in order.lines:
            for sku, each in (line.kit or {str(line.sku): 1}).items():
                product = self.clarus.master.product("acme", sku)
                assert product is not None
                mark = {"external_system_reference1": f"gid://shopify/LineItem/{line.id}"}
                wishes.append(LineWish(product, Decimal(line.current_quantity * each), mark))
        return self.clarus.create_goods_out(Header(account, f"ACME-{order.id}"), wishes)

    def fulfilled(self, order: Order) -> None:
        (one,) = [one for one in order.fulfillment_orders if one.actions]
        self.shop.fulfil(order, {one.id: {}}, {"number": "P1"}, notify=False)

    def write(self, on_hand: int, sku: str = LAMP) -> None:
        variant = self.shop.inventory.variant(sku)
        assert variant is not None
        level = self.shop.inventory.levels[variant.id, LEEDS]
        self.shop.inventory.write("on_hand", [Wrote(variant.id, LEEDS, sku, level.quantity("on_hand"), on_hand)])

    def read_balance(self, sku: str = LAMP) -> None:
        self.keeper.balance(sku).reads.note(self.clock.now())

    def read_order(self, order: Order) -> None:
        order.reads.note(self.clock.now())

    def figures(self) -> tuple[int, int]:
        """Lamps offered, and shippable."""
        rest = self.books.at_rest()[0]
        return rest["available"], rest["shippable"]

    def told(self) -> dict[str, int]:
        """What was sold beyond, by why; what is zero is left out."""
        dump = self.books.dump()
        apart: dict[str, int] = {
            name: dump[name] for name in ("oversold", "by_policy", "by_edit", "after_write") if dump[name]
        }
        return {**apart, **dump["window_oversold"]}

    def windows(self) -> list[tuple[str, int, str | None]]:
        """Cause, units, and what ended it."""
        return [(one.cause, one.units, one.ended_by) for one in self.books.windows.all]


def in_both(
    story: Callable[[Worlds], Awaitable[None]], offered: int = 10, lying: int = 10, known_within: float = 0.0
) -> None:
    async def play() -> None:
        await story(Worlds(offered, lying, known_within))

    run_virtual(play())


async def a_moment() -> None:
    """Let what was said to happen next happen."""
    await asyncio.sleep(1)
