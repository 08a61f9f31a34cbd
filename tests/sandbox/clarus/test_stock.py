"""What people do to a balance, as a reader sees it: received, available, allocated, picked; and what the log says."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from sandbox.clarus import Deliveries, Pickers, PickerSettings, Storekeeper
from sandbox.clarus.records import Automation
from sandbox.faults import Chance, Faults
from tests.sandbox.clarus.warehouse import LAMP, RUG, Warehouse, in_the_warehouse

BALANCES = """query($filter: StockBalanceFilterType, $first: Int, $after: String) {
  stock_balances { all(filter: $filter, first: $first, after: $after) { pageInfo { hasNextPage endCursor }
    edges { node { id product { id code } account { id code } warehouse { id code }
      received available allocated picked } } } } }"""
DEMAND = """query($filter: GoodsOutLineFilterType, $first: Int, $after: String) {
  goods_out_lines { all(filter: $filter, first: $first, after: $after) { pageInfo { hasNextPage endCursor }
    edges { node { id product { id code } order_quantity allocated_quantity pick_quantity dispatch_quantity short_status
      goods_out { id reference goods_out_status { code } warehouse { id code }
        external_system_reference1 external_system_reference2 external_system_reference3 }
      external_system_reference1 } } } } }"""
TRANSACTIONS = """query($filter: TransactionFilterType, $first: Int, $after: String) {
  transactions { all(filter: $filter, first: $first, after: $after) { pageInfo { hasNextPage endCursor } edges { node {
    id subtype category quantity created_at product { id code } account { id code } warehouse { id code }
    goods_out { id } } } } } }"""
STOCKS = """query($filter: StockFilterType) { stocks { all(filter: $filter) { edges { node {
  id quantity status fifo_date product { code } account { code } location { code } } } } } }"""

OPEN = ["DRAFT", "PENDING", "PART_ALLOCATED", "ALLOCATED", "PICK"]
Figures = tuple[float, float, float, float]


def keeper(clarus: Warehouse, account: str = "ACME") -> Storekeeper:
    return Storekeeper(clarus.world, "northwind", account, "LDS1")


async def figures(clarus: Warehouse, sku: str = LAMP, account: str = "ACME") -> Figures:
    wanted = {"account_id": {"eq": str(clarus.id_of(account))}, "product_id": {"in": [str(clarus.product(sku))]}}
    (row,) = await clarus.read(BALANCES, **wanted)
    return (row["received"], row["available"], row["allocated"], row["picked"])


async def logged(clarus: Warehouse, **filters: Any) -> list[tuple[str, float]]:
    return [(one["subtype"], one["quantity"]) for one in await clarus.read(TRANSACTIONS, **filters)]


Step = Callable[[Warehouse], object]


def an_order(clarus: Warehouse) -> int:
    """Three lamps of another channel; the only goods-out there is."""
    return keeper(clarus).wholesale("WHOLESALE-7", {LAMP: 3})


def first(clarus: Warehouse) -> int:
    return next(iter(clarus.world.goods_outs))


def line_of(clarus: Warehouse) -> int:
    return clarus.line(first(clarus), LAMP)


AFTERWARDS: dict[str, tuple[list[Step], Figures, list[tuple[str, float]]]] = {
    "nothing": ([], (10, 10, 0, 0), []),
    "four more received": ([lambda c: keeper(c).receive(LAMP, 4)], (14, 14, 0, 0), [("RCV", 4)]),
    "four received on hold": ([lambda c: keeper(c).receive(LAMP, 4, held=True)], (14, 10, 0, 0), [("RCV", 4)]),
    "received on hold, released": (
        [lambda c: keeper(c).receive(LAMP, 4, held=True), lambda c: keeper(c).release(LAMP, 4)],
        (14, 14, 0, 0),
        [("RCV", 4), ("OFFHOLD", 4)],
    ),
    "four held": ([lambda c: keeper(c).hold(LAMP, 4)], (10, 6, 0, 0), [("HOLD", 4)]),
    "two found": ([lambda c: keeper(c).adjust(LAMP, 2)], (10, 12, 0, 0), [("ADJUP", 2)]),
    "two lost": ([lambda c: keeper(c).adjust(LAMP, -2)], (10, 8, 0, 0), [("ADJDOWN", 2)]),
    "three to another owner": ([lambda c: keeper(c).transfer(LAMP, 3, "BOREALIS")], (10, 7, 0, 0), [("ACCTRAN", 3)]),
    "ordered": ([an_order], (10, 10, 0, 0), []),
    "allocated": ([an_order, lambda c: c.world.allocate(first(c))], (10, 7, 3, 0), []),
    "picked": ([an_order, lambda c: c.world.pick(first(c))], (10, 7, 0, 3), [("PICK", 3)]),
    "despatched": ([an_order, lambda c: c.world.despatch(first(c))], (10, 7, 0, 0), [("PICK", 3), ("DISP", 3)]),
    "more despatched than ordered": (
        [an_order, lambda c: c.world.despatch(first(c), {line_of(c): 5})],
        (10, 5, 0, 0),
        [("PICK", 5), ("DISP", 5)],
    ),
    "one of three despatched": (
        [an_order, lambda c: c.world.despatch(first(c), {line_of(c): 1})],
        (10, 7, 2, 0),
        [("PICK", 1), ("DISP", 1)],
    ),
    "despatch undone": (
        [an_order, lambda c: c.world.despatch(first(c)), lambda c: c.world.undespatch(first(c))],
        (10, 7, 0, 3),
        [("PICK", 3), ("DISP", 3), ("UNDISP", 3)],
    ),
    "allocated, cancelled": (
        [an_order, lambda c: c.world.allocate(first(c)), lambda c: c.world.cancel_by_hand(first(c))],
        (10, 10, 0, 0),
        [],
    ),
    "picked, cancelled": (
        [an_order, lambda c: c.world.pick(first(c)), lambda c: c.world.cancel_by_hand(first(c))],
        (10, 7, 0, 3),
        [("PICK", 3)],
    ),
    "picked, cancelled, put back": (
        [
            an_order,
            lambda c: c.world.pick(first(c)),
            lambda c: c.world.cancel_by_hand(first(c)),
            lambda c: c.world.put_back(first(c)),
        ],
        (10, 10, 0, 0),
        [("PICK", 3), ("TRAN", 3)],
    ),
}


@pytest.mark.parametrize("what", AFTERWARDS)
def test_ten_lamps_are_there_and_then(what: str) -> None:
    steps, expected, log = AFTERWARDS[what]

    async def story(clarus: Warehouse) -> None:
        keeper(clarus).receive(LAMP, 10)
        for step in steps:
            step(clarus)
        assert await figures(clarus) == expected
        of_ours = {"account_id": {"eq": str(clarus.id_of("ACME"))}}
        assert await logged(clarus, **of_ours) == [("RCV", 10), *log]

    in_the_warehouse(story)


def test_the_new_owner_has_what_was_transferred() -> None:
    async def story(clarus: Warehouse) -> None:
        keeper(clarus).receive(RUG, 10)
        keeper(clarus).transfer(RUG, 3, "BOREALIS")
        assert await figures(clarus, RUG, "BOREALIS") == (0, 3, 0, 0)

    in_the_warehouse(story)


@pytest.mark.parametrize(
    ("includes", "available"),
    [(frozenset(), 4.0), (frozenset({"allocated"}), 7.0), (frozenset({"allocated", "picked"}), 10.0)],
)
def test_available_may_be_shown_gross(includes: frozenset[Any], available: float) -> None:
    async def story(clarus: Warehouse) -> None:
        clarus.world.stock.includes = includes
        keeper(clarus).receive(LAMP, 10)
        clarus.world.pick(keeper(clarus).wholesale("W-1", {LAMP: 3}))
        clarus.world.allocate(keeper(clarus).wholesale("W-2", {LAMP: 3}))
        assert await figures(clarus) == (10, available, 3, 3)

    in_the_warehouse(story)


def test_held_stock_is_not_allocated() -> None:
    async def story(clarus: Warehouse) -> None:
        keeper(clarus).receive(LAMP, 2)
        keeper(clarus).receive(LAMP, 5, held=True)
        number = keeper(clarus).wholesale("W-1", {LAMP: 3})
        clarus.world.allocate(number)
        assert await clarus.status(number) == "PART_ALLOCATED"
        keeper(clarus).release(LAMP, 5)
        clarus.world.allocate(number)
        assert await clarus.status(number) == "ALLOCATED"

    in_the_warehouse(story)


@pytest.mark.parametrize(
    "impossible",
    [
        lambda k: k.hold(LAMP, 11),
        lambda k: k.release(LAMP, 1),
        lambda k: k.adjust(LAMP, -11),
        lambda k: k.transfer(LAMP, 11, "BOREALIS"),
        lambda k: k.transfer(LAMP, 1, "NOBODY"),
        lambda k: k.hold(RUG, 1),
        lambda k: k.receive("NO-SUCH", 1),
    ],
)
def test_what_is_not_there_cannot_be_moved(impossible: Callable[[Storekeeper], object]) -> None:
    async def story(clarus: Warehouse) -> None:
        keeper(clarus).receive(LAMP, 10)
        with pytest.raises(ValueError, match="expected"):
            impossible(keeper(clarus))
        assert (await figures(clarus), await logged(clarus)) == ((10, 10, 0, 0), [("RCV", 10)])

    in_the_warehouse(story)


def test_records_go_oldest_first_and_hold_splits_them() -> None:
    async def story(clarus: Warehouse) -> None:
        keeper(clarus).receive(LAMP, 4)
        await clarus.world.clock.sleep(60)
        keeper(clarus).receive(LAMP, 6)
        keeper(clarus).hold(LAMP, 5)

        async def lying(**wanted: Any) -> list[tuple[float, str, str]]:
            found = await clarus.read(STOCKS, **wanted)
            return [(one["quantity"], one["status"], one["fifo_date"][11:16]) for one in found]

        assert await lying() == [(4, "held", "08:00"), (5, "available", "08:01"), (1, "held", "08:01")]
        clarus.world.despatch(keeper(clarus).wholesale("W-1", {LAMP: 2}))
        assert await lying(status={"eq": "available"}) == [(3, "available", "08:01")]

    in_the_warehouse(story)


def test_open_lines_by_product_tell_whose_they_are() -> None:
    async def story(clarus: Warehouse) -> None:
        ours = await clarus.create(clarus.a_goods_out("ACME-1-1-1", lamp=2, rug=1))
        theirs = keeper(clarus).wholesale("WHOLESALE-7", {LAMP: 3})
        gone = keeper(clarus).wholesale("WHOLESALE-8", {LAMP: 4})
        clarus.world.despatch(gone)
        clarus.world.despatch(theirs, {clarus.line(theirs, LAMP): 1})
        wanted = {
            "account_id": {"eq": str(clarus.id_of("ACME"))},
            "product_id": {"in": [str(clarus.product(LAMP))]},
            "goods_out_status_code": {"in": OPEN},
        }
        found = await clarus.read(DEMAND, **wanted)
        assert [
            (one["goods_out"]["id"], one["goods_out"]["reference"], one["goods_out"]["goods_out_status"]["code"])
            for one in found
        ] == [(str(ours), "ACME-1-1-1", "PENDING"), (str(theirs), "WHOLESALE-7", "PICK")]
        assert [(one["order_quantity"], one["dispatch_quantity"]) for one in found] == [(2, 0), (3, 1)]
        assert found[0]["external_system_reference1"] == "line-lamp"
        assert found[0]["goods_out"]["external_system_reference1"] == "order-1"

    in_the_warehouse(story)


def test_transactions_since_a_moment() -> None:
    async def story(clarus: Warehouse) -> None:
        keeper(clarus).receive(LAMP, 4)
        await clarus.world.clock.sleep(60)
        keeper(clarus).receive(RUG, 6)
        number = keeper(clarus).wholesale("W-1", {RUG: 2})
        clarus.world.pick(number)
        assert await logged(clarus, created_at={"from": "2026-05-04T08:01:00Z"}) == [("RCV", 6), ("PICK", 2)]
        assert await logged(clarus, goods_out_id={"eq": str(number)}) == [("PICK", 2)]
        assert await logged(clarus, subtype={"in": ["RCV"]}, product_id={"eq": str(clarus.product(LAMP))}) == [
            ("RCV", 4)
        ]
        (row,) = await clarus.read(TRANSACTIONS, subtype={"eq": "PICK"})
        assert (row["goods_out"], row["warehouse"]["code"]) == ({"id": str(number)}, "LDS1")

    in_the_warehouse(story)


def heard_by(clarus: Warehouse, faults: Faults | None = None) -> list[tuple[str, dict[str, Any]]]:
    """What automations of stock told: the path's last part and the record."""
    heard: list[tuple[str, dict[str, Any]]] = []

    def hear(request: httpx.Request) -> httpx.Response:
        body = httpx.Response(200, content=request.content).json()
        heard.append((request.url.path.rpartition("/")[2], body["data"]))
        return httpx.Response(200)

    client = httpx.AsyncClient(transport=httpx.MockTransport(hear))
    Deliveries(clarus.world, client, lambda: faults or Faults(), Chance(1))
    for resource, event in (("stock_balance", "updated"), ("stock", "negatively_adjusted"), ("goods_out", "updated")):
        url = f"http://hooks.example.test/{resource}.{event}"
        clarus.world.add_automation(Automation(0, "northwind", resource, event, url))
    return heard


