"""How a shop is set up, read whole: pages, lists longer than Shopify pages, dear pages, what the app may not see."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest

from connectors.runtime.errors import Incompatible, Unauthorised
from connectors.shopify import setup
from connectors.shopify.setup import ShopSetup, Variant
from sandbox.shopify.setup import Subscription
from sandbox.shopify.setup import Variant as Sold
from schemas.base import LocationId
from tests.connectors.shopify.sandbox_shop import IDA, LEEDS, MANCHESTER, SandboxShop, run_story
from tests.connectors.shopify.shops import ACME, RecordedShop, a_client, a_shop


def sells(shop: SandboxShop, count: int) -> None:
    shop.shop.setup.variants = [Sold(number, f"SKU-{number}", locations={LEEDS}) for number in range(1, count + 1)]


def test_locations_with_inactive_ones_and_those_of_services() -> None:
    async def story(shop: SandboxShop) -> None:
        shop.shop.locations[77] = "Far away"
        shop.shop.setup.services[77] = "Other 3PL"
        shop.shop.setup.inactive.add(MANCHESTER)

        leeds, manchester, other = await shop.port.setup(ACME).places()

        assert (leeds.id, leeds.name, leeds.active, leeds.online, leeds.service) == ("11", "Leeds", True, True, "")
        assert not manchester.active
        assert other.service == "Other 3PL"

    run_story(story)


def test_a_variant_says_all_that_matters_for_selling_and_shipping_it() -> None:
    async def story(shop: SandboxShop) -> None:
        shop.shop.setup.variants = [
            Sold(7, "0042-A", barcode="05012345678900", locations={LEEDS}),
            Sold(8, None, policy="CONTINUE", tracked=False, ships=False, status="DRAFT", published=False),
        ]

        first, second = await shop.port.setup(ACME).variants(with_levels=True)

        assert first == Variant("7", "0042-A", "05012345678900", stocked_at=frozenset({LocationId("11")}))
        assert second == Variant(
            "8", "", oversells=True, tracked=False, ships=False, active=False, published=False, stocked_at=frozenset()
        )

    run_story(story)


def test_all_pages_are_read_and_a_list_longer_than_shopify_pages_is_begun_behind_its_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(setup, "MOST_OBJECTS", 100)

    async def story(shop: SandboxShop) -> None:
        sells(shop, 333)

        told: list[int] = []
        setup = shop.port.setup(ACME)
        setup.told = told.append

        found = await setup.variants(with_levels=False)

        assert told == sorted(told)
        assert told[-1] == 333
        assert [one.id for one in found] == [str(number) for number in range(1, 334)]
        assert all(one.stocked_at is None for one in found)
        assert len(shop.network.operations) >= 333 / 40

    run_story(story)


def test_a_page_too_dear_is_asked_for_smaller() -> None:
    async def story(shop: SandboxShop) -> None:
        sells(shop, 300)

        found = await shop.port.setup(ACME).variants(with_levels=True)

        assert len(found) == 300

    run_story(story, pages={"setup_variants": 250, "setup_levels": 100})


def test_long_lists_leave_most_of_the_bucket_to_the_orders() -> None:
    async def story(shop: SandboxShop) -> None:
        sells(shop, 400)
        left: list[float] = []
        shop.network.before = lambda _: left.append(shop.shop.bucket.available(shop.clock.now()))

        await shop.port.setup(ACME).variants(with_levels=True)

        assert min(left) >= 0.6 * shop.shop.bucket.maximum

    run_story(story)


def test_recent_orders_with_what_is_mapped_and_nothing_personal() -> None:
    async def story(shop: SandboxShop) -> None:
        shop.shop.place_order([("A", 1)], address=IDA, shipping=("Old", "old"))
        await shop.clock.sleep(3600)
        since = shop.clock.now()
        order = shop.shop.place_order([("A", 1)], address=IDA, shipping=("Next day", "next"))
        order.tags = ["vip"]

        (found,) = await shop.port.setup(ACME).orders(since)

        assert (found.name, found.shipping, found.tags, found.fulfilled_at) == (
            order.name, ("Next day", "next"), ("vip",), None,
        )  # fmt: skip
        assert "Ida" not in repr(found)
        assert len(await shop.port.setup(ACME).orders(since - timedelta(days=1))) == 2

    run_story(story)


def test_scopes_and_webhooks() -> None:
    async def story(shop: SandboxShop) -> None:
        shop.shop.setup.scopes = {"read_orders"}
        shop.shop.setup.subscriptions = [Subscription(1, "ORDERS_CREATE", "https://hooks.example/x", "2026-04")]

        assert await shop.port.setup(ACME).scopes() == {"read_orders"}
        (found,) = await shop.port.setup(ACME).subscriptions()

        assert (found.topic, found.uri, found.api_version) == ("ORDERS_CREATE", "https://hooks.example/x", "2026-04")

    run_story(story)


def test_what_the_app_may_not_see_is_said_and_not_taken_for_nothing() -> None:
    async def story(shop: SandboxShop) -> None:
        sells(shop, 1)
        shop.shop.setup.scopes = {"read_orders", "read_products"}

        with pytest.raises(Unauthorised, match="locations"):
            await shop.port.setup(ACME).places()
        with pytest.raises(Unauthorised, match="inventoryLevels"):
            await shop.port.setup(ACME).variants(with_levels=True)
        assert len(await shop.port.setup(ACME).variants(with_levels=False)) == 1

    run_story(story)


def test_a_list_that_does_not_go_on_is_not_read_for_ever() -> None:
    page: dict[str, Any] = {"nodes": [], "pageInfo": {"hasNextPage": True, "endCursor": "x"}}
    shop = RecordedShop()
    shop.will_answer("ShopWebhooks", httpx.Response(200, json={"data": {"webhookSubscriptions": page}}))

    async def story() -> None:
        with pytest.raises(Incompatible, match="the same again"):
            await ShopSetup(a_shop(), a_client(shop)).subscriptions()

    asyncio.run(story())
