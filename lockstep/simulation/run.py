"""Plays a history in a house and judges it from the books of the outside world.

Orders that nobody of the shop's or the warehouse's people touched must end told, once, after the ERP had posted; of
those they touched, the warehouse must not have been asked for more units than are ordered. A connector that stood still
between its last look and its write, past its session, can make a goods-out twice: Clarus has no idempotency, so that
cannot be fenced. Such a double is reported apart, as found.
"""

import asyncio
from collections import Counter
from collections.abc import Callable

from lockstep.demo.judge import Books, Judged, Stage
from lockstep.simulation.history import History
from lockstep.simulation.house import House
from lockstep.simulation.mishaps import Account, Key, Mishaps
from sandbox.shopify.shoppers import Habits
from schemas.avro import Codec
from schemas.base import Brand, Frozen, OrderId, System
from schemas.cases import Case
from schemas.references import read_reference
from schemas.topics import CASES, ORDERS_EVENTS

_CASES = Codec((Case,))

QUIET_FOR = 40.0
"""Virtual seconds of nothing new in any book before the verdict."""
WITHIN = 1500.0
"""Virtual seconds in which everything must have come to its end."""


class Played(Frozen):
    """`violations` in words; `struck`: which faults and mishaps happened, how often; `events` of `orders.events`."""

    seed: int
    events: int
    struck: dict[str, int]
    violations: tuple[str, ...]
    doubled_found: int = 0

    @property
    def faults(self) -> int:
        return sum(self.struck.values())


async def play(history: History) -> Played:
    """On a loop of virtual time; the same history gives the same answer."""
    async with House(history.faults, history.seed) as house:
        clock = house.clock
        began = clock.monotonic()
        mishaps = Mishaps(house, history.mishaps)
        shoppers = house.outside.shoppers(Habits(planted=history.planted))
        playing = [asyncio.create_task(work) for work in (shoppers.run(history.orders, history.rate), mishaps.run())]
        pickers = asyncio.create_task(house.outside.pickers().run())
        quiet_since, last, in_time = began, "", False
        while not in_time and clock.monotonic() - began < WITHIN:
            judged = Judged(await _books(house, _untouched(mishaps.account)))
            said = f"{judged.clarus()} {judged.erp()} {judged.shopify()}"
            if said != last:
                quiet_since, last = clock.monotonic(), said
            done = all(task.done() for task in playing) and judged.finished() and not _why_not(judged, house)
            in_time = done and clock.monotonic() - quiet_since > QUIET_FOR
            await clock.sleep(1.0)
        for task in (*playing, pickers):
            task.cancel()
        ended = await asyncio.gather(*playing, pickers, return_exceptions=True)
        failed = [f"the simulation itself failed: {one!r}" for one in ended[:-1] if isinstance(one, Exception)]
        return await _judged(history, house, mishaps.account, in_time=in_time, failed=failed)


async def _judged(history: History, house: House, account: Account, *, in_time: bool, failed: list[str]) -> Played:
    found = _doubles(Judged(await _books(house, _untouched(account)))) if System.CLARUS in account.zombies else set()
    for brand, order in found:
        account.touched(brand, order, "doubled by a zombie")
    rest = Judged(await _books(house, _untouched(account)))
    touched = Judged(await _books(house, lambda key: key in account.orders and key not in found))
    violations = [*failed, *house.crashed, *_why_not(rest, house)]
    unfinished = [key for key, one in rest.ledgers.items() if one.stage not in (Stage.TOLD, Stage.PLANTED)]
    violations += [f"{brand}/{order} never came to its end" for brand, order in unfinished if not in_time]
    violations += [f"{brand}/{order} was asked for twice" for brand, order in _doubles(touched)]
    return Played(
        seed=history.seed,
        events=len(house.log.records(ORDERS_EVENTS.name)),
        struck=dict(sorted((_struck(house) + Counter({str(k): n for k, n in account.struck.items()})).items())),
        violations=tuple(violations),
        doubled_found=len(found),
    )


def _why_not(judged: Judged, house: House) -> tuple[str, ...]:
    """What keeps these orders from being in step; their open cases count, those of connections do not."""
    cases = [case for case in newest_cases(house) if (case.brand, case.order) in judged.ledgers]
    return judged.report(seconds=0, in_time=True, cases=cases, dead_letters=0).why_not


def newest_cases(house: House) -> list[Case]:
    """The newest of each, open and closed."""
    newest: dict[bytes, Case] = {}
    for record in house.log.records(CASES.name):
        assert record.key is not None
        assert record.value is not None
        case = _CASES.decode(record.value, record.headers)
        assert isinstance(case, Case)
        newest[record.key] = case
    return list(newest.values())


def _untouched(account: Account) -> Callable[[Key], bool]:
    return lambda key: key not in account.orders


def _doubles(judged: Judged) -> set[Key]:
    """Orders of which the warehouse was asked for more units than are ordered."""
    return {
        key
        for key, one in judged.ledgers.items()
        if one.order["cancelled"] is False and any(one.asked[line] > one.wanted[line] for line in one.asked)
    }


def _struck(house: House) -> Counter[str]:
    """What chance did to requests and webhooks."""
    drawn: Counter[str] = Counter()
    for plan in (house.outside.shopify.faults, house.outside.clarus_faults, house.outside.erp_faults):
        drawn.update({str(fault): count for fault, count in plan.drawn.items() if fault != "none"})
    for order in house.outside.shopify.books()["orders"]:
        drawn["webhook lost"] += order["webhooks"]["lost"]
        drawn["webhook doubled"] += order["webhooks"]["doubled"]
    return +drawn


async def _books(house: House, wanted: Callable[[Key], bool]) -> Books:
    """The books as far as they are about these orders; a goods-out of no order of ours is about all of them."""
    outside = house.outside
    shops = {brand.domain: brand.brand for brand in outside.brands}
    shopify, clarus, erp = outside.shopify.books(), outside.clarus.books.json(), await outside.erp.books()

    def about(brand: str, order: str) -> bool:
        return wanted((Brand(brand), OrderId(order)))

    def asked(goods_out: dict[str, str]) -> bool:
        read = read_reference(goods_out["reference"])
        return read is None or about(goods_out["tenant"], read[1])

    return Books(
        shopify={
            "orders": [one for one in shopify["orders"] if about(shops[one["shop"]], one["id"])],
            "fulfillments": [one for one in shopify["fulfillments"] if about(shops[one["shop"]], one["order"])],
        },
        clarus={"goods_outs": [one for one in clarus["goods_outs"] if asked(one)]},
        erp={
            "sales_orders": [one for one in erp["sales_orders"] if about(one["shop"], one["key"])],
            "fulfilments": [one for one in erp["fulfilments"] if about(one["shop"], one["order"])],
        },
        shops=shops,
        prefixes={brand.brand: brand.prefix for brand in outside.brands},
    )
