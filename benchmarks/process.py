"""Programs of the benches: how they are started, waited for and heard."""

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
"""The checkout: what is measured is the code beside the bench."""


def environment() -> dict[str, str]:
    """Ours, with the checkout's code before any other."""
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def program(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", module, *arguments]


async def answer(module: str, *arguments: str, within: float) -> dict[str, Any]:
    """Run a module to its end; the last line it prints is JSON. Raises RuntimeError with what it said when it fails."""
    process = await asyncio.create_subprocess_exec(
        *program(module, *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment(),
    )
    try:
        async with asyncio.timeout(within):
            out, error = await process.communicate()
    except TimeoutError:
        process.kill()
        out, error = await process.communicate()
    if process.returncode != 0:
        said = error.decode(errors="replace").splitlines()[-15:]
        raise RuntimeError(f"{module} ended with {process.returncode}:\n" + "\n".join(said))
    told: dict[str, Any] = json.loads(out.decode().strip().splitlines()[-1])
    return told


async def until(so: Callable[[], Awaitable[bool]], *, within: float, what: str) -> None:
    """Raises TimeoutError naming what did not come."""
    loop = asyncio.get_running_loop()
    end = loop.time() + within
    while not await so():
        if loop.time() > end:
            raise TimeoutError(f"expected within {within:.0f} s: {what}")
        await asyncio.sleep(0.1)
