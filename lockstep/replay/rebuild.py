"""A new table from the log: folded into a topic beside the one in place, and compared with it. Commands nothing.

`lockstep.replay.in_place` puts it in place.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kernel.operated import OperatedLog
from lockstep.replay.asked import Asked, ask, judged, look_around, stops
from lockstep.replay.checkpoint import Checkpoints
from lockstep.replay.checks import CannotFoldError, Finding, Rejected, Weight
from lockstep.replay.compare import brands_of, leave_out
from lockstep.replay.fold import Watch, digest, fold_to
from lockstep.replay.pool import Connect, in_processes
from lockstep.replay.put import put
from lockstep.replay.table import read_table
from lockstep.replay.verify import Plan, Told, cpu_seconds, peaks
from lockstep.replay.wanted import Beside, Flying, Was, beside, were_sent
from schemas.base import Brand
from schemas.topics import ORDERS_STATE


@dataclass(frozen=True, slots=True)
class Run:
    """A rebuild across interruptions, kept in a file. `kept`: the table in place has been copied."""

    cluster: str
    stamp: str
    kept: bool = False

    @property
    def topic(self) -> str:
        return f"{ORDERS_STATE.name}.rebuilt-{self.stamp}"

    @property
    def kept_topic(self) -> str:
        return f"{ORDERS_STATE.name}.kept-{self.stamp}"

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = folder / "rebuild.new"
        fresh.write_text(json.dumps({"cluster": self.cluster, "stamp": self.stamp, "kept": self.kept}))
        fresh.replace(folder / "rebuild.json")

    @classmethod
    def going_on(cls, folder: Path, cluster: str, now: datetime) -> "Run":
        """The run of this folder, or a new one."""
        try:
            said: dict[str, Any] = json.loads((folder / "rebuild.json").read_text())
        except (OSError, ValueError):
            said = {}
        if said.get("cluster") == cluster and said.get("stamp"):
            return cls(cluster, said["stamp"], bool(said.get("kept")))
        return cls(cluster, f"{now:%Y%m%d-%H%M%S}")

    @staticmethod
    def forget(folder: Path) -> None:
        (folder / "rebuild.json").unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Order:
    """One partition to rebuild, from the records below offset `until`."""

    number: int
    until: int
    committed: int | None
    topic: str
    stamp: str
    checkpoints: Checkpoints
    save_every: int


@dataclass(frozen=True, slots=True)
class Part:
    """One partition, rebuilt. `stopped` says why it could not be; `table_findings` are about the table in place."""

    number: int
    until: int
    keys: int
    digest: str
    beside: Beside
    rejected: tuple[Rejected, ...]
    verdicts: Counter[str]
    orders: Counter[Brand]
    table_findings: tuple[Finding, ...] = ()
    stopped: Finding | None = None


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """`wanted` and `unwanted`: commands that only the rebuilt table, or only the one in place, has in flight."""

    run: Run
    asked: Asked
    parts: tuple[Part, ...]
    findings: tuple[Finding, ...]
    wanted: tuple[Flying, ...] = ()
    unwanted: tuple[Flying, ...] = ()
    peaks: tuple[int, ...] = ()
    cpu_seconds: float = 0.0

    @property
    def stopped(self) -> bool:
        return stops(self.findings)

    @property
    def same(self) -> bool:
        return all(part.beside.same for part in self.parts)

    @property
    def exit_code(self) -> int:
        """0 as the table in place, 1 not so, 2 cannot be rebuilt."""
        return 2 if self.stopped else 0 if self.same else 1

    @property
    def never_sent(self) -> list[Flying]:
        """Those wanted that no worker will send by itself, and that do not lie in `commands.*`."""
        unsent = (one for one in self.wanted if one.was is Was.NEVER_SENT)
        return [one for one in unsent if not self._will_be_sent(one)]

    def _will_be_sent(self, command: Flying) -> bool:
        """A worker sends again what is in flight of orders folded at or past its commit."""
        committed = self.asked.committed.get(command.number)
        return committed is not None and command.last_offset >= committed


def rebuild(connect: Connect, plan: Plan, told: Told = lambda *_: None) -> Rebuilt:
    """Fold the log to its present end and write the tables of it beside those in place.

    Raises Interrupted when everything is saved, FoldProcessLostError, or LogError.
    """
    asked, run = asyncio.run(_begin(connect, plan))
    if asked.stopped:
        return Rebuilt(run, asked, (), asked.findings)
    run.save(plan.folder)
    saved = Checkpoints(plan.folder, asked.cluster, plan.without)
    orders = [
        Order(number, span.end, asked.committed.get(number), run.topic, run.stamp, saved, plan.save_every)
        for number, span in sorted(asked.spans.items())
    ]
    goals = [order.until for order in orders]
    ended = in_processes(rebuild_partition, connect, orders, plan.processes, lambda done: told(done, goals))
    parts = tuple(one.result for one in ended)
    made = Rebuilt(run, asked, parts, (), peaks=peaks(ended), cpu_seconds=cpu_seconds(ended))
    return asyncio.run(_conclude(connect, plan, made))


async def _begin(connect: Connect, plan: Plan) -> tuple[Asked, Run]:
    log = connect()
    asked = await ask(log)
    run = Run.going_on(plan.folder, asked.cluster, datetime.now(UTC))
    if not asked.stopped:
        await log.create_like(run.topic, ORDERS_STATE.name)
    return asked, run


async def rebuild_partition(log: OperatedLog, order: Order, watch: Watch) -> Part:
    """Raises Interrupted after a save, or LogError. A log that cannot be folded is told as `stopped`."""
    bulk = order.checkpoints.load(order.number, order.until)
    stopped = None
    beside_it = Beside()
    findings: tuple[Finding, ...] = ()
    try:
        await fold_to(log, bulk, order.until, watch, save=order.checkpoints.save, save_every=order.save_every)
    except CannotFoldError as cause:
        stopped = cause.finding
    else:
        await put(log, order.topic, order.number, bulk.newest, order.stamp)
        table = await read_table(log, order.number)
        leave_out(table, order.checkpoints.without)
        beside_it = beside(order.number, bulk.newest, table.newest, order.committed)
        findings = tuple(one for one in table.findings if one.weight is not Weight.STOPS)
    return Part(
        number=order.number,
        until=bulk.next,
        keys=len(bulk.newest),
        digest=digest(bulk.newest.items()),
        beside=beside_it,
        rejected=tuple(bulk.rejected),
        verdicts=bulk.verdicts,
        orders=brands_of(bulk.newest),
        table_findings=findings,
        stopped=stopped,
    )


async def _conclude(connect: Connect, plan: Plan, made: Rebuilt) -> Rebuilt:
    log, now = connect(), datetime.now(UTC)
    around = await look_around(log)
    rejected: Mapping[int, tuple[Rejected, ...]] = {part.number: part.rejected for part in made.parts}
    findings = [
        *made.asked.findings,
        *(part.stopped for part in made.parts if part.stopped is not None),
        *(finding for part in made.parts for finding in part.table_findings),
        *judged(rejected, (part.orders for part in made.parts), made.asked, around, plan.without, now),
    ]
    wanted = await were_sent(log, [one for part in made.parts for one in part.beside.wanted], now)
    unwanted = await were_sent(log, [one for part in made.parts for one in part.beside.unwanted], now)
    return replace(made, findings=tuple(findings), wanted=tuple(wanted), unwanted=tuple(unwanted))
