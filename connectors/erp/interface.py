"""What an ERP must be able to do for us, whichever it is, and what it declares about itself.

Rules every adapter keeps:

1. Every write carries a key the ERP itself holds: the Shopify order id for a sales order, `<goods-out>#<n>` for a
   fulfilment. Look by that key before writing; after an unclear answer look by it before writing again.
2. Every method may be called again after any failure, also after one in the middle of several requests, and goes on
   from what stands in the ERP.
3. A refused transition is checked against the state before it is called a failure.
4. Line numbers and ids of the ERP are read, never computed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from connectors.erp.setup import ErpSetup
from connectors.runtime.errors import ConnectorError
from connectors.runtime.port import Changes, Reading
from schemas.base import Brand, OrderId, Sku
from schemas.commands import PostFulfilment, UpsertErpOrder
from schemas.items import ErpItemId

FIRST_POLL = timedelta(hours=4)
"""How far the first poll after a start looks back."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What differs between ERPs and what the rest of the product must know of it."""

    ships_and_bills_together: bool
    """Posting a fulfilment also makes the invoice."""
    push_supported: bool
    """It can tell us about changes; otherwise the poll finds them."""
    native_idempotency: bool
    """The same write under the same key is recognised by the ERP itself."""
    partial_shipment: bool
    posts_into_period: bool
    """It refuses postings into a closed accounting period."""
    external_id_pattern: str
    """What a key may look like, as a regular expression."""
    max_in_flight: int
    """Requests at a time, of all our processes together, for one connection."""
    max_per_minute: int | None
    longest_request: float
    """Seconds for which it may still execute a request nobody waits for any more."""
    read_batch: int
    """Orders one read may ask for."""


@dataclass(frozen=True, slots=True)
class ItemRecord:
    """An item as the ERP has it: its code, '' for none, and its record, verbatim JSON."""

    code: Sku
    record: Any


@dataclass(frozen=True, slots=True)
class ItemChanges:
    """Items that may have changed, by the ERP's own id, with their codes now. `cursor` goes into the next call."""

    codes: Mapping[ErpItemId, Sku]
    cursor: str


@dataclass(frozen=True, slots=True)
class Written:
    """What stands in the ERP now. `already`: it stood there before and nothing was written."""

    external_id: str
    already: bool


class NotYet(ConnectorError):
    """The ERP has something of its own to do first, an approval say. Nothing was written; ask again in `seconds`."""

    def __init__(self, code: str, text: str, seconds: float) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.seconds = seconds


class ErpAdapter(Protocol):
    """One connection to one ERP, for the brands whose books it keeps.

    All methods raise ConnectorError: Rejected for a refusal a person must look at, TimedOut when a write is unclear,
    NotYet, and the rest of the tree in `connectors.runtime.errors`.
    """

    @property
    def capabilities(self) -> Capabilities: ...

    async def read(self, brand: Brand, orders: Sequence[OrderId]) -> Sequence[Reading]:
        """One Reading per order, verbatim, with all fulfilments known under it; `absent` where there is none."""
        ...

    async def upsert_order(self, command: UpsertErpOrder) -> Written:
        """The sales order under the brand and order id holds exactly these lines; it is on its way to be committed.

        A line that is not named is wanted no more. Rejected `line_is_shipped` when a line would fall below what is
        fulfilled.
        """
        ...

    async def post_fulfilment(self, command: PostFulfilment) -> Written:
        """In all, the target's units are entered under the goods-out's key; what is there already counts.

        Entered is not posted: whether it is, only a later read tells. Rejected `more_than_ordered` when the sales order
        has not as many left; more than the target under the key already is left as it is.
        """
        ...

    async def changes_since(self, brand: Brand, cursor: str) -> Changes:
        """Orders changed since the cursor, with overlap; '' at first: since FIRST_POLL ago.

        Every start of every instance begins so. What is older, the sweep finds.
        """
        ...

    async def listed(self, brand: Brand, since: datetime) -> Sequence[OrderId]:
        """Orders written since, with their fulfilments. What is older is named by Shopify and Clarus, if it is open."""
        ...

    async def item_codes(self, brand: Brand) -> Mapping[ErpItemId, Sku]:
        """Every item that may be sold, or could once, with its code as it is written; '' where it has none."""
        ...

    async def items(self, brand: Brand, ids: Sequence[ErpItemId]) -> Mapping[ErpItemId, ItemRecord]:
        """Those of these items that are there."""
        ...

    async def items_changed(self, brand: Brand, cursor: str) -> ItemChanges:
        """Items written since the cursor, with overlap; '' gives none, and the cursor of now."""
        ...

    def setup(self, brand: Brand) -> ErpSetup:
        """How the ERP is set up for the brand, on the same connection."""
        ...

    async def aclose(self) -> None: ...
