"""What is typed to `verify` and `rebuild`, refused before anything is folded."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from kernel.clock import LoopClock
from kernel.memory_log import MemoryLog
from kernel.virtual_time import VirtualTimeLoop
from lockstep.brand_files import ConfigurationError
from lockstep.cli import replay
from lockstep.replay.verify import Plan
from schemas.base import Brand
from schemas.topics import ALL, ORDERS_STATE
from tests.builders import NOON, a_brand
from tests.lockstep.desk import Desk


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """acme is configured; of gone, which nobody configures any more, the table has an order."""
    clock = LoopClock(NOON)
    log = MemoryLog(clock, {topic.name: 2 for topic in ALL})
    monkeypatch.setattr(replay, "kafka_log", lambda *_: log)

    async def kept() -> None:
        producer = log.producer()
        await producer.start()
        await (await producer.send(ORDERS_STATE.name, key=b"gone/5012", value=b"a state"))
        await producer.stop()

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        desk = Desk(monkeypatch, runner, log, clock)
        desk.configures(a_brand())
        runner.run(kept())
        yield desk


@pytest.mark.parametrize("command", ["verify", "rebuild", "rebuild --yes", "verify --table stock"])
def test_a_mistyped_brand_to_leave_out_is_refused(desk: Desk, tmp_path: Path, command: str) -> None:
    refused = desk.types(f"{command} --without-brand acme --without-brand acm --work {tmp_path}")

    assert isinstance(refused.exception, ConfigurationError)
    assert str(refused.exception).startswith("--without-brand acm: expected a brand of the log, found acme")


def test_a_brand_that_nobody_configures_any_more_may_be_left_out(desk: Desk, tmp_path: Path) -> None:
    replay.known(Plan(tmp_path, 1, (Brand("acme"), Brand("gone"))))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("acme", "brands are for --from-systems, found acme"),
        ("--config acme.toml", "--config is for --from-systems, found acme.toml"),
        ("--send-unsent", "--send-unsent is for --yes"),
        ("--from-systems --send-unsent", "--send-unsent is for a rebuild from the log"),
        ("--from-systems --without-brand acme", "--without-brand is for a rebuild from the log"),
        ("--table stock --config acme.toml", "--table stock goes with --yes alone"),
    ],
)
def test_an_option_without_the_one_it_belongs_to_is_refused(desk: Desk, options: str, says: str) -> None:
    refused = desk.types(f"rebuild {options}")

    assert refused.exit_code == 2
    assert says in " ".join(refused.output.replace("│", " ").split())
