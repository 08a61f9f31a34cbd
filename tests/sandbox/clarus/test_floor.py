"""What people on the floor do: allocated as far as there is stock, in parts, short, with parcels and numbers."""

from decimal import Decimal
from typing import Any

import pytest

from sandbox.clarus.refusals import Refused
from tests.sandbox.clarus.warehouse import (
    GOODS_OUTS,
    LAMP,
    LINES,
    PACKAGES,
    RUG,
    SHIPMENTS,
    Warehouse,
    in_the_warehouse,
)

BALANCES = """query($filter: StockBalanceFilterType) { stock_balances { all(filter: $filter) { edges { node {
  received available allocated picked } } } } }"""


def stock(clarus: Warehouse, sku: str, units: int) -> None:
    world = clarus.world
    account, warehouse = world.master.account("northwind", "ACME"), world.master.warehouse("northwind", "LDS1")
    product = world.master.product("northwind", sku)
    assert account is not None
    assert warehouse is not None
    assert product is not None
    world.stock.receive(account, warehouse, product, Decimal(units))


async def quantities(clarus: Warehouse, number: int) -> list[tuple[Any, ...]]:
    """Per line: ordered, allocated, picked, despatched, short."""
    lines = await clarus.read(LINES, goods_out_id={"eq": str(number)})
    names = ("order_quantity", "allocated_quantity", "pick_quantity", "dispatch_quantity", "short_status")
    return [tuple(line[name] for name in names) for line in lines]


async def parcels(clarus: Warehouse, number: int) -> list[str | None]:
    shipments = await clarus.read(SHIPMENTS, goods_out_id={"eq": str(number)})
    assert all(shipment["goods_out"]["id"] == str(number) for shipment in shipments)
    found = await clarus.read(PACKAGES, shipment_id={"in": [shipment["id"] for shipment in shipments]})
    return [package["tracking_number"] for package in found]


def test_despatched_whole_with_two_parcels() -> None:
    async def story(clarus: Warehouse) -> None:
        number = await clarus.create(clarus.a_goods_out(lamp=2, rug=1))
        clarus.world.despatch(number, tracking=["P1", "P2"])
        (read,) = await clarus.read(GOODS_OUTS, id={"eq": str(number)})
        assert (read["goods_out_status"]["code"], read["actual_date_of_dispatch"]) == (
            "COMPLETED",
            "2026-05-04T08:00:00Z",
        )
        assert await quantities(clarus, number) == [(2, 2, 2, 2, None), (1, 1, 1, 1, None)]
        assert await parcels(clarus, number) == ["P1", "P2"]
        (shipment,) = await clarus.read(SHIPMENTS, goods_out_id={"eq": str(number)})
        assert shipment["packages_count"] == 2

    in_the_warehouse(story)


def test_in_two_parts_each_with_its_parcel() -> None:
    async def story(clarus: Warehouse) -> None:
        number = await clarus.create(clarus.a_goods_out(lamp=3, rug=1))
        clarus.world.despatch(number, {clarus.line(number, LAMP): 2}, ["P1"])
        assert await clarus.status(number) == "PICK"
        assert await quantities(clarus, number) == [(3, 3, 2, 2, None), (1, 1, 0, 0, None)]
        clarus.world.despatch(number, tracking=["P2"])
        assert await clarus.status(number) == "COMPLETED"
        assert await parcels(clarus, number) == ["P1", "P2"]
        left = [[(line["line"], line["units"]) for line in one["lines"]] for one in clarus.story(number)["despatches"]]
        assert [[units for _, units in one] for one in left] == [[2], [1, 1]]

    in_the_warehouse(story)


def test_closed_short_is_completed_all_the_same() -> None:
    async def story(clarus: Warehouse) -> None:
        number = await clarus.create(clarus.a_goods_out(lamp=3))
        clarus.world.despatch(number, {clarus.line(number, LAMP): 1})
        clarus.world.close_short(number)
        assert await clarus.status(number) == "COMPLETED"
        assert await quantities(clarus, number) == [(3, 1, 1, 1, "SHORT")]
        (line,) = clarus.story(number)["lines"]
        assert (line["despatched"], line["short"]) == (1, 2)
        with pytest.raises(Refused):
            clarus.world.despatch(number)

    in_the_warehouse(story)


def test_what_there_is_no_stock_for_waits_or_is_shorted() -> None:
    async def story(clarus: Warehouse) -> None:
        stock(clarus, LAMP, 2)
        number = await clarus.create(clarus.a_goods_out(lamp=3, rug=1))
        clarus.world.allocate(number)
        assert await clarus.status(number) == "PART_ALLOCATED"
        assert await quantities(clarus, number) == [(3, 2, 0, 0, None), (1, 1, 0, 0, None)]
        balance = {"received": 2, "available": 0, "allocated": 2, "picked": 0}
        assert await clarus.read(BALANCES, product_code={"eq": LAMP}) == [balance]
        answer = await clarus.call("POST", "/api/goods_out_processes/short_order_lines", {"ids": [number]})
        assert answer.status_code == 204
        clarus.world.despatch(number)
        assert await clarus.status(number) == "COMPLETED"
        assert await quantities(clarus, number) == [(3, 2, 2, 2, "SHORT"), (1, 1, 1, 1, None)]
        assert await clarus.read(BALANCES, product_code={"eq": LAMP}) == [balance | {"allocated": 0}]

    in_the_warehouse(story)


