"""The rules' tests, collected once; each mutant is tried in a fork that runs those which reach its lines.

A mutant inside a function takes the place of the loaded function's code. One of a table, a default or a class body only
shows where its module is imported: that fork starts from a process that has not imported the rules yet.
"""

import ast
import contextlib
import gc
import json
import os
import resource
import signal
import sys
import time
import traceback
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from pathlib import Path
from types import CodeType, FrameType, FunctionType, ModuleType
from typing import Any, NamedTuple, TextIO

import pytest
from _pytest.runner import runtestprotocol

from schemas.base import Frozen
from tests.mutation.mutants import RULES, Mutant
from tests.mutation.results import End
from tests.paths import ROOT

TESTS = ("tests/rules", "tests/histories")
QUIET = (
    "-q",
    "--no-header",
    "--no-summary",
    "--assert=plain",
    "-p",
    "no:cacheprovider",
    "-p",
    "no:xdist",
    "--timeout=0",
)
MOST_MEMORY = 3 << 30
"""A mutant that counts for ever may not take the machine with it."""

Reach = Mapping[str, Sequence[str]]
"""Ids of the tests that reach a line, by `streams/rules/...:LINE`."""


class Told(NamedTuple):
    """What a fork says of its mutant, by its place in the list."""

    at: int
    end: End
    by: str = ""


@contextlib.contextmanager
def silent() -> Iterator[None]:
    """Nothing that pytest or a mutant says is shown."""
    out = os.open(os.devnull, os.O_WRONLY)
    kept = os.dup(1), os.dup(2)
    sys.stdout.flush()
    try:
        os.dup2(out, 1), os.dup2(out, 2)
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept[0], 1), os.dup2(kept[1], 2)
        for one in (out, *kept):
            os.close(one)