def test_automations_tell_of_balances_and_movements() -> None:
    async def story(clarus: Warehouse) -> None:
        keeper(clarus).receive(LAMP, 10)
        heard = heard_by(clarus)
        clarus.world.allocate(keeper(clarus).wholesale("W-1", {LAMP: 3}))
        keeper(clarus).adjust(LAMP, -2)
        await clarus.world.errands.finished()
        told = [(name, data["product"]["code"], data.get("available")) for name, data in heard]
        assert told == [
            ("stock_balance.updated", LAMP, 7),
            ("stock_balance.updated", LAMP, 5),
            ("stock.negatively_adjusted", LAMP, None),
        ]
        assert (heard[2][1]["quantity"], heard[2][1]["new_quantity"]) == (2, 8)
        assert heard[0][1]["account_id"] == clarus.id_of("ACME")

    in_the_warehouse(story)


@pytest.mark.parametrize(("faults", "count"), [(Faults(webhook_lost=1.0), 0), (Faults(webhook_doubled=1.0), 2)])
def test_they_get_lost_and_doubled(faults: Faults, count: int) -> None:
    async def story(clarus: Warehouse) -> None:
        heard = heard_by(clarus, faults)
        keeper(clarus).receive(LAMP, 10)
        await clarus.world.errands.finished()
        assert len(heard) == count

    in_the_warehouse(story)


