"""`show` and `refresh`: one order, as the three systems have it, and a fresh look at it."""

from typing import Annotated

import typer
from rich.columns import Columns
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from lockstep.awaited import at_ease, awaited, decided
from lockstep.case_words import moment
from lockstep.cli.acting import Order, act, acted_on, configured, find_key
from lockstep.cli.common import finish, out, the_log
from lockstep.reading import OrderStory, read_order
from lockstep.words import event_in_words, systems_side_by_side
from schemas.aggregates import item_of, stock_of
from schemas.base import OrderKey, split_key


def show(
    order: Order,
    events: Annotated[int, typer.Option(min=0, help="how many of the last events to list; 0: all")] = 30,
) -> None:
    """Show an order: the three systems side by side, what holds it, since when and what happens next, its cases, what
    people decided, and the events that led here.

    Folds the order's partition of orders.events; changes nothing.
    """
    key = find_key(order)
    brand, id_ = split_key(key)
    stocked, code = stock_of(id_), item_of(id_)
    if stocked is not None:
        raise typer.BadParameter(f"a stock item, no order: lockstep stock {brand} {stocked[0]} --location {stocked[1]}")
    if code is not None:
        raise typer.BadParameter(f"an item, no order: lockstep item {brand} {code}")
    with out.status(f"reading the log of {key} …") as status:
        story = finish(read_order(the_log(), key, lambda count: status.update(f"reading the log: {count} records …")))
    if story.state is None:
        configured(brand)
        out.print(
            f"{key}: not in the log. Is the order id right? `lockstep refresh {key}` asks the systems for it. "
            f"By the name Shopify shows it is {brand}/#{id_}."
        )
        raise typer.Exit(1)
    _print(key, story, events)


def _print(key: OrderKey, story: OrderStory, last: int) -> None:
    state = story.state
    assert state is not None
    out.print(f"[bold]{key}[/bold] as of {state.now:%Y-%m-%d %H:%M:%S} UTC", end="")
    if story.config is not None and story.config.mode == "observe":
        out.print("  [yellow]observe: nothing is written[/yellow]", end="")
    if story.config is not None and story.config.paused:
        out.print(f"  [yellow]paused: {', '.join(story.config.paused)}[/yellow]", end="")
    out.print()
    sides = systems_side_by_side(state).items()
    out.print(Columns([Panel(escape("\n".join(said)), title=name) for name, said in sides], equal=True))
    waits = list(awaited(state, story.config))
    for line in waits:
        out.print(f"  {line}", markup=False)
    for case in state.cases:
        out.print(f"  [red]case {case.code}[/red]", end=" ")
        out.print(f"{case.object}: {case.detail} (owner {case.owner}, due {moment(case.due_at)})", markup=False)
    if state.cases:
        out.print(f"  next: lockstep case show {key}")
    if not waits and not state.cases:
        out.print(f"  {at_ease(state)}")
    for line in decided(state):
        out.print(f"  {line}", markup=False)
    table = Table("offset", "appended (UTC)", "what happened", box=None)
    for told in story.events[-last:] if last else story.events:
        at, happened = f"{told.record.at:%m-%d %H:%M:%S.%f}"[:-3], escape(event_in_words(told.event))
        table.add_row(str(told.record.offset), at, happened)
    out.print(table)


def refresh(order: Order) -> None:
    """Read an order again from all three systems, now."""
    key = acted_on(order)
    finish(act(key, "refresh"))
    out.print(f"{key} will be read again from Shopify, Clarus and the ERP.")
