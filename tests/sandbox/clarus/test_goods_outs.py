"""Goods-outs as a caller makes, amends, cancels and deletes them."""

from typing import Any

import pytest

from tests.sandbox.clarus.warehouse import (
    GOODS_OUTS,
    LAMP,
    LINES,
    RUG,
    Warehouse,
    a_body,
    an_added_line,
    in_the_warehouse,
)


def errors(answer: Any) -> list[tuple[str, str]]:
    return [(error["symbol"], error["context"].get("field", "")) for error in answer.json()["errors"]]


def test_a_goods_out_is_made_and_read_back() -> None:
    async def story(clarus: Warehouse) -> None:
        number = await clarus.create(clarus.a_goods_out("ACME-5012-7-1", lamp=2, rug=1))
        (read,) = await clarus.read(GOODS_OUTS, reference={"eq": "ACME-5012-7-1"})
        assert read == {
            "id": str(number),
            "reference": "ACME-5012-7-1",
            "goods_out_status": {"code": "PENDING"},
            "account": {"code": "ACME"},
            "actual_date_of_dispatch": None,
        }
        lines = await clarus.read(LINES, goods_out_id={"eq": str(number)})
        assert [(line["product"]["code"], line["order_quantity"]) for line in lines] == [(LAMP, 2), (RUG, 1)]
        assert [line["external_system_reference1"] for line in lines] == ["line-lamp", "line-rug"]

    in_the_warehouse(story)


def test_the_same_reference_is_taken_twice() -> None:
    async def story(clarus: Warehouse) -> None:
        first, second = await clarus.create(clarus.a_goods_out()), await clarus.create(clarus.a_goods_out())
        found = await clarus.read(GOODS_OUTS, reference={"eq": "ACME-1-1-1"})
        assert [node["id"] for node in found] == [str(first), str(second)]
        assert len(clarus.world.books.json()["goods_outs"]) == 2

    in_the_warehouse(story)


def test_a_carrier_alone_brings_its_default_service() -> None:
    async def story(clarus: Warehouse) -> None:
        carrier = clarus.world.master.carrier("northwind", "ROYALMAIL")
        assert carrier is not None
        number = await clarus.create(a_body("ACME-1-1-1", account_id=clarus.id_of("ACME"), carrier_id=carrier.id))
        service = clarus.world.goods_outs[number].service
        assert service is not None
        assert service.code == "TRACKED48"

    in_the_warehouse(story)


@pytest.mark.parametrize(
    ("wrong", "symbol", "field"),
    [
        ({"reference": "X" * 51}, "too_long", "data.attributes.reference"),
        ({"packing_notes": "x" * 256}, "too_long", "data.attributes.packing_notes"),
        ({"delivery_notes": ""}, "blank", "data.attributes.delivery_notes"),
        ({"priority": 100}, "invalid", "data.attributes.priority"),
        ({"expected_date_of_dispatch": "2026-05-05T15:00:00"}, "invalid", "data.attributes.expected_date_of_dispatch"),
        ({"currency": "GBP"}, "unknown_attribute", "data.attributes.currency"),
        ({"account_id": 9}, "invalid_ids_provided", "account_id"),
        ({"warehouse_id": 9}, "invalid_ids_provided", "warehouse_id"),
        ({"carrier_id": 9}, "invalid_ids_provided", "carrier_id"),
        ({"lines_changes": [an_added_line(9, 1)]}, "invalid_ids_provided", "product_id"),
    ],
)
def test_what_does_not_fit_is_refused_by_field(wrong: dict[str, Any], symbol: str, field: str) -> None:
    async def story(clarus: Warehouse) -> None:
        body = clarus.a_goods_out()
        body["data"]["attributes"] |= wrong
        answer = await clarus.call("POST", "/api/goods_outs", body)
        assert answer.status_code == 422
        assert errors(answer) == [(symbol, field)]
        assert not list(clarus.world.books)

    in_the_warehouse(story)


