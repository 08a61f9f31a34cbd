"""What every test may ask for. A broker is started only when a test needs one, once for the whole run."""

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.kafka import shared_broker
from tests.containers import container_broker, why_no_containers

CONTAINERS_WANTED = "LOCKSTEP_TEST_CONTAINERS"


@pytest.fixture(scope="session")
def kafka_bootstrap(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[str]:
    """A real broker, shared by all workers of the run: the one in LOCKSTEP_KAFKA_BOOTSTRAP, else our own.

    With LOCKSTEP_TEST_CONTAINERS=1 it runs in a container instead, one per worker, where a Docker engine answers.
    """
    if os.environ.get(CONTAINERS_WANTED) == "1":
        reason = why_no_containers()
        if reason:
            pytest.skip(f"{CONTAINERS_WANTED}=1, and {reason}")
        with container_broker() as bootstrap:
            yield bootstrap
        return
    folder: Path = tmp_path_factory.getbasetemp()
    if hasattr(pytestconfig, "workerinput"):  # under pytest-xdist each worker's folder lies in that of the run
        folder = folder.parent
    with shared_broker(folder / "kafka") as bootstrap:
        yield bootstrap


@pytest.fixture
def topic_prefix() -> str:
    """Begins the names of a test's topics and groups, so that tests on one broker do not meet."""
    return f"t{secrets.token_hex(5)}."
