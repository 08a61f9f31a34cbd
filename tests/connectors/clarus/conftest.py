"""`tell`: a story of the contract is told once over the sandbox and once over what was recorded for it."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import pytest

from kernel.virtual_time import run_virtual
from tests.connectors.clarus.sides import Clarus, recorded_side, sandbox_side

Story = Callable[[Clarus], Awaitable[None]]


class Tell(Protocol):
    def __call__(self, scene: str, story: Story, **settings: Any) -> None: ...


@pytest.fixture(params=["sandbox", "recorded"])
def tell(request: pytest.FixtureRequest) -> Tell:
    """Runs the story on the sandbox set to `scene`, or on the recording named like the test; `settings` of the tenant
    may differ from the usual.
    """
    name = request.node.originalname.removeprefix("test_")

    def run(scene: str, story: Story, **settings: Any) -> None:
        side = sandbox_side(scene, **settings) if request.param == "sandbox" else recorded_side(name, **settings)

        async def whole() -> None:
            async with side as clarus:
                await story(clarus)

        run_virtual(whole())

    return run
