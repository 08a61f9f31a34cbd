"""A brand whose three systems are set up as they should be, on the sandboxes, and twenty ways to spoil that."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import httpx

from lockstep.audit.codes import Code
from lockstep.audit.look import Systems, look, opened
from lockstep.audit.seen import Overruled, Seen
from lockstep.audit.webhooks import TOPICS
from lockstep.settings import Connections
from sandbox.clarus import ClarusWorld, Tenant, seed
from sandbox.clarus import create_app as clarus_app
from sandbox.clarus.records import Account, Automation, Product
from sandbox.erp import ErpWorld
from sandbox.erp import create_app as erp_app
from sandbox.erp.items import ItemMaster
from sandbox.faults import Chance, FaultPlan, Faults
from sandbox.shopify.app import ShopifyWorld
from sandbox.shopify.app import create_app as shopify_app
from sandbox.shopify.records import Address
from sandbox.shopify.setup import Subscription, Variant
from sandbox.shopify.shop import Shop
from schemas.base import Brand, LocationId, Sku, System
from schemas.config import BrandConfig, CarrierRule, WarehouseRule
from schemas.mapping import ShippingRule
from tests.sandbox.step_clock import StepClock

ACME = Brand("acme")
INTAKE = "https://hooks.example.test"
LEEDS, MANCHESTER = 11, 12
SKUS = {"0042-A": "5012345678900", "MUG-BLUE": "5012345678917", "TEE-BLK-M": "5012345678924", "007": ""}
"""SKU → barcode."""
IDA = Address("Ida Marlow", "4 Kiln Row", "Leeds", "LS1 1AA", "GB", phone="+441130000000")

CONFIG = BrandConfig(
    brand=ACME,
    version=3,
    reference_prefix="ACME",
    account="ACME",
    warehouses=(
        WarehouseRule(location=LocationId("11"), warehouse="LDS1"),
        WarehouseRule(location=LocationId("12"), warehouse="MAN1"),
    ),
    shipping=(
        ShippingRule(code="standard", carrier="DPD", service="NEXTDAY"),
        ShippingRule(title="Express", carrier="DPD", service="AM12"),
    ),
    carriers=(CarrierRule(carrier="DPD", company="DPD UK"),),
)

CONNECTIONS: Mapping[str, Any] = {
    "shopify": {
        "base_url": "https://shopify.test/acme.example.test",
        "shop_domain": "acme.example.test",
        "token": "shpat_1",
        "webhook_secrets": ["s"],
    },
    "clarus": {
        "base_url": "https://clarus.test",
        "subdomain": "acme",
        "client_id": "acme-api",
        "client_secret": "open sesame",
        "path_token": "k7",
        "per_second": 100.0,
    },
    "erp": {"kind": "sandbox", "base_url": "http://erp.test/", "key": "acme-key"},
}


class Watched(httpx.AsyncBaseTransport):
    """Passes requests on and remembers what would have changed something."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner
        self.writes: list[str] = []
        self.requests = 0
        self.away = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests += 1
        if self.away:
            raise httpx.ConnectError("refused", request=request)
        body = await request.aread()
        reads = request.method == "GET" or request.url.path.endswith(("graphql", "graphql.json", "/oauth/token"))
        if not reads or b"mutation" in body:
            self.writes.append(f"{request.method} {request.url.path}")
        return await self._inner.handle_async_request(request)


@dataclass
class Estate:
    """Everything a brand has, and hands to change it."""

    clock: StepClock
    shop: Shop
    clarus: ClarusWorld
    erp: ErpWorld
    config: BrandConfig
    wires: dict[System, Watched]
    faults: dict[System, FaultPlan]
    """What goes wrong on the way, by chance or on demand."""
    days: int = 60
    intake: str = INTAKE
    overruled: tuple[Overruled, ...] = ()
    """What our own log tells of figures that others wrote."""

    def sells(self, number: int) -> Variant:
        """One of the shop's variants, from 0."""
        return self.shop.setup.variants[number]

    def sell(self, sku: str | None, **changes: Any) -> Variant:
        """Another variant, stocked in Leeds."""
        made = Variant(900 + len(self.shop.setup.variants), sku, locations={LEEDS}, **changes)
        self.shop.setup.variants.append(made)
        return made

    def known(self, sku: str, *, clarus: bool = True, erp: bool = True) -> None:
        """A product of that code in the warehouse, the ERP, or both."""
        if clarus:
            self.clarus.master.add_product("acme", sku, sku, [self.account])
        if erp:
            self.items.enter(sku)

    @property
    def account(self) -> Account:
        found = self.clarus.master.account("acme", "ACME")
        assert found is not None
        return found

    @property
    def items(self) -> ItemMaster:
        assert self.erp.items is not None
        return self.erp.items

    def product(self, sku: str) -> Product:
        found = self.clarus.master.product("acme", sku)
        assert found is not None
        return found

    def stocked(self, sku: str, units: int, warehouse: str = "LDS1") -> None:
        place = self.clarus.master.warehouse("acme", warehouse)
        assert place is not None
        self.clarus.stock.receive(self.account, place, self.product(sku), Decimal(units))

    def bought(self, title: str, code: str, *, times: int = 1) -> None:
        for _ in range(times):
            self.shop.place_order([("0042-A", 1)], address=IDA, shipping=(title, code))

    async def seen(self) -> Seen:
        connections = Connections.model_validate(CONNECTIONS)
        async with opened(self.config, connections, self.clock, self.wires) as systems:
            return replace(await self.look(systems), overruled=self.overruled)

    async def look(self, systems: Systems) -> Seen:
        return await look(systems, self.config, self.clock, self.days, self.intake)


