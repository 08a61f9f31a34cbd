"""The command line against a real Kafka: what an operator types, what is told, what lies in the log afterwards."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import BaseModel
from typer.testing import CliRunner, Result

from kernel.kafka_log import KafkaLog
from kernel.log import Log, Record
from lockstep.brand_files import ConfigurationError
from lockstep.cli.app import program
from lockstep.cli.common import out
from lockstep.reading import everything, newest_configs
from sandbox.kafka import Broker
from schemas.actions import OperatorAction
from schemas.avro import Codec
from schemas.base import Brand, OrderId, OrderKey, order_key
from schemas.events import CONFIG_ID, EVENT_KINDS, ConfigChanged, GoodsOutsSeen, OrderEvent, ShopifyOrderSeen, Source
from schemas.topics import ALL, CONFIG, OPERATOR_ACTIONS, ORDERS_EVENTS
from tests.builders import ACME, NOON, a_brand, a_goods_out, an_order
from tests.lockstep.brands import brand_file

pytestmark = pytest.mark.kafka
PARTITIONS = 3
SMALL = {"LOCKSTEP_PARTITIONS": str(PARTITIONS), "LOCKSTEP_REPLICATION": "1"}


@dataclass(frozen=True)
class Terminal:
    """Somebody at the command line, in front of a broker of this module's own: our topics have fixed names."""

    bootstrap: str
    first_words: str
    """What `topics create` said on the empty broker."""

    def types(self, line: str, *paths: Path, **variables: str) -> Result:
        return types(self.bootstrap, line, *paths, **variables)

    @property
    def log(self) -> Log:
        return KafkaLog(self.bootstrap, client_id="test")

    def read(self, topic: str) -> list[Record]:
        async def all_of_it() -> list[Record]:
            async with everything(self.log, [topic]) as records:
                return [record async for record in records]

        return asyncio.run(all_of_it())

    def actions(self, order: OrderKey) -> list[OperatorAction]:
        records = [record for record in self.read(OPERATOR_ACTIONS.name) if record.key == order.encode()]
        return [OperatorAction.model_validate_json(record.value or b"") for record in records]

    def append(self, topic: str, records: Sequence[tuple[str, BaseModel, Codec]]) -> None:
        async def all_of_them() -> None:
            producer = self.log.producer()
            await producer.start()
            for key, record, codec in records:
                value, headers = codec.encode(record)
                await (await producer.send(topic, key=key.encode(), value=value, headers=headers))
            await producer.stop()

        asyncio.run(all_of_them())


def types(bootstrap: str, line: str, *paths: Path, **variables: str) -> Result:
    arguments = [*line.split(), *(str(path) for path in paths)]
    return CliRunner().invoke(program(), arguments, env={**SMALL, "LOCKSTEP_KAFKA_BOOTSTRAP": bootstrap, **variables})


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """No line is folded, however wide the real terminal is."""
    monkeypatch.setattr(out, "_width", 250)


@pytest.fixture(scope="module")
def terminal() -> Iterator[Terminal]:
    with Broker() as broker:
        yield Terminal(broker.bootstrap, types(broker.bootstrap, "topics create").output)


def test_topics_are_made_once(terminal: Terminal) -> None:
    again = terminal.types("topics create")

    assert terminal.first_words == f"{len(ALL)} topics created, 0 were there.\n"
    assert again.output == f"0 topics created, {len(ALL)} were there.\n"
    assert asyncio.run(terminal.log.partitions(ORDERS_EVENTS.name)) == PARTITIONS


def test_topics_that_differ_are_refused_with_what_to_do(terminal: Terminal) -> None:
    refused = terminal.types("topics create", LOCKSTEP_PARTITIONS="5")

    assert f"orders.events: expected 5 partitions, found {PARTITIONS}" in str(refused.exception)
    assert "set LOCKSTEP_PARTITIONS to what is there" in str(refused.exception)


def test_topics_are_listed_with_how_long_they_are_kept(terminal: Terminal) -> None:
    listed = terminal.types("topics list").output

    assert all(topic.name in listed for topic in ALL)
    (events,) = (line for line in listed.splitlines() if line.startswith(" orders.events"))
    assert "for ever" in events


def test_a_good_file_is_checked_and_nothing_is_published(terminal: Terminal, tmp_path: Path) -> None:
    twice = '[[shipping]]\ncode = "standard"\ncarrier = "DPD"\nservice = "AM12"\n\n[[carriers]]'
    doubtful = brand_file(tmp_path, "[[carriers]]", twice, brand="checked")
    assert "shipping.1 is never reached: shipping.0 fits" in terminal.types("config check", doubtful).output
    checked = terminal.types("config check", brand_file(tmp_path, brand="checked"))

    assert checked.exit_code == 0
    assert "brand checked, mode live, 1 warehouses, 1 shipping lines mapped: good." in checked.output
    assert not [record for record in terminal.read(CONFIG.name) if record.key == b"checked"]


def test_each_apply_is_the_next_version(terminal: Terminal, tmp_path: Path) -> None:
    first = terminal.types("config apply", brand_file(tmp_path, brand="applied"))
    second = terminal.types("config apply", brand_file(tmp_path, "hold = 3600", "hold = 60", brand="applied"))

    assert "brand applied: version 1 published" in first.output
    assert "brand applied: version 2 published" in second.output
    assert asyncio.run(newest_configs(terminal.log))[Brand("applied")].waits.hold == 60


