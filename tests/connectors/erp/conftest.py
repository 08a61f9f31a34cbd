"""`erp`: the contract tests run once over each ERP."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager

import pytest

from sandbox.tryton import TrytonServer
from tests.connectors.erp.erps import ErpUnderTest, sandbox_under_test, tryton_under_test
from tests.sandbox.tryton.company import COMPANY

Story = Callable[[ErpUnderTest], Awaitable[None]]
Tell = Callable[[Story], None]


@pytest.fixture(scope="session")
def tryton() -> Iterator[TrytonServer]:
    with TrytonServer(COMPANY) as server:
        yield server


@pytest.fixture(params=["sandbox", pytest.param("tryton", marks=[pytest.mark.tryton, pytest.mark.timeout(600)])])
def tell(request: pytest.FixtureRequest) -> Tell:
    """Runs a story with a fresh adapter on an event loop of its own."""

    def opened() -> AbstractAsyncContextManager[ErpUnderTest]:
        if request.param == "sandbox":
            return sandbox_under_test()
        return tryton_under_test(request.getfixturevalue("tryton"))

    def run(story: Story) -> None:
        async def whole() -> None:
            async with opened() as erp:
                await story(erp)

        asyncio.run(whole())

    return run
