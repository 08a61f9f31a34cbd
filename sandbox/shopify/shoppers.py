"""Shoppers: they order at a rate, some without address or payment at first, some by a shipping line that is new; a few
orders are planted to stay stuck.
"""

import asyncio
import random
from collections.abc import Coroutine
from dataclasses import dataclass, field, replace
from typing import Any

from sandbox.clock import Clock
from sandbox.faults import Chance
from sandbox.shopify.records import Address, Order
from sandbox.shopify.shop import Shop, SoldOut

TOWNS = (("Leeds", "LS1 4AB"), ("York", "YO1 7HH"), ("Bath", "BA1 1SX"), ("Perth", "PH1 5EN"), ("Ely", "CB7 4DL"))
NAMES = ("R. Example", "S. Sample", "T. Test", "U. Invented", "V. Nobody")


@dataclass(frozen=True)
class Clientele:
    """What the shoppers of a shop choose. `stray`: a location without warehouse; `odd`: an unmapped shipping line;
    `new`: shipping lines that are offered since today, and mapped later.
    """

    shop: Shop
    skus: tuple[str, ...]
    locations: tuple[int, ...]
    shipping: tuple[tuple[str, str], ...]
    stray: int
    odd: tuple[str, str] = ("Carrier pigeon", "pigeon")
    new: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Habits:
    """Shares of orders. What is incomplete at first is completed within `mend_after` seconds, drawn evenly."""

    no_address: float = 0.06
    no_postcode: float = 0.04
    unpaid: float = 0.06
    risky: float = 0.04
    """Shopify advises against it until it has looked again."""
    changes_mind: float = 0.1
    """Gives another address while the shop still allows it."""
    gift: float = 0.15
    """Writes a note and a gift message, sometimes longer than any packing desk takes."""
    mixed: float = 0.1
    """Also buys something to fetch in the shop, or something digital."""
    new_line: float = 0.0
    """Chooses a shipping line that is new."""
    on_account: int = 0
    """So many orders, not a share, are to be paid later, and stay unpaid: a person must let them go."""
    mend_after: float = 10.0
    routing_delay: float = 1.0
    planted: tuple[str, ...] = ("unmapped_shipping_line", "unmapped_location", "unknown_sku", "address_incomplete")
    """One of each is placed, spread over the run."""


