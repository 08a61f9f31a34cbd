"""A brand's configuration: validated before it is published, versioned, an event in every partition."""

from datetime import UTC, datetime
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from schemas.base import Brand, Frozen, LocationId, System, Utc
from schemas.item_rules import ItemRules
from schemas.mapping import Bundle, Instructions, PriorityRule, ShippingRule, SkuRules, once
from schemas.orders import FinancialStatus, RiskAdvice
from schemas.stock_rules import StockRules


class WarehouseRule(Frozen):
    """A Shopify location and the Clarus warehouse that serves it."""

    location: LocationId
    warehouse: str = Field(min_length=1, max_length=20)


class CarrierRule(Frozen):
    """A Clarus carrier code and how Shopify spells it; `url` (with `{number}`) where Shopify has no link itself."""

    carrier: str = Field(min_length=1)
    company: str = Field(min_length=1)
    url: str = ""


AddressPart = Annotated[str, Field(pattern=r"^[A-Z]{2}\.(street|city|region|postcode)$")]
"""`COUNTRY.part`."""

A_YEAR = 366 * 86400


class Waits(Frozen):
    """How long something may stay out, in seconds, before a case opens, and how often it is read again."""

    edit_window: int = Field(default=0, ge=0, le=A_YEAR)
    """From its creation on an order is kept back so long: the shopper may still change it."""
    hold: int = Field(default=4 * 3600, ge=0, le=A_YEAR)
    scheduled: int = Field(default=30 * 86400, ge=0, le=A_YEAR)
    """Scheduled by Shopify without a date, as pre-orders are."""
    goods_out: int = Field(default=900, ge=0, le=A_YEAR)
    """A create without its goods-out."""
    erp_commit: int = Field(default=3600, ge=0, le=A_YEAR)
    erp_post: int = Field(default=4 * 3600, ge=0, le=A_YEAR)
    told: int = Field(default=1800, ge=0, le=A_YEAR)
    tracking: int = Field(default=600, ge=0, le=A_YEAR)
    """Despatched without tracking: wait so long, then tell without it and update once."""
    despatch: int = Field(default=3 * 86400, ge=0, le=A_YEAR)
    """Released and not despatched."""
    reread: int = Field(default=900, ge=1, le=A_YEAR)
    """While waiting for a system, read it again after this; doubles up to `reread_most`."""
    reread_most: int = Field(default=3600, ge=1, le=A_YEAR)
    retry: int = Field(default=300, ge=1, le=A_YEAR)
    """A rejected command is tried again after this; doubles up to `retry_most`."""
    retry_most: int = Field(default=6 * 3600, ge=1, le=A_YEAR)
    drift: int = Field(default=3600, ge=0, le=A_YEAR)
    """The systems differ and no rule says why."""
    sweep: int = Field(default=4 * 3600, ge=0, le=A_YEAR)
    """A sweep that was to begin and has not come to its end."""
    kept: int = Field(default=7 * 86400, ge=0, le=A_YEAR)
    """An order in step, about which there is nothing to do, leaves the hot state after this; a stub stays."""


class SweepTimes(Frozen):
    """When the three systems are read anew and laid side by side."""

    at: str = Field(default="02:00", pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")
    """Hour and minute, UTC."""
    every: int = Field(default=86400, ge=0, le=A_YEAR)
    """Seconds from one to the next; 0: only when a person asks."""
    back: int = Field(default=3 * 86400, ge=0, le=A_YEAR)
    """Seconds back: what changed or ended since then is looked at too."""

    def before(self, now: datetime) -> datetime | None:
        """The newest moment at which one was to begin."""
        if not self.every:
            return None
        first = 3600 * int(self.at[:2]) + 60 * int(self.at[3:])
        past = int(now.timestamp()) - first
        return datetime.fromtimestamp(past - past % self.every + first, UTC)


class BrandConfig(Frozen):
    """All that differs between brands and is no secret and no address of a machine."""

    brand: Brand = Field(pattern=r"^[a-z][a-z0-9-]{0,30}$")
    version: int = Field(default=0, ge=0)
    """Set when applied; one more each time."""
    mode: Literal["live", "observe"] = "observe"
    """observe: everything is decided, nothing written, what would be sent is listed."""
    release_from: Utc | None = None
    """Orders created before it are read, never released. Must be set before `live`."""
    paused: tuple[System, ...] = ()
    reference_prefix: str = Field(pattern=r"^[A-Z0-9]{1,8}$")
    """Begins each of our references in Clarus; unique per shop on one Clarus account."""
    account: str = Field(min_length=1, max_length=20)
    """Clarus account code: the owner of the stock."""
    warehouses: tuple[WarehouseRule, ...] = Field(min_length=1)
    elsewhere: tuple[LocationId, ...] = ()
    """Shopify locations that send by themselves: stores, other fulfilment services. Theirs is no business of ours."""
    shipping: tuple[ShippingRule, ...] = Field(min_length=1)
    priorities: tuple[PriorityRule, ...] = ()
    instructions: Instructions = Instructions()
    skus: SkuRules = SkuRules()
    bundles: tuple[Bundle, ...] = ()
    carriers: tuple[CarrierRule, ...] = ()
    paid: tuple[FinancialStatus, ...] = (FinancialStatus.PAID, FinancialStatus.PARTIALLY_REFUNDED)
    """The payment rule: financial statuses in which an order may leave."""
    require_phone: bool = True
    require_email: bool = True
    """Clarus' packing desk refuses to pack without a complete address, phone and email included (its packing guide)."""
    address_exceptions: tuple[AddressPart, ...] = ()
    """Parts that a country's rules ask for and this brand does without: `TW.region`."""
    risk_holds: tuple[RiskAdvice, ...] = (RiskAdvice.CANCEL, RiskAdvice.INVESTIGATE)
    """What Shopify's risk analysis may recommend so that the order is kept back."""
    notify_shopper: bool = True
    short_closed: Literal["case", "drop"] = "case"
    """What a shortfall of a completed goods-out means: ask a person, or leave it to the shop's own refund."""
    waits: Waits = Waits()
    stock: StockRules = StockRules()
    sweep: SweepTimes = SweepTimes()
    items: ItemRules = ItemRules()

    @model_validator(mode="after")
    def _unambiguous(self) -> Self:
        once("warehouses: expected each location", [rule.location for rule in self.warehouses])
        once("elsewhere: expected each location", self.elsewhere)
        for location in self.elsewhere:
            if warehouse := self.warehouse_of(location):
                msg = f"elsewhere: expected locations without a warehouse, found {location}, which {warehouse} serves"
                raise ValueError(msg)
        once("bundles: expected each sku", [bundle.sku for bundle in self.bundles])
        if self.mode == "live" and self.release_from is None:
            msg = "release_from: expected a moment from which orders are released when mode is live, found none"
            raise ValueError(msg)
        return self

    def warehouse_of(self, location: LocationId) -> str | None:
        return next((rule.warehouse for rule in self.warehouses if rule.location == location), None)

    def locations_of(self, warehouse: str | None) -> tuple[LocationId, ...]:
        """Those that it serves; None: those of any."""
        return tuple(rule.location for rule in self.warehouses if warehouse in (None, rule.warehouse))

    def carrier_of(self, code: str) -> CarrierRule | None:
        return next((rule for rule in self.carriers if rule.carrier == code), None)