class Bench:
    """A pytest plugin that hands the collected tests to `work` instead of running them."""

    def __init__(self, work: Callable[[list[pytest.Item]], None]) -> None:
        self._work = work

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Laws by property are left out: they find by luck, and take longer than all others together."""
        items[:] = [item for item in items if not getattr(getattr(item, "obj", None), "is_hypothesis_test", False)]

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if not session.testsfailed:  # what could not be collected counts as failed
            self._work(list(session.items))
        return True


def collected(work: Callable[[list[pytest.Item]], None]) -> None:
    """Raises RuntimeError when the tests cannot be collected."""
    done: list[bool] = []

    def once(items: list[pytest.Item]) -> None:
        done.append(True)
        work(items)

    with silent():
        pytest.main([*QUIET, *TESTS], plugins=[Bench(once)])
    if not done:
        message = f"expected the tests of {', '.join(TESTS)} to be collected; pytest could not"
        raise RuntimeError(message)


def passes(item: pytest.Item, after: pytest.Item | None) -> bool:
    return all(report.passed or report.skipped for report in runtestprotocol(item, log=False, nextitem=after))


def forgetting() -> Callable[[], None]:
    """Makes all that `streams.rules.orders.once` remembers forgotten: an unchanged rule's answer must not stand for a
    changed one's. Call this once, when the rules are loaded.
    """
    once = sys.modules["streams.rules.orders.once"]
    of_record: Callable[[Frozen], dict[Any, Any]] = vars(once)["_answers_of"]
    since = [object()]

    def newer(record: Frozen) -> dict[Any, Any]:
        answers = of_record(record)
        if answers.get(None) is not since[0]:
            answers.clear()
            answers[None] = since[0]
        return answers

    def forget() -> None:
        since[0] = object()

    vars(once)["_answers_of"] = newer
    return forget


def measured(items: list[pytest.Item]) -> tuple[Reach, Mapping[str, float]]:
    """Which tests reach which lines of the rules, and the seconds each takes. Raises RuntimeError when one fails."""
    reach: dict[str, set[str]] = defaultdict(set)
    seconds: dict[str, float] = {}
    ours, lines = f"{RULES}{os.sep}", set[tuple[str, int]]()

    def trace(frame: FrameType, event: str, arg: Any) -> Any:
        if not frame.f_code.co_filename.startswith(ours):
            return None
        lines.add((frame.f_code.co_filename, frame.f_lineno))
        return trace

    forget = forgetting()
    for item, after in zip(items, [*items[1:], None], strict=True):
        forget()
        lines.clear()
        began = time.process_time()
        sys.settrace(trace)
        try:
            passed = passes(item, after)
        finally:
            sys.settrace(None)
        if not passed:
            message = f"expected every test to pass on the unchanged rules; {item.nodeid} fails"
            raise RuntimeError(message)
        seconds[item.nodeid] = time.process_time() - began
        for file, line in lines:
            reach[f"{Path(file).relative_to(ROOT)}:{line}"].add(item.nodeid)
    return {line: sorted(tests) for line, tests in reach.items()}, seconds


def reaching(mutant: Mutant, reach: Reach, seconds: Mapping[str, float]) -> list[str]:
    """Tests that could notice it, the fastest first. What is changed at import may be noticed by any: those that reach
    its module come first.
    """
    file = f"{mutant.path.relative_to(ROOT)}:"
    if mutant.at_import:
        near = {test for line, tests in reach.items() if line.startswith(file) for test in tests}
        return sorted(seconds, key=lambda one: (one not in near, seconds[one], one))
    found = {test for line in mutant.lines for test in reach.get(f"{file}{line}", ())}
    return sorted(found, key=lambda one: (seconds[one], one))


def loaded_functions() -> dict[tuple[str, str, int], list[FunctionType]]:
    """The loaded functions of the rules, by file, qualified name and first line."""
    found: dict[tuple[str, str, int], list[FunctionType]] = defaultdict(list)
    for one in gc.get_objects():
        if isinstance(one, FunctionType) and one.__code__.co_filename.startswith(str(RULES)):
            code = one.__code__
            found[code.co_filename, code.co_qualname, code.co_firstlineno].append(one)
    return found


def _codes(code: CodeType) -> Iterator[CodeType]:
    for one in code.co_consts:
        if isinstance(one, CodeType):
            yield one
            yield from _codes(one)


def put_in_place(mutant: Mutant, functions: Mapping[tuple[str, str, int], Sequence[FunctionType]]) -> bool:
    """Whether its code could take the place of the loaded function's."""
    mutant.apply()
    placed = False
    for code in _codes(compile(mutant.tree, str(mutant.path), "exec")):
        if code.co_qualname != mutant.scope:
            continue
        for function in functions.get((code.co_filename, code.co_qualname, code.co_firstlineno), ()):
            if len(code.co_freevars) != len(function.__code__.co_freevars):
                return False
            function.__code__ = code
            placed = True
    return placed


class _Changed(MetaPathFinder, Loader):
    """Imports one module of the rules from a changed tree."""

    def __init__(self, mutant: Mutant) -> None:
        self._mutant, self._name = mutant, f"streams.rules.{mutant.module}"

    def find_spec(self, fullname: str, path: object, target: object = None) -> ModuleSpec | None:
        return spec_from_loader(fullname, self, origin=str(self._mutant.path)) if fullname == self._name else None

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        self._mutant.apply()
        module.__file__ = str(self._mutant.path)
        exec(compile(ast.fix_missing_locations(self._mutant.tree), str(self._mutant.path), "exec"), module.__dict__)


