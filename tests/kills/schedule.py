"""What falls on whom, and when: drawn from a seed, every kind in every run, spread over all roles."""

import random
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Literal

from pydantic import Field

from lockstep.roles import Role
from schemas.base import Frozen, System

Where = Literal["single", "cluster"]
"""One broker, or three that hold every record between them."""


class Kind(StrEnum):
    """What a blow does; what `seconds` of it are is said beside each."""

    KILL = "kill"
    """SIGKILL; started again after `seconds`."""
    FREEZE = "freeze"
    """SIGSTOP until a stand-in has its partitions and `seconds` more have passed, then SIGCONT: a zombie."""
    TERMINATE = "terminate"
    """SIGTERM; started again after `seconds`."""
    SCALE = "scale"
    """From one instance to three, and after `seconds` back to one: the oldest leave, one of them by SIGKILL."""
    BROKER_STOP = "broker stop"
    """SIGTERM to a broker; started again after `seconds`."""
    BROKER_KILL = "broker kill"
    """SIGKILL to a broker; started again after `seconds`."""
    BROKER_FREEZE = "broker freeze"
    """SIGSTOP to a broker for `seconds`."""
    NET_DELAY = "network delay"
    """For `seconds` every piece of a request is on its way for longer."""
    NET_DROP_BEFORE = "network drop before"
    """For `seconds` connections end when a request comes; nothing of it arrives."""
    NET_DROP_AFTER = "network drop after"
    """For `seconds` requests arrive and are executed; connections end before the answer."""
    NET_BLACK_HOLE = "network black hole"
    """For `seconds` connections stay open and nothing comes through."""
    NET_RESET = "network reset"
    """All connections are reset, and for `seconds` each new one at its first piece."""


NETWORK = frozenset(kind for kind in Kind if kind.startswith("network"))
BROKERS = frozenset(kind for kind in Kind if kind.startswith("broker"))
SCALED = (Role.ORDERS, Role.CLARUS, Role.NORMALISE, Role.SHOPIFY, Role.ERP)

SECONDS: Mapping[Kind, tuple[float, float]] = {
    Kind.KILL: (0.0, 5.0),
    Kind.FREEZE: (0.5, 3.0),
    Kind.TERMINATE: (0.0, 2.0),
    Kind.SCALE: (3.0, 6.0),
    Kind.BROKER_STOP: (2.0, 6.0),
    Kind.BROKER_KILL: (2.0, 6.0),
    Kind.BROKER_FREEZE: (4.0, 8.0),
    Kind.NET_DELAY: (4.0, 8.0),
    Kind.NET_DROP_BEFORE: (2.0, 5.0),
    Kind.NET_DROP_AFTER: (2.0, 5.0),
    Kind.NET_BLACK_HOLE: (3.0, 7.0),
    Kind.NET_RESET: (1.0, 4.0),
}
WEIGHTS: Mapping[Kind, int] = {
    Kind.KILL: 9, Kind.FREEZE: 5, Kind.TERMINATE: 3, Kind.SCALE: 2, Kind.BROKER_STOP: 1, Kind.BROKER_KILL: 1,
    Kind.BROKER_FREEZE: 1, Kind.NET_DELAY: 1, Kind.NET_DROP_BEFORE: 1, Kind.NET_DROP_AFTER: 2, Kind.NET_BLACK_HOLE: 1,
    Kind.NET_RESET: 1,
}  # fmt: skip
"""How many of so many; scaled to the number of blows asked for."""


class Blow(Frozen):
    """`at` seconds after the first order, or later when its victim is not up again. `whom`: a role, a system or ''."""

    at: float = Field(ge=0)
    kind: Kind
    whom: str
    seconds: float

    def __str__(self) -> str:
        return f"{self.kind}{f' {self.whom}' if self.whom else ''} ({self.seconds:.1f} s)"


def draw(seed: int, where: Where, blows: int, over: float) -> tuple[Blow, ...]:
    """So many blows in `over` seconds, evenly but for a jitter, the first five after a start: shoppers must have begun.

    The same arguments give the same schedule. With at least as many blows as kinds every kind is in it.
    """
    chance = random.Random(f"kills/{seed}/{where}")
    kinds = _kinds(blows)
    chance.shuffle(kinds)
    victims = {kind: _Turns(chance, _whom(kind)) for kind in Kind if kind not in NETWORK}
    victims |= dict.fromkeys(sorted(NETWORK), _Turns(chance, tuple(System)))
    step = over / blows
    return tuple(
        Blow(
            at=round(step * (number + chance.uniform(0.0, 0.7)), 2),
            kind=kind,
            whom=victims[kind].next(),
            seconds=round(chance.uniform(*SECONDS[kind]), 2),
        )
        for number, kind in enumerate(kinds)
    )


def _kinds(count: int) -> list[Kind]:
    """In the shares of WEIGHTS: one of each first, then always the one furthest behind its share."""
    chosen: list[Kind] = []
    for number in range(count):
        share = {kind: WEIGHTS[kind] * (number + 1) / sum(WEIGHTS.values()) - chosen.count(kind) for kind in Kind}
        missing = [kind for kind in Kind if kind not in chosen]
        late = len(missing) >= count - number
        chosen.append(max(missing if late else Kind, key=lambda kind: share[kind]))
    return chosen


def _whom(kind: Kind) -> Sequence[str]:
    if kind in BROKERS:
        return ("",)
    return SCALED if kind is Kind.SCALE else tuple(Role)


class _Turns:
    """Everybody once in a drawn order before anybody a second time."""

    def __init__(self, chance: random.Random, whom: Sequence[str]) -> None:
        self._chance, self._whom = chance, whom
        self._left: list[str] = []

    def next(self) -> str:
        if not self._left:
            self._left = list(self._whom)
            self._chance.shuffle(self._left)
        return str(self._left.pop())