def make_estate() -> Estate:
    """Nothing to find."""
    clock = StepClock()
    shop = Shop("acme.example.test", "shpat_1", ["s"], clock)
    shop.locations = {LEEDS: "Leeds", MANCHESTER: "Manchester"}
    shop.setup.variants = [
        Variant(number, sku, barcode=barcode or None, locations={LEEDS, MANCHESTER})
        for number, (sku, barcode) in enumerate(SKUS.items(), start=1)
    ]
    shop.setup.subscriptions = [
        Subscription(number, topic.upper().replace("/", "_"), f"{INTAKE}/shopify/acme/{topic}")
        for number, topic in enumerate(TOPICS, start=1)
    ]
    clarus = ClarusWorld(clock)
    tenant = Tenant(
        subdomain="acme", client_id="acme-api", client_secret="open sesame", accounts={"ACME": tuple(SKUS)},
        warehouses=("LDS1", "MAN1"), carriers={"DPD": ("NEXTDAY", "AM12")}, stock={"0042-A": 40},
    )  # fmt: skip
    seed(clarus, tenant)
    for number, event in enumerate(("completed", "cancelled"), start=1):
        clarus.add_automation(Automation(number, "acme", "goods_out", event, f"{INTAKE}/clarus/acme/k7"))
    erp = ErpWorld(clock, {"acme": "acme-key"}, list(SKUS))
    faults = {system: FaultPlan(Faults(), Chance(1), system) for system in System}
    apps: dict[System, Any] = {
        System.SHOPIFY: shopify_app(ShopifyWorld([shop], faults[System.SHOPIFY], clock)),
        System.CLARUS: clarus_app(clarus, faults[System.CLARUS]),
        System.ERP: erp_app(erp, faults[System.ERP]),
    }
    wires = {system: Watched(httpx.ASGITransport(app)) for system, app in apps.items()}
    estate = Estate(clock, shop, clarus, erp, CONFIG, wires, faults)
    for sku, barcode in SKUS.items():
        estate.items.change(sku, barcode=barcode)
        estate.product(sku).attributes["barcode"] = barcode or None
    estate.bought("Standard", "standard", times=2)
    estate.bought("Express", "")
    return estate


def audited(*spoil: Callable[[Estate], None]) -> tuple[Seen, Estate]:
    """What the audit sees of an estate that was spoiled so."""
    estate = make_estate()
    for one in spoil:
        one(estate)
    return asyncio.run(estate.seen()), estate


# Twenty gaps and more: what people do, and the finding that must name it.


def a_new_location(estate: Estate) -> None:
    estate.shop.locations[13] = "Bristol pop-up"


def a_location_of_a_service(estate: Estate) -> None:
    estate.shop.setup.services[MANCHESTER] = "Fast 3PL"


def another_service(estate: Estate) -> None:
    estate.shop.locations[77] = "Print on demand"
    estate.shop.setup.services[77] = "Printer"


def a_mistyped_location(estate: Estate) -> None:
    rule = WarehouseRule(location=LocationId("1112"), warehouse="MAN1")
    estate.config = estate.config.model_copy(update={"warehouses": (*estate.config.warehouses, rule)})


def a_warehouse_nobody_knows(estate: Estate) -> None:
    rules = (
        rule.model_copy(update={"warehouse": "MAN2"}) if rule.location == "12" else rule
        for rule in estate.config.warehouses
    )
    estate.config = estate.config.model_copy(update={"warehouses": tuple(rules)})


def a_new_shipping_rate(estate: Estate) -> None:
    estate.bought("Express Saturday", "exp-sat", times=17)


