"""A day with every role, and after it a sample of every metric of the closed set, with the labels it should have."""

import asyncio

import httpx
import pytest
from prometheus_client.samples import Sample

from kernel.metrics import Metrics, Stage
from kernel.virtual_time import run_virtual
from lockstep.notices.role import Notices
from lockstep.notices.target import NoticeSettings
from lockstep.simulation.house import House
from lockstep.simulation.log_oracle import cases_of
from lockstep.sweeps import ask
from schemas.base import Brand, System
from schemas.stock_rules import StockRules
from schemas.topics import HINTS
from tests.flow.day import play_day

ONLY_BY_MISHAP = {
    "lockstep_fused_partitions": "a day blows no fuse: streams/engine has tests of its own for it",
}
"""Metrics without labels, which have a sample from the start: that they move is shown elsewhere."""


async def a_day_with_a_mishap_of_each_kind(house: House) -> None:
    """A stranger at the door, a record nobody can read, and a worker that is started again."""
    stranger = httpx.AsyncClient(transport=house.intake, base_url="http://intake.test")
    assert (await stranger.post("/shopify/acme/orders/create", content=b"{}")).status_code == 401
    await stranger.aclose()
    producer = house.log.producer()
    await producer.start()
    await (await producer.send(HINTS[System.CLARUS].name, key=b"acme/1", value=b"no hint"))
    await producer.stop()
    target = {"name": "ops", "url": "https://ops.test", "secret": "a-secret-of-this-day"}
    chat = httpx.MockTransport(lambda _: httpx.Response(204))
    told = {Brand("acme"): NoticeSettings.model_validate({"to": [target]})}
    notices = asyncio.create_task(Notices(told, house.log, house.clock, house.metrics, chat).run())
    report = await play_day(house, orders=12, rate=2.0, kills=((20.0, "orders"),))
    notices.cancel()
    assert report.why_not == ()
    await ask(house.log, Brand("acme"), "kim", "a sweep of this day", house.clock.now())
    await house.clock.sleep(15.0)
    await house.clock.sleep(15.0)  # longer than measure_every


@pytest.fixture(scope="module")
def after() -> tuple[dict[str, list[Sample]], dict[tuple[str, str], int]]:
    """Samples by the name of their metric; and how many cases of each code are open by the topic itself."""

    async def played() -> tuple[dict[str, list[Sample]], dict[tuple[str, str], int]]:
        async with House(stock=StockRules(mode="write", quiet_for=2, max_wait=10)) as house:
            house.outside.stock_up(50)
            await a_day_with_a_mishap_of_each_kind(house)
            counts: dict[tuple[str, str], int] = {}
            for case in cases_of(house.log):
                if case.open:
                    counts[case.brand, case.code] = counts.get((case.brand, case.code), 0) + 1
            return {family.name: family.samples for family in house.metrics.registry.collect()}, counts

    return run_virtual(played())


Day = tuple[dict[str, list[Sample]], dict[tuple[str, str], int]]


def closed_set() -> list[str]:
    return [family.name for family in Metrics().registry.collect()]


@pytest.mark.parametrize("name", closed_set())
def test_every_metric_is_set_by_the_roles(after: Day, name: str) -> None:
    samples = [sample for sample in after[0][name] if not sample.name.endswith("_created")]
    assert samples, f"{name}: nobody sets it"
    moved = any(sample.value for sample in samples)
    no_labels = all(not set(sample.labels) - {"le"} for sample in samples)

    assert moved or not no_labels or name in ONLY_BY_MISHAP, f"{name}: it has stayed at 0"


def test_every_exception_is_a_metric() -> None:
    assert set(ONLY_BY_MISHAP) <= set(closed_set())


def labels(samples: list[Sample], *names: str) -> set[tuple[str, ...]]:
    return {tuple(sample.labels[name] for name in names) for sample in samples}


def test_every_stage_of_both_brands_was_timed(after: Day) -> None:
    counts = [sample for sample in after[0]["lockstep_stage_seconds"] if sample.name.endswith("_count")]

    assert labels(counts, "brand", "stage") == {(brand, stage) for brand in ("acme", "brio") for stage in Stage}
    assert all(sample.value > 0 for sample in counts)


def test_what_the_erp_takes_is_seen_in_its_stage_and_in_no_other(after: Day) -> None:
    """The sandbox ERP posts six seconds after a despatch."""
    sums = {
        (sample.labels["stage"], sample.name.removeprefix("lockstep_stage_seconds_")): sample.value
        for sample in after[0]["lockstep_stage_seconds"]
        if sample.labels["brand"] == "acme" and sample.name.endswith(("_sum", "_count"))
    }
    mean = {stage: sums[stage, "sum"] / sums[stage, "count"] for stage in Stage}

    assert 6.0 <= mean[Stage.DESPATCHED_TO_POSTED] < 20.0
    assert mean[Stage.SNAPSHOT_TO_EVENT] < 1.0
    assert mean[Stage.EVENT_TO_COMMAND] < 1.0
    assert mean[Stage.WEBHOOK_TO_SNAPSHOT] < 1.0


@pytest.mark.parametrize("name", ["lockstep_api_budget", "lockstep_connection_well"])
def test_every_connection_of_every_brand_is_told(after: Day, name: str) -> None:
    samples = after[0][name]

    assert labels(samples, "brand", "system") == {(brand, system) for brand in ("acme", "brio") for system in System}
    assert all(0.0 <= sample.value <= 1.0 for sample in samples)
    assert name == "lockstep_api_budget" or all(sample.value == 1.0 for sample in samples)


def test_open_cases_are_those_of_the_topic(after: Day) -> None:
    told = {
        (sample.labels["brand"], sample.labels["code"]): int(sample.value)
        for sample in after[0]["lockstep_open_cases"]
        if sample.value
    }

    assert told == after[1]
    assert len(told) >= 4, "the planted ones"


def test_lag_and_keys_are_told_by_every_role(after: Day) -> None:
    roles = {*System, "normalise", "orders", "stock"}

    assert {role for (role,) in labels(after[0]["lockstep_lag_records"], "role")} == roles
    assert {role for (role,) in labels(after[0]["lockstep_keys"], "role")} == roles
    assert {role for (role,) in labels(after[0]["lockstep_step_seconds"], "role")} == {"normalise", "orders", "stock"}
