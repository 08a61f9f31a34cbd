"""Shopify's webhooks: who may post, what is taken, under which key."""

import asyncio
import hmac
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from connectors.intake.shopify import ABOUT_ORDERS, genuine
from tests.connectors.intake.door import BODY, DOMAIN, LIMITS, NEW, NINE, OLD, SIGNATURE, Door, at_the_door, signed


def test_the_published_example_is_genuine_over_these_very_bytes() -> None:
    assert genuine([OLD], BODY, SIGNATURE)
    assert not genuine([OLD], BODY + b"\n", SIGNATURE), "the bytes, not what they mean"
    assert not genuine([OLD], BODY, SIGNATURE.rstrip("=")), "padded base64 or nothing"
    assert not genuine([], BODY, SIGNATURE)


@pytest.mark.parametrize("secret", [OLD, NEW])
def test_while_a_secret_is_rotated_both_are_good(secret: str) -> None:
    async def story(door: Door) -> None:
        answer = await door.shopify("orders/create", {"id": 5012}, secret=secret)

        assert answer.status_code == 200
        assert [key for key, _ in door.hints()] == ["acme/5012"]

    at_the_door(story)


def test_a_signature_is_compared_with_every_secret_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []
    real = hmac.compare_digest

    def watched(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return real(one, other)

    monkeypatch.setattr(hmac, "compare_digest", watched)

    assert genuine([OLD, NEW], BODY, SIGNATURE)
    assert [given for _, given in compared] == [SIGNATURE.encode()] * 2, "the first match does not end it"
    assert all(isinstance(side, bytes) for pair in compared for side in pair)


@pytest.mark.parametrize(
    "signature",
    [
        pytest.param(None, id="missing"),
        pytest.param(b"", id="empty"),
        pytest.param(signed(BODY, "another-secret").encode(), id="another secret"),
        pytest.param(signed(b'{"id":1}').encode(), id="another body"),
        pytest.param("Größe".encode("latin-1"), id="not ASCII"),
        pytest.param("Größe".encode(), id="UTF-8"),
        pytest.param(SIGNATURE.lower().encode(), id="another case"),
    ],
)
def test_whoever_cannot_sign_is_refused_and_leaves_nothing(signature: bytes | None) -> None:
    async def story(door: Door) -> None:
        headers: dict[str, str | bytes] = {} if signature is None else {"X-Shopify-Hmac-Sha256": signature}
        answer = await door.post("/shopify/acme/orders/create", BODY, headers)

        assert answer.status_code == 401
        assert door.written() == 0
        assert door.refused("signature") == 1

    at_the_door(story)


def test_one_brands_secret_does_not_open_anothers_door() -> None:
    async def story(door: Door) -> None:
        answer = await door.shopify("orders/create", {"id": 5012}, brand="bella", secret=OLD)

        assert answer.status_code == 401
        assert (door.written(), door.refused("signature", "bella")) == (0, 1)

    at_the_door(story)


def test_an_unknown_brand_is_refused_without_a_look_at_the_body() -> None:
    async def story(door: Door) -> None:
        answer = await door.shopify("orders/create", {"id": 5012}, brand="stranger")

        assert answer.status_code == 404
        assert (door.written(), door.refused("unknown_brand", "~unknown")) == (0, 1)

    at_the_door(story)


@pytest.mark.parametrize(
    ("domain", "status"), [("bella.example.test", 404), (DOMAIN, 200), (DOMAIN.upper(), 200), (None, 200)]
)
def test_a_webhook_of_another_shop_is_refused(domain: str | None, status: int) -> None:
    """Shops of one app share its secret: the signature alone does not tell them apart."""

    async def story(door: Door) -> None:
        headers: dict[str, str | bytes] = {"X-Shopify-Hmac-Sha256": SIGNATURE}
        if domain is not None:
            headers["X-Shopify-Shop-Domain"] = domain
        answer = await door.post("/shopify/acme/orders/create", BODY, headers)

        assert answer.status_code == status
        assert (door.written(), door.refused("another_shop")) == ((1, 0) if status == 200 else (0, 1))

    at_the_door(story)


class Upload:
    """A body in parts, without a declared length; counts what was taken of it."""

    def __init__(self, *parts: bytes) -> None:
        self._parts = parts
        self.taken = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self._parts:
            self.taken += len(part)
            yield part


@pytest.mark.parametrize("length", [None, "2001", "9" * 4400], ids=["streamed", "declared", "declared absurdly"])
def test_a_body_that_is_too_large_is_refused_and_not_read_on(length: str | None) -> None:
    async def story(door: Door) -> None:
        upload = Upload(*[b"x" * 500] * 100)
        declared: dict[str, str | bytes] = {} if length is None else {"Content-Length": length}
        answer = await door.post("/shopify/acme/orders/create", upload, declared)

        assert answer.status_code == 413
        assert (door.written(), door.refused("too_large")) == (0, 1)
        assert upload.taken <= (LIMITS.largest_body + 500 if length is None else 0)

    at_the_door(story)


def test_a_body_exactly_as_large_as_allowed_is_taken() -> None:
    async def story(door: Door) -> None:
        body = b'{"id":5012,"note":"' + b"x" * (LIMITS.largest_body - 21) + b'"}'
        assert len(body) == LIMITS.largest_body

        assert (await door.shopify("orders/create", body)).status_code == 200

    at_the_door(story)


def test_a_length_that_is_no_number_is_counted_instead_of_believed() -> None:
    async def story(door: Door) -> None:
        headers: dict[str, str | bytes] = {"X-Shopify-Hmac-Sha256": SIGNATURE, "Content-Length": b"\xb2"}
        answer = await door.post("/shopify/acme/orders/create", Upload(BODY), headers)

        assert answer.status_code == 200

    at_the_door(story)


@pytest.mark.parametrize("piece", [b"", b"{"], ids=["nothing", "a byte a second"])
@pytest.mark.parametrize("path", ["/shopify/acme/orders/create", "/clarus/acme/k7-path-token"])
def test_a_body_that_does_not_come_is_not_waited_for(path: str, piece: bytes) -> None:
    async def dripping() -> AsyncIterator[bytes]:
        while True:
            await asyncio.sleep(1 if piece else 3600)
            yield piece

    async def story(door: Door) -> None:
        began = door.clock.monotonic()
        answer = await door.post(path, dripping())

        assert (answer.status_code, answer.headers["Connection"]) == (408, "close")
        assert door.clock.monotonic() - began == LIMITS.body_within
        assert (door.written(), door.refused("too_slow")) == (0, 1)

    at_the_door(story)


def test_a_sender_that_goes_away_halfway_leaves_nothing() -> None:
    async def story(door: Door) -> None:
        messages = iter([{"type": "http.request", "body": BODY[:10], "more_body": True}, {"type": "http.disconnect"}])
        answered: list[Any] = []

        async def receive() -> Any:
            return next(messages)

        async def send(message: Any) -> None:
            answered.append(message)

        path = "/shopify/acme/orders/create"
        scope = {
            "type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": b"",
            "headers": [(b"x-shopify-hmac-sha256", SIGNATURE.encode())], "scheme": "http", "http_version": "1.1",
        }  # fmt: skip
        await door.app(scope, receive, send)

        assert answered[0]["status"] == 400
        assert (door.written(), door.refused("cut_off")) == (0, 1)

    at_the_door(story)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"id=5012",
        b"[1, 2]",
        b'"5012"',
        b"null",
        b'{"id": 5012',
        b'{"id": 5012, "note": "\xff"}',
        b"\xef\xbb\xbf{}",
    ],
)
def test_what_is_no_json_object_is_refused(body: bytes) -> None:
    async def story(door: Door) -> None:
        assert (await door.shopify("orders/create", body)).status_code == 400
        assert (door.written(), door.refused("not_json")) == (0, 1)

    at_the_door(story)


