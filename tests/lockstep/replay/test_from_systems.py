"""The log is lost, the systems go on: what is read from them, what would be sent, a fresh log that doubles nothing."""

import asyncio
import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from connectors.runtime.errors import Incompatible, Unauthorised, Unavailable
from connectors.runtime.port import Listing, Reading
from kernel.clock import Clock
from kernel.virtual_time import run_virtual
from lockstep.demo.judge import Judged
from lockstep.demo.report import Report
from lockstep.demo.scenario import BRANDS
from lockstep.patience import CannotReadError
from lockstep.ports.clarus import clarus_port
from lockstep.ports.erp import erp_port
from lockstep.ports.shopify import shopify_port
from lockstep.ports.translators import translators
from lockstep.replay.dry_fold import IN_STEP, LEFT_ALONE, ORPHAN, DryFold
from lockstep.replay.from_systems import Found, read_systems, seed
from lockstep.simulation.house import START, House
from lockstep.simulation.log_oracle import cases_of
from lockstep.simulation.wire import App, Wire
from sandbox.clarus.records import Status
from sandbox.faults import Faults
from sandbox.shopify.records import Address, Order
from schemas.base import Brand, OrderId, System
from schemas.cases import CaseCode
from schemas.config import BrandConfig
from schemas.topics import DLQ, HINTS, RAW

ACME = Brand("acme")
CONFIG = (
    next(brand for brand in BRANDS if brand.brand == ACME)
    .config(START - timedelta(hours=1))
    .model_copy(update={"version": 1})
)
LONGEST_REQUEST = 30.0
LEEDS = Address(
    name="R. Example", address1="8 Mill Lane", city="Leeds", zip="LS1 4AB", country_code="GB", phone="+441130000000"
)


def ports_of(house: House) -> dict[System, Listing]:
    """The real readers, on the outside world's wires."""
    chance = random.Random(1)

    def wire(app: App) -> Wire:
        return Wire(app, chance)

    outside = house.outside
    return {
        System.SHOPIFY: shopify_port(house.brands, house.clock, wire(outside.shopify_app), lambda: 0.0),
        System.CLARUS: clarus_port(house.brands, {ACME: CONFIG}.get, house.clock, wire(outside.clarus_app)),
        System.ERP: erp_port(house.brands, house.clock, wire(outside.erp_app)),
    }


async def read(
    house: House, folder: Path, config: BrandConfig = CONFIG, since: timedelta = timedelta(days=30)
) -> Found:
    ports = ports_of(house)
    fold = DryFold(config, translators(house.brands), house.clock.now())
    try:
        return await read_systems(ports, fold, house.clock, folder, house.clock.now() - since)
    finally:
        for port in ports.values():
            await port.aclose()


class Street:
    """Orders of one shop in every stage, each brought there by the flow itself."""

    def __init__(self, house: House) -> None:
        self.house, self.shop, self.clarus = house, house.outside.shop("acme"), house.outside.clarus

    def order(self, *lines: tuple[str, int], address: Address | None = LEEDS) -> Order:
        return self.shop.place_order(list(lines), address=address)

    def goods_outs(self, order: Order) -> list[int]:
        return sorted(one.id for one in self.clarus.goods_outs.values() if f"-{order.id}-" in one.reference)

    async def released(self, *lines: tuple[str, int], at: Sequence[int] = (11,)) -> Order:
        """In the warehouse: a goods-out per location, the lines dealt to them in turn."""
        order = self.order(*lines)
        self.shop.route(order, list(at))
        await self.house.until(lambda: len(self.goods_outs(order)) == len(at))
        return order

    async def told(self, order: Order, goods_out: int) -> None:
        """It leaves, and the shopper hears of it."""
        before = len(order.fulfillments)
        self.clarus.despatch(goods_out, tracking=[f"T-{goods_out}"])
        await self.house.until(lambda: len(order.fulfillments) > before)


async def despatch_the_rest(house: House) -> None:
    for one in list(house.outside.clarus.goods_outs.values()):
        if one.status not in (Status.COMPLETED, Status.CANCELLED):
            house.outside.clarus.despatch(one.id, tracking=[f"LATE-{one.id}"])


async def in_the_end(house: House, *, despatching: bool = True) -> Report:
    """What the books say when all is told and has been quiet for a while."""
    for _ in range(900):
        if despatching:
            await despatch_the_rest(house)
        if Judged(await house.outside.books()).finished():
            break
        await house.clock.sleep(1.0)
    await house.clock.sleep(120.0)
    letters = len(house.log.records(DLQ.name))
    judged = Judged(await house.outside.books())
    return judged.report(seconds=0, in_time=True, cases=cases_of(house.log), dead_letters=letters)


