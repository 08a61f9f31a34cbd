"""A rebuilt table put in place of the one there, while no worker runs: the old one is kept, nothing is sent.

In this order: nobody is a member of the group; the table in place is copied to a topic of its own and the copy
compared; the rebuilt one is appended between marks and read back; the group's commit is set. It stays where it was,
never past the rebuilt end, so that workers send what they had not sent yet and nothing else.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from kernel.log import LogError, Partition
from kernel.operated import OperatedLog
from lockstep.replay.checkpoint import Checkpoints
from lockstep.replay.fold import digest
from lockstep.replay.put import Moved, copy, put
from lockstep.replay.rebuild import Rebuilt, Run
from lockstep.replay.table import read_table
from lockstep.replay.tables import ORDERS, FoldedTable
from lockstep.replay.verify import Plan
from schemas.topics import ORDERS_EVENTS, ORDERS_STATE
from streams.engine.changelog import restore

Say = Callable[[str], None]


class WorkersRunError(LogError):
    """Somebody folds at this moment."""


async def nobody_works(log: OperatedLog, table: FoldedTable = ORDERS) -> None:
    """Raises WorkersRunError while the group has members."""
    members = (await log.describe_groups([table.group]))[table.group].members
    if members:
        raise WorkersRunError(
            f"expected nobody in group {table.group} while a table is put in place, found {members} members: stop "
            f"every `lockstep run {table.role}`, wait until they have left (a killed one is forgotten after its "
            "session), then run this again. Nothing was put in place"
        )


@dataclass(frozen=True, slots=True)
class InPlace:
    """What was done: the topic that keeps the former table, and the group's commit by partition number."""

    kept_topic: str
    kept_records: int
    committed: dict[int, int]


async def put_in_place(
    log: OperatedLog, made: Rebuilt, plan: Plan, *, send_unsent: bool, say: Say, moved: Moved = lambda _: None
) -> InPlace:
    """`say` hears what is done, `moved` of records as they are written. Raises WorkersRunError or LogError.

    Wherever it ends, the same again goes on from there; once all is in place it keeps that, and puts it in place anew.
    """
    await nobody_works(log)
    run, kept = made.run, 0
    if not run.kept:
        kept = await keep(log, ORDERS, run.kept_topic, [part.number for part in made.parts], say, moved)
        run = replace(run, kept=True)
        run.save(plan.folder)
    for part in made.parts:
        say(f"putting partition {part.number} in place: {part.keys} keys")
        await nobody_works(log)
        table = (await restore(log, run.topic, [part.number]))[part.number].newest
        await put(log, ORDERS_STATE.name, part.number, table, run.stamp, moved)
        found = digest((await restore(log, ORDERS_STATE.name, [part.number]))[part.number].newest.items())
        if found != part.digest:
            raise LogError(
                f"{Partition(ORDERS_STATE.name, part.number)}: expected the rebuilt table, digest {part.digest[:12]}, "
                f"found {found[:12]}: somebody else writes there. Stop every `lockstep run orders` and run this again"
            )
    # From here on workers may write what no copy has: should the rest fail, the same again is a run of its own.
    Run.forget(plan.folder)
    committed = commits(made, send_unsent=send_unsent)
    await log.place_group(ORDERS.group, {Partition(ORDERS_EVENTS.name, number): at for number, at in committed.items()})
    Checkpoints(plan.folder, run.cluster, plan.without).forget([part.number for part in made.parts])
    return InPlace(run.kept_topic, kept, committed)


def commits(made: Rebuilt, *, send_unsent: bool) -> dict[int, int]:
    """Where the workers shall go on: where they were, or at the rebuilt end when nobody knows where that was.

    `send_unsent`: before the last event of every order with a command that was never sent, so that it is.
    """
    placed = {}
    for part in made.parts:
        at = min(made.asked.committed.get(part.number, part.until), part.until)
        if send_unsent:
            at = min([at, *(one.last_offset for one in made.never_sent if one.number == part.number)])
        placed[part.number] = at
    return placed


async def keep(log: OperatedLog, table: FoldedTable, topic: str, numbers: Sequence[int], say: Say, moved: Moved) -> int:
    """Copy a table to a topic of its own; how many records. Raises LogError when the copy is not the table."""
    kept = 0
    await log.create_like(topic, table.state.name)
    for number in numbers:
        say(f"keeping {Partition(table.state.name, number)} in {topic}")
        kept += await copy(log, table.state.name, topic, number, moved)
        there, copied = await read_table(log, number, table), await read_table(log, number, table, topic=topic)
        if there.newest != copied.newest:
            raise LogError(
                f"{Partition(topic, number)}: expected a whole copy of the table in place, found "
                f"{len(copied.newest)} keys of {len(there.newest)}: somebody writes to {table.state.name}. "
                "Nothing was put in place"
            )
    return kept
