"""Pickers bring every goods-out to an end by themselves, the same way from the same seed."""

import asyncio
import contextlib
from typing import Any

from sandbox.clarus import Pickers, PickerSettings
from sandbox.faults import Chance
from tests.sandbox.clarus.warehouse import PACKAGES, Warehouse, in_the_warehouse


def worked(settings: PickerSettings, seed: int = 1, goods_outs: int = 12) -> list[dict[str, Any]]:
    """The books after ten minutes."""
    told: list[dict[str, Any]] = []

    async def story(clarus: Warehouse) -> None:
        pickers = asyncio.create_task(Pickers(clarus.world, Chance(seed), settings).run())
        await asyncio.sleep(0)
        for number in range(goods_outs):
            await clarus.create(clarus.a_goods_out(f"ACME-{number}-1-1", lamp=3, rug=2))
        await clarus.world.clock.sleep(600)
        pickers.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await pickers
        assert None not in [package["tracking_number"] for package in await clarus.read(PACKAGES)]
        told.extend(clarus.world.books.json()["goods_outs"])

    in_the_warehouse(story)
    return told


def test_everything_leaves_in_one_part_or_two() -> None:
    books = worked(PickerSettings(partial=0.5, short=0.0, tracking_late=0.5))
    assert len(books) == 12
    for story in books:
        assert [line["despatched"] for line in story["lines"]] == [3, 2]
    assert {len(story["despatches"]) for story in books} == {1, 2}


def test_what_is_short_leaves_in_part_and_is_closed() -> None:
    books = worked(PickerSettings(short=1.0))
    for story in books:
        assert all(line["despatched"] + line["short"] == line["units"] for line in story["lines"])
        assert sum(line["short"] for line in story["lines"]) > 0


def test_the_same_seed_works_the_same_day() -> None:
    settings = PickerSettings(partial=0.3, short=0.2, tracking_late=0.3)
    assert worked(settings, 7) == worked(settings, 7)
    assert worked(settings, 7) != worked(settings, 8)


def test_a_goods_out_cancelled_on_the_way_is_left_alone() -> None:
    async def story(clarus: Warehouse) -> None:
        pickers = asyncio.create_task(Pickers(clarus.world, Chance(1)).run())
        await asyncio.sleep(0)
        number = await clarus.create(clarus.a_goods_out())
        assert (await clarus.call("POST", f"/api/goods_outs/{number}/cancel")).status_code == 204
        other = await clarus.create(clarus.a_goods_out("ACME-2-1-1"))
        await clarus.world.clock.sleep(600)
        assert not pickers.done()
        pickers.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await pickers
        assert (clarus.story(number)["ended"], clarus.story(number)["despatches"]) == ("deleted", [])
        assert await clarus.status(other) == "COMPLETED"

    in_the_warehouse(story)