@pytest.mark.parametrize(
    ("topic", "body"),
    [
        ("orders/create", {}),
        ("orders/create", {"id": None}),
        ("orders/create", {"id": "5012"}),
        ("orders/create", {"id": 5012.5}),
        ("orders/create", {"id": True}),
        ("orders/create", {"id": 0}),
        ("orders/create", {"id": -1}),
        ("orders/edited", {"order_edit": {"id": 71}}),
        ("refunds/create", {"id": 93}),
        ("fulfillments/create", {"id": 93, "order_id": None}),
        ("returns/request", {"id": 4, "order": {"admin_graphql_api_id": "gid://shopify/Order/5012"}}),
        ("fulfillment_orders/moved", {}),
        ("fulfillment_orders/moved", {"fulfillment_order": {"id": "gid://shopify/FulfillmentOrder/x"}}),
        ("fulfillment_orders/moved", {"fulfillment_order": "gid://shopify/FulfillmentOrder/7"}),
    ],
)
def test_json_that_names_no_order_is_refused_and_says_what_was_missing(topic: str, body: dict[str, Any]) -> None:
    async def story(door: Door) -> None:
        answer = await door.shopify(topic, body)

        assert answer.status_code == 400
        assert "expected" in answer.text
        assert (door.written(), door.refused("no_order")) == (0, 1)

    at_the_door(story)


