"""What the terminal shows while a demo runs: where the orders are, how fast, what people are asked to do."""

from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from lockstep.demo.judge import Judged, Stage
from lockstep.demo.report import Latency, Percentiles, Report, latencies, rows
from schemas.cases import Case

NEWS = 6
"""Lines of news that stay on the board."""
PLAIN_EVERY = 5.0
"""Seconds between lines where there is no board."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One moment of the run. `phase` says in words what the demo is doing."""

    seconds: float
    phase: str
    judged: Judged
    cases: Sequence[Case]
    planned: int


class Board(Protocol):
    """Where a run shows itself. What is said before it is entered and after it is left is a line of its own."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def say(self, line: str) -> None:
        """One step or event."""
        ...

    def show(self, scene: Scene) -> None: ...


class PlainBoard:
    """A line at a time, for logs and pipes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._shown = -PLAIN_EVERY

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is held."""

    def say(self, line: str) -> None:
        self._console.print(line, highlight=False, markup=False, soft_wrap=True)

    def show(self, scene: Scene) -> None:
        if scene.seconds - self._shown >= PLAIN_EVERY:
            self._shown = scene.seconds
            stages = scene.judged.stages()
            counts = ", ".join(f"{stage.name.lower().replace('_', ' ')} {stages[stage]}" for stage in Stage)
            self.say(f"{scene.seconds:5.0f} s  {scene.phase}: {counts}; open cases {len(scene.cases)}")


class LiveBoard:
    """One screen that changes in place."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._held = ExitStack()
        self._live: Live | None = None
        self._news: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._held.close()
        self._live = None

    def say(self, line: str) -> None:
        if self._live is None:
            self._console.print(line, highlight=False, markup=False, soft_wrap=True)
        else:
            self._news = [*self._news, line][-NEWS:]

    def show(self, scene: Scene) -> None:
        if self._live is None:
            self._live = self._held.enter_context(Live(console=self._console, refresh_per_second=4))
        self._live.update(_screen(scene, self._news))


def _screen(scene: Scene, news: Sequence[str]) -> Group:
    stages = scene.judged.stages()
    title = (
        f"Lockstep demo · {scene.seconds:.0f} s · {scene.phase} · {len(scene.judged.ledgers)} of {scene.planned} orders"
    )
    parts = [Panel(_stages(stages), title=title), Panel(_speed(scene.judged.latency()), title="how fast")]
    if scene.cases:
        parts.append(Panel(_cases(scene.cases), title="cases: what people are asked to do"))
    if news:
        parts.append(Panel(Text("\n".join(news)), title="news"))
    return Group(*parts)


def _stages(stages: Counter[Stage]) -> Table:
    table = Table.grid(padding=(0, 2))
    most = max(stages.values(), default=1)
    for stage in Stage:
        bar = "█" * round(30 * stages[stage] / max(most, 1))
        colour = {Stage.TOLD: "green", Stage.PLANTED: "yellow"}.get(stage, "cyan")
        table.add_row(str(stages[stage]), f"[{colour}]{bar:<30}[/{colour}]", stage.value)
    return table


def _speed(latency: Latency) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_row("order complete → goods-out", _said(latency.webhook_to_goods_out))
    table.add_row("  where a webhook was lost", _said(latency.webhook_to_goods_out_lost_webhook))
    table.add_row("despatch → tracking, ERP included", _said(latency.despatch_to_tracking))
    return table


def _said(one: Percentiles) -> str:
    if one.p50 is None or one.p95 is None:
        return "none yet"
    return f"half within {one.p50 / 1000:.1f} s, 95 % within {one.p95 / 1000:.1f} s ({one.n})"


def _cases(cases: Sequence[Case]) -> Table:
    table = Table.grid(padding=(0, 2))
    for case in sorted(cases, key=lambda case: case.due_at)[:8]:
        table.add_row(Text(case.code, "red"), Text(f"{case.brand}/{case.order}"), Text(case.detail), case.owner)
    return table


def print_report(console: Console, report: Report) -> None:
    """The verdict, each number with its sentence."""
    table = Table("", "", "what the books say", box=None, show_header=False)
    for where, number, sentence, must_be_zero in rows(report):
        colour = "" if not must_be_zero else ("green" if number == "0" else "red")
        table.add_row(where, f"[{colour}]{number}[/{colour}]" if colour else number, sentence)
    console.print(table)
    for what, one in latencies(report):
        console.print(f"{what}: {_said(one)}", highlight=False)
    if report.kills:
        console.print(f"{report.kills} processes were killed on the way and started again.", highlight=False)
    for reason in report.why_not:
        console.print(Text.assemble(("not in step: ", "red"), reason))
    verdict = "[bold green]IN STEP[/bold green]" if report.in_step else "[bold red]NOT IN STEP[/bold red]"
    console.print(
        f"{verdict} after {report.seconds:.0f} s (seed {report.seed}, ERP: {report.erp_kind})", highlight=False
    )
