"""What strangers and shoppers leave behind in metrics and logs: nothing that grows, nothing personal."""

import json

import pytest
from structlog.testing import capture_logs

from connectors.intake.shopify import ABOUT_ORDERS
from schemas.base import System
from tests.connectors.intake.door import Door, at_the_door

PERSONAL = {
    "id": 5012,
    "email": "ada@example.com",
    "note": "Ring the bell twice",
    "shipping_address": {"name": "Ada Byron", "address1": "1 Example Street", "phone": "+441130000000"},
}
SAID = ("ada@example.com", "Ring the bell", "Ada Byron", "1 Example Street", "+441130000000")


def test_a_stranger_cannot_make_labels_grow() -> None:
    async def story(door: Door) -> None:
        for number in range(40):
            await door.post(f"/shopify/stranger-{number}/orders/create", b"{}")
            await door.post(f"/clarus/stranger-{number}/token/{number}", b"{}")
            await door.post(f"/shopify/acme/topic-{number}/create", b"{}")
            await door.post(f"/clarus/acme/token-{number}/event-{number}", b"{}")

        assert door.label_sets("lockstep_webhooks_refused_total") == {
            (("brand", "~unknown"), ("reason", "unknown_brand")),
            (("brand", "acme"), ("reason", "signature")),
            (("brand", "acme"), ("reason", "token")),
        }
        assert door.refused("unknown_brand", "~unknown") == 80
        assert (door.refused("signature"), door.refused("token")) == (40, 40)

    at_the_door(story)


def test_not_even_a_signed_webhook_names_its_own_label() -> None:
    async def story(door: Door) -> None:
        for topic in (*(f"{one}/updated-{number}" for one in ABOUT_ORDERS for number in range(3)), "made-up/topic"):
            await door.shopify(topic, {"id": 5012, "order_id": 5012, "fulfillment_order": {"id": 7}})

        whys = {dict(labels)["why"] for labels in door.label_sets("lockstep_hints_total")}
        assert whys == ABOUT_ORDERS - {"inventory_levels"}, "a body without item and location is refused"

    at_the_door(story)


@pytest.mark.parametrize("secret", ["hush-demo-secret", "wrong"])
@pytest.mark.parametrize("topic", ["orders/create", "refunds/create", "customers/redact", "fulfillment_orders/moved"])
def test_nothing_personal_is_logged_or_answered_whatever_becomes_of_a_webhook(topic: str, secret: str) -> None:
    async def story(door: Door) -> None:
        with capture_logs() as logs:
            answer = await door.shopify(topic, PERSONAL, secret=secret)
            door.log.available = False
            away = await door.shopify(topic, PERSONAL, secret=secret)

        said = f"{json.dumps(logs, default=str)} {answer.text} {away.text}"
        assert logs, "each is told in some way"
        assert not [text for text in (*SAID, "hush-demo-secret") if text in said]

    at_the_door(story)


def test_neither_a_clarus_token_nor_the_record_is_logged() -> None:
    async def story(door: Door) -> None:
        with capture_logs() as logs:
            for token in ("k7-path-token", "k7-path-tokem"):
                await door.clarus({"delivery_address": PERSONAL}, token=token)

        said = json.dumps(logs, default=str)
        assert [one["reason"] for one in logs] == ["no_order", "token"]
        assert not [text for text in (*SAID, "k7-path") if text in said]

    at_the_door(story)


def test_metrics_hold_no_body() -> None:
    async def story(door: Door) -> None:
        await door.shopify("orders/create", PERSONAL)
        await door.clarus({"data": {"id": 3, "reference": "Ada Byron", **PERSONAL}})

        assert len(door.hints()) == len(door.hints(System.CLARUS)) == 1
        said = str([family.samples for family in door.metrics.registry.collect()])
        assert not [text for text in SAID if text in said]

    at_the_door(story)
