"""The log itself and the state folded from it: does each still lead to the other?"""

from collections.abc import Iterator
from datetime import timedelta

from kernel.log import Partition, Span
from lockstep.doctor.catalogue import Finding
from lockstep.doctor.codes import Code
from lockstep.doctor.installation import Installation, Table
from lockstep.replay.tables import ITEMS, ORDERS, STOCK, FoldedTable
from schemas.topics import ORDERS_EVENTS, ORDERS_STATE


def check_history(there: Installation) -> Iterator[Finding]:
    """Per partition of `orders.events`, then whether the tables beside the orders' are there."""
    if ORDERS_EVENTS.name not in there.topics:
        return
    committed = there.groups[ORDERS.group].committed
    for other in (STOCK, ITEMS):
        yield from _gone(there, other)
    for where, span in sorted(there.spans.items()):
        if where.topic != ORDERS_EVENTS.name:
            continue
        yield from _begins(there, where, span)
        table = there.table.get(where.number)
        if table is not None:
            yield from _state(there, where, span, table, committed.get(where))


def _gone(there: Installation, table: FoldedTable) -> Iterator[Finding]:
    """Every configuration is a state: whoever has folded anything has written one."""
    group = there.groups.get(table.group)
    for where, committed in sorted(({} if group is None else group.committed).items()):
        name = Partition(table.state.name, where.number)
        kept = there.spans.get(name)
        if where.topic == table.events.name and committed > 0 and kept is not None and kept.begin == kept.end:
            expected = f"states up to offset {committed}, where {table.group} is"
            yield Finding(Code.STATE_LOST, str(name), expected, "no state")


def _begins(there: Installation, where: Partition, span: Span) -> Iterator[Finding]:
    if span.begin == 0:
        return
    kept = there.first_kept.get(where)
    since = "nothing is left" if kept is None else f"everything before {kept:%Y-%m-%d %H:%M} UTC was deleted"
    yield Finding(Code.LOG_BEGINS_LATE, str(where), "offset 0 as its first", f"offset {span.begin}: {since}")


def _state(there: Installation, where: Partition, span: Span, table: Table, committed: int | None) -> Iterator[Finding]:
    name = f"{ORDERS_STATE.name}/{where.number}"
    if table.unreadable:
        yield Finding(Code.STATE_UNREADABLE, name, "states this release can read", f"{table.unreadable} it cannot")
    if table.folded >= span.end:
        yield Finding(
            Code.STATE_AHEAD_OF_LOG, name, f"offsets below {span.end}, the end of {where}", f"offset {table.folded}"
        )
    strange = sorted(table.clusters - {there.cluster})
    if strange:
        yield Finding(Code.STATE_OF_ANOTHER_CLUSTER, name, f"cluster {there.cluster}", f"cluster {', '.join(strange)}")
    empty = not (table.states or table.configured or table.unreadable)
    if committed is not None and committed > span.begin and empty:
        yield Finding(Code.STATE_LOST, name, f"states up to offset {committed}, where {ORDERS.group} is", "no state")
    kept = int(there.topics[where.topic].config.get("retention.ms", "-1"))
    if kept >= 0 and table.oldest_open is not None and there.at - table.oldest_open > timedelta(milliseconds=kept):
        yield Finding(
            Code.OPEN_ORDERS_OUTLIVE_LOG, str(where),
            f"no open order placed before {there.at - timedelta(milliseconds=kept):%Y-%m-%d %H:%M} UTC",
            f"one of {table.oldest_open:%Y-%m-%d %H:%M} UTC",
        )  # fmt: skip