def test_nothing_is_shorted_when_one_of_the_ids_cannot_be() -> None:
    async def story(clarus: Warehouse) -> None:
        first, second = [await clarus.create(clarus.a_goods_out(f"ACME-{n}-1-1")) for n in (1, 2)]
        clarus.world.allocate(second)
        path = "/api/goods_out_processes/short_order_lines"
        assert (await clarus.call("POST", path, {"ids": [first, second]})).status_code == 422
        assert await clarus.status(first) == "PENDING"
        assert clarus.story(first)["lines"][0]["short"] == 0

    in_the_warehouse(story)


def test_without_any_stock_nothing_is_allocated_and_the_request_tells() -> None:
    async def story(clarus: Warehouse) -> None:
        stock(clarus, RUG, 0)
        number = await clarus.create(clarus.a_goods_out(rug=1))
        path = "/api/goods_out_processes/process_picks_async"
        (reference,) = (await clarus.call("POST", path, {"ids": [number]})).json()["process_references"]
        query = """query($filter: PickProcessingRequestFilterType) { pick_processing_requests { all(filter: $filter) {
          edges { node { status message goods_out { id } } } } } }"""
        (pending,) = await clarus.read(query, process_reference={"eq": reference})
        assert (pending["status"], pending["goods_out"]["id"]) == ("pending", str(number))
        await clarus.world.errands.finished()
        (failed,) = await clarus.read(query, process_reference={"eq": reference})
        assert failed["status"] == "failed"
        assert "no stock" in failed["message"]
        assert await clarus.status(number) == "PENDING"

    in_the_warehouse(story)


def test_more_may_leave_than_was_ordered() -> None:
    async def story(clarus: Warehouse) -> None:
        number = await clarus.create(clarus.a_goods_out(lamp=2))
        clarus.world.despatch(number, {clarus.line(number, LAMP): 3})
        assert await clarus.status(number) == "COMPLETED"
        assert await quantities(clarus, number) == [(2, 3, 3, 3, None)]

    in_the_warehouse(story)


def test_the_number_may_come_after_the_parcel_left() -> None:
    async def story(clarus: Warehouse) -> None:
        number = await clarus.create(clarus.a_goods_out())
        (package,) = clarus.world.despatch(number, tracking=[""]).packages
        assert await parcels(clarus, number) == [None]
        clarus.world.set_tracking(package.id, "P1")
        assert await parcels(clarus, number) == ["P1"]

    in_the_warehouse(story)


def test_a_despatch_taken_back_leaves_no_parcel() -> None:
    async def story(clarus: Warehouse) -> None:
        number = await clarus.create(clarus.a_goods_out(lamp=2))
        clarus.world.despatch(number)
        clarus.world.undespatch(number)
        assert await clarus.status(number) == "PICK"
        assert await quantities(clarus, number) == [(2, 2, 2, 0, None)]
        assert await clarus.read(SHIPMENTS, goods_out_id={"eq": str(number)}) == []
        clarus.world.despatch(number)
        assert [line["despatched"] for line in clarus.story(number)["lines"]] == [2]

    in_the_warehouse(story)


def test_a_cancel_of_what_left_in_part_closes_the_rest() -> None:
    async def story(clarus: Warehouse) -> None:
        number = await clarus.create(clarus.a_goods_out(lamp=2))
        clarus.world.despatch(number, {clarus.line(number, LAMP): 1})
        assert (await clarus.call("POST", f"/api/goods_outs/{number}/cancel")).status_code == 204
        assert await clarus.status(number) == "COMPLETED"
        assert clarus.story(number)["lines"][0]["short"] == 1

    in_the_warehouse(story)


def test_the_floor_over_http() -> None:
    async def story(clarus: Warehouse) -> None:
        number = await clarus.create(clarus.a_goods_out(lamp=2))
        base = f"/_sandbox/goods_outs/{number}"
        part: Any = {"lines": {str(clarus.line(number, LAMP)): 1}, "tracking": ["P1"]}
        assert (await clarus.http.post(f"{base}/despatch", json=part)).json()["goods_out_status"]["code"] == "PICK"
        assert (await clarus.http.post(f"{base}/close_short")).json()["goods_out_status"]["code"] == "COMPLETED"
        assert (await clarus.http.post(f"{base}/despatch")).status_code == 422
        assert (await clarus.http.post(f"{base}/burn")).status_code == 404
        books = (await clarus.http.get("/_sandbox/books")).json()
        assert [entry["kind"] for entry in books["entries"]] == ["created", "despatched", "closed_short"]

    in_the_warehouse(story)
