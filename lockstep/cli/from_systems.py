"""`rebuild --from-systems`: without a log, from what Shopify, Clarus and the ERP have now."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from connectors.runtime.port import Listing
from kernel.clock import Clock, SystemClock
from kernel.log import Log
from lockstep.brand_files import ConfigurationError, read_brand
from lockstep.cli.common import finish, out, settings
from lockstep.kafka import kafka_log
from lockstep.patience import CannotReadError
from lockstep.ports.clarus import clarus_port
from lockstep.ports.erp import erp_port
from lockstep.ports.shopify import shopify_port
from lockstep.ports.translators import translators
from lockstep.reading import newest_configs
from lockstep.replay.dry_fold import DryFold, Verdict
from lockstep.replay.from_systems import Found, Notes, Told, read_systems, seed
from lockstep.settings import Connections, SettingsError, read_connections
from schemas.base import Brand, System
from schemas.config import BrandConfig

SHOWN = 20
"""Orders of one kind, at most."""
OK, TO_LOOK_AT, CANNOT = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Asked:
    """What was typed. `files`: configurations instead of those in the log, where there is no log yet."""

    brands: tuple[Brand, ...]
    files: tuple[Path, ...]
    closed_within: float
    """Days."""
    work: Path
    yes: bool


def rebuild_from_systems(asked: Asked) -> int:
    """The exit code: 0 when nothing is left to look at, 1 when something is, 2 when it could not be done."""
    chosen = settings()
    connections = read_connections(chosen)
    log = kafka_log(chosen, "lockstep-rebuild")
    configs = _configs(asked, log)
    brands = _brands(asked, connections, configs)
    if asked.yes and asked.files:
        raise ConfigurationError(
            "--yes: expected the configuration in the log, found --config: `lockstep config apply`"
        )
    found: dict[Brand, Found] = {}
    try:
        for brand in brands:
            with progress(f"reading {brand}") as told:
                found[brand] = finish(_read(asked, brand, connections[brand], configs[brand], told))
            print_found(found[brand], configs[brand])
        if asked.yes:
            for brand in brands:
                orders = found[brand].listed.orders
                with progress(f"hinting at {brand}") as told:
                    finish(seed(log, brand, orders, SystemClock(), told))
                Notes.of(asked.work, brand, SystemClock().now()).forget()
                out.print(
                    f"{brand}: {len(orders)} orders hinted at for all three systems; the running roles read them."
                )
    except KeyboardInterrupt:
        out.print("Interrupted. What was read is kept, hints are safe to repeat: the same command goes on from there.")
        return CANNOT
    except CannotReadError as error:
        out.print(f"{error}. What was read is kept: the same command goes on from there.", style="red", markup=False)
        return CANNOT
    return OK if asked.yes or all(clear(one) for one in found.values()) else TO_LOOK_AT


def _configs(asked: Asked, log: Log) -> Mapping[Brand, BrandConfig]:
    if asked.files:
        return {config.brand: config for config in map(read_brand, asked.files)}
    return finish(newest_configs(log))


def _brands(
    asked: Asked, connections: Mapping[Brand, Connections], configs: Mapping[Brand, BrandConfig]
) -> Sequence[Brand]:
    """All that are connected, or those named. Raises SettingsError or ConfigurationError for one that is not known."""
    brands = asked.brands or tuple(sorted(connections))
    for brand in brands:
        if brand not in connections:
            raise SettingsError(f"{brand}: expected a brand of the connections file, found {', '.join(connections)}")
        if brand not in configs:
            raise ConfigurationError(
                f"{brand}: expected a configuration, found none: `lockstep config apply` its file, or name it: --config"
            )
    return brands


async def _read(asked: Asked, brand: Brand, one: Connections, config: BrandConfig, told: Told) -> Found:
    clock: Clock = SystemClock()
    ports: dict[System, Listing] = {
        System.SHOPIFY: shopify_port({brand: one}, clock),
        System.CLARUS: clarus_port({brand: one}, {brand: config}.get, clock),
        System.ERP: erp_port({brand: one}, clock),
    }
    fold = DryFold(config, translators({brand: one}), clock.now())
    since = clock.now() - timedelta(days=asked.closed_within)
    try:
        return await read_systems(ports, fold, clock, asked.work, since, told, anew_when_done=not asked.yes)
    finally:
        for port in ports.values():
            await port.aclose()


def clear(found: Found) -> bool:
    """Whether nothing would be sent or asked, and everything has its order."""
    return not found.of(lambda one: bool(one.would_send or one.cases or one.orphan_in))


def print_found(found: Found, config: BrandConfig) -> None:
    """One brand's orders: how many are in which state, and by name those that need somebody or something."""
    named = ", ".join(f"{count} by {system}" for system, count in found.listed.by.items())
    out.print(f"[bold]{found.listed.brand}[/bold]: {len(found.verdicts)} orders ({named})")
    for shows, count in found.shown().most_common():
        out.print(f"  {count:6} {shows}", markup=False)
    if config.release_from is None:
        out.print("  release_from is not set: no order would be released.", style="yellow")
    _print("would be sent", found.of(lambda one: bool(one.would_send)), lambda one: one.would_send)
    _print("cases", found.of(lambda one: bool(one.cases)), lambda one: one.cases)
    _print(
        "orphans, of which Shopify knows no order", found.of(lambda one: bool(one.orphan_in)), lambda one: one.orphan_in
    )
    if config.mode == "live" and found.of(lambda one: bool(one.would_send)):
        out.print(
            f"  {found.listed.brand} is live: with --yes the roles that run send what would be sent.",
            style="yellow",
        )


def _print(title: str, verdicts: Sequence[Verdict], said: Callable[[Verdict], Sequence[str]]) -> None:
    if verdicts:
        out.print(f"  {title}: {len(verdicts)} orders")
    for one in verdicts[:SHOWN]:
        out.print(f"    {one.name or one.order}: {'; '.join(said(one))}", markup=False)
    if len(verdicts) > SHOWN:
        out.print(f"    and {len(verdicts) - SHOWN} more; all of them in the work folder")


@contextmanager
def progress(what: str) -> Iterator[Told]:
    """A bar of orders."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=out, transient=True) as bars:
        bar = bars.add_task(what, total=None)
        yield lambda done, total: bars.update(bar, completed=done, total=total)
