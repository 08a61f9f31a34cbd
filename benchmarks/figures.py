"""What a bench found: each figure with a sentence of what it is, and each group with how it was made."""

import json
import os
import platform
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from schemas.base import Frozen


class Figure(Frozen):
    """`value` in `unit`; `runs` are the single runs whose median it is, where there were several."""

    name: str
    value: float | None
    unit: str
    says: str
    runs: tuple[float, ...] = ()


class Group(Frozen):
    """Figures of one bench."""

    title: str
    made: str
    figures: tuple[Figure, ...]


class Findings(Frozen):
    machine: str
    groups: tuple[Group, ...]


def figure(name: str, value: float | None, unit: str, says: str) -> Figure:
    return Figure(name=name, value=None if value is None else round(value, 3), unit=unit, says=says)


def of_runs(name: str, runs: list[float], unit: str, says: str) -> Figure:
    """The median of several runs. Raises StatisticsError when there was none."""
    told = tuple(round(run, 3) for run in runs)
    return Figure(name=name, value=round(median(runs), 3), unit=unit, says=says, runs=told)


def machine() -> str:
    load = os.getloadavg()[0]
    return (
        f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}, "
        f"Python {platform.python_version()}, load average before the benches {load:.1f}"
    )


def lines(group: Group) -> Iterator[str]:
    """For people."""
    yield f"\n{group.title}"
    yield f"  {group.made}"
    for one in group.figures:
        value = "none" if one.value is None else f"{one.value:,.3g}" if abs(one.value) < 100 else f"{one.value:,.0f}"
        runs = f"  (runs: {', '.join(f'{run:,.3g}' for run in one.runs)})" if len(one.runs) > 1 else ""
        yield f"  {value:>10} {one.unit:<16} {one.name}: {one.says}{runs}"


def write(findings: Findings, path: Path) -> None:
    path.write_text(json.dumps(findings.model_dump(mode="json"), indent=1) + "\n")