class Forks:
    """At most `workers` children at a time, each with a mutant, a limit of processor time and one line to say."""

    def __init__(self, workers: int, say: Callable[[Told], None]) -> None:
        self._workers, self._say = workers, say
        self._running: dict[int, tuple[int, int, float]] = {}

    def try_on(self, at: int, limit: float, trial: Callable[[], Told]) -> None:
        """`limit`: seconds of processor time; ten times as long by the clock."""
        while len(self._running) >= self._workers:
            self._reap()
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            self._in_child(reading, writing, limit, trial)
        os.close(writing)
        self._running[child] = at, reading, time.monotonic() + 10 * limit

    @staticmethod
    def _in_child(reading: int, writing: int, limit: float, trial: Callable[[], Told]) -> None:
        """Never returns."""
        try:
            os.close(reading)
            resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
            signal.signal(signal.SIGVTALRM, signal.SIG_DFL)
            signal.setitimer(signal.ITIMER_VIRTUAL, limit)
            with silent():
                told = trial()
            os.write(writing, json.dumps(told).encode())
        except Exception as error:  # noqa: BLE001 - the forker raises it: a fault of ours must not pass for a kill
            os.write(writing, json.dumps([-1, "broken", repr(error)[:1000]]).encode())
        finally:
            os._exit(0)

    def _reap(self) -> None:
        child, status = os.waitpid(-1, os.WNOHANG)
        if child == 0:
            for running, (_, _, until) in self._running.items():
                if time.monotonic() > until:
                    os.kill(running, signal.SIGKILL)
            time.sleep(0.002)
            return
        at, reading, _ = self._running.pop(child)
        with os.fdopen(reading) as file:
            said = file.read()
        if said:
            told = Told(*json.loads(said))
            if told.end == "broken":
                message = f"expected mutant {at} to be tried; {told.by}"
                raise RuntimeError(message)
            self._say(told)
        else:
            self._say(Told(at, "hung" if os.WIFSIGNALED(status) else "killed"))

    def finish(self) -> None:
        while self._running:
            self._reap()


def limit_of(tests: Iterable[str], seconds: Mapping[str, float]) -> float:
    return 5 + 2 * sum(seconds[test] for test in tests)


def try_in_place(
    mutants: Sequence[tuple[int, Mutant, Sequence[str]]],
    seconds: Mapping[str, float],
    workers: int,
    say: Callable[[Told], None],
) -> None:
    """Each mutant with the tests to try on it, in a process that has everything loaded."""

    def work(items: list[pytest.Item]) -> None:
        by_id = {item.nodeid: item for item in items}
        functions, forget = loaded_functions(), forgetting()
        gc.collect()
        gc.freeze()
        forks = Forks(workers, say)
        for at, mutant, tests in mutants:

            def trial(at: int = at, mutant: Mutant = mutant, tests: Sequence[str] = tests) -> Told:
                forget()
                if not put_in_place(mutant, functions):
                    return Told(at, "reload")
                chosen = [by_id[test] for test in tests]
                for item, after in zip(chosen, [*chosen[1:], None], strict=True):
                    if not passes(item, after):
                        return Told(at, "killed", item.nodeid)
                return Told(at, "survived")

            forks.try_on(at, limit_of(tests, seconds), trial)
        forks.finish()

    collected(work)


def try_by_import(
    mutants: Sequence[tuple[int, Mutant, Sequence[str]]],
    seconds: Mapping[str, float],
    workers: int,
    say: Callable[[Told], None],
) -> None:
    """Each in a fork that imports the rules anew, and the tests after them."""
    forks = Forks(workers, say)
    for at, mutant, tests in mutants:

        def trial(at: int = at, mutant: Mutant = mutant, tests: Sequence[str] = tests) -> Told:
            sys.meta_path.insert(0, _Changed(mutant))
            ended: list[Told] = []

            def work(items: list[pytest.Item]) -> None:
                by_id = {item.nodeid: item for item in items}
                chosen = [by_id[test] for test in tests if test in by_id]
                for item, after in zip(chosen, [*chosen[1:], None], strict=True):
                    if not passes(item, after):
                        ended.append(Told(at, "killed", item.nodeid))
                        return
                ended.append(Told(at, "survived" if len(by_id) >= len(seconds) else "killed"))

            try:
                collected(work)
            except RuntimeError:
                return Told(at, "killed")
            return ended[0]

        forks.try_on(at, 15 + limit_of(tests, seconds), trial)
    forks.finish()


def in_fork(work: Callable[[TextIO], None]) -> Iterator[Any]:
    """What `work` writes as lines of JSON, as it comes. Raises RuntimeError when it did not come to its end."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.close(reading)
            with os.fdopen(writing, "w") as file:
                work(file)
            code = 0
        except Exception:  # noqa: BLE001 - told here, and by the exit code
            traceback.print_exc()
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading) as file:
        for line in file:
            yield json.loads(line)
    _, status = os.waitpid(child, 0)
    if status:
        message = f"expected the process with the tests to end well; its status is {os.waitstatus_to_exitcode(status)}"
        raise RuntimeError(message)
