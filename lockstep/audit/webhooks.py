"""Whether changes are told to us: Shopify's subscriptions, Clarus' automations, the API version that answers."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from connectors.shopify.setup import Subscription
from lockstep.audit.catalogue import Finding
from lockstep.audit.codes import Code
from lockstep.audit.seen import Seen

TOPICS = (
    "orders/create", "orders/updated", "orders/edited", "orders/cancelled", "orders/paid",
    "fulfillment_orders/order_routing_complete", "fulfillment_orders/placed_on_hold",
    "fulfillment_orders/hold_released", "fulfillment_orders/moved", "fulfillment_orders/split",
    "fulfillment_orders/cancelled", "fulfillment_orders/rescheduled",
    "fulfillment_orders/scheduled_fulfillment_order_ready", "fulfillments/create", "fulfillments/update",
)  # fmt: skip
"""What changes an order without another of these telling it (Admin API 2026-10, webhook topics)."""

EVENTS = ("completed", "cancelled")
"""Of goods-outs in Clarus."""

_BY_NAME = {topic.upper().replace("/", "_"): topic for topic in TOPICS}


def check_webhooks(seen: Seen) -> Iterator[Finding]:
    shop = seen.shop
    yield Finding.of(
        Code.API_VERSION_OTHER, [f"{one} answers, {shop.api_version} is pinned" for one in sorted(shop.other_versions)]
    )
    if shop.subscriptions:
        yield from _subscriptions(seen, shop.subscriptions)
    elif shop.subscriptions is not None:
        yield Finding.of(Code.WEBHOOKS_UNLISTED, list(TOPICS))
    if seen.clarus.automations is not None:
        missing = [event for event in EVENTS if event not in seen.clarus.automations]
        yield Finding.of(Code.AUTOMATION_MISSING, [f"goods_out {event}" for event in missing])


def _subscriptions(seen: Seen, found: tuple[Subscription, ...]) -> Iterator[Finding]:
    ours = [one for one in found if one.topic in _BY_NAME]
    told = {one.topic for one in ours if _is_ours(seen, one)}
    topics = {one.topic for one in ours}
    yield Finding.of(Code.WEBHOOK_MISSING, [topic for name, topic in _BY_NAME.items() if name not in topics])
    yield Finding.of(
        Code.WEBHOOK_ELSEWHERE,
        [
            f"{_BY_NAME[one.topic]} to {_address(one)}{', and to us' if one.topic in told else ''}"
            for one in ours
            if not _is_ours(seen, one)
        ],
    )
    yield Finding.of(
        Code.WEBHOOK_FILTERED,
        [
            f"{_BY_NAME[one.topic]}: {one.filter or 'fields ' + ', '.join(one.fields)}"
            for one in ours
            if one.filter or one.fields
        ],
    )
    pinned = seen.shop.api_version
    yield Finding.of(
        Code.WEBHOOK_VERSION_OTHER,
        [f"{_BY_NAME[one.topic]}: {one.api_version}, not {pinned}" for one in ours if one.api_version != pinned],
    )


def _is_ours(seen: Seen, one: Subscription) -> bool:
    """By its whole address where ours is known, else by its path, which names brand and topic."""
    path = f"/shopify/{seen.config.brand}/{_BY_NAME[one.topic]}"
    if seen.intake:
        return one.uri == f"{seen.intake.rstrip('/')}{path}"
    split = urlsplit(one.uri)
    return split.scheme in ("https", "http") and split.path.endswith(path)


def _address(one: Subscription) -> str:
    """Its host, and the path where it is of the kind of ours: that of another tool's address may be all its secret."""
    split = urlsplit(one.uri)
    if not split.hostname:
        return one.uri.partition("?")[0]
    _, ours, rest = split.path.partition("/shopify/")
    return f"{split.scheme}://{split.hostname}{f'/shopify/{rest}' if ours else '/…'}"
