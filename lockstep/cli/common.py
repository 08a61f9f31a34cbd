"""What the commands share: settings, the log, what is printed how wide, running asyncio to its end."""

import asyncio
from collections.abc import Coroutine, Iterable
from datetime import datetime
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_settings import SettingsError as UnreadableVariableError
from rich.console import Console, ConsoleOptions, RenderableType
from rich.padding import Padding
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from kernel.clock import SystemClock
from kernel.log import Log
from lockstep.kafka import kafka_log
from lockstep.mistakes import Where, mistakes
from lockstep.settings import Settings, SettingsError

T = TypeVar("T")
UNFOLDED = 10_000
"""Columns. Where there is no terminal a program reads, and no line is folded for it."""
OBEYED = dict.fromkeys({*range(0x20), *range(0x7F, 0xA0)} - set(map(ord, "\n\t")))
"""Characters that a terminal obeys instead of showing them; left out, for they count as nothing wide."""


class Paper(Console):
    """A console on which what others wrote is read and never obeyed: names and refusals come from outside."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=segment.text.translate(OBEYED))


out = Paper(highlight=False)
if not out.is_terminal:
    out.width = UNFOLDED
LEAST = 24
"""Columns of a terminal that must be left for what is wrapped, or it goes on a line of its own."""


def settings() -> Settings:
    """From the environment. Raises SettingsError naming the variable."""
    try:
        return Settings()
    except ValidationError as wrong:
        raise SettingsError("; ".join(mistakes(wrong, _variable))) from wrong
    except UnreadableVariableError as wrong:  # of a whole table; its text names the field, not the value
        table = next((name for name in Settings.model_fields if f'"{name}"' in str(wrong)), "…")
        raise SettingsError(
            f"{_variable([table])}: expected JSON, found something else: set its parts one by one, "
            f"{_variable([table, 'NAME'])}"
        ) from wrong


def _variable(where: Where) -> str:
    return f"LOCKSTEP_{'__'.join(str(part) for part in where)}".upper()


def say_wrong(program: str, what: object) -> None:
    """On standard error, as it is: foreign text may look like markup, and paths are copied."""
    errors = Paper(stderr=True, highlight=False, soft_wrap=True)
    errors.print(Text.assemble((f"{program}: ", "red"), str(what)))


def the_log() -> Log:
    return kafka_log(settings(), "lockstep-cli")


def finish(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def print_table(table: Table, exact: int) -> None:
    """Its first `exact` columns are what somebody types next: they are never cut. Only the columns that are not
    `no_wrap` are wrapped; where the terminal is too narrow for that, the others stand beneath, with their names.
    """
    wide = out.measure(table, options=out.options.update(max_width=UNFOLDED)).maximum
    wrapped = sum(
        max(out.measure(cell, options=out.options.update(max_width=UNFOLDED)).maximum for cell in column.cells)
        for column in table.columns
        if not column.no_wrap
    )
    if wide <= out.width or wide - wrapped + LEAST <= out.width:
        out.print(table)
        return
    for row in zip(*(column.cells for column in table.columns), strict=True):
        out.print("  ".join(str(cell) for cell in row[:exact]), soft_wrap=True)
        named = zip(table.columns[exact:], row[exact:], strict=True)
        out.print(Padding("; ".join(f"{column.header}: {cell}" for column, cell in named if cell), (0, 0, 0, 2)))


def now() -> datetime:
    return SystemClock().now()