def test_an_address_line_beyond_80_characters_is_refused() -> None:
    async def story(clarus: Warehouse) -> None:
        body = clarus.a_goods_out()
        body["data"]["relationships"]["address"]["data"]["attributes"]["address_1"] = "x" * 81
        answer = await clarus.call("POST", "/api/goods_outs", body)
        assert answer.status_code == 422
        assert errors(answer) == [("too_long", "data.relationships.address.data.attributes.address_1")]

    in_the_warehouse(story)


def test_a_product_of_another_account_is_refused() -> None:
    async def story(clarus: Warehouse) -> None:
        answer = await clarus.call("POST", "/api/goods_outs", clarus.a_goods_out(account="ACME", kettle=1))
        assert (answer.status_code, errors(answer)) == (422, [("invalid_ids_provided", "product_id")])

    in_the_warehouse(story)


def test_a_pending_goods_out_is_amended_line_by_line() -> None:
    async def story(clarus: Warehouse) -> None:
        number = await clarus.create(clarus.a_goods_out(lamp=3, rug=1))
        changes = [
            {"type": "UPDATE", "id": clarus.line(number, LAMP), "attributes": {"order_quantity": 1}},
            {"type": "DESTROY", "id": clarus.line(number, RUG)},
            an_added_line(clarus.product(RUG), 4),
        ]
        patch = {"data": {"type": "goods_outs", "attributes": {"priority": 5, "lines_changes": changes}}}
        assert (await clarus.call("PATCH", f"/api/goods_outs/{number}", patch)).status_code == 200
        lines = await clarus.read(LINES, goods_out_id={"in": [str(number)]})
        assert [(line["product"]["code"], line["order_quantity"]) for line in lines] == [(LAMP, 1), (RUG, 4)]
        assert [(line["sku"], line["units"]) for line in clarus.story(number)["lines"]] == [(LAMP, 1), (RUG, 4)]

    in_the_warehouse(story)


def test_a_renamed_goods_out_is_found_by_its_new_reference_only() -> None:
    async def story(clarus: Warehouse) -> None:
        number = await clarus.create(clarus.a_goods_out("ACME-1-1-1"))
        patch = {"data": {"type": "goods_outs", "attributes": {"reference": "ACME-1-1-2"}}}
        await clarus.call("PATCH", f"/api/goods_outs/{number}", patch)
        found = await clarus.read(GOODS_OUTS, reference={"in": ["ACME-1-1-1", "ACME-1-1-2"]})
        assert [node["reference"] for node in found] == ["ACME-1-1-2"]

    in_the_warehouse(story)


def test_nothing_of_an_amendment_happens_when_one_line_is_not_its_own() -> None:
    async def story(clarus: Warehouse) -> None:
        number = await clarus.create(clarus.a_goods_out(lamp=3))
        changes = [
            {"type": "UPDATE", "id": clarus.line(number, LAMP), "attributes": {"order_quantity": 1}},
            {"type": "DESTROY", "id": 9},
        ]
        patch = {"data": {"type": "goods_outs", "attributes": {"lines_changes": changes}}}
        assert (await clarus.call("PATCH", f"/api/goods_outs/{number}", patch)).status_code == 422
        assert clarus.story(number)["lines"][0]["units"] == 3

    in_the_warehouse(story)


def test_an_allocated_goods_out_can_neither_be_amended_nor_deleted() -> None:
    async def story(clarus: Warehouse) -> None:
        number = await clarus.create(clarus.a_goods_out())
        clarus.world.allocate(number)
        patch = {"data": {"type": "goods_outs", "attributes": {"priority": 5}}}
        for answer in (
            await clarus.call("PATCH", f"/api/goods_outs/{number}", patch),
            await clarus.call("DELETE", f"/api/goods_outs/{number}"),
        ):
            assert (answer.status_code, errors(answer)) == (422, [("goods_out_processing_started", "")])

    in_the_warehouse(story)


