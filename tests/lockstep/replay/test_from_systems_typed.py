"""`rebuild --from-systems` as an operator types it, against the outside world on sockets and a real Kafka."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from kernel.clock import SystemClock
from kernel.kafka_log import KafkaLog
from lockstep.brand_files import ConfigurationError
from lockstep.cli.app import program
from lockstep.cli.common import out
from lockstep.demo.outside import Outside, configure_brands, make_outside
from lockstep.demo.wiring import wired
from lockstep.settings import SettingsError
from sandbox.faults import Faults
from sandbox.kafka import Broker
from schemas.topics import COMMANDS, HINTS, ORDERS_EVENTS, RAW
from tests.lockstep.brands import brand_file
from tests.lockstep.replay.test_from_systems import LEEDS

pytestmark = pytest.mark.kafka


@pytest.fixture(scope="module")
def bootstrap() -> Iterator[str]:
    """A broker of this module's own: our topics have fixed names."""
    with Broker() as broker:
        yield broker.bootstrap


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(out, "_width", 250)


async def typed(env: dict[str, str], line: str, *paths: Path) -> Result:
    arguments = [*line.split(), *(str(path) for path in paths)]
    return await asyncio.to_thread(CliRunner().invoke, program(), arguments, env=env)


def shop(outside: Outside) -> None:
    """One order that may leave, one that may not."""
    acme = outside.shop("acme")
    acme.route(acme.place_order([("0042-A", 2)], address=LEEDS), [11])
    acme.route(acme.place_order([("MUG-BLUE", 1)], address=None), [11])


def test_told_first_then_hinted_at(bootstrap: str, tmp_path: Path) -> None:
    async def story() -> None:
        clock = SystemClock()
        outside = make_outside(clock, 1, Faults())
        log = KafkaLog(bootstrap, client_id="test")
        async with AsyncExitStack() as stack:
            env = await wired(outside, None, bootstrap, tmp_path, stack)
            shop(outside)
            rebuild = f"rebuild --from-systems --work {tmp_path / 'work'}"
            await typed(env, "topics create")

            unknown = await typed(env, f"{rebuild} nobody")
            bare = await typed(env, f"{rebuild} acme")
            await configure_brands(log, clock.now() - timedelta(hours=1))
            dry = await typed(env, rebuild)
            before = await log.spans([topic.name for topic in HINTS.values()])
            done = await typed(env, f"{rebuild} --yes")

            assert isinstance(unknown.exception, SettingsError)
            assert "nobody: expected a brand of the connections file, found acme, brio" in str(unknown.exception)
            assert isinstance(bare.exception, ConfigurationError)
            assert "acme: expected a configuration, found none" in str(bare.exception)
            assert dry.exit_code == 1, dry.output
            assert "acme: 2 orders (2 by shopify, 0 by clarus, 0 by erp)" in dry.output
            assert "1 held for address_incomplete" in dry.output
            assert "would be sent: 1 orders" in dry.output
            assert "brio: 0 orders" in dry.output
            assert "acme is live: with --yes the roles that run send what would be sent." in dry.output
            assert "Example" not in dry.output, "nothing personal is printed"
            assert not any(span.end for span in before.values()), "without --yes nothing is hinted at"
            assert done.exit_code == 0, done.output
            assert "acme: 2 orders hinted at for all three systems" in done.output
            hinted = await log.spans([topic.name for topic in HINTS.values()])
            for topic in HINTS.values():
                assert sum(span.end for where, span in hinted.items() if where.topic == topic.name) == 2
            silent = [ORDERS_EVENTS.name, *(topic.name for topic in (*COMMANDS.values(), *RAW.values()))]
            assert not any(span.end for span in (await log.spans(silent)).values())
            assert not outside.clarus.goods_outs
            assert not list((tmp_path / "work").rglob("*.jsonl")), "what was read is not kept after its end"
        await outside.aclose()

    asyncio.run(story())


def test_without_any_kafka_the_configuration_comes_from_a_file(tmp_path: Path) -> None:
    async def story() -> None:
        outside = make_outside(SystemClock(), 1, Faults())
        async with AsyncExitStack() as stack:
            env = await wired(outside, None, "127.0.0.1:1", tmp_path, stack)
            shop(outside)
            file = brand_file(tmp_path)
            rebuild = f"rebuild --from-systems acme --work {tmp_path / 'work'} --config"

            dry = await typed(env, rebuild, file)
            refused = await typed(env, f"rebuild --from-systems acme --yes --work {tmp_path / 'work'} --config", file)
            stray = await typed(env, "rebuild acme")

            assert dry.exit_code in (0, 1), dry.output
            assert "acme: 2 orders" in dry.output
            assert isinstance(refused.exception, ConfigurationError)
            assert "--yes: expected the configuration in the log, found --config" in str(refused.exception)
            assert stray.exit_code == 2
            assert "brands are for --from-systems" in " ".join(stray.output.replace("│", " ").split())
        await outside.aclose()

    asyncio.run(story())


def test_a_system_that_is_away_is_named_and_what_was_read_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lockstep.patience.TRIES", 1)

    async def story() -> None:
        outside = make_outside(SystemClock(), 1, Faults())
        async with AsyncExitStack() as stack:
            env = await wired(outside, None, "127.0.0.1:1", tmp_path, stack)
        file = brand_file(tmp_path)

        away = await typed(env, f"rebuild --from-systems acme --work {tmp_path / 'work'} --config", file)

        assert away.exit_code == 2
        assert "acme: listing orders of shopify" in away.output
        assert "the same command goes on from there" in away.output
        await outside.aclose()

    asyncio.run(story())
