"""What goes wrong in the outside world, by chance from a seed or on demand, and how often."""

import random
from collections import Counter, defaultdict, deque
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict


class Fault(StrEnum):
    """What happens to one request of an outside system."""

    NONE = "none"
    THROTTLED = "throttled"
    SERVER_ERROR = "server_error"
    """502 before anything was done."""
    ANSWER_LOST = "answer_lost"
    """Done; then the connection breaks."""
    LATE_EXECUTION = "late_execution"
    """The connection breaks, and some seconds later it is done all the same."""
    SLOW = "slow"


Preset = Literal["none", "some", "many"]


class Faults(BaseModel):
    """Shares are probabilities per request or webhook, delays are seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    webhook_lost: float = 0.0
    webhook_doubled: float = 0.0
    webhook_delay: float = 0.0
    """At most; drawn evenly, so that webhooks overtake each other."""
    throttled: float = 0.0
    server_error: float = 0.0
    answer_lost: float = 0.0
    late_execution: float = 0.0
    late_by: float = 3.0
    slow: float = 0.0
    slow_by: float = 2.0

    @classmethod
    def preset(cls, name: Preset) -> "Faults":
        match name:
            case "none":
                return cls()
            case "some":
                return cls(
                    webhook_lost=0.05, webhook_doubled=0.1, webhook_delay=2.0, throttled=0.01, server_error=0.02,
                    answer_lost=0.03, late_execution=0.01, slow=0.05,
                )  # fmt: skip
            case "many":
                return cls(
                    webhook_lost=0.15, webhook_doubled=0.2, webhook_delay=5.0, throttled=0.03, server_error=0.05,
                    answer_lost=0.08, late_execution=0.03, slow=0.1, slow_by=3.0,
                )  # fmt: skip


class Chance:
    """Chance by name from one seed: what one stream draws does not move another."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._streams: dict[str, random.Random] = {}

    def of(self, name: str) -> random.Random:
        if name not in self._streams:
            self._streams[name] = random.Random(f"{self._seed}/{name}")
        return self._streams[name]

    def happens(self, name: str, share: float) -> bool:
        return share > 0 and self.of(name).random() < share


@dataclass(frozen=True, slots=True)
class Drawn:
    """The fault of one request; `seconds` for slow and late ones."""

    fault: Fault
    seconds: float = 0.0


class FaultPlan:
    """Decides the fault of each request: the forced ones first, then by chance."""

    def __init__(self, faults: Faults, chance: Chance, name: str) -> None:
        self.faults = faults
        self._chance = chance
        self._name = name
        self._forced: dict[str, deque[Drawn]] = defaultdict(deque)
        self.away = False
        """True: every request is answered 502, and nothing is done."""
        self.drawn: Counter[Fault] = Counter()
        """How often each fault was met."""

    def force(self, operation: str, fault: Fault, *, times: int = 1, seconds: float = 3.0) -> None:
        """The next `times` requests of this operation meet this fault."""
        self._forced[operation].extend([Drawn(fault, seconds)] * times)

    def draw(self, operation: str, *, writing: bool) -> Drawn:
        """What happens to a request of this operation; answers are lost for writes only, where it matters."""
        drawn = Drawn(Fault.SERVER_ERROR) if self.away else self._draw(operation, writing=writing)
        self.drawn[drawn.fault] += 1
        return drawn

    def _draw(self, operation: str, *, writing: bool) -> Drawn:
        forced = self._forced.get(operation)
        if forced:
            return forced.popleft()
        name, faults = f"{self._name}/{operation}", self.faults
        if self._chance.happens(f"{name}/throttled", faults.throttled):
            return Drawn(Fault.THROTTLED)
        if self._chance.happens(f"{name}/server_error", faults.server_error):
            return Drawn(Fault.SERVER_ERROR)
        if writing and self._chance.happens(f"{name}/answer_lost", faults.answer_lost):
            return Drawn(Fault.ANSWER_LOST)
        if writing and self._chance.happens(f"{name}/late_execution", faults.late_execution):
            return Drawn(Fault.LATE_EXECUTION, faults.late_by)
        if self._chance.happens(f"{name}/slow", faults.slow):
            return Drawn(Fault.SLOW, faults.slow_by)
        return Drawn(Fault.NONE)