def with_rules(estate: Estate, *rules: ShippingRule) -> None:
    estate.config = estate.config.model_copy(update={"shipping": (*estate.config.shipping, *rules)})


def a_rule_nobody_uses(estate: Estate) -> None:
    with_rules(estate, ShippingRule(code="stnadard", carrier="DPD", service="NEXTDAY"))


def a_carrier_nobody_knows(estate: Estate) -> None:
    estate.bought("Bike", "bike")
    with_rules(estate, ShippingRule(code="bike", carrier="DPPD", service="NEXTDAY"))
    named = CarrierRule(carrier="DPPD", company="Two Wheels")
    estate.config = estate.config.model_copy(update={"carriers": (*estate.config.carriers, named)})


def a_service_nobody_knows(estate: Estate) -> None:
    estate.bought("Sunday", "sunday")
    with_rules(estate, ShippingRule(code="sunday", carrier="DPD", service="SUNDAY"))


def a_service_switched_off(estate: Estate) -> None:
    services = estate.clarus.master.services
    am12 = next(one for one in services.values() if one.code == "AM12")
    services[am12.id] = replace(am12, active=False)


def a_carrier_without_a_name(estate: Estate) -> None:
    estate.config = estate.config.model_copy(update={"carriers": ()})


def a_tag_in_two_spellings(estate: Estate) -> None:
    first, second, third, *_ = estate.shop.orders.values()
    first.tags, second.tags, third.tags = ["VIP"], ["VIP", "ida@example.test"], ["v.i.p.", "IDA@example.test"]


def a_variant_without_sku(estate: Estate) -> None:
    estate.sell(None)


def a_sku_unknown_to_clarus(estate: Estate) -> None:
    estate.sell("LAMP-9")
    estate.known("LAMP-9", clarus=False)


def a_sku_unknown_to_the_erp(estate: Estate) -> None:
    estate.sell("RUG-9")
    estate.known("RUG-9", erp=False)


def a_product_of_another_account(estate: Estate) -> None:
    estate.sell("KETTLE")
    estate.known("KETTLE", clarus=False)
    other = estate.clarus.master.add_account("acme", "BOREALIS")
    estate.clarus.master.add_product("acme", "KETTLE", "Kettle", [other])


def zeros_lost_in_the_erp(estate: Estate) -> None:
    estate.sell("00815")
    estate.known("00815", erp=False)
    estate.items.enter("815")


def a_space_in_clarus(estate: Estate) -> None:
    estate.sell("BRIDGE-1")
    estate.known("BRIDGE-1", clarus=False)
    estate.known("bridge-1 ", erp=False)


def a_stopped_product(estate: Estate) -> None:
    estate.product("TEE-BLK-M").attributes["stop"] = True


def one_sku_on_two_variants(estate: Estate) -> None:
    estate.sell("MUG-BLUE", barcode="5012345678917")


def two_skus_that_collide(estate: Estate) -> None:
    estate.sell("42-a")
    estate.known("42-a")


def another_barcode_in_clarus(estate: Estate) -> None:
    estate.product("MUG-BLUE").attributes["barcode"] = "5099999999999"


def one_barcode_on_two_skus(estate: Estate) -> None:
    estate.sell("MUG-RED", barcode="05012345678900")
    estate.known("MUG-RED")


def no_right_to_the_account(estate: Estate) -> None:
    estate.config = estate.config.model_copy(update={"account": "ACMEE"})


def a_scope_taken_away(estate: Estate) -> None:
    estate.shop.setup.scopes.remove("write_merchant_managed_fulfillment_orders")


def a_scope_that_would_help(estate: Estate) -> None:
    estate.shop.setup.scopes.remove("read_all_orders")


def a_right_taken_away_in_the_erp(estate: Estate) -> None:
    estate.erp.setup.rights.remove("orders")


def clarus_connects_shopify_itself(estate: Estate) -> None:
    estate.clarus.master.add_integration("acme", "Acme on Shopify", "shopify")


def orders_fulfilled_at_once(estate: Estate) -> None:
    order = estate.shop.place_order([("0042-A", 1)], address=IDA)
    estate.shop.route(order, [LEEDS])
    estate.shop.fulfil(order, {order.fulfillment_orders[0].id: {}}, {}, notify=True)


def back_orders_in_the_shop(estate: Estate) -> None:
    estate.sells(1).policy = "CONTINUE"


def an_untracked_variant(estate: Estate) -> None:
    estate.sells(3).tracked = False


def back_orders_in_the_erp(estate: Estate) -> None:
    estate.erp.setup.settings["back_orders"] = True


