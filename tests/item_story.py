"""One item's life: the real fold of one partition of `items.events`, fed with literal records."""

from __future__ import annotations

from typing import Self

from schemas.aggregates import GAPS, item_id
from schemas.avro import Codec
from schemas.base import LocationId, OrderId, Sku, System
from schemas.commands import AmendProduct, CreateProduct
from schemas.config import BrandConfig
from schemas.events import CommandEnded, ItemMade, ItemsSeen, ItemWanted, OffersSeen, ProductSeen, SnapshotUnreadable
from schemas.hints import SWEEP, Hint
from schemas.items import ErpItem, ErpItemId, Offer, Product, ProductId
from schemas.outcomes import Outcome, OutcomeKind
from schemas.topics import COMMANDS, HINTS, ITEMS_EVENTS, ORDERS_EVENTS
from streams.agents.items import ItemsFold
from streams.agents.orders import decode_command
from streams.engine.contract import Emission
from streams.rules.items.state import ItemState, first
from tests.builders import ACME, a_brand
from tests.keyed_story import KeyedStory

KETTLE = Sku("0042-A")
_MADE = Codec((ItemMade,))
ItemCommand = CreateProduct | AmendProduct


def item_brand(mode: str = "create_and_amend", **changes: object) -> BrandConfig:
    return a_brand(items={"mode": mode, "stock_unit": "EACH", "patience": 900}, **changes)


def an_erp_item(code: str = KETTLE, description: str = "Kettle", id_: str = "31", **changes: object) -> ErpItem:
    plain = ErpItem(id=ErpItemId(id_), code=Sku(code), description=description)
    return plain.model_copy(update=changes)


def a_product(description: str = "Kettle", **changes: object) -> Product:
    """Of the brand's account."""
    plain = Product(id=ProductId("20001"), code=KETTLE, description=description, ours=True, reference="erp-item:31")
    return plain.model_copy(update=changes)


def an_offer(sku: str = KETTLE, **changes: object) -> Offer:
    """On sale, and stocked at a location of the brand's first warehouse."""
    plain = Offer(id="4501", sku=Sku(sku), stocked_at=(LocationId("11"),))
    return plain.model_copy(update=changes)


class ItemStory(KeyedStory):
    FOLD = ItemsFold
    KEY = item_id(KETTLE)

    def __init__(self, config: BrandConfig | None = None) -> None:
        self.commands: list[ItemCommand] = []
        self.asked: list[System] = []
        self.gently: list[System] = []
        """Of those asked: behind all others."""
        self.told: list[OrderId] = []
        super().__init__(config or item_brand())

    # --- what happens

    def erp(self, *items: ErpItem, epoch: int = 1) -> Self:
        """The ERP is read."""
        return self._event(ItemsSeen(**self._head("raw.erp"), epoch=epoch, read_started_at=self.at, items=items))

    def clarus(self, product: Product | None = None, *, complete: bool = True, epoch: int = 1) -> Self:
        """Clarus is read; None: it has no such product."""
        head = self._head("raw.clarus")
        return self._event(
            ProductSeen(**head, epoch=epoch, read_started_at=self.at, product=product, complete=complete)
        )

    def shop(self, *offers: Offer, epoch: int = 1) -> Self:
        """Shopify is read."""
        return self._event(OffersSeen(**self._head("raw.shopify"), epoch=epoch, read_started_at=self.at, offers=offers))

    def unreadable(self, system: System) -> Self:
        """An answer of it could not be understood."""
        return self._event(SnapshotUnreadable(**self._head(f"raw.{system}"), system=system, reason="no JSON"))

    def about(self, code: str) -> Self:
        """What follows happens to this item."""
        self.key = item_id(Sku(code))
        return self

    def about_gaps(self) -> ItemState:
        """What is known of gaps beyond single cases."""
        found = self.fold.states().get(f"{ACME}/{GAPS}")
        return first(ACME, GAPS, Sku(""), self.at) if found is None else found

    def wanted(self, by: str) -> Self:
        """An order was refused for want of it."""
        return self._event(ItemWanted(brand=ACME, order=self.key, by=OrderId(by)))

    def ended(self, kind: OutcomeKind, command: ItemCommand | None = None, **said: object) -> Self:
        of = command or self.commands[-1]
        outcome = Outcome(command=of.id, object=of.object, generation=1, kind=kind, **said)
        head = self._head("raw.clarus")
        return self._event(CommandEnded(**head, system=System.CLARUS, epoch=1, outcome=outcome))

    def applied(self, **product: object) -> Self:
        """What was sent is done, and read."""
        command = self.commands[-1]
        said = {field: text for field in ("description", "barcode") if (text := getattr(command, field))}
        before = self.state.product or a_product("")
        return self.ended(OutcomeKind.APPLIED, external_id="20001").clarus(
            before.model_copy(update={**said, "ours": True, **product})
        )

    # --- what it led to

    @property
    def one(self) -> ItemCommand:
        (command,) = self.commands
        return command

    @property
    def state(self) -> ItemState:
        state = self.fold.states()[f"{ACME}/{self.key}"]
        assert isinstance(state, ItemState)
        return state

    def _receive(self, emission: Emission) -> None:
        assert emission.value is not None
        if emission.topic == COMMANDS[System.CLARUS].name:
            command = decode_command(emission.value, dict(emission.headers))
            assert isinstance(command, CreateProduct | AmendProduct)
            self.commands.append(command)
        elif emission.topic == ORDERS_EVENTS.name:
            made = _MADE.decode(emission.value, emission.headers)
            assert isinstance(made, ItemMade)
            self.told.append(made.order)
        elif emission.topic == ITEMS_EVENTS.name:
            assert emission.key is not None
            self._append(emission.key, emission.value, dict(emission.headers))
        else:
            system = next(system for system, topic in HINTS.items() if topic.name == emission.topic)
            hint = Hint.model_validate_json(emission.value)
            assert hint.order.startswith("item")
            if hint.order == self.key:
                self.asked.append(system)
                self.gently.extend([system] if hint.why == SWEEP else [])
