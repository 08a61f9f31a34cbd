"""Kafka's security settings: typed, complete or refused, masked wherever they are printed, and really used."""

import asyncio
import logging
import shutil
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr
from typer.testing import CliRunner

from kernel.kafka_log import KafkaLog, KafkaSecurity
from kernel.log import LogError
from lockstep.cli.app import program
from lockstep.cli.common import settings
from lockstep.cli.configuration import as_variables
from lockstep.kafka import kafka_log
from lockstep.settings import KafkaSecuritySettings, Settings, SettingsError
from tests.lockstep.guarded import PASSWORD, USERNAME, certify, guarded_broker

VARIABLE = "LOCKSTEP_KAFKA_SECURITY__"


def chosen(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Settings:
    for name, value in variables.items():
        monkeypatch.setenv(f"{VARIABLE}{name.upper()}", value)
    return settings()


def test_without_any_setting_nothing_is_asked_of_the_broker() -> None:
    assert Settings().kafka_security.resolved() == KafkaSecurity()


def test_what_is_set_reaches_the_client(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    files = {name: str(tmp_path / name) for name in ("ca_file", "certificate", "certificate_key")}
    for path in files.values():
        Path(path).touch()
    mine = chosen(
        monkeypatch, protocol="SASL_SSL", mechanism="SCRAM-SHA-256", username="lockstep", password="s3cret", **files
    )

    assert mine.kafka_security.resolved() == KafkaSecurity(
        protocol="SASL_SSL",
        mechanism="SCRAM-SHA-256",
        username="lockstep",
        password="s3cret",
        ca_file=tmp_path / "ca_file",
        certificate=tmp_path / "certificate",
        certificate_key=tmp_path / "certificate_key",
    )


def test_every_field_of_the_client_can_be_set() -> None:
    assert set(KafkaSecuritySettings.model_fields) == set(KafkaSecurity.__dataclass_fields__)


def test_the_password_may_stay_where_the_platform_keeps_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("from-a-file\n")
    mine = chosen(monkeypatch, protocol="SASL_SSL", username="u", password=f"file:{tmp_path / 'password'}")
    assert mine.kafka_security.resolved().password == "from-a-file"

    monkeypatch.setenv("BROKER_PASSWORD", "from-the-environment")
    mine = chosen(monkeypatch, password="env:BROKER_PASSWORD")
    assert mine.kafka_security.resolved().password == "from-the-environment"

    mine = chosen(monkeypatch, password="env:NOT_SET_ANYWHERE")
    with pytest.raises(SettingsError, match="LOCKSTEP_KAFKA_SECURITY__PASSWORD: expected the environment variable"):
        kafka_log(mine, "test")


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"protocol": "TLS"}, "LOCKSTEP_KAFKA_SECURITY__PROTOCOL: expected 'PLAINTEXT'"),
        ({"protocol": "SASL_SSL"}, "expected username and password with protocol SASL_SSL, found no username and no"),
        ({"protocol": "SASL_SSL", "username": "u"}, "found no password"),
        ({"username": "u", "password": "s3cret"}, "given: expected protocol SASL_SSL (or SASL_PLAINTEXT), found PLAIN"),
        ({"protocol": "SSL", "password": "s3cret"}, "password given: expected protocol SASL_SSL"),
        ({"ca_file": "/ca.pem"}, "ca_file given: expected protocol SSL or SASL_SSL, found PLAINTEXT"),
        ({"protocol": "SSL", "certificate_key": "/key"}, "certificate_key given: expected certificate too"),
        ({"protocol": "SSL", "passwort": "s3cret"}, "LOCKSTEP_KAFKA_SECURITY__PASSWORT: expected a known name"),
    ],
)
def test_what_would_silently_not_be_used_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], said: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        chosen(monkeypatch, **variables)

    assert str(refused.value).startswith("LOCKSTEP_KAFKA_SECURITY")
    assert said in str(refused.value)
    assert "s3cret" not in str(refused.value)


def test_a_certificate_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    mine = chosen(monkeypatch, protocol="SSL", ca_file=str(tmp_path / "gone.pem"))

    with pytest.raises(SettingsError, match=r"__CA_FILE: expected a readable file, found none at .*gone\.pem"):
        kafka_log(mine, "test")


