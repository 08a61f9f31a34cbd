"""One shop's connection: address, credentials, timings and page sizes."""

from typing import Self

from pydantic import Field, SecretStr, field_validator, model_validator

from schemas.base import Brand, Frozen


class ClientCredentials(Frozen):
    """Client credentials grant of a Dev Dashboard app; a token lives 24 hours and is asked for again."""

    client_id: str
    client_secret: SecretStr


class PageSizes(Frozen):
    """How many of each nested list the first read of an order asks for; what is longer is followed by id.

    Small, because Shopify reserves the cost of a full page beforehand and allows one query 1,000 points (Admin API
    2026-10, rate limits). `rest` is the page size of what is followed.
    """

    lines: int = Field(default=10, ge=1, le=250)
    shipping_lines: int = Field(default=3, ge=1, le=250)
    fulfilment_orders: int = Field(default=3, ge=1, le=250)
    fulfilment_order_lines: int = Field(default=10, ge=1, le=250)
    fulfilment_lines: int = Field(default=10, ge=1, le=250)
    rest: int = Field(default=100, ge=1, le=250)
    changes: int = Field(default=250, ge=1, le=250)
    setup_variants: int = Field(default=40, ge=1, le=250)
    setup_levels: int = Field(default=8, ge=1, le=250)
    """Locations an item is stocked at; of one that has more it is not known where."""
    setup_orders: int = Field(default=50, ge=1, le=250)


class ShopifyShop(Frozen):
    """A shop as one brand's connection. All times in seconds."""

    brand: Brand
    base_url: str
    """`https://acme.myshopify.com`; a sandbox may stand below a path."""
    api_version: str = Field(default="2026-10", pattern=r"^(\d{4}-\d{2}|unstable)$")
    token: SecretStr | None = None
    """A fixed Admin API token; either this or `credentials`."""
    credentials: ClientCredentials | None = None
    longest_request: float = Field(default=30.0, ge=0)
    """For so long Shopify may still execute a request nobody waits for any more."""
    connect_within: float = Field(default=5.0, gt=0)
    answer_within: float = Field(default=10.0, gt=0)
    """From sending to the last byte of the answer."""
    patience: float = Field(default=20.0, ge=0)
    """A read that is throttled is tried again for so long before the caller hears of it."""
    look_lasts: float = Field(default=3.0, gt=0)
    """A look at an order older than this is made again before a write."""
    batch: int = Field(default=5, ge=1, le=50)
    """Orders one read asks for."""
    pages: PageSizes = PageSizes()
    torn_reads: int = Field(default=3, ge=1)
    """How often an order that changes between its pages is read again."""
    poll_overlap: float = Field(default=600.0, ge=0)
    """The search index lags behind: each poll looks back so far behind what the last one saw."""
    first_poll: float = Field(default=4 * 3600.0, ge=0)
    """How far the first poll after a start looks back; Shopify tries a webhook again for four hours."""
    poll_head_room: float = Field(default=0.3, ge=0, lt=1)
    """Polls and stock leave this share of the cost bucket to the orders."""
    lists_head_room: float = Field(default=0.6, ge=0, lt=1)
    """Long lists leave this share to orders and polls."""
    items_known_for: float = Field(default=3600.0, gt=0)
    """The list of inventory items is read anew after this, and for a code it lacks after a twentieth of it, once."""
    stock_gathers: float = Field(default=0.5, ge=0)
    """So long a stock figure waits for others to go along in one call."""
    stock_again: float = Field(default=5.0, ge=0)
    """After an unclear answer the same request is sent again, once; then the figures are decided anew."""
    stock_bulk_from: int = Field(default=2000, ge=1)
    """A sweep of so many stock items or more reads them in one bulk query instead of sixty a request."""
    bulk_within: float = Field(default=900.0, gt=0)
    """A bulk query that takes longer is given up; what one has read is not used for longer either."""
    bulk_look_every: float = Field(default=5.0, gt=0)
    """Between two looks whether it is done."""
    connections: int = Field(default=20, ge=1)
    """HTTP connections kept to the shop at most."""

    @field_validator("base_url")
    @classmethod
    def _without_slash(cls, value: str) -> str:
        if not value.startswith(("https://", "http://")):
            msg = f"expected an address like https://acme.myshopify.com, found {value!r}"
            raise ValueError(msg)
        return value.rstrip("/")

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        if (self.token is None) == (self.credentials is None):
            msg = "expected either token or credentials, found " + ("neither" if self.token is None else "both")
            raise ValueError(msg)
        return self
