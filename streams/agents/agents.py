"""The Faust agents. Thin: everything they decide is in the folds, everything they owe the log is in the worker."""

from collections.abc import AsyncIterator

from streams.engine.faust_shell import Batch, Finish


async def normalise(batches: AsyncIterator[Batch], finish: Finish) -> None:
    """raw.*, operator.actions, config → orders.events: what the systems said, in our terms."""
    async for batch in batches:
        await finish(batch.records)


async def orders(batches: AsyncIterator[Batch], finish: Finish) -> None:
    """orders.events → commands.*, cases, hints.*: each order's state, and what it should cause."""
    async for batch in batches:
        await finish(batch.records)


async def stock(batches: AsyncIterator[Batch], finish: Finish) -> None:
    """stock.events → commands.shopify.stock, cases, hints.*: each item's state, and what Shopify should have of it."""
    async for batch in batches:
        await finish(batch.records)


async def items(batches: AsyncIterator[Batch], finish: Finish) -> None:
    """items.events → commands.clarus, cases, hints.*, orders.events: each item's state, and what Clarus should have."""
    async for batch in batches:
        await finish(batch.records)