def secrets_in(model: type[BaseModel], path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Where a model keeps secrets, however deep."""
    found = []
    for name, field in model.model_fields.items():
        if SecretStr in (field.annotation, *getattr(field.annotation, "__args__", ())):
            found.append((*path, name))
        elif isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            found += secrets_in(field.annotation, (*path, name))
    return found


def test_config_show_prints_every_setting_and_masks_every_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = secrets_in(Settings)
    assert secrets == [("kafka_security", "password")], "a new secret: give it a value here"
    mine = chosen(monkeypatch, protocol="SASL_SSL", username="lockstep", password="s3cret")

    shown = dict(as_variables(mine))

    assert shown["LOCKSTEP_KAFKA_SECURITY__USERNAME"] == "lockstep"
    assert shown["LOCKSTEP_KAFKA_SECURITY__PASSWORD"] == "**********"
    assert shown["LOCKSTEP_RUNTIME__POLL_EVERY"] == "60.0"
    assert "s3cret" not in f"{shown} {mine} {mine!r} {mine.model_dump_json()} {mine.kafka_security.resolved()!r}"
    assert len(shown) == sum(
        len(value.__class__.model_fields) if isinstance(value, BaseModel) else 1 for _, value in mine
    )


# --- against a broker that asks


@pytest.fixture(scope="module", params=["SASL_PLAINTEXT", "SASL_SSL"])
def guarded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Variables that open the door of a broker."""
    variables = {
        f"{VARIABLE}PROTOCOL": request.param,
        f"{VARIABLE}MECHANISM": "PLAIN",
        f"{VARIABLE}USERNAME": USERNAME,
        f"{VARIABLE}PASSWORD": PASSWORD,
        "LOCKSTEP_PARTITIONS": "1",
        "LOCKSTEP_REPLICATION": "1",
    }
    asked: dict[str, str] = {}
    if request.param == "SASL_SSL":
        if shutil.which("openssl") is None:
            pytest.skip("no openssl here to make a certificate with")
        certificate, asked = certify(tmp_path_factory.mktemp("certificates"))
        variables[f"{VARIABLE}CA_FILE"] = str(certificate)
    with guarded_broker(request.param, asked) as bootstrap:
        yield variables | {"LOCKSTEP_KAFKA_BOOTSTRAP": bootstrap}


@pytest.mark.kafka
def test_topics_command_line_and_roles_get_in_with_the_password(
    guarded: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = CliRunner().invoke(program(), ["topics", "create"], env=guarded)
    assert "topics created" in made.output, made.output
    shown = CliRunner().invoke(program(), ["config", "show"], env=guarded | {"COLUMNS": "250"})
    assert shown.exit_code == 0, shown.output
    assert "**********" in shown.output
    assert PASSWORD not in shown.output

    for name, value in guarded.items():
        monkeypatch.setenv(name, value)

    async def story() -> None:
        log = kafka_log(settings(), "lockstep-intake")
        producer = log.producer()
        await producer.start()
        await (await producer.send("hints.erp", key=b"acme/1", value=b"{}"))
        await producer.stop()
        consumer = log.consumer("lockstep.erp", ["hints.erp"])
        await consumer.start()
        records: list[Any] = []
        while not records:
            records += await consumer.poll(timeout=1.0)
        await consumer.stop()
        assert [record.key for record in records] == [b"acme/1"]

    asyncio.run(asyncio.wait_for(story(), 60))


@pytest.mark.kafka
def test_a_wrong_password_does_not_get_in_and_is_told(
    guarded: dict[str, str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name, value in (guarded | {f"{VARIABLE}PASSWORD": "guessed"}).items():
        monkeypatch.setenv(name, value)
    caplog.set_level(logging.ERROR, "aiokafka")  # whoever ran a demo in this process has silenced it
    log: KafkaLog = kafka_log(settings(), "stranger")

    with pytest.raises(LogError) as refused:
        asyncio.run(asyncio.wait_for(log.cluster_id(), 60))

    assert "Authentication failed: Invalid username or password" in caplog.text, "the log says why"
    assert "guessed" not in f"{refused.value} {caplog.text}"
