"""Posting to one target: signed, not too fast, again and again with growing pauses while it is away.

The signature is that of Standard Webhooks: `webhook-id`, `webhook-timestamp` and `webhook-signature`, which is
`v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`. The id stays the same when a notice is sent again.
"""

import asyncio
import base64
import hmac
from enum import StrEnum
from hashlib import sha256

import httpx
import structlog
from prometheus_client import Gauge

from kernel.clock import Clock
from kernel.metrics import Metrics
from lockstep.notices.target import NoticeTarget, key_of
from schemas.base import Brand

_log = structlog.get_logger(__name__)

ANSWERED_WITHIN = 10.0
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 300.0
NO_TIME = 0.001
REFUSED_FOR_GOOD = (400, 413, 422)
"""It is this notice that is refused, not all of them: given up after some tries."""
TRIES = 5


class Sent(StrEnum):
    DELIVERED = "delivered"
    FAILED = "failed"
    """To be tried again after `wait`."""
    REFUSED = "refused"
    """Given up: the target answered, often enough, that it does not take this one."""


def signature(key: bytes, id_: str, timestamp: int, content: bytes) -> str:
    signed = hmac.new(key, f"{id_}.{timestamp}.".encode() + content, sha256).digest()
    return f"v1,{base64.b64encode(signed).decode()}"


class Courier:
    """Of one target. Whoever sends waits `wait()` seconds first."""

    def __init__(
        self, brand: Brand, target: NoticeTarget, client: httpx.AsyncClient, clock: Clock, metrics: Metrics
    ) -> None:
        self._brand, self._target = brand, target
        self._client, self._clock, self._metrics = client, clock, metrics
        self._next = 0.0
        self._failures = 0
        self._tries: tuple[str, int] = ("", 0)
        self._one_at_a_time = asyncio.Lock()
        self._well().set(1)

    def wait(self) -> float:
        """Seconds until the next may be sent; 0 when so little is left that no timer would notice."""
        left = self._next - self._clock.monotonic()
        return left if left > NO_TIME else 0.0

    async def send(self, id_: str, content: bytes) -> Sent:
        async with self._one_at_a_time:
            status, pause = await self._post(id_, content)
            if status is not None and 200 <= status < 300:
                self._succeeded()
                outcome = Sent.DELIVERED
            elif status in REFUSED_FOR_GOOD and self._tried(id_) >= TRIES:
                _log.error("notices.refused", brand=self._brand, target=self._target.name, id=id_, status=status)
                self._succeeded()
                outcome = Sent.REFUSED
            else:
                self._failed(status, pause)
                outcome = Sent.FAILED
        self._metrics.notices.labels(self._brand, self._target.name, outcome).inc()
        return outcome

    async def _post(self, id_: str, content: bytes) -> tuple[int | None, float]:
        """The status, None for no answer in time, and how long the target asks us to wait. What else it says is not
        read.
        """
        timestamp = int(self._clock.now().timestamp())
        headers = {
            "content-type": "application/json",
            "webhook-id": id_,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature(key_of(self._target.secret), id_, timestamp, content),
        }
        try:
            url = self._target.url.get_secret_value()
            async with (
                asyncio.timeout(ANSWERED_WITHIN),
                self._client.stream("POST", url, content=content, headers=headers, timeout=ANSWERED_WITHIN) as answer,
            ):
                asked = answer.headers.get("retry-after", "")
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError):
            return None, 0.0
        return answer.status_code, float(asked) if asked.isascii() and asked.isdigit() else 0.0

    def _succeeded(self) -> None:
        if self._failures:
            _log.info("notices.target_well", brand=self._brand, target=self._target.name, after_tries=self._failures)
        self._failures = 0
        self._well().set(1)
        self._next = self._clock.monotonic() + 60.0 / self._target.per_minute

    def _failed(self, status: int | None, asked: float) -> None:
        pause = min(LONGEST_PAUSE, max(asked, FIRST_PAUSE * 2.0 ** min(self._failures, 10)))
        self._failures += 1
        self._well().set(0)
        self._next = self._clock.monotonic() + pause
        if self._failures.bit_count() == 1:  # the 1st, 2nd, 4th, 8th time
            _log.warning(
                "notices.target_away",
                brand=self._brand, target=self._target.name, status=status, tries=self._failures, again_in=pause,
            )  # fmt: skip

    def _tried(self, id_: str) -> int:
        known, tries = self._tries
        self._tries = (id_, tries + 1 if known == id_ else 1)
        return self._tries[1]

    def _well(self) -> Gauge:
        return self._metrics.notice_target.labels(self._brand, self._target.name)
