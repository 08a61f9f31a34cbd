"""The doctor in front of a real Kafka: a fresh installation, then one that was neglected."""

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from typer.testing import CliRunner, Result

from kernel.kafka_log import KafkaLog
from kernel.log import Outgoing, Partition
from lockstep.cli.app import program
from lockstep.doctor.installation import READS
from sandbox.kafka import Broker
from schemas.avro import Codec
from schemas.base import OrderId
from schemas.cases import CATALOGUE, Case, CaseCode
from schemas.topics import ALL, CASES, DLQ, ORDERS_EVENTS, ORDERS_STATE
from streams.engine.changelog import Restored, restore
from streams.engine.prefix import Prefix, pack
from streams.rules.orders.state import Reached, first
from tests.builders import ACME, NOON, an_order
from tests.kernel.worlds import delete_before, running
from tests.lockstep.brands import brand_file, connections_file

pytestmark = pytest.mark.kafka
EVENTS = Partition(ORDERS_EVENTS.name, 0)

CHAT = """
[[acme.notices.to]]
name = "chat"
url = "https://chat.example.test/x"
secret = "sixteen bytes and more"
"""


@pytest.fixture(scope="module")
def bootstrap() -> Iterator[str]:
    """A broker of this module's own: our topics have fixed names."""
    with Broker() as broker:
        yield broker.bootstrap


def typed(bootstrap: str, line: str, *paths: Path, **variables: str) -> Result:
    small = {"LOCKSTEP_PARTITIONS": "2", "LOCKSTEP_REPLICATION": "1", "LOCKSTEP_KAFKA_BOOTSTRAP": bootstrap}
    arguments = [*line.split(), *(str(path) for path in paths)]
    return CliRunner().invoke(program(), arguments, env={**small, **variables})


def doctor(bootstrap: str, **variables: str) -> tuple[int, dict[str, list[dict[str, Any]]]]:
    """The exit code, and the findings by code."""
    ended = typed(bootstrap, "doctor --json", **variables)
    by_code: dict[str, list[dict[str, Any]]] = {}
    for finding in json.loads(ended.stdout)["findings"]:
        by_code.setdefault(finding["code"], []).append(finding)
    return ended.exit_code, by_code


