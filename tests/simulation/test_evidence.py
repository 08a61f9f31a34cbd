"""What the oracle reads off a goods-out's head: the service that was chosen, and the shopper's words."""

from typing import Any

import pytest

from lockstep.demo.judge import Books
from lockstep.simulation.evidence import read
from schemas.base import Brand

ACME = Brand("acme")
GIFT = {"note": "Ring twice.", "attributes": {"gift_message": "Zoë 🎁"}}
WORDS = "Ring twice.\ngift_message: Zoë :gift:"


def chosen_before(code: str, until: str) -> dict[str, Any]:
    return {"chosen_before": [{"until": until, "code": code}]}


def strange(head: dict[str, str], **order: Any) -> list[str]:
    book = {
        "shop": "acme.example.test", "id": "5012", "shipping": "express", "note": "", "attributes": {}, "fetched": [],
        "lines": [{"id": "1", "sku": "007", "quantity": 1, "kit": {}, "price": "9.50"}],
    }  # fmt: skip
    made = {
        "goods_out": 9, "kind": "created", "by": "api", "at": "2026-11-03T12:00:00+00:00",
        "head": {"tenant": "acme", "reference": "ACME-5012-71-1", **head},
        "ordered": [{"line": 1, "sku": "007", "units": 1, "external_reference": "gid://shopify/LineItem/1"}],
    }  # fmt: skip
    books = Books(
        shopify={"orders": [book | order], "fulfillments": []},
        clarus={"entries": [made]},
        erp={"sales_orders": [], "fulfilments": []},
        shops={"acme.example.test": ACME},
        prefixes={ACME: "ACME"},
    )
    return read(books).strange


@pytest.mark.parametrize(
    ("head", "order"),
    [
        ({"service": "AM12", "packing_notes": ""}, {}),
        ({"service": "AM12", "packing_notes": WORDS}, GIFT),
        ({"service": "SATURDAY", "packing_notes": ""}, {"shipping": "saturday"}),
        ({"service": "NEXTDAY", "packing_notes": ""}, chosen_before("standard", "2026-11-03T11:56:00+00:00")),
    ],
)
def test_sent_as_chosen_with_all_that_was_said(head: dict[str, str], order: dict[str, Any]) -> None:
    assert strange(head, **order) == []


@pytest.mark.parametrize(
    ("head", "order"),
    [
        ({"service": "NEXTDAY", "packing_notes": ""}, {}),
        ({"service": "NEXTDAY", "packing_notes": ""}, chosen_before("standard", "2026-11-03T11:54:00+00:00")),
        ({"service": "SATURDAY", "packing_notes": ""}, chosen_before("standard", "2026-11-03T11:59:00+00:00")),
        ({"service": "AM12", "packing_notes": ""}, GIFT),
        ({"service": "AM12", "packing_notes": "Ring twice."}, GIFT),
        ({"service": "AM12", "packing_notes": "Ring twice.\ngift_message: Zoë 🎁"}, GIFT),
        ({"service": "AM12", "packing_notes": WORDS + "!" * 255}, GIFT),
        ({"service": "AM12", "packing_notes": "somebody else's"}, {}),
    ],
)
def test_what_is_not_as_the_shopper_wished_is_strange(head: dict[str, str], order: dict[str, Any]) -> None:
    assert len(strange(head, **order)) == 1
