"""An order of more lines than a shop sells in one goes all the way, and its state still fits into a record of Kafka."""

from kernel.kafka_client import KafkaSettings
from schemas.commands import CreateFulfilment, CreateGoodsOut, UpsertErpOrder
from schemas.erp import FulfilmentState
from tests.builders import a_goods_out, an_erp_order, an_order
from tests.story import Story

LINES = 500
REFERENCE = "ACME-5012-71-1"


def test_five_hundred_lines_take_a_third_of_a_record() -> None:
    """A worker that cannot write a state ends, and so does the next one: nothing may come near the limit."""
    order, goods_out, sale = an_order(), a_goods_out(REFERENCE), an_erp_order()
    for number in range(LINES):
        line, sku = str(901 + number), f"SKU-{number:05}-LONG-SLEEVE-BLUE-XL"
        order, sale = order.with_line(sku, 2), sale.with_line(line, sku, 2)
        goods_out = goods_out.with_line(line, sku, 2)
    every = {f"L{901 + number}": 2 for number in range(LINES)}

    story = Story().shopify(order.routed("71"))
    story.applied(story.one(CreateGoodsOut)).clarus(goods_out)
    story.applied(story.one(UpsertErpOrder), "77").erp(sale)
    story.clarus(goods_out.despatched()).erp(sale.fulfilment(REFERENCE, 1, FulfilmentState.POSTED, **every))

    assert sum(unit.quantity for unit in story.one(CreateFulfilment).lines) == 2 * LINES
    assert 3 * max(map(len, story.changelog.values())) < KafkaSettings().largest_record
