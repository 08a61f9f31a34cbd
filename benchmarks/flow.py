"""Whole orders through the whole topology: latency at steady rates, then a rising rate until it grows without bound."""

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.figures import Figure, Group, figure
from benchmarks.topology import Spent, Topology
from lockstep.roles import Role

BEHIND = 2.0
"""A rate is not sustained when more orders are untold at its end than come in so many seconds."""
SETTLED = 0.05
"""Nor when told orders fall behind placed ones by more than this share."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is played: seconds per rate, orders a second. `ramp` is climbed until a rate is not sustained."""

    seconds: float = 25.0
    warm_up: int = 60
    steady: tuple[float, ...] = (5.0, 20.0)
    ramp: tuple[float, ...] = (30.0, 40.0, 50.0, 60.0, 80.0)
    drain: float = 60.0


@dataclass(slots=True)
class Step:
    """One rate, played. Seconds; orders a second; CPU seconds and whole orders while it lasted."""

    rate: float
    placed: int = 0
    seconds: float = 0.0
    told: int = 0
    behind: int = 0
    asked: list[float] = field(default_factory=list)
    finished: list[float] = field(default_factory=list)
    cpu: dict[str, float] = field(default_factory=dict)

    @property
    def came(self) -> float:
        return self.placed / self.seconds

    @property
    def done(self) -> float:
        return self.told / self.seconds

    @property
    def sustained(self) -> bool:
        return self.behind <= BEHIND * self.came and self.told >= (1 - SETTLED) * self.placed - BEHIND * self.came


async def play(running: Topology, sizes: Sizes) -> list[Group]:
    """Play all rates on one topology, the lowest first."""
    await running.order(sizes.warm_up, 5.0)
    await _drained(running, sizes.drain)
    steady = []
    for rate in sizes.steady:
        steady.append(await _step(running, rate, sizes.seconds))
        await _drained(running, sizes.drain)
    climbed: list[Step] = []
    for rate in sizes.ramp:
        climbed.append(await _step(running, rate, sizes.seconds))
        if not climbed[-1].sustained:
            break
    spent = running.spent()
    await _drained(running, sizes.drain)
    return [_latency(steady), _rate([*steady, *climbed]), _memory(spent)]


async def _step(running: Topology, rate: float, seconds: float) -> Step:
    before, spent = await running.counts(), running.spent()
    step = Step(rate)
    step.seconds = await running.order(max(1, round(rate * seconds)), rate)
    after = await running.counts()
    step.placed, step.told = after["placed"] - before["placed"], after["told"] - before["told"]
    step.behind = after["placed"] - after["told"]
    step.cpu = {name: one.cpu - spent[name].cpu for name, one in running.spent().items() if name in spent}
    await _drained(running, 5.0)  # the last orders of a sustained rate are on their way
    for one in await running.times(before["placed"]):
        step.asked.append(math.inf if one["asked"] is None else one["asked"])
        step.finished.append(math.inf if one["told"] is None else one["told"])
    return step


async def _drained(running: Topology, within: float) -> None:
    """Until every shopper is told, or the time is over."""
    loop = asyncio.get_running_loop()
    end = loop.time() + within
    while loop.time() < end:
        counts = await running.counts()
        if counts["told"] >= counts["placed"]:
            return
        await asyncio.sleep(0.2)


def rank(seconds: Sequence[float], share: float) -> float | None:
    """By nearest rank, in ms; None when that order never came so far."""
    ordered = sorted(seconds)
    found = ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else math.inf
    return None if math.isinf(found) else found * 1000


def _latency(steady: Sequence[Step]) -> Group:
    figures: list[Figure] = []
    for step in steady:
        for share in (0.5, 0.95, 0.99):
            name = f"p{share * 100:.0f} at {step.rate:g}/s"
            figures.append(
                figure(f"{name}, to the goods-out", rank(step.asked, share), "ms", f"of {len(step.asked)} orders")
            )
        for share in (0.5, 0.99):
            name = f"p{share * 100:.0f} at {step.rate:g}/s"
            figures.append(figure(f"{name}, to the told shopper", rank(step.finished, share), "ms", "the whole way"))
    return Group(
        title="Latency: the webhook of a complete order → its goods-out in the warehouse → its told shopper",
        made="every role in its own process, a real Kafka, outside systems at 0 ms in a process of their own, no "
        "faults; both ends are stamped by the outside world's own books",
        figures=tuple(figures),
    )


def _rate(steps: Sequence[Step]) -> Group:
    best = max((step for step in steps if step.sustained), key=lambda step: step.done, default=None)
    figures = [
        figure(
            "sustained",
            None if best is None else best.done,
            "orders/s",
            "whole orders, from the webhook to the told shopper",
        )
    ]
    for step in steps:
        says = f"{step.done:.1f}/s told, {step.behind} behind at the end, p99 to the goods-out "
        p99 = rank(step.asked, 0.99)
        says += "never" if p99 is None else f"{p99:.0f} ms"
        figures.append(figure(f"offered {step.rate:g}/s", step.came, "orders/s placed", says))
    told = best or steps[0]
    for name, cpu in sorted(told.cpu.items()):
        per_order = 1000 * cpu / max(1, told.told)
        figures.append(
            figure(
                f"CPU of {name}",
                per_order,
                "ms/order",
                f"{cpu / told.seconds:.2f} of a core at {told.done:.0f} orders/s",
            )
        )
    return Group(
        title="Whole orders a second",
        made=f"the same processes, the rate raised until more than {BEHIND:g} s of orders are untold at its end",
        figures=tuple(figures),
    )


def _memory(spent: dict[str, Spent]) -> Group:
    roles = {str(role) for role in Role}
    return Group(
        title="Memory of each process after the run",
        made="resident set size, read when the last rate had been played",
        figures=tuple(
            figure(name, one.resident / 2**20, "MiB", "a role" if name in roles else "not ours")
            for name, one in sorted(spent.items())
        ),
    )
