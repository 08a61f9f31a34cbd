"""A story on the real broker, in a corner of its own, with processes that end with it."""

from pathlib import Path

import pytest

from tests.engine.stage import Play, player


@pytest.fixture
def play(kafka_bootstrap: str, topic_prefix: str, tmp_path: Path) -> Play:
    return player(kafka_bootstrap, topic_prefix, tmp_path)
