"""An office with chats: targets that write down what they are told, a log in memory, cases as the flow appends them."""

import asyncio
import json
from collections import defaultdict
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx

from kernel.clock import Clock, LoopClock
from kernel.log import Log, Producer
from kernel.memory_log import MemoryLog
from kernel.metrics import Metrics
from kernel.virtual_time import run_virtual
from lockstep.notices.role import Notices
from lockstep.notices.target import NoticeSettings
from schemas.avro import Codec
from schemas.base import Brand
from schemas.cases import CATALOGUE, Case
from schemas.topics import ALL, CASES
from tests.builders import ACME, NOON

CODEC = Codec((Case,))
SECRET = "a-secret-of-the-office"
PARTITIONS = 2


def a_target(name: str = "ops", **changes: object) -> dict[str, object]:
    return {"name": name, "url": f"https://{name}.test/hook", "secret": SECRET, "digest": False, **changes}


def gone_up(case: Case) -> Case:
    entry = CATALOGUE[case.code]
    at = case.opened_at + timedelta(seconds=entry.escalates_after)
    return case.model_copy(update={"escalated_at": at, "escalated_to": entry.escalates_to, "severity": entry.escalated})


def closed(case: Case) -> Case:
    return case.model_copy(update={"closed_at": NOON + timedelta(hours=1)})


@dataclass(frozen=True)
class Posted:
    target: str
    headers: httpx.Headers
    content: bytes
    at: float

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def said(self) -> dict[str, Any]:
        return dict(json.loads(self.content))

    @property
    def what(self) -> tuple[str, str]:
        """`("5012", "case.opened")`; of a digest its owner."""
        said = self.said
        return str(said["order"] if "order" in said else said["owner"]), str(said["kind"])


@dataclass
class Office:
    """`answers` decides what a target's name is answered with; every post is kept, also a refused one."""

    log: Log
    clock: Clock
    metrics: Metrics = field(default_factory=Metrics)
    answers: dict[str, Callable[[], httpx.Response]] = field(default_factory=dict)
    posts: list[Posted] = field(default_factory=list)
    taken: dict[str, list[Posted]] = field(default_factory=lambda: defaultdict(list))
    _running: list["asyncio.Task[None]"] = field(default_factory=list)
    _producer: Producer | None = None

    async def has(self, *cases: Case) -> None:
        """Append these, in order."""
        if self._producer is None:
            self._producer = self.log.producer()
            await self._producer.start()
        for case in cases:
            value, headers = CODEC.encode(case)
            await (await self._producer.send(CASES.name, key=case.key.encode(), value=value, headers=headers))

    async def starts(self, *targets: dict[str, object], brand: Brand = ACME, **settings: object) -> None:
        """One more process of the role, ready."""
        brands = {brand: NoticeSettings.model_validate({"to": targets, **settings})}
        notices = Notices(brands, self.log, self.clock, self.metrics, httpx.MockTransport(self._answer))
        self._running.append(asyncio.get_running_loop().create_task(notices.run()))
        while not notices.ready:
            await self.clock.sleep(0.1)

    async def ends(self) -> None:
        """All processes, in order."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        self._running.clear()
        if self._producer is not None:
            await self._producer.stop()
            self._producer = None

    def _answer(self, request: httpx.Request) -> httpx.Response:
        name = request.url.host.partition(".")[0]
        post = Posted(name, request.headers, request.content, self.clock.monotonic())
        self.posts.append(post)
        answer = self.answers.get(name, lambda: httpx.Response(204))()
        if answer.is_success:
            self.taken[name].append(post)
        return answer

    def told(self, name: str = "ops") -> list[tuple[str, str]]:
        return [post.what for post in self.taken[name]]

    async def passes(self, **time: float) -> None:
        await self.clock.sleep(timedelta(**time).total_seconds())


def an_office(start: datetime = NOON) -> Office:
    clock = LoopClock(start)
    return Office(MemoryLog(clock, {topic.name: PARTITIONS for topic in ALL}), clock)


def away() -> httpx.Response:
    raise httpx.ConnectError("nobody is there")


def told_in(
    made: Callable[..., Office], *at: datetime
) -> Callable[[Callable[[Office], Coroutine[Any, Any, None]]], Callable[[], None]]:
    """A test that runs in virtual time, in an office of its own."""

    def decorated(story: Callable[[Office], Coroutine[Any, Any, None]]) -> Callable[[], None]:
        async def whole() -> None:
            office = made(*at)
            try:
                await story(office)
            finally:
                await office.ends()

        def test() -> None:
            run_virtual(whole())

        test.__name__ = story.__name__
        return test

    return decorated
