"""A warehouse with two brands on one tenant, and a caller of its API."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import httpx

from kernel.virtual_time import run_virtual
from sandbox.clarus import ClarusWorld, GatewaySettings, Tenant, WorldSettings, create_app, seed
from sandbox.clock import LoopClock
from sandbox.faults import Chance, FaultPlan, Faults

MONDAY = datetime(2026, 5, 4, 8, tzinfo=UTC)
LAMP, RUG, KETTLE = "0042-LAMP", "0007-RUG", "KETTLE"
NORTHWIND = Tenant(
    subdomain="northwind",
    client_id="connector",
    client_secret="open sesame",
    accounts={"ACME": (LAMP, RUG), "BOREALIS": (RUG, KETTLE)},
    warehouses=("LDS1", "LDS2"),
    carriers={"ROYALMAIL": ("TRACKED48", "TRACKED24"), "DPD": ("NEXTDAY",)},
)

GOODS_OUTS = """query($filter: GoodsOutFilterType, $first: Int, $after: String) {
  goods_outs { all(filter: $filter, first: $first, after: $after) {
    pageInfo { hasNextPage endCursor }
    edges { node { id reference goods_out_status { code } account { code } actual_date_of_dispatch } } } } }"""
LINES = """query($filter: GoodsOutLineFilterType) {
  goods_out_lines { all(filter: $filter) { edges { node {
    id product { code } order_quantity allocated_quantity pick_quantity dispatch_quantity short_status
    external_system_reference1 } } } } }"""
SHIPMENTS = """query($filter: ShipmentFilterType) {
  shipments { all(filter: $filter) { edges { node { id reference packages_count goods_out { id } } } } } }"""
PACKAGES = """query($filter: PackageFilterType) {
  packages { all(filter: $filter) { edges { node { id tracking_number shipment { id } } } } } }"""


class Warehouse:
    """The world with its application, and requests of the tenant's one API client."""

    def __init__(self, plan: FaultPlan, gateway: GatewaySettings | None = None) -> None:
        self.world = ClarusWorld(LoopClock(MONDAY), WorldSettings(process_seconds=2.0))
        self.faults = plan
        seed(self.world, NORTHWIND)
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(create_app(self.world, plan, gateway)), base_url="http://clarus.example.test"
        )
        self._headers = {"X-Clarus-Subdomain": NORTHWIND.subdomain}

    async def log_in(self) -> None:
        form = {
            "grant_type": "client_credentials",
            "client_id": NORTHWIND.client_id,
            "client_secret": NORTHWIND.client_secret,
        }
        answer = await self.http.post("/oauth/token", data=form)
        self._headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def as_tenant(self, subdomain: str) -> None:
        self._headers["X-Clarus-Subdomain"] = subdomain

    async def call(self, method: str, path: str, body: Any = None) -> httpx.Response:
        return await self.http.request(method, path, json=body, headers=self._headers)

    async def read(self, query: str, **filters: Any) -> list[dict[str, Any]]:
        """The nodes of the first page."""
        answer = (await self.call("POST", "/graphql", {"query": query, "variables": {"filter": filters}})).json()
        assert "errors" not in answer, answer
        ((_, listed),) = answer["data"].items()
        return [edge["node"] for edge in listed["all"]["edges"]]

    async def create(self, body: dict[str, Any]) -> int:
        answer = await self.call("POST", "/api/goods_outs", body)
        assert answer.status_code == 200, answer.text
        number: int = answer.json()["data"]["id"]
        return number

    async def status(self, number: int) -> str | None:
        """As a reader sees it; None when nothing is found."""
        found = await self.read(GOODS_OUTS, id={"eq": str(number)})
        return found[0]["goods_out_status"]["code"] if found else None

    def a_goods_out(self, reference: str = "ACME-1-1-1", *, account: str = "ACME", **units: int) -> dict[str, Any]:
        """The body of a create: two lamps, or `lamp=`, `rug=`, `kettle=` units."""
        codes = {"lamp": LAMP, "rug": RUG, "kettle": KETTLE}
        return a_body(
            reference,
            account_id=self.id_of(account),
            lines_changes=[
                an_added_line(self.product(codes[name]), quantity, external_system_reference1=f"line-{name}")
                for name, quantity in (units or {"lamp": 2}).items()
            ],
        )

    def id_of(self, account: str) -> int:
        found = self.world.master.account(NORTHWIND.subdomain, account)
        assert found is not None
        return found.id

    def product(self, sku: str) -> int:
        found = self.world.master.product(NORTHWIND.subdomain, sku)
        assert found is not None
        return found.id

    def line(self, number: int, sku: str) -> int:
        """The id of the goods-out's line of this SKU."""
        lines = self.world.goods_outs[number].lines.values()
        return next(line.id for line in lines if line.product.code == sku)

    def story(self, number: int) -> dict[str, Any]:
        """What the books tell of a goods-out."""
        stories = self.world.books.json()["goods_outs"]
        found: dict[str, Any] = next(story for story in stories if story["goods_out"] == number)
        return found


def a_body(reference: str, **attributes: Any) -> dict[str, Any]:
    address = {"name": "R. Khan", "address_1": "8 Mill Lane", "address_3": "Leeds", "postcode": "LS1 4AB"}
    return {
        "data": {
            "type": "goods_outs",
            "attributes": {
                "goods_out_type": "sales_order",
                "reference": reference,
                "expected_date_of_dispatch": "2026-05-05T15:00:00Z",
                "external_system_reference1": "order-1",
                **attributes,
            },
            "relationships": {"address": {"data": {"type": "addresses", "attributes": address}}},
        }
    }


def an_added_line(product: int, quantity: int, **attributes: Any) -> dict[str, Any]:
    return {"type": "ADD", "attributes": {"product_id": product, "order_quantity": quantity, **attributes}}


def in_the_warehouse(
    story: Callable[[Warehouse], Awaitable[None]],
    faults: Faults | None = None,
    gateway: GatewaySettings | None = None,
    seed: int = 1,
) -> None:
    """Play the story, logged in, on virtual time."""

    async def play() -> None:
        warehouse = Warehouse(FaultPlan(faults or Faults(), Chance(seed), "clarus"), gateway)
        async with warehouse.http:
            await warehouse.log_in()
            await story(warehouse)
            await warehouse.world.errands.drop()

    run_virtual(play())
