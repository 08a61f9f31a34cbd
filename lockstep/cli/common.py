"""What the commands share: settings, the log, who is asking, what is printed how wide, running asyncio to its end."""

import asyncio
import getpass
from collections.abc import Coroutine
from datetime import datetime
from typing import Annotated, Any, TypeVar

import typer
from pydantic import ValidationError
from pydantic_settings import SettingsError as UnreadableVariableError
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from kernel.clock import SystemClock
from kernel.log import Log
from lockstep.brand_files import ConfigurationError
from lockstep.deciding import Person
from lockstep.kafka import kafka_log
from lockstep.mistakes import Where, mistakes
from lockstep.reading import newest_configs
from lockstep.settings import Settings, SettingsError, handle
from schemas.actions import ActionKind
from schemas.aggregates import item_of, stock_of
from schemas.base import Brand, OrderId, OrderKey, split_key
from schemas.config import BrandConfig

T = TypeVar("T")
WHY = ("--why", "--reason")
"""One option by two names; the first is the one to teach."""
Why = Annotated[str, typer.Option(*WHY, help="kept with the action")]
UNFOLDED = 10_000
"""Columns. Where there is no terminal a program reads, and no line is folded for it."""
out = Console(highlight=False)
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
    errors = Console(stderr=True, highlight=False, soft_wrap=True)
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


def read_key(order: str) -> OrderKey:
    """`brand/order`, with the order's number or its gid, `brand/stock:LOCATION/CODE` or `brand/item:CODE`. Refuses
    anything else with a usage message.
    """
    brand, _, rest = order.partition("/")
    whole = stock_of(OrderId(rest)) is not None or item_of(OrderId(rest)) is not None
    number = rest if whole else rest.rsplit("/", 1)[-1]
    try:
        split_key(f"{brand}/{number}")
    except ValueError as wrong:
        raise typer.BadParameter(f"{wrong}; for example acme/6120034455667") from wrong
    return OrderKey(f"{brand}/{number}")


def configured(brand: str) -> BrandConfig:
    """The brand's newest configuration in the log. Raises ConfigurationError naming the brands there are."""
    found = finish(newest_configs(the_log()))
    if Brand(brand) not in found:
        there = ", ".join(sorted(found)) or "none: `lockstep config apply FILE`"
        raise ConfigurationError(f"{brand}: expected a configured brand, found {there}")
    return found[Brand(brand)]


def acted_on(order: str) -> OrderKey:
    """The key of what a person acts on, of a configured brand: nobody else would ever read what is written."""
    key = read_key(order)
    configured(split_key(key)[0])
    return key


def now() -> datetime:
    return SystemClock().now()


def who_asks() -> str:
    """The handle that stands on what is asked for: as set, or the login name. Raises SettingsError without either, or
    where it is none.
    """
    said, where = settings().operator, "LOCKSTEP_OPERATOR"
    if not said:
        try:
            said = getpass.getuser()
        except (KeyError, OSError, ImportError) as unknown:
            raise SettingsError(f"{where}: expected your handle, found none, and no login name") from unknown
        where += ": none is set, and of the login name"
    try:
        return handle(said)
    except ValueError as wrong:
        raise SettingsError(f"{where}: {wrong}") from wrong


def person() -> Person:
    """Whoever types. Raises SettingsError when nobody knows the handle."""
    return Person(the_log(), who_asks(), now)


async def act(
    key: OrderKey, action: ActionKind, *, target: str = "", about: str = "", says: str = "", why: str = ""
) -> None:
    """Write an operator's action; returns when the broker has it."""
    await person().act(key, action, target=target, about=about, says=says, why=why)
