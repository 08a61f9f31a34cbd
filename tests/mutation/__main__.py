"""Mutates the rules and lets their tests look for each mutant: `make mutation`.

Exit code 1 when fewer than `BAR` of the mutants are killed, when one survives that docs/quality.md does not list, or
when one that is listed there is killed or gone. It may be stopped at any time; the next run goes on.
"""

import argparse
import importlib
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TextIO

import pytest
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from tests.mutation import quality, session
from tests.mutation.mutants import Mutant, all_mutants
from tests.mutation.results import KILLED, Result, Results, file_of, hash_of_test, source_of
from tests.paths import ROOT

BAR = 0.85
KEPT = ROOT / ".cache/mutation/results.jsonl"
LIGHT = ("streams", "tests", "kernel", "connectors", "sandbox", "lockstep", "benchmarks")
"""Of these nothing may be imported before the rules are."""

Trial = tuple[int, Mutant, Sequence[str]]


def main(arguments: Sequence[str]) -> int:
    asked = _asked(arguments)
    console = Console(highlight=False, soft_wrap=True)
    mutants = [one for one in all_mutants() if not asked.module or one.module.startswith(tuple(asked.module))]
    if asked.fresh:
        KEPT.unlink(missing_ok=True)
    results = Results(KEPT)
    console.print(f"[1/3] {len(mutants)} mutants; the tests on the unchanged rules")
    reach, seconds = _measured()
    todo = _todo(mutants, results, reach, seconds)
    console.print(f"[2/3] {len(todo)} mutants to try, {asked.workers} at a time; {KEPT.relative_to(ROOT)} keeps them")
    _try(todo, mutants, results, seconds, asked.workers, console)
    if not asked.module:
        results.tidy([one.name for one in mutants])
    console.print("[3/3] what became of them")
    return _verdict(mutants, results, console, whole=not asked.module, write=asked.write)


def _asked(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make mutation", description=__doc__)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="mutants at a time")
    parser.add_argument(
        "--module", action="append", default=[], help="only modules whose names begin so: orders.release"
    )
    parser.add_argument("--fresh", action="store_true", help="forget what earlier runs found")
    parser.add_argument(
        "--write", action="store_true", help="write the figures into docs/quality.md, and take out who was killed"
    )
    return parser.parse_args(arguments)


def _measured() -> tuple[session.Reach, Mapping[str, float]]:
    """Measured in a process of its own: this one must not have imported the rules. What else they need, it imports."""

    def work(file: TextIO) -> None:
        def measure(items: list[pytest.Item]) -> None:
            found = session.measured(items)
            json.dump([*found, sorted(sys.modules)], file)

        session.collected(measure)

    [(reach, seconds, modules)] = session.in_fork(work)
    for name in modules:
        if name.partition(".")[0] not in LIGHT and name not in sys.modules:
            try:
                importlib.import_module(name)
            except ImportError:  # made at run time by a plugin
                continue
    return reach, seconds


def _todo(
    mutants: Sequence[Mutant], results: Results, reach: session.Reach, seconds: Mapping[str, float]
) -> list[Trial]:
    """Those of which nothing is known, with the tests to try; of known survivors only tests that are new to them."""
    new: list[Trial] = []
    again: list[Trial] = []
    for at, mutant in enumerate(mutants):
        known, tests = results.of(mutant), session.reaching(mutant, reach, seconds)
        if known is not None and known.end in KILLED:
            if not known.by or known.by in tests:
                continue
            known = None  # its test is gone
        if known is not None:
            tests = [one for one in tests if known.against.get(file_of(one)) != hash_of_test(file_of(one))]
            if not tests:
                continue
        (new if known is None else again).append((at, mutant, tests))
    return [*new, *again]


def _try(
    todo: Sequence[Trial],
    mutants: Sequence[Mutant],
    results: Results,
    seconds: Mapping[str, float],
    workers: int,
    console: Console,
) -> None:
    """Those within functions first, then those that must be imported."""
    files = {file_of(test): hash_of_test(file_of(test)) for test in seconds}
    last = time.monotonic()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
               TimeRemainingColumn())  # fmt: skip
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("", total=len(todo))

        def note(told: session.Told) -> None:
            nonlocal last
            mutant = mutants[told.at]
            by = {"by": hash_of_test(file_of(told.by))} if told.by else {}
            against = files if told.end not in KILLED else by
            results.add(Result(mutant.name, told.end, source_of(mutant), told.by, against))
            progress.update(bar, advance=1, description=mutant.module)
            if not console.is_terminal and time.monotonic() - last > 30:
                last = time.monotonic()
                console.print(f"{progress.tasks[0].completed:.0f} of {len(todo)}, at {mutant.module}")

        imported = [one for one in todo if one[1].at_import]
        for at, _, tests in todo:
            if not tests:
                note(session.Told(at, "unreached"))
        inside = [one for one in todo if not one[1].at_import and one[2]]

        def work(file: TextIO) -> None:
            def say(told: session.Told) -> None:
                file.write(json.dumps(told) + "\n")
                file.flush()

            session.try_in_place(inside, seconds, workers, say)

        by_place = {at: one for one in inside for at in one[:1]}
        for line in session.in_fork(work):
            told = session.Told(*line)
            if told.end == "reload":
                imported.append(by_place[told.at])
            else:
                note(told)
        session.try_by_import([one for one in imported if one[2]], seconds, workers, note)