def test_cancelling_a_pending_goods_out_deletes_it() -> None:
    async def story(clarus: Warehouse) -> None:
        number = await clarus.create(clarus.a_goods_out())
        assert (await clarus.call("POST", f"/api/goods_outs/{number}/cancel")).status_code == 204
        assert await clarus.status(number) is None
        assert (await clarus.call("POST", f"/api/goods_outs/{number}/cancel")).status_code == 404
        assert (clarus.story(number)["ended"], clarus.story(number)["ended_by"]) == ("deleted", "api")

    in_the_warehouse(story)


def test_cancelling_an_allocated_goods_out_leaves_it_cancelled() -> None:
    async def story(clarus: Warehouse) -> None:
        number = await clarus.create(clarus.a_goods_out())
        clarus.world.allocate(number)
        assert (await clarus.call("POST", f"/api/goods_outs/{number}/cancel")).status_code == 204
        assert await clarus.status(number) == "CANCELLED"

    in_the_warehouse(story)


def test_cancelling_while_picking_leaves_goods_in_totes() -> None:
    async def story(clarus: Warehouse) -> None:
        number = await clarus.create(clarus.a_goods_out(lamp=2))
        clarus.world.pick(number)
        assert (await clarus.call("POST", f"/api/goods_outs/{number}/cancel")).status_code == 204
        (line,) = await clarus.read(LINES, goods_out_id={"eq": str(number)})
        assert (line["pick_quantity"], line["dispatch_quantity"]) == (2, 0)
        assert await clarus.status(number) == "CANCELLED"

    in_the_warehouse(story)


def test_a_completed_goods_out_cannot_be_cancelled() -> None:
    async def story(clarus: Warehouse) -> None:
        number = await clarus.create(clarus.a_goods_out())
        clarus.world.despatch(number)
        answer = await clarus.call("POST", f"/api/goods_outs/{number}/cancel")
        assert (answer.status_code, errors(answer)) == (422, [("goods_out_completed", "")])

    in_the_warehouse(story)


def test_processing_allocates_a_little_later() -> None:
    async def story(clarus: Warehouse) -> None:
        number = await clarus.create(clarus.a_goods_out())
        path = "/api/goods_out_processes/process_picks_async"
        answer = await clarus.call("POST", path, {"ids": [number]})
        assert len(answer.json()["process_references"]) == 1
        assert await clarus.status(number) == "PENDING"
        await clarus.world.errands.finished()
        assert await clarus.status(number) == "ALLOCATED"
        again = await clarus.call("POST", path, {"ids": [number]})
        assert again.json()["errors"][0]["code"] == 59
        assert errors(await clarus.call("POST", path, {"ids": []})) == [("empty_ids_provided", "")]
        assert errors(await clarus.call("POST", path, {"ids": [9]})) == [("invalid_ids_provided", "")]

    in_the_warehouse(story)


def test_a_product_is_made_assigned_and_ordered() -> None:
    async def story(clarus: Warehouse) -> None:
        body = {
            "data": {
                "type": "products",
                "attributes": {"code": "00420", "description": "Shade", "stock_unit_type_id": 1},
            }
        }
        product = (await clarus.call("POST", "/api/products", body)).json()["data"]["id"]
        assert errors(await clarus.call("POST", "/api/products", body)) == [("product_code_exists", "code")]
        order = a_body("ACME-1-1-1", account_id=clarus.id_of("ACME"), lines_changes=[an_added_line(product, 1)])
        assert (await clarus.call("POST", "/api/goods_outs", order)).status_code == 422
        assigned = {"data": {"type": "account_products", "attributes": {"account_id": clarus.id_of("ACME")}}}
        assert (await clarus.call("POST", f"/api/products/{product}/account_products", assigned)).status_code == 200
        number = await clarus.create(order)
        assert [line["sku"] for line in clarus.story(number)["lines"]] == ["00420"]

    in_the_warehouse(story)
