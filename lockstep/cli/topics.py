"""`topics`: make them, list them, write their page, keep the schemas of what they hold."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Column, Table

from lockstep.cli.common import finish, out, settings
from lockstep.cli.destinations import file_to_write
from lockstep.kafka import kafka_log
from lockstep.schema_files import keep_schemas
from lockstep.topic_page import page
from lockstep.topic_specs import specs
from schemas.topics import ALL

topics = typer.Typer(no_args_is_help=True, help="Topics: one registry; creation and documentation are derived from it.")


@topics.command()
def create() -> None:
    """Create the missing topics; refuse, with an explanation, where an existing one differs."""
    chosen = settings()
    log = kafka_log(chosen, "lockstep-topics")
    made = finish(log.create_topics(specs(chosen.partitions, chosen.replication)))
    out.print(f"{len(made)} topics created, {len(ALL) - len(made)} were there.")


@topics.command("list")
def list_() -> None:
    """List every topic of the registry with what it holds."""
    table = Table(Column("topic", no_wrap=True), "key", "holds", "kept", "writer", box=None)
    for topic in ALL:
        kept = topic.cleanup if topic.cleanup == "compact" else _days(topic.retention_ms)
        table.add_row(topic.name, topic.key, topic.holds, kept, topic.writer)
    out.print(table)


def _days(retention_ms: int | None) -> str:
    return "for ever" if retention_ms is None else f"{retention_ms // 86_400_000} d"


@topics.command("page")
def page_(
    path: Annotated[Path, typer.Argument(callback=file_to_write, help="where to write it")] = Path("docs/topics.md"),
) -> None:
    """Write the topic page of the documentation from the registry."""
    path.write_text(page())
    out.print(f"{path} written.", markup=False)


@topics.command()
def schemas() -> None:
    """Keep the Avro schemas of changed records in schemas/history; refuse a change that other releases cannot read.

    For developers, in a checkout. Commit what it writes.
    """
    made = keep_schemas()
    for name in made:
        out.print(f"schemas/history/{name} written.")
    if not made:
        out.print("Every schema is kept already.")