def _verdict(mutants: Sequence[Mutant], results: Results, console: Console, *, whole: bool, write: bool) -> int:
    known = {one.name: result for one in mutants if (result := results.of(one)) is not None}
    killed = {name for name, result in known.items() if result.end in KILLED}
    rows = _rows(mutants, killed)
    console.print(_table(rows))
    listed = {name for names in quality.survivors_of(quality.PAGE.read_text()).values() for name in names}
    if not whole:
        modules = {one.module for one in mutants}
        listed = {name for name in listed if name.partition(" ")[0] in modules}
    alive = [one.name for one in mutants if one.name not in killed]
    unlisted = [name for name in alive if name not in listed]
    stale = sorted(listed - set(alive))
    for title, names in (("survive and are not in docs/quality.md", unlisted),
                         ("are in docs/quality.md and were killed, or are gone", stale)):  # fmt: skip
        if names:
            console.print(f"{len(names)} {title}:")
        for name in names:
            unreached = name in known and known[name].end == "unreached"
            console.print(f"  {name}{'   (no test reaches it)' if unreached else ''}", markup=False)
    share = len(killed) / max(1, len(mutants))
    console.print(f"{len(killed)} of {len(mutants)} killed: {share:.1%}; the bar is {BAR:.0%}")
    if write and whole:
        quality.write(_markdown(rows), stale)
    return int(bool(unlisted or stale) or share < BAR)


def _rows(mutants: Iterable[Mutant], killed: set[str]) -> list[tuple[str, int, int]]:
    """Module, mutants, killed; the last row is all of them."""
    of, down = Counter[str](), Counter[str]()
    for one in mutants:
        of[one.module] += 1
        down[one.module] += one.name in killed
    return [*((module, of[module], down[module]) for module in sorted(of)), ("all", of.total(), down.total())]


def _table(rows: Iterable[tuple[str, int, int]]) -> Table:
    table = Table("module", "mutants", "killed", "survived", "share")
    for module, count, down in rows:
        table.add_row(module, str(count), str(down), str(count - down), f"{down / count:.0%}")
    return table


def _markdown(rows: Iterable[tuple[str, int, int]]) -> str:
    head = (
        f"Of {datetime.now(UTC):%Y-%m-%d}.\n\n| module | mutants | killed | survived | share |\n|---|--:|--:|--:|--:|\n"
    )
    return head + "\n".join(
        f"| {module} | {count} | {down} | {count - down} | {down / count:.0%} |" for module, count, down in rows
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