def by_name(found: Found) -> dict[str, tuple[str, ...]]:
    return {verdict.name: verdict.shows for verdict in found.verdicts}


def test_after_the_log_is_lost_every_order_ends_in_step_and_nothing_is_done_twice(tmp_path: Path) -> None:
    async def story() -> None:
        async with House() as house:
            street = Street(house)
            told = await street.released(("0042-A", 2))
            await street.told(told, street.goods_outs(told)[0])
            half = await street.released(("0042-A", 1), ("MUG-BLUE", 3), at=(11, 12))
            await street.told(half, street.goods_outs(half)[0])
            released = await street.released(("42-A", 1))
            posted = await street.released(("007", 2))
            left = await street.released(("TEE-BLK-M", 1))
            held = street.order(("0042-A", 1), address=None)
            street.shop.route(held, [11])
            await house.clock.sleep(60)
            await house.kill("shopify")
            street.clarus.despatch(street.goods_outs(posted)[0], tracking=["P-1"])
            await house.clock.sleep(60)
            assert not posted.fulfillments, "Shopify's connector is dead: nobody was told"
            for role in list(house.instances):
                await house.kill(role)
            street.clarus.despatch(street.goods_outs(left)[0], tracking=["L-1"])
            ready = street.order(("MUG-BLUE", 1))
            street.shop.route(ready, [11])
            before = await house.outside.books()

            dry = await read(house, tmp_path)

            assert await house.outside.books() == before, "nothing was written"
            assert dry.listed.by == {System.SHOPIFY: 7, System.CLARUS: 5, System.ERP: 5}
            shows = by_name(dry)
            assert shows[told.name] == (IN_STEP,)
            assert shows[half.name] == ("waiting for despatch",)
            assert shows[released.name] == ("waiting for despatch",)
            assert shows[held.name] == ("held for address_incomplete",)
            sent = {verdict.name: verdict.would_send for verdict in dry.verdicts if verdict.would_send}
            assert set(sent) == {posted.name, left.name, ready.name}

            await house.lose_the_log()
            await seed(house.log, ACME, [verdict.order for verdict in dry.verdicts], house.clock)
            await house.clock.sleep(60)
            street.shop.complete(held, address=LEEDS)
            report = await in_the_end(house)

            assert report.in_step, report.why_not
            assert (report.clarus.doubled, report.erp.doubled, report.shopify.doubled) == (0, 0, 0)
            assert report.orders.ready == 7
            assert report.dead_letters == 0

    run_virtual(story())


def test_a_goods_out_without_an_order_and_an_order_left_alone_are_named(tmp_path: Path) -> None:
    async def story() -> None:
        async with House() as house:
            street = Street(house)
            order = await street.released(("0042-A", 1))
            stranger = next(iter(house.outside.clarus.goods_outs.values()))
            del house.outside.shop("acme").orders[order.id]
            old = street.order(("0042-A", 1))
            street.shop.route(old, [11])
            for role in list(house.instances):
                await house.kill(role)
            later = CONFIG.model_copy(update={"release_from": house.clock.now() + timedelta(hours=1)})

            found = await read(house, tmp_path, later)

            verdicts = {verdict.order: verdict for verdict in found.verdicts}
            assert verdicts[OrderId(str(order.id))].shows == (ORPHAN,)
            assert System.CLARUS in verdicts[OrderId(str(order.id))].orphan_in
            assert verdicts[OrderId(str(old.id))].shows == (LEFT_ALONE,)
            assert not verdicts[OrderId(str(old.id))].would_send
            assert stranger.reference.startswith("ACME-")

    run_virtual(story())


class _Later:
    """Another day."""

    def __init__(self, clock: Clock, by: timedelta) -> None:
        self._clock, self._by = clock, by

    def now(self) -> datetime:
        return self._clock.now() + self._by

    def monotonic(self) -> float:
        return self._clock.monotonic()

    async def sleep(self, seconds: float) -> None:
        await self._clock.sleep(seconds)


class Flaky:
    """A reader that fails as scripted: `fails` says with what, for a batch; counts what was read."""

    def __init__(self, inner: Listing, fails: Callable[[Sequence[OrderId]], Exception | None]) -> None:
        self._inner, self._fails = inner, fails
        self.read_batch = 2
        self.read_orders: list[OrderId] = []
        self.listed_times = 0

    async def listed(self, brand: Brand, since: datetime) -> Sequence[OrderId]:
        self.listed_times += 1
        return await self._inner.listed(brand, since)

    async def read(self, brand: Brand, orders: Sequence[OrderId]) -> Sequence[Reading]:
        failure = self._fails(orders)
        if failure is not None:
            raise failure
        self.read_orders.extend(orders)
        return await self._inner.read(brand, orders)

    async def aclose(self) -> None:
        await self._inner.aclose()