def test_a_refused_file_leaves_the_last_good_configuration(terminal: Terminal, tmp_path: Path) -> None:
    terminal.types("config apply", brand_file(tmp_path, brand="steady"))

    refused = terminal.types("config apply", brand_file(tmp_path, 'account = "ACME"\n', "", brand="steady"))

    assert isinstance(refused.exception, ConfigurationError)
    assert "account: expected a value, found none" in str(refused.exception)
    assert "steady" in terminal.types("config show").output
    kept = asyncio.run(newest_configs(terminal.log))[Brand("steady")]
    assert (kept.version, kept.account) == (1, "ACME")


def test_show_prints_settings_and_every_brand(terminal: Terminal, tmp_path: Path) -> None:
    terminal.types("config apply", brand_file(tmp_path, brand="shown"))

    shown = terminal.types("config show").output

    assert "LOCKSTEP_KAFKA_BOOTSTRAP" in shown
    assert terminal.bootstrap in shown
    assert "shown version 1, mode live" in shown
    assert '"warehouse": "LDS1"' in shown


def test_pause_and_resume_are_new_versions_of_the_configuration(terminal: Terminal, tmp_path: Path) -> None:
    terminal.types("config apply", brand_file(tmp_path, brand="paused"))

    paused = terminal.types("pause paused clarus")
    more = terminal.types("pause paused")
    some = terminal.types("resume paused shopify")
    none = terminal.types("resume paused")
    again = terminal.types("resume paused erp")

    assert paused.output == "brand paused: paused for clarus (configuration version 2).\n"
    assert more.output == "brand paused: paused for shopify, clarus, erp (configuration version 3).\n"
    assert some.output == "brand paused: paused for clarus, erp (configuration version 4).\n"
    assert none.output == "brand paused: goes on, paused for nothing (configuration version 5).\n"
    assert again.output == "brand paused: goes on, paused for nothing (as before; nothing was published).\n"


def test_a_file_that_names_no_pause_ends_none(terminal: Terminal, tmp_path: Path) -> None:
    terminal.types("config apply", brand_file(tmp_path, brand="stopped"))
    terminal.types("pause stopped clarus")

    applied = terminal.types("config apply", brand_file(tmp_path, "hold = 3600", "hold = 60", brand="stopped"))
    assert "version 3 published, mode live, paused: clarus" in applied.output
    assert "`lockstep resume stopped` ends that" in applied.output

    named = brand_file(tmp_path, 'account = "ACME"\n', 'account = "ACME"\npaused = []\n', brand="stopped")
    assert "paused" not in terminal.types("config apply", named).output
    assert "(as before; nothing was published)" in terminal.types("resume stopped").output


def test_a_brand_that_nobody_configured_cannot_be_paused(terminal: Terminal) -> None:
    refused = terminal.types("pause nobody")

    assert "nobody: expected a configured brand, found none; see `lockstep config apply`" in str(refused.exception)


def test_what_a_person_asks_for_reaches_the_broker(terminal: Terminal, tmp_path: Path) -> None:
    terminal.types("config apply", brand_file(tmp_path))

    asked = terminal.types("case override acme/7001 payment_not_met --why trusted", LOCKSTEP_OPERATOR="kim")

    (written,) = terminal.actions(OrderKey("acme/7001"))
    assert asked.exit_code == 0
    assert (written.action, written.why, written.who) == ("override", "trusted", "kim")


def seen(event: OrderEvent) -> tuple[str, BaseModel, Codec]:
    return event.key, event, Codec(EVENT_KINDS)


def a_source(topic: str, offset: int) -> Source:
    return Source(topic=topic, cluster="c", partition=0, offset=offset)


def test_show_tells_an_order_from_the_log(terminal: Terminal) -> None:
    order = OrderId("8001")
    key = order_key(ACME, order)
    shop = an_order(order).with_line("0042-A", 2).routed().order
    goods_out = a_goods_out(f"ACME-{order}-71-1").with_line("901", "0042-A", 2).picking().goods_out
    config = ConfigChanged(brand=ACME, order=CONFIG_ID, source=a_source("config", 0), config=a_brand())
    events = [
        ShopifyOrderSeen(
            brand=ACME, order=order, source=a_source("raw.shopify", 0), epoch=0, read_started_at=NOON, snapshot=shop
        ),
        GoodsOutsSeen(
            brand=ACME,
            order=order,
            source=a_source("raw.clarus", 0),
            epoch=0,
            read_started_at=NOON,
            goods_outs=(goods_out,),
            complete=True,
        ),
    ]
    encoded = Codec(EVENT_KINDS).encode(config)

    async def configured() -> None:
        producer = terminal.log.producer()
        await producer.start()
        for number in range(PARTITIONS):
            sent = await producer.send(
                ORDERS_EVENTS.name, key=config.key.encode(), value=encoded[0], headers=encoded[1], partition=number
            )
            await sent
        await producer.stop()

    asyncio.run(configured())
    terminal.append(ORDERS_EVENTS.name, [seen(event) for event in events])

    shown = terminal.types(f"show {key}")

    assert shown.exit_code == 0
    assert "fulfilment order 71 OPEN: 2 units to go" in shown.output
    assert f"ACME-{order}-71-1 PICK, 0 of 2 units despatched" in shown.output
    assert "no sales order" in shown.output
    assert "Clarus: ACME-8001-71-1 PICK" in shown.output
    assert "R. Example" not in shown.output, "nothing personal is printed"


def test_show_of_an_unknown_order_says_what_to_do(terminal: Terminal, tmp_path: Path) -> None:
    terminal.types("config apply", brand_file(tmp_path))

    shown = terminal.types("show acme/9999")

    assert shown.exit_code == 1
    assert "acme/9999: not in the log" in shown.output
    assert "lockstep refresh acme/9999" in shown.output
    assert "acme/#9999" in shown.output
