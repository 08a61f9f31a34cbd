"""Where there is nothing to judge: a message, and exit code 2."""

import pytest

from sandbox.kafka.ports import free_ports
from tests.lockstep.test_main import said


def test_brokers_that_do_not_answer(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (port,) = free_ports(1)
    monkeypatch.setenv("LOCKSTEP_KAFKA_BOOTSTRAP", f"127.0.0.1:{port}")

    code, message = said(monkeypatch, capsys, "doctor")

    assert code == 2
    assert (
        f"lockstep: reaching Kafka at 127.0.0.1:{port}: expected a broker, found none that answers: is Kafka running "
        "there, is LOCKSTEP_KAFKA_BOOTSTRAP right, and do LOCKSTEP_KAFKA_SECURITY__PROTOCOL and its credentials fit "
        "the brokers?\n"
    ) in message
