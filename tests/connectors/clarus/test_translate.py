"""Clarus' records into our terms: what is understood, and what is refused with where, expected and found."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from connectors.clarus.translate import line_mark, translate_goods_outs
from schemas.base import LineId
from schemas.errors import Unreadable
from schemas.goods_outs import GoodsOut, GoodsOutLine, GoodsOutStatus, Package

Json = dict[str, Any]


def a_body() -> Json:
    """One goods-out with a line and a parcel."""
    return {
        "goods_outs": [
            {
                "id": "90001",
                "reference": "ACME-5012-71-1",
                "goods_out_status": {"code": "COMPLETED"},
                "account": {"code": "ACME"},
                "warehouse": {"code": "LDS1"},
                "carrier": {"code": "DPD"},
                "carrier_service": {"code": "NEXTDAY"},
                "actual_date_of_dispatch": "2026-11-05T13:00:00+01:00",
            }
        ],
        "lines": [
            {
                "id": "550001",
                "goods_out": {"id": "90001"},
                "product": {"code": "0042-LAMP"},
                "external_system_reference1": "gid://shopify/LineItem/1",
                "order_quantity": 3,
                "allocated_quantity": 2.0,
                "pick_quantity": "2.0",
                "dispatch_quantity": 2,
            }
        ],
        "shipments": [{"id": "6101", "reference": "SHP6101", "goods_out": {"id": "90001"}}],
        "packages": [{"id": "7101", "tracking_number": " 1550 ", "shipment": {"id": "6101", "reference": "SHP6101"}}],
    }


def read(change: Callable[[Json], object] = lambda _body: None) -> tuple[GoodsOut, ...]:
    """The body, changed, translated."""
    body = a_body()
    change(body)
    return translate_goods_outs(orjson.dumps(body))


def test_a_goods_out_with_all_its_parts() -> None:
    assert read() == (
        GoodsOut.model_validate(
            {
                "id": "90001",
                "reference": "ACME-5012-71-1",
                "status": "COMPLETED",
                "account": "ACME",
                "warehouse": "LDS1",
                "carrier": "DPD",
                "service": "NEXTDAY",
                "despatched_at": datetime(2026, 11, 5, 12, tzinfo=UTC),
                "lines": (
                    GoodsOutLine.model_validate(
                        {
                            "id": "550001",
                            "line": "1",
                            "sku": "0042-LAMP",
                            "ordered": 3,
                            "allocated": 2,
                            "picked": 2,
                            "despatched": 2,
                        }
                    ),
                ),
                "packages": (Package(id="7101", tracking_number="1550", shipment="SHP6101"),),
            }
        ),
    )


def test_nothing_is_nothing() -> None:
    assert translate_goods_outs(b'{"goods_outs":[],"lines":[],"shipments":[],"packages":[]}') == ()


def test_ids_may_be_whole_numbers() -> None:
    def numbers(body: Json) -> None:
        body["goods_outs"][0]["id"] = 90001
        body["lines"][0]["goods_out"]["id"] = 90001
        body["shipments"][0]["goods_out"]["id"] = 90001
        body["packages"][0]["shipment"]["id"] = 6101

    (goods_out,) = read(numbers)
    assert (goods_out.id, len(goods_out.lines), len(goods_out.packages)) == ("90001", 1, 1)


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("DRAFT", GoodsOutStatus.DRAFT),
        ("pending", GoodsOutStatus.PENDING),
        ("Part_Allocated", GoodsOutStatus.PART_ALLOCATED),
        ("ALLOCATED", GoodsOutStatus.ALLOCATED),
        ("PICK", GoodsOutStatus.PICK),
        ("picking", GoodsOutStatus.PICK),
        ("PART", GoodsOutStatus.PART),
        ("Complete", GoodsOutStatus.COMPLETED),
        ("CANCELED", GoodsOutStatus.CANCELLED),
        ("AWAITING_MOON", GoodsOutStatus.OTHER),
    ],
)
def test_statuses_by_code_in_any_spelling(code: str, status: GoodsOutStatus) -> None:
    (goods_out,) = read(lambda body: body["goods_outs"][0]["goods_out_status"].update(code=code))
    assert goods_out.status is status
    assert not (status is GoodsOutStatus.OTHER and (status.ended or status.untouched))


@pytest.mark.parametrize("mark", [None, "", "order-1", "gid://shopify/Order/5012"])
def test_a_line_that_is_not_ours_bears_no_order_line(mark: str | None) -> None:
    (goods_out,) = read(lambda body: body["lines"][0].update(external_system_reference1=mark))
    assert goods_out.lines[0].line == ""


def test_the_mark_on_a_line_is_read_back() -> None:
    (goods_out,) = read(lambda body: body["lines"][0].update(external_system_reference1=line_mark(LineId("77"))))
    assert goods_out.lines[0].line == "77"


def test_what_may_be_absent() -> None:
    def bare(body: Json) -> None:
        body["goods_outs"][0] |= {"warehouse": None, "carrier": None, "carrier_service": None}
        body["goods_outs"][0]["actual_date_of_dispatch"] = None
        body["packages"][0]["tracking_number"] = None
        body["lines"][0] |= {"allocated_quantity": None, "pick_quantity": None, "dispatch_quantity": None}

    (goods_out,) = read(bare)
    assert (goods_out.warehouse, goods_out.carrier, goods_out.service, goods_out.despatched_at) == ("", "", "", None)
    assert goods_out.packages[0].tracking_number == ""
    line = goods_out.lines[0]
    assert (line.ordered, line.allocated, line.picked, line.despatched) == (3, 0, 0, 0)


def test_goods_outs_come_in_the_order_of_their_references() -> None:
    def another(body: Json) -> None:
        body["goods_outs"].append({**body["goods_outs"][0], "id": "89999", "reference": "ACME-5012-70-1"})

    assert [one.id for one in read(another)] == ["89999", "90001"]


def _set(part: str, **changes: Any) -> Callable[[Json], object]:
    return lambda body: body[part][0].update(changes)


def _drop(part: str, name: str) -> Callable[[Json], object]:
    return lambda body: body[part][0].pop(name)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda body: body.pop("lines"), "lines"),
        (lambda body: body.update(packages={}), "packages"),
        (lambda body: body["goods_outs"].append("x"), "goods_outs.1"),
        (_set("goods_outs", id=None), "goods_outs.0.id"),
        (_set("goods_outs", id=True), "goods_outs.0.id"),
        (_set("goods_outs", reference=""), "goods_outs.0.reference"),
        (_set("goods_outs", goods_out_status=None), "goods_outs.0.goods_out_status"),
        (_set("goods_outs", goods_out_status={"id": 2}), "goods_outs.0.goods_out_status.code"),
        (_set("goods_outs", actual_date_of_dispatch="2026-11-05T13:00:00"), "goods_outs.0.actual_date_of_dispatch"),
        (_set("goods_outs", actual_date_of_dispatch="yesterday"), "goods_outs.0.actual_date_of_dispatch"),
        (_set("lines", product=None), "lines.0.product"),
        (_set("lines", product={"code": ""}), "lines.0.product.code"),
        (_set("lines", goods_out={"id": "1"}), "lines.0.goods_out.id"),
        (_set("lines", order_quantity=None), "lines.0.order_quantity"),
        (_set("lines", order_quantity=1.5), "lines.0.order_quantity"),
        (_set("lines", order_quantity="many"), "lines.0.order_quantity"),
        (_set("lines", order_quantity="Infinity"), "lines.0.order_quantity"),
        (_set("lines", order_quantity="NaN"), "lines.0.order_quantity"),
        (_set("lines", dispatch_quantity=-1), "lines.0.dispatch_quantity"),
        (_drop("lines", "dispatch_quantity"), "lines.0.dispatch_quantity"),
        (_set("shipments", goods_out=None), "shipments.0.goods_out"),
        (_set("shipments", goods_out={"id": "1"}), "shipments.0.goods_out.id"),
        (_set("packages", shipment={"id": "1"}), "packages.0.shipment.id"),
        (_set("packages", shipment=None), "packages.0.shipment"),
    ],
)
def test_what_cannot_be_read_is_refused_where_it_stands(change: Callable[[Json], object], where: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read(change)
    assert caught.value.where == where
    assert caught.value.expected
    assert caught.value.found
    assert str(caught.value) == f"{where}: expected {caught.value.expected}, found {caught.value.found}"


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'"text"', b"null"])
def test_what_is_no_body_at_all_is_refused(body: bytes) -> None:
    with pytest.raises(Unreadable) as caught:
        translate_goods_outs(body)
    assert caught.value.where == "body"
