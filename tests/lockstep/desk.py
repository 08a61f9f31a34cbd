"""Somebody at the command line, in front of a log in memory: what is typed, and what it says."""

import asyncio
import shlex
from collections.abc import Iterable
from datetime import datetime

import pytest
from typer.testing import CliRunner, Result

from kernel.clock import Clock
from kernel.memory_log import MemoryLog
from kernel.partitioner import partition_of
from lockstep.cli import acting, common
from lockstep.cli import cases as case_commands
from lockstep.cli import sweep as sweep_command
from lockstep.cli.app import program
from schemas.actions import OperatorAction
from schemas.avro import Codec
from schemas.cases import Case
from schemas.config import BrandConfig
from schemas.topics import CASES, CONFIG, OPERATOR_ACTIONS, ORDERS_EVENTS, ORDERS_STATE, Topic
from tests.stock_story import StockStory
from tests.story import Story

CODEC = Codec((Case,))


class Desk:
    """Its commands run on the runner's loop; whatever else lives there goes on meanwhile."""

    def __init__(self, patch: pytest.MonkeyPatch, runner: asyncio.Runner, log: MemoryLog, clock: Clock) -> None:
        self.runner, self.log = runner, log
        patch.setattr(common, "kafka_log", lambda *_: log)
        patch.setattr(acting, "now", lambda: self._now(clock))
        patch.setattr(case_commands, "now", lambda: self._now(clock))
        patch.setattr(sweep_command, "now", lambda: self._now(clock))
        patch.setattr(common.out, "_width", 250)
        patch.setattr(asyncio, "run", runner.run)

    def _now(self, clock: Clock) -> datetime:
        async def ask() -> datetime:
            return clock.now()

        if self.runner.get_loop().is_running():
            return clock.now()
        return self.runner.run(ask())

    def types(self, line: str, handle: str = "kim") -> Result:
        return CliRunner().invoke(program(), shlex.split(line), env={"LOCKSTEP_OPERATOR": handle, "COLUMNS": "250"})

    def reads(self, line: str, handle: str = "kim") -> str:
        """What a command that must succeed says."""
        result = self.types(line, handle)
        assert result.exit_code == 0, result.output
        return result.output

    def has(self, cases: Iterable[Case]) -> None:
        """Append these to the `cases` topic."""

        async def append() -> None:
            producer = self.log.producer()
            await producer.start()
            for case in cases:
                value, headers = CODEC.encode(case)
                await (await producer.send(CASES.name, key=case.key.encode(), value=value, headers=headers))
            await producer.stop()

        self.runner.run(append())

    def configures(self, *configs: BrandConfig) -> None:
        """Append configurations to their topic."""

        async def append() -> None:
            producer = self.log.producer()
            await producer.start()
            for config in configs:
                value = config.model_dump_json().encode()
                await (await producer.send(CONFIG.name, key=config.brand.encode(), value=value))
            await producer.stop()

        self.runner.run(append())

    def tells(self, story: Story) -> None:
        """Append a story's events to the log, all in the partition of its order."""
        number = partition_of(f"{story.brand()}/{story.order}".encode(), self.log.count(ORDERS_EVENTS.name))

        async def append() -> None:
            producer = self.log.producer()
            await producer.start()
            for one in story.log:
                sent = await producer.send(
                    ORDERS_EVENTS.name, key=one.key, value=one.value, headers=one.headers, partition=number
                )
                await sent
            await producer.stop()

        self.runner.run(append())

    def keeps(self, story: Story | StockStory, topic: Topic = ORDERS_STATE) -> None:
        """Append a story's table to its changelog, and its configuration to its topic."""

        async def append() -> None:
            producer = self.log.producer()
            await producer.start()
            for key, value in story.changelog.items():
                number = partition_of(key, self.log.count(topic.name))
                await (await producer.send(topic.name, key=key, value=value, partition=number))
            await producer.stop()

        self.runner.run(append())
        self.configures(story.config)

    def written(self) -> list[OperatorAction]:
        """Every action asked for, in order."""
        return [OperatorAction.model_validate_json(one.value or b"") for one in self.log.records(OPERATOR_ACTIONS.name)]
