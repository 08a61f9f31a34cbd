"""Who acts, on what: the key of an order, the brand's configuration, the person who types."""

import getpass
from typing import Annotated

import typer
from rich.markup import escape

from lockstep.brand_files import ConfigurationError
from lockstep.cli.common import finish, now, out, settings, the_log
from lockstep.deciding import Person
from lockstep.reading import newest_configs, orders_named
from lockstep.settings import SettingsError, handle
from schemas.actions import ActionKind
from schemas.aggregates import item_of, stock_of
from schemas.base import Brand, OrderId, OrderKey, split_key
from schemas.config import BrandConfig

WHY = ("--why", "--reason")
"""One option by two names; the first is the one to teach."""
Order = Annotated[
    str, typer.Argument(help="brand/order, by its id or its name in Shopify: acme/6120034455667, 'acme/#1007'")
]
Why = Annotated[str, typer.Option(*WHY, help="kept with the action")]


def read_key(order: str) -> OrderKey:
    """`brand/order`, with the order's number or its gid, `brand/stock:LOCATION/CODE` or `brand/item:CODE`. Refuses
    anything else with a usage message.
    """
    brand, _, rest = order.partition("/")
    number = rest.rsplit("/", 1)[-1] if rest.startswith("gid:") else rest
    try:
        split_key(f"{brand}/{number}")
    except ValueError as wrong:
        raise typer.BadParameter(f"{wrong}; for example acme/6120034455667") from wrong
    return OrderKey(f"{brand}/{number}")


def find_key(order: str) -> OrderKey:
    """As `read_key`, or of an order by its name in Shopify, `brand/#1007`, looked up in the orders' table. Refuses a
    name that none there has, or more than one.
    """
    key = read_key(order)
    brand, id_ = split_key(key)
    if not is_name(id_):
        return key
    with out.status(f"looking for {escape(id_)} in the orders' table …"):
        found = finish(orders_named(the_log(), brand, id_))
    if len(found) == 1:
        return found[0]
    if found:
        raise typer.BadParameter(f"{key}: expected one order of that name, found {', '.join(found)}")
    configured(brand)
    raise typer.BadParameter(f"{key}: expected an order's id or its name in Shopify, found no order of that name")


def is_name(id_: OrderId) -> bool:
    """Ids of orders are digits; `~` begins that of a connection."""
    return not (id_.isdecimal() or id_.startswith("~") or stock_of(id_) is not None or item_of(id_) is not None)


def configured(brand: str) -> BrandConfig:
    """The brand's newest configuration in the log. Raises ConfigurationError naming the brands there are."""
    found = finish(newest_configs(the_log()))
    if Brand(brand) not in found:
        there = ", ".join(sorted(found)) or "none: `lockstep config apply FILE`"
        raise ConfigurationError(f"{brand}: expected a configured brand, found {there}")
    return found[Brand(brand)]


def acted_on(order: str) -> OrderKey:
    """The key of what a person acts on, of a configured brand: nobody else would ever read what is written."""
    key = find_key(order)
    configured(split_key(key)[0])
    return key


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
