"""`python -m tests.kills`: kills, freezes, restarts, scalings, broker losses and network faults under load, judged.

One phase on a single broker, one on a cluster of three. Exit code 0 only when nothing was lost, doubled or early, every
command has its outcome and the table is the fold of the log.
"""

import argparse
import asyncio
import logging
import shutil
import signal
import sys
from pathlib import Path

import uvloop

from kernel.logs import configure
from lockstep.demo.processes import ProcessFailedError
from sandbox.kafka import KafkaFailedError
from sandbox.kafka.runs import run_folder
from tests.kills.blows import NotUpError
from tests.kills.phase import Plan, play
from tests.kills.report import Phase, Report, lines, of
from tests.kills.schedule import Kind, Where

KILLS = 62
MINUTES = 6.5


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def _phase(plan: Plan, keep: Path | None) -> Phase:
    with run_folder() as folder:
        right = False
        try:
            phase = await play(plan, folder, _say)
            right = phase.right
        finally:
            if not right and keep is not None:
                kept = keep / f"{plan.where}-{plan.seed}"
                shutil.rmtree(kept, ignore_errors=True)
                shutil.copytree(folder, kept)
                _say(f"logs and books of this phase are kept in {kept}")
        return phase


async def run(plans: list[Plan], keep: Path | None) -> Report:
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    assert task is not None
    loop.add_signal_handler(signal.SIGTERM, task.cancel)
    began = loop.time()
    phases = [await _phase(plan, keep) for plan in plans]
    return of(tuple(phases), loop.time() - began)


def tell(report: Report, path: Path | None) -> int:
    """The exit code."""
    for line in lines(report):
        _say(line)
    if path is not None:
        path.write_text(report.model_dump_json(indent=1) + "\n")
        _say(f"report: {path}")
    return 0 if report.right else 1


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.kills", description=__doc__)
    parser.add_argument("--seed", type=int, default=7, help="decides who is struck when, who orders what (7)")
    parser.add_argument("--kills", type=int, default=KILLS, help=f"blows over all phases ({KILLS})")
    parser.add_argument("--minutes", type=float, default=MINUTES, help=f"over which they fall ({MINUTES})")
    parser.add_argument("--only", choices=("single", "cluster"), help="this phase alone, with all the blows")
    parser.add_argument("--rate", type=float, default=2.0, help="orders a second (2)")
    parser.add_argument("--faults", choices=("none", "some", "many"), default="some", help="what else goes wrong")
    parser.add_argument("--report", type=Path, help="write the verdict there, as JSON")
    parser.add_argument("--keep", type=Path, help="logs and books of a phase that went wrong go there")
    wanted = parser.parse_args()
    phases: tuple[Where, ...] = (wanted.only,) if wanted.only else ("single", "cluster")
    each = wanted.kills // len(phases)
    if each < len(Kind):
        parser.error(f"expected at least {len(Kind)} kills a phase, one of each kind, found {each}")
    over = wanted.minutes * 60 / len(phases)
    plans = [Plan(where, wanted.seed, each, over, wanted.rate, wanted.faults) for where in phases]
    configure("kills", logging.ERROR)
    logging.disable(logging.CRITICAL)  # what clients and servers grumble while they are struck is no news
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return tell(runner.run(run(plans, wanted.keep)), wanted.report)
    except (KeyboardInterrupt, asyncio.CancelledError):
        _say("stopped; everything that was started has been ended")
        return 130
    except (KafkaFailedError, ProcessFailedError, NotUpError, TimeoutError) as failed:
        _say(f"kill test: {failed}")
        return 2
    except BaseExceptionGroup as several:
        _say(f"kill test: {several.exceptions[0]}")
        return 2


if __name__ == "__main__":
    sys.exit(main())
