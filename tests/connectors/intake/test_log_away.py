"""Nothing is answered 200 that the broker has not acknowledged; when it is away the sender hears it in time."""

import asyncio
import time
from collections.abc import Awaitable, Iterator, Mapping

import httpx
import pytest

from connectors.intake.app import create_intake
from connectors.intake.settings import IntakeSettings
from kernel.clock import SystemClock
from kernel.kafka_log import KafkaLog, TopicSpec
from kernel.log import Appended, Partition, Producer, RecordTooLarge
from kernel.metrics import Metrics
from kernel.virtual_time import run_virtual
from sandbox.kafka import Broker
from schemas.hints import Hint
from schemas.topics import HINTS
from tests.connectors.intake.door import ACME, BODY, NINE, SIGNATURE, Door, a_brand, at_the_door


def test_while_the_log_is_away_nothing_is_written_and_the_sender_is_asked_to_come_again() -> None:
    async def story(door: Door) -> None:
        door.log.available = False
        answer = await door.shopify("orders/create", {"id": 5012})
        also = await door.clarus({"id": 7})

        assert (answer.status_code, also.status_code) == (503, 503)
        assert answer.headers["Retry-After"]
        assert (door.written(), door.refused("log_away")) == (0, 2)
        assert door.label_sets("lockstep_hints_total") == set(), "what was not taken is not counted as a hint"

        door.log.available = True
        assert (await door.shopify("orders/create", {"id": 5012})).status_code == 200
        assert door.written() == 1

    at_the_door(story)


def test_an_acknowledgement_that_fails_is_no_hint() -> None:
    async def story(door: Door) -> None:
        door.log.refuse("hints.shopify")

        assert (await door.shopify("orders/create", {"id": 5012})).status_code == 503
        assert (await door.shopify("orders/create", {"id": 5012})).status_code == 200
        assert door.written() == 1

    at_the_door(story)


class Held:
    """A producer whose acknowledgements wait until they are let go, or fail."""

    def __init__(self) -> None:
        self.sent = asyncio.Event()
        self.let_go = asyncio.Event()
        self.fails: Exception | None = None

    async def start(self) -> None:
        """There is nothing to reach."""

    async def stop(self) -> None:
        """There is nothing to flush."""

    async def send(
        self,
        topic: str,
        *,
        key: bytes | None,
        value: bytes | None,
        headers: Mapping[str, bytes] | None = None,
        partition: int | None = None,
    ) -> Awaitable[Appended]:
        self.sent.set()
        return self._acknowledged(topic)

    async def send_many(self, records: object) -> Awaitable[list[Appended]]:
        raise AssertionError("a webhook is one record")

    async def _acknowledged(self, topic: str) -> Appended:
        await self.let_go.wait()
        if self.fails is not None:
            raise self.fails
        return Appended(Partition(topic, 0), 0, NINE)


def test_the_answer_waits_for_the_acknowledgement() -> None:
    async def story() -> None:
        held = Held()
        async with Door(_as_producer(held)) as door:
            posting = asyncio.create_task(door.shopify("orders/create", {"id": 5012}))
            await held.sent.wait()
            await door.clock.sleep(2.9)
            assert not posting.done(), "sent is not written"

            held.let_go.set()
            assert (await posting).status_code == 200

    run_virtual(story())


def test_an_acknowledgement_that_does_not_come_is_answered_within_shopifys_patience() -> None:
    async def story() -> None:
        async with Door(_as_producer(Held())) as door:
            before = door.clock.monotonic()
            answer = await door.shopify("orders/create", {"id": 5012})

            assert answer.status_code == 503
            assert door.clock.monotonic() - before == pytest.approx(3.0)
            assert door.refused("log_away") == 1

    run_virtual(story())


def test_a_record_the_log_will_never_take_is_not_asked_for_again() -> None:
    async def story() -> None:
        held = Held()
        held.fails = RecordTooLarge("too large")
        held.let_go.set()
        async with Door(_as_producer(held)) as door:
            assert (await door.shopify("orders/create", {"id": 5012})).status_code == 413
            assert door.refused("too_large") == 1

    run_virtual(story())


def _as_producer(held: Held) -> Producer:
    return held


# --- on a real broker


@pytest.fixture(scope="module")
def broker() -> Iterator[Broker]:
    with Broker() as running:
        yield running


@pytest.mark.kafka
@pytest.mark.parametrize("how", ["paused", "killed"])
def test_a_broker_that_is_away_is_told_in_time_and_taken_up_again_when_it_is_back(broker: Broker, how: str) -> None:
    async def story() -> None:
        log = KafkaLog(broker.bootstrap, client_id="intake-test")
        await log.create_topics([TopicSpec(HINTS[system].name, 1, 1, {}) for system in HINTS])
        producer = log.producer()
        await producer.start()
        app = create_intake(
            producer=producer,
            brands={ACME: a_brand()},
            clock=SystemClock(),
            metrics=Metrics(),
            prefix_of=lambda _: "ACME",
            settings=IntakeSettings(answer_within=1.0),
        )
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://intake.test", timeout=60)

        async def post() -> int:
            path, headers = "/shopify/acme/orders/create", {"X-Shopify-Hmac-Sha256": SIGNATURE}
            return (await client.post(path, content=BODY, headers=headers)).status_code

        assert await post() == 200
        before = len(await _hints(log))
        await asyncio.to_thread(broker.pause if how == "paused" else broker.kill)
        began = time.monotonic()
        assert await post() == 503
        assert time.monotonic() - began < 4.0, "Shopify waits five seconds in all"

        await asyncio.to_thread(broker.resume if how == "paused" else broker.restart)
        deadline = time.monotonic() + 60
        while await post() != 200:
            assert time.monotonic() < deadline, "the broker is back, and intake does not see it"
        hints = await _hints(log)
        assert len(hints) > before
        assert {hint.order for hint in hints} == {"5678901234567"}
        await client.aclose()
        await producer.stop()

    asyncio.run(story())


async def _hints(log: KafkaLog) -> list[Hint]:
    reader = log.reader([HINTS[system].name for system in HINTS])
    await reader.start()
    found: list[Hint] = []
    while not await reader.caught_up():
        found += [Hint.model_validate_json(record.value or b"") for record in await reader.poll(timeout=0.2)]
    await reader.stop()
    return found
