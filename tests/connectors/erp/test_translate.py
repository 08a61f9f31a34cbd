"""What the ERPs answer, in our terms. Tryton's bodies are recorded from a real one (`record.py` beside this file)."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from connectors.erp.sandbox import translate as translate_sandbox
from connectors.erp.tryton import translate as translate_tryton
from schemas.erp import ErpFulfilment, ErpOrder, ErpOrderState, FulfilmentState
from schemas.errors import Unreadable

RECORDED = Path(__file__).parent / "recorded"
PARCELS = [f"ACME-6120000001-77001-{generation}#1" for generation in (1, 2, 3)]


def recorded(name: str) -> ErpOrder:
    return translate_tryton((RECORDED / f"tryton_{name}.json").read_bytes())


def lines(order: ErpOrder) -> list[tuple[str, str, int]]:
    return [(line.line, line.sku, line.quantity) for line in order.lines]


def units(fulfilment: ErpFulfilment) -> dict[str, int]:
    return {unit.line: unit.quantity for unit in fulfilment.lines}


def test_a_committed_sale_whose_shipment_nobody_claimed() -> None:
    order = recorded("committed")
    assert (order.state, order.number) == (ErpOrderState.COMMITTED, "1")
    assert lines(order) == [("11", "0042-A", 3), ("12", "0042-A", 2), ("13", "0007", 1)]
    assert order.fulfilments == ()


def test_done_is_posted_and_shipped_is_open() -> None:
    first, second = recorded("two_parcels_one_posted").fulfilments
    assert (first.key, first.state, units(first)) == (PARCELS[0], FulfilmentState.POSTED, {"11": 1, "12": 2})
    assert (second.key, second.state, units(second)) == (PARCELS[1], FulfilmentState.OPEN, {"11": 1})
    assert first.goods_out == "ACME-6120000001-77001-1"
    assert first.posted_at is not None
    assert first.posted_at.utcoffset() == UTC.utcoffset(None)
    assert second.posted_at is None


def test_a_supplement_counts_to_its_order_and_a_line_wanted_no_more_is_gone() -> None:
    order = recorded("amended")
    assert lines(order) == [("11", "0042-A", 2), ("12", "0042-A", 2), ("14", "0042-B", 2)]
    assert order.state is ErpOrderState.COMMITTED


def test_a_claim_not_picked_yet_carries_what_was_claimed_not_what_waited() -> None:
    body = orjson.loads((RECORDED / "tryton_claimed_not_picked.json").read_bytes())
    (shipment,) = (one for one in body["sales"][1]["shipments"] if one["reference"] == PARCELS[2])
    assert [move["quantity"] for move in shipment["outgoing_moves"]] == [2.0]
    assert units(recorded("claimed_not_picked").fulfilments[2]) == {"14": 1}


@pytest.mark.parametrize(
    ("state", "meaning"),
    [
        ("draft", ErpOrderState.DRAFT),
        ("quotation", ErpOrderState.DRAFT),
        ("confirmed", ErpOrderState.DRAFT),
        ("done", ErpOrderState.COMMITTED),  # the other of the two sales is still in processing
        ("cancelled", ErpOrderState.COMMITTED),
        ("on_holiday", ErpOrderState.OTHER),
    ],
)
def test_an_order_in_two_sales_is_as_far_as_the_slower(state: str, meaning: ErpOrderState) -> None:
    body = orjson.loads((RECORDED / "tryton_amended.json").read_bytes())
    body["sales"][0]["state"] = state
    assert translate_tryton(orjson.dumps(body)).state is meaning


@pytest.mark.parametrize("body", [b"", b"{}", b'{"sales": []}', b'{"sales": [{"id": 1}]}', b"[]"])
def test_what_is_no_sale_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable, match="Tryton"):
        translate_tryton(body)


def a_sandbox_order(**changes: Any) -> bytes:
    order = {
        "key": "5001",
        "number": "SO-000001",
        "state": "committed",
        "lines": [
            {"line": "11", "sku": "0042-A", "quantity": 2, "unit_price": "49.90"},
            {"line": "12", "sku": "0007", "quantity": 0, "unit_price": "85.00"},
        ],
        "fulfilments": [
            {
                "key": "ACME-5001-7-1#2",
                "state": "posted",
                "posted_at": "2026-05-04T12:00:32.000000Z",
                "lines": [{"line": "11", "quantity": 1}],
            },
            {"key": "made by hand", "state": "open", "posted_at": None, "lines": []},
        ],
    }
    return orjson.dumps(order | changes)


def test_an_order_of_the_sandbox() -> None:
    order = translate_sandbox(a_sandbox_order())
    assert (order.id, order.number, order.state) == ("5001", "SO-000001", ErpOrderState.COMMITTED)
    assert lines(order) == [("11", "0042-A", 2)]
    (posted,) = order.fulfilments
    assert (posted.goods_out, units(posted)) == ("ACME-5001-7-1", {"11": 1})
    assert posted.posted_at == datetime(2026, 5, 4, 12, 0, 32, tzinfo=UTC)


def test_a_state_we_do_not_know_is_other_and_a_missing_one_unreadable() -> None:
    assert translate_sandbox(a_sandbox_order(state="on_holiday")).state is ErpOrderState.OTHER
    with pytest.raises(Unreadable, match="sandbox ERP"):
        translate_sandbox(a_sandbox_order(lines=None))
