"""The ERP of a demo: Tryton as a process of its own with a clerk who posts, or the sandbox ERP inside the demo."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from lockstep.demo.outside import ErpBooks
from lockstep.demo.scenario import BRANDS
from sandbox.clock import Clock
from sandbox.tryton import Company, Product, TrytonServer
from sandbox.tryton.books import read_books
from sandbox.tryton.clerk import Clerk
from sandbox.tryton.rest import TrytonRest

POSTING_DELAY = timedelta(seconds=6)
"""The clerk is slower than the warehouse, as ERPs are."""


READ_TRIES = 6
"""Tryton answers 400 to a search whose records somebody changes at that moment (seen now and then, series 8.0)."""


@dataclass(slots=True)
class TrytonBooks:
    """Read over its own REST interface, patiently. Raises httpx.HTTPError when even that does not help."""

    rest: TrytonRest

    async def books(self) -> dict[str, Any]:
        return await self._read(None)

    async def _read(self, order: str | None) -> dict[str, Any]:
        tries = AsyncRetrying(
            stop=stop_after_attempt(READ_TRIES),
            wait=wait_exponential(multiplier=0.2),
            retry=retry_if_exception_type(httpx.HTTPError),
            reraise=True,
        )
        return await tries(read_books, self.rest, order)

    async def posted(self, shop: str, order: str) -> list[dict[str, Any]]:
        brand = shop.partition(".")[0]
        books = await self._read(order)
        return [one for one in books["fulfilments"] if one["shop"] == brand and one["state"] == "posted"]


@dataclass(slots=True)
class PlayedErp:
    """What the others need of it. `clerk` is None where the ERP posts by itself."""

    books: ErpBooks
    tables: dict[str, dict[str, Any]]
    clerk: Clerk | None


def company() -> Company:
    """Every brand, and every SKU that is sold."""
    skus = sorted({sku for brand in BRANDS for sku in brand.items})
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