def test_a_fresh_installation_is_well_with_advice(
    bootstrap: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACME_SHOPIFY_TOKEN", "token")
    monkeypatch.setenv("ACME_WEBHOOK_SECRET", "secret")
    typed(bootstrap, "topics create")
    typed(bootstrap, "config apply", brand_file(tmp_path))

    connections = connections_file(tmp_path)
    connections.write_text(connections.read_text() + CHAT)

    code, found = doctor(bootstrap, LOCKSTEP_CONNECTIONS=str(connections))

    assert code == 0
    assert set(found) == {"copy_single", "commit_missing", "group_without_members", "configuration_not_folded"}
    assert len(found["copy_single"]) == len(ALL)
    assert {one["where"] for one in found["group_without_members"]} == {*READS, "lockstep.notices.acme.chat"}
    (waiting,) = found["commit_missing"]
    assert waiting["where"] == "lockstep.normalise in config"
    assert all(one["do"] for findings in found.values() for one in findings)


def test_a_neglected_installation_is_told_what_is_lost_and_what_will_be(bootstrap: str) -> None:
    typed(bootstrap, "topics create")
    asyncio.run(neglect(bootstrap))

    code, found = doctor(bootstrap)
    said = typed(bootstrap, "doctor")

    assert (code, said.exit_code) == (1, 1)
    assert found["log_begins_late"][0]["where"] == "orders.events/0"
    assert "offset 2: everything before" in found["log_begins_late"][0]["found"]
    assert "(30 days)" in found["log_forgets"][0]["found"]
    assert found["unread_deleted"][0]["found"] == "offset 1: 1 records were deleted unread"
    assert found["state_ahead_of_log"][0]["found"] == "offset 900"
    assert found["state_of_another_cluster"][0]["found"] == "cluster another"
    assert found["open_orders_outlive_log"][0]["where"] == "orders.events/0"
    assert found["state_unreadable"][0]["found"] == "1 it cannot"
    assert found["dead_letters"][0]["where"] == "raw.erp"
    assert found["cases_overdue"][0]["found"] == "1 of 1 open cases"
    assert found["connections_unnamed"]
    told = " ".join(said.stdout.split())
    assert "stops a rebuild log_begins_late orders.events/0" in told
    assert "findings stop a rebuild or risk loss" in told
    assert "What to do:" in told


def test_what_is_folded_while_it_looks_is_not_ahead_of_the_log(bootstrap: str, monkeypatch: pytest.MonkeyPatch) -> None:
    typed(bootstrap, "topics create")

    async def meanwhile(log: KafkaLog, topic: str, numbers: Sequence[int]) -> Mapping[int, Restored]:
        """An event is appended, and a worker folds it, just before the states are read."""
        async with running(log.producer()) as producer:
            event = await (await producer.send(EVENTS.topic, key=b"acme/7001", value=b"event", partition=1))
            state = first(ACME, OrderId("7001"), NOON).model_copy(update={"last_offset": event.offset})
            kept = pack(Prefix(event.offset, None, 1), state.model_dump_json(exclude_defaults=True).encode())
            await (await producer.send(ORDERS_STATE.name, key=b"acme/7001", value=kept, partition=1))
        return await restore(log, topic, numbers)

    monkeypatch.setattr("lockstep.doctor.look.restore", meanwhile)
    _, found = doctor(bootstrap)

    ahead = [one["where"] for one in found.get("state_ahead_of_log", [])]
    assert "orders.state/1" not in ahead


async def neglect(bootstrap: str) -> None:
    """Retention cut and used, a state from elsewhere, a letter nobody read, a case nobody closed."""
    log = KafkaLog(bootstrap, client_id="test")
    async with running(log.producer()) as producer:
        await (await producer.send_many(records()))
    async with running(log.consumer("lockstep.orders", [EVENTS.topic])) as consumer:
        await consumer.commit({EVENTS: 1})
    await delete_before(bootstrap, EVENTS, 2)
    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await client.start()
    month = {**ORDERS_EVENTS.configuration(), "retention.ms": str(30 * 86_400_000)}
    await client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, EVENTS.topic, month)])
    await client.close()


def records() -> Sequence[Outgoing]:
    entry = CATALOGUE[CaseCode.ERP_NOT_POSTED]
    late = Case(
        brand=ACME,
        order=OrderId("6001"),
        object="acme/6001",
        code=CaseCode.ERP_NOT_POSTED,
        opened_at=NOON - timedelta(days=900),
        due_at=NOON - timedelta(days=899),
        owner=entry.owner,
        severity=entry.severity,
    )
    value, headers = Codec((Case,)).encode(late)
    order = (
        an_order("6001")
        .with_line("0042-A", 1)
        .order.model_copy(update={"created_at": datetime(2020, 1, 1, tzinfo=UTC)})
    )
    reached = Reached(topic="raw.shopify", cluster="another", partition=0, offset=5)
    state = first(ACME, OrderId("6001"), NOON).model_copy(
        update={"last_offset": 900, "seen": (reached,), "shopify": order}
    )
    kept = pack(Prefix(900, None, 1), state.model_dump_json(exclude_defaults=True).encode())
    lies = {"topic": b"raw.erp", "partition": b"1", "offset": b"17", "reason": b"?", "stage": b"normalise"}
    return [
        *(Outgoing(EVENTS.topic, b"acme/6001", b"event", {}, 0) for _ in range(4)),
        Outgoing(ORDERS_STATE.name, b"acme/6001", kept, {}, 0),
        Outgoing(ORDERS_STATE.name, b"acme/6002", pack(Prefix(1, None, 1), b"{}"), {}, 0),
        Outgoing(CASES.name, late.key.encode(), value, headers),
        Outgoing(DLQ.name, b"acme/6001", b"?", lies),
    ]
