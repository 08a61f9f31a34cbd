"""What a run of kills ended with, as JSON and in words."""

from collections import Counter
from collections.abc import Iterator

from pydantic import Field

from lockstep.demo.report import Percentiles
from schemas.base import Frozen
from tests.kills.schedule import Where

SHOWN = 30
"""Violations of a phase that are printed."""


class Phase(Frozen):
    """`in_step` counts orders told to the last unit, `held` those that cannot be shipped and have their case.

    `tables_equal`: the changelog is the bulk fold of the log. `troubled` counts the connections a network blow met.
    `restarts`: processes that ended by themselves, as they must when they are not sure of the log, and came back.
    """

    where: Where
    seed: int
    blows: dict[str, int]
    victims: dict[str, int]
    troubled: dict[str, int]
    back_ms: dict[str, Percentiles]
    """By kind, from the new start of what was ended until it is ready, or all copies are in step."""
    orders: int
    in_step: int
    held: int
    events: int
    lost: int
    doubled: int
    doubled_found: int
    unanswered: int
    """Commands without outcome; they count as lost too."""
    tables_equal: bool
    restarts: int
    seconds: float
    blows_seconds: float
    settled_seconds: float
    cases_opened: int
    disorderly: tuple[str, ...] = ()
    violations: tuple[str, ...] = ()
    found: tuple[str, ...] = ()
    """What `doubled_found` counts, a sentence each."""

    @property
    def right(self) -> bool:
        return not self.violations


class Report(Frozen):
    """`right` only when nothing was lost, doubled, early or unanswered, and every table is the fold of its log."""

    right: bool
    seconds: float
    kills: int
    by_kind: dict[str, int]
    by_victim: dict[str, int]
    orders: int
    lost: int
    doubled: int
    doubled_found: int
    tables_equal: bool
    phases: tuple[Phase, ...] = Field(min_length=1)


def of(phases: tuple[Phase, ...], seconds: float) -> Report:
    by_kind: Counter[str] = Counter()
    by_victim: Counter[str] = Counter()
    for phase in phases:
        by_kind.update(phase.blows)
        by_victim.update(phase.victims)
    return Report(
        right=all(phase.right for phase in phases),
        seconds=round(seconds, 1),
        kills=by_kind.total(),
        by_kind=dict(sorted(by_kind.items())),
        by_victim=dict(sorted(by_victim.items())),
        orders=sum(phase.orders for phase in phases),
        lost=sum(phase.lost for phase in phases),
        doubled=sum(phase.doubled for phase in phases),
        doubled_found=sum(phase.doubled_found for phase in phases),
        tables_equal=all(phase.tables_equal for phase in phases),
        phases=phases,
    )


def lines(report: Report) -> Iterator[str]:
    """For people."""
    yield f"{report.kills} blows: {_counts(report.by_kind)}"
    yield f"on: {_counts(report.by_victim)}"
    for phase in report.phases:
        yield (
            f"{phase.where}: {phase.orders} orders, {phase.in_step} in step, {phase.held} held with a case; "
            f"{phase.events} events; lost {phase.lost}, doubled {phase.doubled}, doubled and found "
            f"{phase.doubled_found}; tables {'equal' if phase.tables_equal else 'NOT equal'} to the fold of the log; "
            f"{phase.restarts} processes ended by themselves; {phase.seconds:.0f} s"
        )
        yield from (
            f"  after {kind}: half back within {one.p50 / 1000:.1f} s, 95 % within {one.p95 / 1000:.1f} s ({one.n})"
            for kind, one in phase.back_ms.items()
            if one.p50 is not None and one.p95 is not None
        )
        yield from (f"  asked to end: {one}" for one in phase.disorderly)
        yield from (f"  found and told to people: {one}" for one in phase.found)
        yield from (f"  WRONG: {one}" for one in phase.violations[:SHOWN])
        if len(phase.violations) > SHOWN:
            yield f"  WRONG: and {len(phase.violations) - SHOWN} more; --report writes them all"
    verdict = "RIGHT: nothing lost, nothing doubled" if report.right else "WRONG"
    yield f"{verdict}; {report.orders} orders, {report.seconds:.0f} s"


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())
