"""What others wrote is shown as it is: square brackets are no markup."""

import io
from collections.abc import Callable

import pytest
from rich.console import Console

from lockstep.demo.board import Board, LiveBoard, PlainBoard, Scene, print_report
from lockstep.demo.judge import Judged
from tests.builders import a_case
from tests.lockstep.demo.test_report import numbered
from tests.lockstep.demo.test_stay import BOOKS

FOREIGN = "expected [red]30[/red] [x], found [/y]"


def a_console() -> Console:
    return Console(file=io.StringIO(), width=400, highlight=False)


def shown(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_reason_of_the_verdict() -> None:
    console = a_console()

    print_report(console, numbered().model_copy(update={"why_not": (FOREIGN,)}))

    assert f"not in step: {FOREIGN}\n" in shown(console)


def test_what_a_case_says() -> None:
    console = a_console()

    with LiveBoard(console) as board:
        board.show(Scene(1.0, "shoppers order", Judged(BOOKS), [a_case(detail=FOREIGN)], 1))

    assert FOREIGN in shown(console)


@pytest.mark.parametrize("kind", [PlainBoard, LiveBoard])
def test_what_is_said_after_the_board_is_left_is_shown_too(kind: Callable[[Console], Board]) -> None:
    console = a_console()

    with kind(console) as board:
        board.show(Scene(1.0, "shoppers order", Judged(BOOKS), [], 1))
    board.say(FOREIGN)

    assert shown(console).endswith(f"{FOREIGN}\n")
