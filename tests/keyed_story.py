"""One key's life: the real fold of one partition of its event log, fed with literal records."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar, Self

from kernel.log import Partition, Record
from schemas.base import OrderId
from schemas.cases import Case, CaseCode
from schemas.config import BrandConfig
from schemas.events import CONFIG_ID, ConfigChanged, OperatorActed, OrderEvent, Source
from schemas.topics import CASES
from streams.agents.emissions import RECORDS
from streams.agents.keyed import KeyedFold
from streams.engine.contract import Emission
from tests.builders import ACME, NOON
from tests.legible import cases_say_what_and_where


class KeyedStory:
    """Moments are append times; `later` moves them on and appends a tick."""

    FOLD: ClassVar[type[KeyedFold[Any, Any]]]
    KEY: ClassVar[OrderId]

    def __init__(self, config: BrandConfig) -> None:
        self.config, self.key = config, self.KEY
        self.at = NOON
        self.log: list[Record] = []
        self.fold = self.FOLD(0)
        self.cases: dict[str, Case] = {}
        self.changelog: dict[bytes, bytes] = {}
        self._raw = 0
        self._configured()

    # --- what happens to any key

    def operator(self, action: str, target: str = "", says: str = "") -> Self:
        head = self._head("operator.actions")
        return self._event(OperatorActed(**head, action=action, target=target, says=says, who="kim", why="asked"))

    def configured(self, **changes: object) -> Self:
        self.config = BrandConfig.model_validate(
            {**self.config.model_dump(), "version": self.config.version + 1, **changes}
        )
        return self._configured()

    def later(self, **time: float) -> Self:
        """Time passes; a tick is appended."""
        self.at += timedelta(**time)
        emission = self.fold.tick(self.at)
        assert emission.value is not None
        return self._append(emission.key, emission.value, dict(emission.headers))

    def hears(self, emission: Emission) -> Self:
        """Another agent's event for a key of ours."""
        assert emission.value is not None
        return self._append(emission.key, emission.value, dict(emission.headers))

    @property
    def open_cases(self) -> set[CaseCode]:
        cases_say_what_and_where(self.cases.values())
        return {case.code for case in self.cases.values() if case.open}

    # --- how it is done

    def _head(self, topic: str) -> dict[str, object]:
        self._raw += 1
        return {
            "brand": ACME,
            "order": self.key,
            "source": Source(topic=topic, cluster="test", partition=0, offset=self._raw),
        }

    def _configured(self) -> Self:
        head = self._head("config") | {"order": CONFIG_ID}
        return self._event(ConfigChanged(**head, config=self.config))

    def _event(self, event: OrderEvent) -> Self:
        value, headers = self.FOLD.EVENTS.encode(event)
        return self._append(event.key.encode(), value, headers)

    def _append(self, key: bytes, value: bytes, headers: dict[str, bytes]) -> Self:
        self.at += timedelta(milliseconds=10)
        record = Record(Partition(self.FOLD.TOPIC.name, 0), len(self.log), key, value, self.at, headers)
        self.log.append(record)
        self.handle(record)
        return self

    def handle(self, record: Record) -> None:
        step = self.fold.handle(record)
        for change in step.changes:
            assert change.value is not None
            self.changelog[change.key] = change.value
        for emission in step.emissions:
            if emission.topic == CASES.name:
                assert emission.value is not None
                case = RECORDS.decode(emission.value, emission.headers)
                assert isinstance(case, Case)
                self.cases[case.key] = case
            else:
                self._receive(emission)

    def _receive(self, emission: Emission) -> None:
        """Whatever it sent but cases."""
        raise NotImplementedError

    def configured_anew(self, config: BrandConfig) -> Self:
        """The brand's next configuration comes."""
        self.config = config.model_copy(update={"version": self.config.version + 1})
        return self._configured()

    def restarted(self) -> KeyedFold[Any, Any]:
        """A fold restored from the story's changelog."""
        fold = self.FOLD(0)
        for key, value in self.changelog.items():
            fold.restore(key, value)
        fold.restored()
        return fold
