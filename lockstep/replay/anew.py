"""A table whose log is cut, made anew from the systems: kept, its brands configured once more, emptied. Sends nothing.

The configuration is what the role begins with; with it the orders' role tells what the warehouse still owes. The rest
is what sweeps read. It lies behind the group's commit before anything is emptied, for a role that started in between
would have a table without a brand. Wherever it ends, the same again makes it whole.
"""

from dataclasses import dataclass

from kernel.operated import OperatedLog
from lockstep.publishing import apply
from lockstep.reading import newest_configs
from lockstep.replay.asked import ask
from lockstep.replay.in_place import Say, keep, nobody_works
from lockstep.replay.put import Moved, anew_stamp, put
from lockstep.replay.tables import FoldedTable
from schemas.base import Brand


@dataclass(frozen=True, slots=True)
class Emptied:
    """What was done: the topic that keeps the former table, and the brands that were configured again."""

    kept_topic: str
    kept_records: int
    brands: tuple[Brand, ...]


async def empty(
    log: OperatedLog, table: FoldedTable, stamp: str, *, say: Say, moved: Moved = lambda _: None
) -> Emptied:
    """`stamp` names this run. Raises WorkersRunError while somebody keeps the table, or LogError."""
    await nobody_works(log, table)
    asked = await ask(log, table)
    topic = f"{table.state.name}.kept-{stamp}"
    kept = await keep(log, table, topic, sorted(asked.spans), say, moved)
    configs = await newest_configs(log)
    for brand, config in sorted(configs.items()):
        say(f"configuring {brand} again")
        await apply(log, config)
    for number, span in sorted(asked.spans.items()):
        say(f"emptying {table.state.name}/{number}")
        await nobody_works(log, table)
        at = max(asked.committed.get(number, 0), span.begin)
        await put(log, table.state.name, number, {}, anew_stamp(stamp, at))
    return Emptied(topic, kept, tuple(sorted(configs)))
