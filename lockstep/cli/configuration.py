"""`config`, `pause`, `resume`: a brand's configuration, checked before it is published, versioned."""

from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Annotated

import typer
from pydantic import BaseModel
from rich.table import Table

from lockstep import publishing
from lockstep.brand_files import ConfigurationError, read_brand
from lockstep.cli.common import finish, out, settings, the_log
from lockstep.cli.preview import preview
from lockstep.reading import newest_configs
from lockstep.settings import read_connections
from schemas.base import Brand, System
from schemas.config import BrandConfig
from streams.rules.orders.mapping.doubts import doubts

configuration = typer.Typer(
    no_args_is_help=True, help="A brand's configuration: check a file, apply it, show what holds."
)
File = Annotated[Path, typer.Argument(help="TOML file of one brand")]


@configuration.command()
def check(file: File) -> None:
    """Check a file, and where LOCKSTEP_CONNECTIONS names one the connections too; publish nothing."""
    config = read_brand(file)
    out.print(f"{file}: brand {config.brand}, {_summary(config)}: good.")
    _tell_doubts(config)
    chosen = settings()
    if chosen.connections is not None:
        brands = read_connections(chosen)
        out.print(f"{chosen.connections}: connections of {len(brands)} brands: good.")
        _tell_unconnected(config, brands)


@configuration.command()
def apply(file: File) -> None:
    """Check a file and publish it as the brand's next version. A wrong one is refused; the last good stays."""
    config = read_brand(file)
    chosen = settings()
    brands = {config.brand} if chosen.connections is None else set(read_connections(chosen))
    applied = finish(publishing.apply(the_log(), config))
    out.print(f"brand {applied.brand}: version {applied.version} published, {_summary(applied)}.")
    if applied.paused != config.paused:
        out.print(f"  it stays paused, for the file does not name it: `lockstep resume {applied.brand}` ends that.")
    _tell_unconnected(config, brands)
    _tell_doubts(applied)


@configuration.command("show")
def show() -> None:
    """Show this process' settings (secrets masked) and every brand's configuration."""
    table = Table("setting", "value", box=None)
    for name, value in as_variables(settings()):
        table.add_row(name, value)
    out.print(table)
    for brand, config in sorted(finish(newest_configs(the_log())).items()):
        out.print(f"[bold]{brand}[/bold] version {config.version}, {_summary(config)}")
        out.print_json(config.model_dump_json(exclude_defaults=True))


configuration.command()(preview)


def as_variables(chosen: BaseModel, prefix: str = "LOCKSTEP_") -> Iterator[tuple[str, str]]:
    """Every setting as the variable that sets it, and its value; secrets masked."""
    for name, value in chosen:
        if isinstance(value, BaseModel):
            yield from as_variables(value, f"{prefix}{name.upper()}__")
        else:
            yield f"{prefix}{name.upper()}", "" if value is None else str(value)


def pause(
    brand: str,
    system: Annotated[System | None, typer.Argument(help="only this system; all three when left out")] = None,
) -> None:
    """Stop writing for a brand, within seconds. Reading goes on, orders wait, nothing is lost."""
    _stop(brand, system, lambda paused, wanted: paused | wanted)


def resume(
    brand: str,
    system: Annotated[System | None, typer.Argument(help="only this system; all three when left out")] = None,
) -> None:
    """Write again for a brand that was paused; what waited is decided anew and sent."""
    _stop(brand, system, lambda paused, wanted: paused - wanted)


def _stop(brand: str, system: System | None, change: Callable[[set[System], set[System]], set[System]]) -> None:
    wanted = set(System) if system is None else {system}

    def changed(before: BrandConfig | None) -> BrandConfig:
        if before is None:
            raise ConfigurationError(f"{brand}: expected a configured brand, found none; see `lockstep config apply`")
        paused = tuple(system for system in System if system in change(set(before.paused), wanted))
        if paused == before.paused:
            return before
        return before.model_copy(update={"paused": paused, "version": before.version + 1})

    before, config = finish(publishing.publish(the_log(), Brand(brand), changed))
    stopped = f"paused for {', '.join(config.paused)}" if config.paused else "goes on, paused for nothing"
    since = "as before; nothing was published" if config is before else f"configuration version {config.version}"
    out.print(f"brand {brand}: {stopped} ({since}).")


def _tell_unconnected(config: BrandConfig, brands: Collection[str]) -> None:
    if config.brand not in brands:
        known = ", ".join(sorted(brands)) or "none"
        where = settings().connections
        out.print(
            f"  [yellow]look again[/yellow]: {config.brand} has no table in {where}, so nothing reaches its systems; "
            f"connected are {known}"
        )


def _tell_doubts(config: BrandConfig) -> None:
    """What is allowed and hardly meant."""
    for doubt in doubts(config):
        out.print(f"  [yellow]look again[/yellow]: {doubt}")


def _summary(config: BrandConfig) -> str:
    paused = f", paused: {', '.join(config.paused)}" if config.paused else ""
    mappings = f"{len(config.warehouses)} warehouses, {len(config.shipping)} shipping lines mapped"
    return f"mode {config.mode}{paused}, {mappings}"