def test_one_can_be_made_over_the_api() -> None:
    async def story(clarus: Warehouse) -> None:
        action = {
            "destination_type": "webhook",
            "parameters_changes": [
                {"type": "ADD", "attributes": {"parameter_code": "webhook_url", "value": "http://hooks.example.test/x"}}
            ],
        }
        attributes = {
            "resource_name": "stock_balance", "event": "updated", "name": "stock",
            "actions_changes": [{"type": "ADD", "attributes": action}],
        }  # fmt: skip
        made = await clarus.call(
            "POST", "/api/automations", {"data": {"type": "automations", "attributes": attributes}}
        )
        assert made.status_code == 200, made.text
        (automation,) = clarus.world.automations.values()
        assert (automation.resource, automation.event) == ("stock_balance", "updated")

    in_the_warehouse(story)


def test_pickers_work_at_wholesale_orders_as_far_as_there_is_stock() -> None:
    async def story(clarus: Warehouse) -> None:
        keeper(clarus).receive(LAMP, 2)
        pickers = Pickers(clarus.world, Chance(1), PickerSettings(partial=0, short=0))
        floor = asyncio.get_running_loop().create_task(pickers.run())
        await clarus.world.clock.sleep(1)
        number = keeper(clarus).wholesale("W-1", {LAMP: 3})
        await clarus.world.clock.sleep(60)
        assert await clarus.status(number) == "PART_ALLOCATED"
        keeper(clarus).receive(LAMP, 1)
        await clarus.world.clock.sleep(120)
        assert (await clarus.status(number), await figures(clarus)) == ("COMPLETED", (3, 0, 0, 0))
        floor.cancel()
        await asyncio.gather(floor, return_exceptions=True)

    in_the_warehouse(story)


def test_the_books_and_the_storekeeper_over_http() -> None:
    async def story(clarus: Warehouse) -> None:
        wanted = {"tenant": "northwind", "account": "ACME", "warehouse": "LDS1", "sku": LAMP, "units": 5}
        for verb, more in (("receive", {}), ("hold", {"units": 2}), ("wholesale", {"units": 1, "reference": "W-1"})):
            answer = await clarus.http.post(f"/_sandbox/stock/{verb}", json={**wanted, **more})
            assert answer.status_code == 204, answer.text
        refused = await clarus.http.post("/_sandbox/stock/adjust", json={**wanted, "units": -6})
        assert refused.status_code == 422
        unheard = await clarus.http.post("/_sandbox/stock/conjure", json=wanted)
        assert unheard.status_code == 404
        told = (await clarus.http.get("/_sandbox/stock")).json()
        assert [(one["available"], one["held"]) for one in told["balances"]] == [(3, 2)]
        assert [(one["subtype"], one["quantity"]) for one in told["transactions"]] == [("RCV", 5), ("HOLD", 2)]
        assert [one.reference for one in clarus.world.goods_outs.values()] == ["W-1"]

    in_the_warehouse(story)
