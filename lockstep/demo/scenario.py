"""Who plays in the demo: two brands that are mapped differently, and the mishaps planted among their orders."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from schemas.base import Brand, LocationId, Sku
from schemas.config import BrandConfig, CarrierRule, Waits, WarehouseRule
from schemas.mapping import Bundle, Component, Instructions, ShippingRule, SkuRules

WAITS = Waits(
    hold=25, goods_out=90, erp_commit=120, erp_post=180, told=90, tracking=15, despatch=600,
    reread=8, reread_most=30, retry=15, retry_most=60,
)  # fmt: skip
"""Seconds. A day in minutes: what is hours in a shop is seconds here."""


@dataclass(frozen=True, slots=True)
class DemoBrand:
    """One brand: its shop, what it sells, where it ships from and how its words are mapped."""

    brand: Brand
    prefix: str
    skus: tuple[str, ...]
    warehouses: dict[int, str]
    """Shopify location → Clarus warehouse."""
    shipping: dict[tuple[str, str], tuple[str, str]]
    """(title, code) in Shopify → (carrier, service) in Clarus."""
    new_lines: dict[tuple[str, str], tuple[str, str]]
    """The same of shipping lines that the shop offers since today: the first configuration does not know them."""
    companies: dict[str, str]
    """Carrier in Clarus → its name in Shopify."""
    bundles: dict[str, dict[str, int]] = field(default_factory=dict)
    """SKU → the products it is picked as."""
    by_title: bool = False
    """Whether shipping lines are mapped by title rather than by code."""
    edit_window: int = 0
    """Seconds in which the shopper may change an order, where the play gives time for that."""
    expedited: frozenset[str] = frozenset()
    """Codes of shipping lines that do not wait for it."""

    @property
    def domain(self) -> str:
        return f"{self.brand}.example.test"

    @property
    def items(self) -> tuple[str, ...]:
        """What the ERP calls what is sold."""
        return tuple(sku.replace(MARK, "") for sku in self.skus)

    @property
    def products(self) -> tuple[str, ...]:
        """What the warehouse calls it; a bundle is no product there."""
        return tuple(item for item in self.items if item not in self.bundles)

    @property
    def account(self) -> str:
        return self.prefix

    def config(self, release_from: datetime, *, edit_window: bool = False) -> BrandConfig:
        return BrandConfig(
            brand=self.brand,
            mode="live",
            release_from=release_from,
            reference_prefix=self.prefix,
            account=self.account,
            warehouses=tuple(
                WarehouseRule(location=LocationId(str(location)), warehouse=warehouse)
                for location, warehouse in self.warehouses.items()
            ),
            shipping=self.rules(self.shipping),
            instructions=Instructions(attributes=("gift_message",), characters="latin"),
            skus=SkuRules(remove=MARK),
            bundles=tuple(_bundle(sku, parts) for sku, parts in self.bundles.items()),
            carriers=tuple(CarrierRule(carrier=carrier, company=name) for carrier, name in self.companies.items()),
            waits=WAITS.model_copy(update={"edit_window": self.edit_window if edit_window else 0}),
        )

    def mended(self, before: BrandConfig) -> BrandConfig:
        """The configuration that knows the new shipping lines too, as the next version of the one before."""
        rules = tuple(rule for rule in self.rules(self.new_lines) if rule not in before.shipping)
        return before.model_copy(update={"shipping": (*before.shipping, *rules)})

    def rules(self, lines: Mapping[tuple[str, str], tuple[str, str]]) -> tuple[ShippingRule, ...]:
        return tuple(self._rule(*mapped) for mapped in lines.items())

    def _rule(self, line: tuple[str, str], sent: tuple[str, str]) -> ShippingRule:
        title, code = line
        if self.by_title:
            return ShippingRule(title=title, carrier=sent[0], service=sent[1], expedited=code in self.expedited)
        return ShippingRule(code=code, carrier=sent[0], service=sent[1], expedited=code in self.expedited)


def _bundle(sku: str, parts: dict[str, int]) -> Bundle:
    components = tuple(Component(sku=Sku(part), quantity=each) for part, each in parts.items())
    return Bundle(sku=Sku(sku), components=components, commits="components")


MARK = "#"
"""Stands in some of the shops' SKUs and in no product code."""

BRANDS = (
    DemoBrand(
        brand=Brand("acme"),
        prefix="ACME",
        skus=("0042-A", "42-A", "MUG-BLUE", "TEE-BLK-M", "007"),
        warehouses={11: "LDS1", 12: "MAN1"},
        shipping={("Standard", "standard"): ("DPD", "NEXTDAY"), ("Express", "express"): ("DPD", "AM12")},
        new_lines={("Saturday", "saturday"): ("DPD", "SATURDAY")},
        companies={"DPD": "DPD UK"},
        edit_window=3,
        expedited=frozenset({"express"}),
    ),
    DemoBrand(
        brand=Brand("brio"),
        prefix="BRIO",
        skus=("TRAIN-01", "TRACK-0100", "BRIDGE", "00815", "#0077", "TRAIN-SET"),
        bundles={"TRAIN-SET": {"TRAIN-01": 1, "TRACK-0100": 2}},
        warehouses={21: "BRI1"},
        shipping={
            ("Royal Mail Tracked 48", "rm48"): ("ROYALMAIL", "TRACKED48"),
            ("Royal Mail Tracked 24", "rm24"): ("ROYALMAIL", "TRACKED24"),
        },
        new_lines={("Royal Mail Special Delivery", "rmsd"): ("ROYALMAIL", "SPECIAL")},
        companies={"ROYALMAIL": "Royal Mail"},
        by_title=True,
    ),
)

STRAY_LOCATION = 99
"""A Shopify location that no warehouse serves."""

UNKNOWN_SKU = "NO-SUCH-SKU"
