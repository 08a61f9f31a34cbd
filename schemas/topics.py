"""Every topic, once: what it is keyed by, holds, how long it is kept, who writes it and who reads it.

Creation, the topic page in the docs and the tests are derived from this registry. All keyed topics have the same
number of partitions and one partitioner (murmur2), so that one instance owns the same keys in hints and commands.
"""

from dataclasses import dataclass, replace
from typing import Literal

from schemas.base import System

DAY_MS = 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class Topic:
    """`retention_ms` None is for ever. `stamped_by_broker` asks for LogAppendTime."""

    name: str
    key: str
    holds: str
    value: Literal["json", "avro", "verbatim"]
    writer: str
    readers: tuple[str, ...]
    cleanup: Literal["delete", "compact"] = "delete"
    retention_ms: int | None = 7 * DAY_MS
    stamped_by_broker: bool = False
    min_compaction_lag_ms: int | None = None

    def configuration(self) -> dict[str, str]:
        """The broker's topic settings."""
        settings = {"cleanup.policy": self.cleanup, "compression.type": "producer"}
        if self.cleanup == "delete":
            settings["retention.ms"] = str(-1 if self.retention_ms is None else self.retention_ms)
        if self.stamped_by_broker:
            settings["message.timestamp.type"] = "LogAppendTime"
        if self.min_compaction_lag_ms is not None:
            settings["min.compaction.lag.ms"] = str(self.min_compaction_lag_ms)
        return settings


def _hints(system: System) -> Topic:
    return Topic(
        name=f"hints.{system}",
        key="brand/order, /stock:location/code or /item:code",
        holds="hint: what may have changed, why, seen when; a webhook's body as evidence, never applied",
        value="json",
        writer="intake, polls, operators; the orders, stock and items agents (reads they ask for)",
        readers=(f"{system} connector",),
    )


def _raw(system: System) -> Topic:
    return Topic(
        name=f"raw.{system}",
        key="brand/order, /stock:location/code or /item:code",
        holds="verbatim answers, outcomes of commands, connection and ownership records",
        value="verbatim",
        writer=f"{system} connector",
        readers=("normalise",),
        retention_ms=30 * DAY_MS,
    )


def _commands(system: System) -> Topic:
    return Topic(
        name=f"commands.{system}",
        key="brand/order",
        holds="commands: absolute, safe to repeat",
        value="avro",
        writer="orders agent",
        readers=(f"{system} connector",),
    )


HINTS = {system: _hints(system) for system in System}
RAW = {system: _raw(system) for system in System}
COMMANDS = {system: _commands(system) for system in System} | {
    System.CLARUS: replace(
        _commands(System.CLARUS), key="brand/order or /item:code", writer="orders agent, items agent"
    )
}

COMMANDS_STOCK = replace(
    COMMANDS[System.SHOPIFY],
    name="commands.shopify.stock",
    key="brand/stock:location/code",
    holds="stock figures to be written: absolute, compared with what was seen",
    writer="stock agent",
)


def commands_of(system: System) -> tuple[Topic, ...]:
    """Where commands for a system lie."""
    return (COMMANDS[system], COMMANDS_STOCK) if system is System.SHOPIFY else (COMMANDS[system],)


OPERATOR_ACTIONS = Topic(
    name="operator.actions",
    key="brand/order",
    holds="what a person asked for, with who and why",
    value="json",
    writer="lockstep command line, console",
    readers=("normalise",),
    retention_ms=365 * DAY_MS,
)
CONFIG = Topic(
    name="config",
    key="brand",
    holds="the brand's configuration, validated, versioned",
    value="json",
    writer="lockstep config apply",
    readers=("normalise", "intake", "connectors"),
    cleanup="compact",
)
ORDERS_EVENTS = Topic(
    name="orders.events",
    key="brand/order",
    holds="canonical events and ticks: the one log of every order",
    value="avro",
    writer="normalise; the orders agent (ticks)",
    readers=("orders agent", "show, verify, rebuild"),
    retention_ms=None,
    stamped_by_broker=True,
)
ORDERS_STATE = Topic(
    name="orders.state",
    key="brand/order",
    holds="changelog of the orders table: the newest state per order",
    value="json",
    writer="orders agent",
    readers=("orders agent on recovery", "verify, rebuild", "read models"),
    cleanup="compact",
    min_compaction_lag_ms=3600 * 1000,
)
STOCK_EVENTS = Topic(
    name="stock.events",
    key="brand/stock:location/code",
    holds="canonical events and ticks: the one log of every stock item; a sweep rebuilds it",
    value="avro",
    writer="normalise; the orders agent (demand); the stock agent (ticks)",
    readers=("stock agent", "verify"),
    retention_ms=30 * DAY_MS,
    stamped_by_broker=True,
)
STOCK_STATE = Topic(
    name="stock.state",
    key="brand/stock:location/code",
    holds="changelog of the stock table: the newest state per stock item",
    value="json",
    writer="stock agent",
    readers=("stock agent on recovery", "stock, verify", "read models"),
    cleanup="compact",
    min_compaction_lag_ms=3600 * 1000,
)
ITEMS_EVENTS = Topic(
    name="items.events",
    key="brand/item:code",
    holds="canonical events and ticks: the one log of every item; a sweep rebuilds it",
    value="avro",
    writer="normalise; the orders agent (items it waits for); the items agent (ticks, gaps it counts)",
    readers=("items agent", "verify"),
    retention_ms=30 * DAY_MS,
    stamped_by_broker=True,
)
ITEMS_STATE = Topic(
    name="items.state",
    key="brand/item:code",
    holds="changelog of the items table: the newest state per item",
    value="json",
    writer="items agent",
    readers=("items agent on recovery", "item, verify", "read models"),
    cleanup="compact",
    min_compaction_lag_ms=3600 * 1000,
)
CASES = Topic(
    name="cases",
    key="brand/object/code",
    holds="open and closed cases, without personal data",
    value="avro",
    writer="orders agent, stock agent, items agent",
    readers=("case list", "notices", "console"),
    cleanup="compact",
)
NOTICES = Topic(
    name="notices",
    key="brand/target/owner",
    holds="the day whose digest was delivered last",
    value="json",
    writer="notices",
    readers=("notices",),
    cleanup="compact",
)
DLQ = Topic(
    name="dlq",
    key="the original key",
    holds="original bytes; headers say topic, partition, offset, reason, stage",
    value="verbatim",
    writer="every process",
    readers=("people",),
    retention_ms=30 * DAY_MS,
)

ALL: tuple[Topic, ...] = (
    *HINTS.values(),
    *RAW.values(),
    *COMMANDS.values(),
    COMMANDS_STOCK,
    OPERATOR_ACTIONS,
    CONFIG,
    ORDERS_EVENTS,
    ORDERS_STATE,
    STOCK_EVENTS,
    STOCK_STATE,
    ITEMS_EVENTS,
    ITEMS_STATE,
    CASES,
    NOTICES,
    DLQ,
)