FULFILMENT_ORDER = {"id": "gid://shopify/FulfillmentOrder/73", "status": "open"}
BY_TOPIC: list[tuple[str, dict[str, Any], str]] = [
    ("orders/create", {"id": 6120034455667, "name": "#1042"}, "6120034455667"),
    ("orders/updated", {"id": 2**53 + 1}, str(2**53 + 1)),
    ("orders/cancelled", {"id": 5012}, "5012"),
    ("orders/paid", {"id": 5012}, "5012"),
    ("orders/delete", {"id": 5012}, "5012"),
    ("orders/edited", {"order_edit": {"id": 71, "order_id": 5012}}, "5012"),
    ("order_transactions/create", {"id": 93, "order_id": 5012}, "5012"),
    ("refunds/create", {"id": 93, "order_id": 5012}, "5012"),
    ("returns/request", {"id": 93, "order": {"id": 5012}}, "5012"),
    ("returns/close", {"id": 93, "order_id": 5012}, "5012"),
    ("fulfillments/update", {"id": 93, "order_id": 5012}, "5012"),
    ("fulfillment_events/create", {"id": 93, "order_id": 5012}, "5012"),
    ("fulfillment_orders/order_routing_complete", {"fulfillment_order": FULFILMENT_ORDER}, "~fulfillment_order/73"),
    ("fulfillment_orders/placed_on_hold", {"fulfillment_order": {"id": 73}}, "~fulfillment_order/73"),
    (
        "fulfillment_orders/moved",
        {
            "original_fulfillment_order": {"id": "gid://shopify/FulfillmentOrder/72"},
            "moved_fulfillment_order": FULFILMENT_ORDER,
        },
        "~fulfillment_order/73",
    ),
    (
        "fulfillment_orders/moved",
        {"original_fulfillment_order": FULFILMENT_ORDER, "moved_fulfillment_order": None},
        "~fulfillment_order/73",
    ),
    (
        "fulfillment_orders/fulfillment_request_submitted",
        {
            "original_fulfillment_order": {"id": "gid://shopify/FulfillmentOrder/72"},
            "submitted_fulfillment_order": FULFILMENT_ORDER,
        },
        "~fulfillment_order/73",
    ),
    (
        "fulfillment_orders/cancelled",
        {
            "fulfillment_order": {"id": "gid://shopify/FulfillmentOrder/73?shop=1"},
            "replacement_fulfillment_order": {"id": "gid://shopify/FulfillmentOrder/74"},
        },
        "~fulfillment_order/73",
    ),
    ("inventory_levels/update", {"inventory_item_id": 801, "location_id": 11, "available": 7}, "~level/801/11"),
    (
        "fulfillment_holds/added",
        {"fulfillment_order": FULFILMENT_ORDER, "fulfillment_hold": {"id": 1}},
        "~fulfillment_order/73",
    ),
]


@pytest.mark.parametrize(("topic", "body", "order"), BY_TOPIC)
def test_every_topic_that_bears_on_an_order_becomes_a_hint_under_its_key(
    topic: str, body: dict[str, Any], order: str
) -> None:
    async def story(door: Door) -> None:
        answer = await door.shopify(topic, body, x_shopify_event_id="event-1")

        assert answer.status_code == 200
        ((key, hint),) = door.hints()
        assert (key, hint.order, hint.why) == (f"acme/{order}", order, topic.partition("/")[0])
        assert (hint.brand, hint.seen_at, hint.trace) == ("acme", NINE, "event-1")
        assert json.loads(hint.evidence) == body
        (record,) = (one for one in door.log.records("hints.shopify"))
        assert record.headers == {"brand": b"acme", "trace": b"event-1"}

    at_the_door(story)


def test_every_family_has_its_example_above() -> None:
    assert {topic.partition("/")[0] for topic, _, _ in BY_TOPIC} == ABOUT_ORDERS


@pytest.mark.parametrize(
    "topic",
    ["inventory_items/update", "products/update", "app/uninstalled", "customers/redact", "shop/redact", "x" * 500],
)
def test_other_topics_are_answered_and_left_alone(topic: str) -> None:
    async def story(door: Door) -> None:
        answer = await door.shopify(topic, {"id": 5012})

        assert answer.status_code == 200
        assert door.written() == 0
        assert door.label_sets("lockstep_webhooks_refused_total") == door.label_sets("lockstep_hints_total") == set()

    at_the_door(story)


def test_a_return_that_does_not_say_of_which_order_it_is_is_answered_and_left_alone() -> None:
    """Shopify gives a subscription up when its webhooks are refused."""

    async def story(door: Door) -> None:
        removed = {"removals": [{"admin_graphql_api_id": "gid://shopify/ReturnLineItem/2", "delta": 1}]}
        answer = await door.shopify("returns/update", {"id": 1, "return_line_items": removed})
        assert answer.status_code == 200
        assert door.written() == 0

    at_the_door(story)


def test_evidence_is_kept_verbatim_up_to_its_limit_and_the_hint_in_any_case() -> None:
    async def story(door: Door) -> None:
        for length in (LIMITS.largest_evidence, LIMITS.largest_evidence + 1):
            body = b'{ "id":5012, "note":"' + b"x" * (length - 23) + b'"}'
            assert len(body) == length
            assert (await door.shopify("orders/create", body)).status_code == 200

        within, beyond = (hint for _, hint in door.hints())
        assert len(within.evidence) == LIMITS.largest_evidence
        assert within.evidence.startswith('{ "id":5012, ')
        assert (beyond.order, beyond.evidence) == ("5012", "")

    at_the_door(story)
