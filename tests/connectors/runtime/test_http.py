"""How long a busy system is left alone, by what it says."""

import httpx
import pytest

from connectors.runtime.http import RETRY_AFTER_MOST, RETRY_AFTER_SECONDS, retry_after

NOW = "Thu, 05 Nov 2026 12:00:00 GMT"


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "0.2"}, 1.0),
        ({"Retry-After": "-5"}, 1.0),
        ({"Retry-After": "86400"}, RETRY_AFTER_MOST),
        ({"Retry-After": "1e400"}, RETRY_AFTER_MOST),
        ({"Retry-After": "nan"}, 1.0),
        ({"Retry-After": "Thu, 05 Nov 2026 12:00:30 GMT", "Date": NOW}, 30.0),
        ({"Retry-After": "Thu, 05 Nov 2026 11:00:00 GMT", "Date": NOW}, 1.0),
        ({"Retry-After": "Thu, 05 Nov 2026 12:00:30 GMT"}, RETRY_AFTER_SECONDS),
        ({"Retry-After": "soon", "Date": NOW}, RETRY_AFTER_SECONDS),
        ({}, RETRY_AFTER_SECONDS),
    ],
)
def test_it_is_a_number_of_seconds_or_a_date_by_its_own_clock(said: dict[str, str], seconds: float) -> None:
    assert retry_after(httpx.Response(429, headers=said)) == seconds
