"""The day at peak in small: it is stamped, tabulated, verified, rebuilt and put in place; nobody looks at how fast."""

import pytest

from benchmarks.day import run
from sandbox.kafka import Broker

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(170)]


def test_a_small_day_is_equal_in_table_log_and_rebuilt_table() -> None:
    with Broker() as broker:
        measured = run(400, 2, 2, broker.bootstrap, played=5)

    assert measured.equal
    assert {one.name for one in measured.figures} >= {
        "generated",
        "lockstep verify",
        "lockstep rebuild",
        "put in place",
    }