async def with_five_orders(
    house: House, fails: Callable[[Sequence[OrderId]], Exception | None]
) -> tuple[dict[System, Listing], Flaky, list[OrderId]]:
    street = Street(house)
    orders = [street.order(("0042-A", 1)) for _ in range(5)]
    for role in list(house.instances):
        await house.kill(role)
    ports = ports_of(house)
    flaky = Flaky(ports[System.SHOPIFY], fails)
    return {**ports, System.SHOPIFY: flaky}, flaky, [OrderId(str(order.id)) for order in orders]


def test_what_was_read_is_not_read_again_after_an_interruption(tmp_path: Path) -> None:
    async def story() -> None:
        async with House() as house:
            away = [True]
            ports, flaky, orders = await with_five_orders(
                house, lambda asked: Unavailable("away") if away[0] and flaky.read_orders else None
            )
            fold = DryFold(CONFIG, translators(house.brands), house.clock.now())
            since = house.clock.now() - timedelta(days=30)
            with pytest.raises(CannotReadError, match="acme: reading 2 orders of shopify, 6 times: Unavailable: away"):
                await read_systems(ports, fold, house.clock, tmp_path, since)
            away[0] = False
            told: list[tuple[int, int]] = []

            found = await read_systems(ports, fold, house.clock, tmp_path, since, lambda *so: told.append(so))

            assert sorted(flaky.read_orders) == sorted(orders), "each once"
            assert flaky.listed_times == 1
            assert told == [(2, 5), (4, 5), (5, 5)]
            assert {verdict.order for verdict in found.verdicts} == set(orders)
            for port in ports.values():
                await port.aclose()

    run_virtual(story())
    kept = "".join(path.read_text() for path in tmp_path.iterdir())
    assert "Example" not in kept
    assert "Mill Lane" not in kept, "notes hold nothing personal"


def test_notes_of_a_run_that_ended_or_of_yesterday_are_no_answers(tmp_path: Path) -> None:
    async def story() -> None:
        async with House() as house:
            ports, flaky, _ = await with_five_orders(house, lambda _: None)
            fold = DryFold(CONFIG, translators(house.brands), house.clock.now())
            since = house.clock.now() - timedelta(days=30)
            await read_systems(ports, fold, house.clock, tmp_path, since)
            await read_systems(ports, fold, house.clock, tmp_path, since, anew_when_done=False)
            assert len(flaky.read_orders) == 5, "the hints that follow need no second look"
            await read_systems(ports, fold, house.clock, tmp_path, since)
            assert len(flaky.read_orders) == 10
            tomorrow = _Later(house.clock, timedelta(hours=25))
            await read_systems(ports, fold, tomorrow, tmp_path, since, anew_when_done=False)
            assert len(flaky.read_orders) == 15
            for port in ports.values():
                await port.aclose()

    run_virtual(story())


def test_notes_of_another_question_are_no_answers(tmp_path: Path) -> None:
    """Orders that ended longer ago are asked for, or the brand is configured otherwise: also where hints follow."""

    async def story() -> None:
        async with House() as house:
            ports, flaky, orders = await with_five_orders(house, lambda _: None)
            now = house.clock.now()

            async def judged(config: BrandConfig, days: float) -> set[tuple[str, ...]]:
                fold = DryFold(config, translators(house.brands), now)
                since = now - timedelta(days=days)
                found = await read_systems(ports, fold, house.clock, tmp_path, since, anew_when_done=False)
                assert len(found.verdicts) == len(orders)
                return {verdict.shows for verdict in found.verdicts}

            before = await judged(CONFIG, 30)
            assert await judged(CONFIG.model_copy(update={"version": 2, "mode": "observe"}), 29.9) == before
            assert flaky.listed_times == 1
            await judged(CONFIG, 60)
            assert flaky.listed_times == 2
            later = CONFIG.model_copy(update={"release_from": now + timedelta(hours=1)})
            assert await judged(later, 60) == {(IN_STEP,)} != before, "not ours yet"
            assert flaky.listed_times == 3
            for port in ports.values():
                await port.aclose()

    run_virtual(story())


def test_an_order_that_cannot_be_read_does_not_keep_the_others_from_it(tmp_path: Path) -> None:
    async def story() -> None:
        async with House() as house:
            bad: list[OrderId] = []
            ports, _, orders = await with_five_orders(
                house, lambda asked: Incompatible("strange") if set(asked) & set(bad) else None
            )
            bad.append(orders[2])
            fold = DryFold(CONFIG, translators(house.brands), house.clock.now())

            found = await read_systems(ports, fold, house.clock, tmp_path, house.clock.now() - timedelta(days=30))

            shows = {verdict.order: verdict.shows for verdict in found.verdicts}
            assert shows[orders[2]] == ("cannot be read from shopify",)
            assert all("cannot be read" not in said for order in orders if order not in bad for said in shows[order])
            for port in ports.values():
                await port.aclose()

    run_virtual(story())