@dataclass
class Shoppers:
    """Place `count` orders, `rate` a second, over all shops. Everything is drawn from the seed."""

    clienteles: tuple[Clientele, ...]
    clock: Clock
    chance: Chance
    habits: Habits = field(default_factory=Habits)
    _later: set["asyncio.Task[None]"] = field(default_factory=set)

    async def run(self, count: int, rate: float) -> None:
        """Returns when every order is placed, routed and, where it was to be, completed."""
        every = max(1, count // (len(self.habits.planted) + 1)) if self.habits.planted else count + 1
        planted, on_account = list(self.habits.planted), self.habits.on_account
        for number in range(count):
            clientele = self.clienteles[number % len(self.clienteles)]
            plan = planted.pop(0) if planted and number and number % every == 0 else ""
            owing = not plan and on_account > 0 and number % every == every // 2
            on_account -= owing
            self._order(clientele, plan, on_account=owing)
            await self.clock.sleep(1.0 / rate)
        while self._later:
            await asyncio.gather(*self._later)

    def _order(self, clientele: Clientele, planted: str, *, on_account: bool = False) -> None:
        draw = self.chance.of("shoppers")
        chosen = draw.sample(clientele.skus, k=min(len(clientele.skus), draw.choice((1, 1, 2, 3))))
        lines: list[tuple[str | None, int]] = [(sku, draw.choice((1, 1, 1, 2, 3))) for sku in chosen]
        if planted == "unknown_sku":
            lines[0] = ("NO-SUCH-SKU", 1)
        town, postcode = draw.choice(TOWNS)
        address = Address(
            name=draw.choice(NAMES), address1=f"{draw.randint(1, 99)} Mill Lane", city=town, zip=postcode,
            country_code="GB", phone="+441130000000",
        )  # fmt: skip
        lacking = "" if planted else self._lacking(draw.random())
        lacking = "agreement" if on_account else lacking
        mixed = not planted and draw.random() < self.habits.mixed
        try:
            order = clientele.shop.place_order(
                lines,
                address=_first_given(address, planted or lacking),
                shipping=self._shipping(clientele, planted, draw),
                financial_status="PENDING" if lacking in ("payment", "agreement") else "PAID",
                risk="INVESTIGATE" if lacking == "risk" else "NONE",
                planted=planted,
                on_account=on_account,
                **self._wishes(draw),
                fetched=[(clientele.skus[0], 1)] if mixed and draw.random() < 0.5 else [],
                digital=[("GIFT-CARD", 1)] if mixed else [],
            )
        except SoldOut:
            return  # and buys elsewhere
        location = clientele.stray if planted == "unmapped_location" else draw.choice(clientele.locations)
        if clientele.shop.inventory.in_use and planted != "unmapped_location":
            location = 0  # where its stock was taken from
        self._soon(self._route(clientele.shop, order, location, draw.random() * self.habits.routing_delay))
        window = ((order.fixed_at or order.created_at) - order.created_at).total_seconds()
        if window and not planted and not lacking and draw.random() < self.habits.changes_mind:
            self._soon(self._change_mind(clientele.shop, order, address, draw.random() * window))
        if lacking and not on_account:
            seconds = 1.0 + draw.random() * self.habits.mend_after
            self._soon(self._mend(clientele.shop, order, lacking, address, seconds))

    def _shipping(self, clientele: Clientele, planted: str, draw: random.Random) -> tuple[str, str]:
        if planted == "unmapped_shipping_line":
            return clientele.odd
        usual = draw.choice(clientele.shipping)
        curious = self.chance.of("new lines")
        if planted or not clientele.new or not self.habits.new_line or curious.random() >= self.habits.new_line:
            return usual
        return curious.choice(clientele.new)

    def _wishes(self, draw: random.Random) -> dict[str, Any]:
        if draw.random() >= self.habits.gift:
            return {}
        message = "Zoë's fête 🎁 " * draw.choice((1, 30))
        return {"note": "Ring twice.", "attributes": [("gift_message", message)]}

    def _lacking(self, drawn: float) -> str:
        """What an order lacks at first; '' for one that is complete."""
        habits = self.habits
        shares = {
            "address_incomplete": habits.no_address, "postcode": habits.no_postcode, "payment": habits.unpaid,
            "risk": habits.risky,
        }  # fmt: skip
        for what, share in shares.items():
            if drawn < share:
                return what
            drawn -= share
        return ""

    async def _route(self, shop: Shop, order: Order, location: int, seconds: float) -> None:
        await self.clock.sleep(seconds)
        shop.route(order, [location] if location else ())

    async def _change_mind(self, shop: Shop, order: Order, address: Address, seconds: float) -> None:
        await self.clock.sleep(seconds)
        if order.cancelled_at is None:
            shop.complete(order, address=replace(address, address2="second bell"))

    async def _mend(self, shop: Shop, order: Order, lacking: str, address: Address, seconds: float) -> None:
        await self.clock.sleep(seconds)
        if lacking in ("address_incomplete", "postcode"):
            shop.complete(order, address=address)
        else:
            shop.complete(order, paid=lacking == "payment", cleared=lacking == "risk")

    def _soon(self, happening: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(happening)
        self._later.add(task)
        task.add_done_callback(self._later.discard)


def _first_given(address: Address, lacking: str) -> Address | None:
    """The address as it is typed at first."""
    if lacking == "postcode":
        return replace(address, zip=address.zip.partition(" ")[0])
    return None if lacking == "address_incomplete" else address
