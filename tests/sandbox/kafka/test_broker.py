"""The broker of laptops and tests: up, frozen, killed, back with its data, and never left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # ships no types
import pytest

from sandbox.cache import cache_root
from sandbox.kafka import Broker, Cluster, KafkaFailedError, broker_or_external
from sandbox.kafka.probe import brokers_known
from sandbox.kafka.runs import run_folder

pytestmark = pytest.mark.kafka

OWNER = """
import signal
from sandbox.kafka import Broker
broker = Broker()
broker.start()
print(broker.node.process_id, flush=True)
signal.pause()
"""


@pytest.fixture(scope="module")
def broker() -> Iterator[Broker]:
    with Broker() as running:
        yield running


def eventually(holds: Callable[[], bool], *, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not so after {seconds} s"
        time.sleep(0.02)


def test_a_started_broker_answers_with_its_own_id(broker: Broker) -> None:
    assert brokers_known(broker.node.seat.port) == {1}


def test_a_killed_broker_comes_back_on_the_same_address(broker: Broker) -> None:
    address, process = broker.bootstrap, broker.node.process_id
    broker.kill()
    assert not psutil.pid_exists(process)
    with pytest.raises(OSError, match="refused"):
        brokers_known(broker.node.seat.port)
    broker.restart()
    assert broker.bootstrap == address
    assert brokers_known(broker.node.seat.port) == {1}


def test_a_paused_broker_accepts_connections_and_answers_nobody_until_it_is_resumed(broker: Broker) -> None:
    broker.pause()
    with pytest.raises(TimeoutError):
        brokers_known(broker.node.seat.port, timeout=0.3)
    broker.resume()
    assert brokers_known(broker.node.seat.port, timeout=10) == {1}


@pytest.mark.parametrize("paused", [False, True])
def test_a_broker_ends_with_its_owner_even_when_that_one_is_killed(paused: bool) -> None:
    owner = subprocess.Popen([sys.executable, "-c", OWNER], stdout=subprocess.PIPE, cwd=Path.cwd())
    assert owner.stdout is not None
    with owner.stdout:
        broker_process = int(owner.stdout.readline())
    if paused:
        os.kill(broker_process, signal.SIGSTOP)
    owner.kill()
    owner.wait()
    eventually(lambda: not psutil.pid_exists(broker_process))


def test_the_folder_of_a_killed_owner_is_removed_by_whoever_comes_next() -> None:
    left_behind = cache_root() / "kafka" / "runs" / "left-behind"
    left_behind.mkdir(parents=True)
    (left_behind / "owner.lock").touch()
    with run_folder() as ours:
        assert not left_behind.exists()
        with run_folder():
            assert ours.exists(), "a living owner keeps its folder"
    assert not ours.exists()


def test_a_broker_that_cannot_start_says_what_it_printed() -> None:
    refused = Broker(settings={"num.io.threads": "none"})
    with pytest.raises(KafkaFailedError, match=r"(?s)ended while starting.*num\.io\.threads"):
        refused.start()
    with pytest.raises(KafkaFailedError, match="not started"):
        _ = refused.bootstrap


def test_a_cluster_goes_on_without_one_of_its_brokers() -> None:
    with Cluster(3) as cluster:
        first, second, third = cluster.nodes
        second.kill()
        eventually(lambda: brokers_known(first.seat.port) == {1, 3})
        second.restart()
        eventually(lambda: brokers_known(third.seat.port) == {1, 2, 3})


def test_a_named_broker_is_used_and_none_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCKSTEP_KAFKA_BOOTSTRAP", "kafka.example:9092")
    with broker_or_external() as bootstrap:
        assert bootstrap == "kafka.example:9092"
