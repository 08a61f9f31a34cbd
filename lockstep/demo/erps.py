"""The ERP of a demo: Tryton as a process of its own with a clerk who posts, or the sandbox ERP inside the demo."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from lockstep.demo.outside import ErpBooks
from lockstep.demo.scenario import BRANDS
from sandbox.clock import Clock
from sandbox.tryton import Company, Product, TrytonServer
from sandbox.tryton.books import read_books
from sandbox.tryton.clerk import Clerk
from sandbox.tryton.rest import TrytonRest

POSTING_DELAY = timedelta(seconds=6)
"""The clerk is slower than the warehouse, as ERPs are."""


@dataclass(slots=True)
class TrytonBooks:
    """Read over its own REST interface."""

    rest: TrytonRest

    async def books(self) -> dict[str, Any]:
        return await read_books(self.rest)

    async def posted(self, shop: str, order: str) -> list[dict[str, Any]]:
        brand = shop.partition(".")[0]
        books = await read_books(self.rest, order)
        return [one for one in books["fulfilments"] if one["shop"] == brand and one["state"] == "posted"]


@dataclass(slots=True)
class PlayedErp:
    """What the others need of it. `clerk` is None where the ERP posts by itself."""

    books: ErpBooks
    tables: dict[str, dict[str, Any]]
    clerk: Clerk | None


def company() -> Company:
    """Every brand, and every SKU that is sold."""
    skus = sorted({sku for brand in BRANDS for sku in brand.skus})
    catalogue = tuple(Product(sku, f"Demo article {sku}", "9.50") for sku in skus)
    return Company(tuple(str(brand.brand) for brand in BRANDS), catalogue)


@asynccontextmanager
async def tryton(clock: Clock, say: Callable[[str], None]) -> AsyncIterator[PlayedErp]:
    """Started on a copy of its prepared database; gone at the end. Raises TrytonFailedError."""
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(TrytonServer(company(), say))
        rest = await stack.enter_async_context(TrytonRest(server.base_url, server.key))
        tables = {
            str(brand.brand): {
                "kind": "tryton",
                "base_url": server.base_url,
                "key": server.key,
                "web_shop": str(brand.brand),
                "customer": f"WEB-{brand.brand}",
            }
            for brand in BRANDS
        }
        yield PlayedErp(TrytonBooks(rest), tables, Clerk(rest, clock, POSTING_DELAY))
