"""Each brand is reached as its own table of the connections file says, also where another shares the address."""

from datetime import UTC, datetime

import httpx
from pydantic import SecretStr

from kernel.clock import LoopClock
from kernel.virtual_time import run_virtual
from lockstep.ports.erp import erp_port
from lockstep.settings import ErpConnection, SandboxErpConnection, TrytonConnection
from schemas.base import Brand, OrderId
from tests.lockstep.brands import connected_to

ACME, BELLA = Brand("acme"), Brand("bella")
NINE = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)


def keys_sent(acme: ErpConnection, bella: ErpConnection) -> dict[Brand, set[str]]:
    """The bearer keys with which each brand's order is read."""
    sent: set[str] = set()

    def erp(request: httpx.Request) -> httpx.Response:
        sent.add(request.headers["Authorization"].removeprefix("Bearer "))
        return httpx.Response(200, json={"orders": []} if "sales_orders" in request.url.path else [])

    async def read() -> dict[Brand, set[str]]:
        brands = {ACME: connected_to(acme), BELLA: connected_to(bella)}
        port = erp_port(brands, LoopClock(NINE), httpx.MockTransport(erp))
        found: dict[Brand, set[str]] = {}
        for brand in brands:
            sent.clear()
            await port.read(brand, [OrderId("5012")])
            found[brand] = set(sent)
        await port.aclose()
        return found

    return run_virtual(read())


def tryton(key: str, *, posts_itself: bool = False) -> TrytonConnection:
    return TrytonConnection(
        base_url="https://erp.example/books/rest/",
        key=SecretStr(key),
        web_shop=f"{key} web",
        customer="WEB",
        posts_itself=posts_itself,
    )


def test_brands_of_one_tryton_are_read_each_with_its_own_key() -> None:
    assert keys_sent(tryton("acme-key"), tryton("bella-key")) == {ACME: {"acme-key"}, BELLA: {"bella-key"}}


def test_who_posts_is_asked_of_each_brand_of_one_tryton() -> None:
    ours, theirs = tryton("key", posts_itself=True), tryton("key")
    for acme, bella, shared in ((ours, theirs, False), (theirs, theirs, True)):
        port = erp_port({ACME: connected_to(acme), BELLA: connected_to(bella)}, LoopClock(NINE))

        assert (port._adapters[ACME] is port._adapters[BELLA]) is shared


def test_brands_of_one_sandbox_erp_are_read_each_with_its_own_key() -> None:
    both = (SandboxErpConnection(base_url="https://erp.example", key=SecretStr(f"{one}-key")) for one in (ACME, BELLA))

    assert keys_sent(*both) == {ACME: {"acme-key"}, BELLA: {"bella-key"}}