def a_webhook_missing(estate: Estate) -> None:
    estate.shop.setup.subscriptions = [one for one in estate.shop.setup.subscriptions if one.topic != "ORDERS_EDITED"]


def a_webhook_to_elsewhere(estate: Estate) -> None:
    estate.shop.setup.subscriptions[0].uri = "https://old.example.test/shopify/acme/orders/create?key=secret"


def a_webhook_with_a_filter(estate: Estate) -> None:
    estate.shop.setup.subscriptions[1].filter = "financial_status:paid"


def a_webhook_of_an_old_version(estate: Estate) -> None:
    estate.shop.setup.subscriptions[2].api_version = "2026-01"


def no_webhooks(estate: Estate) -> None:
    estate.shop.setup.subscriptions = []


def an_automation_switched_off(estate: Estate) -> None:
    automations = estate.clarus.automations
    completed = next(one for one in automations.values() if one.event == "completed")
    automations[completed.id] = replace(completed, enabled=False)


def stock_of_a_draft(estate: Estate) -> None:
    estate.sell("OLD-MUG", status="DRAFT")
    estate.known("OLD-MUG")
    estate.stocked("OLD-MUG", 12)


def another_program_writes_stock(estate: Estate) -> None:
    estate.overruled = (Overruled(Sku("0042-A"), LocationId(str(LEEDS)), estate.clock.now()),)


GAPS: dict[Callable[[Estate], None], Code] = {
    a_new_location: Code.LOCATION_UNMAPPED,
    another_program_writes_stock: Code.STOCK_WRITTEN_ELSEWHERE,
    a_location_of_a_service: Code.LOCATION_OF_SERVICE,
    another_service: Code.SERVICE_OTHER,
    a_mistyped_location: Code.LOCATION_GONE,
    a_warehouse_nobody_knows: Code.WAREHOUSE_UNKNOWN,
    a_new_shipping_rate: Code.SHIPPING_UNMAPPED,
    a_rule_nobody_uses: Code.SHIPPING_RULE_UNUSED,
    a_carrier_nobody_knows: Code.CARRIER_UNKNOWN,
    a_service_nobody_knows: Code.SERVICE_UNKNOWN,
    a_service_switched_off: Code.CARRIER_INACTIVE,
    a_carrier_without_a_name: Code.CARRIER_UNNAMED,
    a_tag_in_two_spellings: Code.TAGS_ALIKE,
    a_variant_without_sku: Code.SKU_MISSING,
    a_sku_unknown_to_clarus: Code.SKU_UNKNOWN_TO_CLARUS,
    a_sku_unknown_to_the_erp: Code.SKU_UNKNOWN_TO_ERP,
    a_product_of_another_account: Code.SKU_OF_ANOTHER_ACCOUNT,
    zeros_lost_in_the_erp: Code.SKU_ZEROS_LOST,
    a_space_in_clarus: Code.SKU_SPELLED_OTHERWISE,
    a_stopped_product: Code.PRODUCT_STOPPED,
    one_sku_on_two_variants: Code.SKU_TWICE,
    two_skus_that_collide: Code.SKUS_COLLIDE,
    another_barcode_in_clarus: Code.BARCODE_DIFFERS,
    one_barcode_on_two_skus: Code.BARCODE_TWICE,
    no_right_to_the_account: Code.ACCOUNT_UNKNOWN,
    a_scope_taken_away: Code.SCOPE_MISSING,
    a_scope_that_would_help: Code.SCOPE_ADVISED,
    a_right_taken_away_in_the_erp: Code.ERP_LACKING,
    clarus_connects_shopify_itself: Code.CLARUS_INTEGRATION_ON,
    orders_fulfilled_at_once: Code.FULFILLED_AT_ONCE,
    back_orders_in_the_shop: Code.BACKORDER_ON,
    an_untracked_variant: Code.ITEM_UNTRACKED,
    back_orders_in_the_erp: Code.ERP_AUTOMATION_ON,
    a_webhook_missing: Code.WEBHOOK_MISSING,
    a_webhook_to_elsewhere: Code.WEBHOOK_ELSEWHERE,
    a_webhook_with_a_filter: Code.WEBHOOK_FILTERED,
    a_webhook_of_an_old_version: Code.WEBHOOK_VERSION_OTHER,
    no_webhooks: Code.WEBHOOKS_UNLISTED,
    an_automation_switched_off: Code.AUTOMATION_MISSING,
    stock_of_a_draft: Code.STOCK_STRANDED,
}
"""Each alone leads to its finding and to no other."""

ALONE_ONLY = {no_right_to_the_account, no_webhooks}
"""They hide what others would show."""
