"""`lockstep demo --stay`: the verdict is told and written first, then everything stays until Ctrl-C."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

import lockstep.cli.demo
from lockstep.cli.app import program
from lockstep.demo.board import Board
from lockstep.demo.judge import Books
from lockstep.demo.play import Ended, Plan
from lockstep.demo.report import Report
from tests.lockstep.demo.test_report import numbered

BOOKS = Books(
    shopify={"orders": [], "fulfillments": []},
    clarus={"goods_outs": []},
    erp={"sales_orders": [], "fulfilments": []},
    shops={},
    prefixes={},
)


@pytest.mark.parametrize(("in_step", "code"), [(True, 0), (False, 1)])
def test_the_verdict_is_told_and_written_before_it_stays_and_ctrl_c_keeps_its_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, in_step: bool, code: int
) -> None:
    report, books = tmp_path / "report.json", tmp_path / "books.json"
    written: list[bool] = []

    async def play(_plan: Plan, _board: Board, at_the_end: Callable[[Ended], Awaitable[None]]) -> Report:
        def ctrl_c() -> None:
            written.extend(path.exists() for path in (report, books))
            os.kill(os.getpid(), signal.SIGINT)

        asyncio.get_running_loop().call_later(0.2, ctrl_c)
        verdict = numbered().model_copy(update={"in_step": in_step})
        await at_the_end(
            Ended(verdict, BOOKS, {"LOCKSTEP_CONNECTIONS": "/a place/c.json"}, {"orders": "http://127.0.0.1:9101"})
        )
        return verdict

    monkeypatch.setattr(lockstep.cli.demo, "play", play)
    monkeypatch.setattr(lockstep.cli.demo, "configure", lambda *_: None)  # of the whole process' log
    typed = ["demo", "--stay", "--plain", "--report", str(report), "--books", str(books)]
    ran = CliRunner().invoke(program(), typed)

    assert (ran.exit_code, written) == (code, [True, True])
    assert json.loads(report.read_text())["in_step"] is in_step
    verdict, _, after = ran.stdout.partition("Everything still runs.")
    assert ("NOT IN STEP" in verdict) is not in_step
    assert f"export PATH={Path(sys.executable).parent}:$PATH\n" in after
    assert "export LOCKSTEP_CONNECTIONS='/a place/c.json'\n" in after
    assert "orders=http://127.0.0.1:9101\n" in after