def test_a_connection_that_is_refused_ends_it_at_once(tmp_path: Path) -> None:
    async def story() -> None:
        async with House() as house:
            ports, _, _ = await with_five_orders(house, lambda _: Unauthorised("no scope"))
            fold = DryFold(CONFIG, translators(house.brands), house.clock.now())
            began = house.clock.monotonic()
            with pytest.raises(CannotReadError, match="acme: reading 2 orders of shopify: Unauthorised: no scope"):
                await read_systems(ports, fold, house.clock, tmp_path, house.clock.now() - timedelta(days=30))
            assert house.clock.monotonic() - began < 5
            for port in ports.values():
                await port.aclose()

    run_virtual(story())


def test_only_hints_are_written_and_only_lately_changed_orders_are_named(tmp_path: Path) -> None:
    async def story() -> None:
        async with House() as house:
            street = Street(house)
            cancelled = street.order(("0042-A", 1))
            street.shop.cancel(cancelled)
            for role in list(house.instances):
                await house.kill(role)
            await house.clock.sleep(3600)
            order = street.order(("0042-A", 1))

            found = await read(house, tmp_path, since=timedelta(minutes=30))
            records = {topic.name: len(house.log.records(topic.name)) for topic in (*HINTS.values(), *RAW.values())}
            for _ in range(2):
                await seed(house.log, ACME, found.listed.orders, house.clock)

            assert found.listed.orders == (OrderId(str(order.id)),)
            for system in System:
                assert len(house.log.records(HINTS[system].name)) == records[HINTS[system].name] + 2
                assert len(house.log.records(RAW[system].name)) == records[RAW[system].name]

    run_virtual(story())


def told_without_tracking(why: str) -> bool:
    """Only the lost log knew that a fulfilment without tracking was ours: it becomes a person's, and is not doubled."""
    return why.startswith("shopify.without_tracking") or "case fulfilled_by_hand" in why


@pytest.mark.parametrize("seed_", range(6))
def test_a_log_lost_in_the_middle_of_a_day_doubles_nothing(seed_: int, tmp_path: Path) -> None:
    """Webhooks lost, answers lost, writes executed late; the roles end anywhere, and start on an empty log later."""

    async def story() -> None:
        faults = Faults(webhook_lost=0.2, answer_lost=0.1, server_error=0.04, late_execution=0.05, late_by=3.0)
        async with House(faults, seed_) as house:
            chance = random.Random(seed_)
            pickers = asyncio.create_task(house.outside.pickers().run())
            shoppers = asyncio.create_task(house.outside.shoppers().run(12, 1.0))
            await house.clock.sleep(chance.uniform(5, 40))
            for role in list(house.instances):
                await house.kill(role)
            await house.clock.sleep(LONGEST_REQUEST)
            await house.lose_the_log()
            for brand in BRANDS:
                orders = [OrderId(str(one)) for one in house.outside.shop(brand.brand).orders]
                await seed(house.log, brand.brand, orders, house.clock)
            report = await in_the_end(house, despatching=False)
            pickers.cancel()
            shoppers.cancel()
            await asyncio.gather(pickers, shoppers, return_exceptions=True)
            assert [why for why in report.why_not if not told_without_tracking(why)] == []

    run_virtual(story())


def test_a_shopper_told_without_tracking_is_not_told_again_but_a_person_is_asked(tmp_path: Path) -> None:
    """Nothing in the three systems says that this telling was ours."""

    async def story() -> None:
        async with House() as house:
            street = Street(house)
            order = await street.released(("0042-A", 2))
            house.outside.clarus.despatch(street.goods_outs(order)[0], tracking=[""])
            await house.until(lambda: len(order.fulfillments) == 1)
            assert not order.fulfillments[0].numbers
            for role in list(house.instances):
                await house.kill(role)
            await house.clock.sleep(LONGEST_REQUEST)

            dry = await read(house, tmp_path)
            await house.lose_the_log()
            await seed(house.log, ACME, dry.listed.orders, house.clock)
            await house.clock.sleep(600)

            (verdict,) = dry.verdicts
            assert verdict.would_send == ()
            assert set(verdict.cases) == {CaseCode.FULFILLED_BY_HAND}
            assert len(order.fulfillments) == 1
            asked = {case.code for case in cases_of(house.log) if case.open}
            assert asked == {CaseCode.FULFILLED_BY_HAND, CaseCode.TRACKING_MISSING}

    run_virtual(story())
