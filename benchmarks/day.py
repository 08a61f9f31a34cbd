"""`python -m benchmarks.day`: a day at peak in the log of a real Kafka, verified and rebuilt.

Stamps whole orders (`benchmarks.templates`) into `orders.events`, makes the table as workers would, change by change,
then runs what `lockstep verify` and `lockstep rebuild --yes` run. Prints events a second and the memory of every
process, and ends with 1 unless table, log and rebuilt table have equal digests.
"""

import argparse
import asyncio
import functools
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

from benchmarks.day_log import days, generate, tabulate
from benchmarks.figures import Figure, Findings, Group, figure, lines, machine, write
from benchmarks.templates import EVENTS_OF_AN_ORDER, play
from kernel.kafka_log import KafkaLog
from kernel.logs import configure
from lockstep.demo.outside import configure_brands
from lockstep.replay.in_place import put_in_place
from lockstep.replay.pool import Connect, Ended, in_processes, peak_bytes
from lockstep.replay.rebuild import rebuild
from lockstep.replay.tables import ORDERS
from lockstep.replay.verify import Plan, cpu_seconds, peaks, verify
from lockstep.topic_specs import specs
from sandbox.kafka import Broker
from schemas.topics import ORDERS_EVENTS


@dataclass(slots=True)
class Measured:
    """Figures of the day, and whether everything agreed."""

    figures: list[Figure]
    equal: bool = True

    def took(self, what: str, events: int, seconds: float, says: str, processes: Sequence[int], cpu: float) -> None:
        by_cpu = f"{1e6 * cpu / events:.0f} µs CPU an event"
        says = f"{events} events in {seconds:.1f} s, {by_cpu}; {says}"
        self.figures.append(figure(what, events / seconds, "events/s", says))
        held = ", ".join(f"{peak / 2**20:.0f}" for peak in (*processes, peak_bytes()))
        most = max(processes, default=0) / 2**20
        self.figures.append(figure(f"memory, {what}", most, "MiB", f"most of one process; all with the parent: {held}"))
        print("\n".join(lines(Group(title=what, made="", figures=tuple(self.figures[-2:])))), flush=True)

    def expect(self, what: str, *, holds: bool) -> None:
        self.equal &= holds
        print(f"  {'equal' if holds else 'NOT EQUAL'}: {what}", flush=True)


def run(events: int, partitions: int, processes: int, bootstrap: str, played: int = 40) -> Measured:
    """Everything, on empty brokers; the orders are stamped from so many played ones."""
    connect = functools.partial(KafkaLog, bootstrap, client_id="lockstep-bench")
    cluster = asyncio.run(_prepare(connect, partitions))
    measured = Measured([])
    began = perf_counter()
    made = play(cluster, played)
    parts = days(made, events, partitions)
    orders = sum(len(part.orders) for part in parts)
    print(f"{len(made.templates)} orders played in {perf_counter() - began:.0f} s; {orders} to stamp", flush=True)
    bar = Bar(orders * EVENTS_OF_AN_ORDER)

    began = perf_counter()
    written = in_processes(generate, connect, parts, processes, bar)
    total = sum(one.result for one in written)
    measured.took("generated", total, perf_counter() - began, f"{orders} orders", peaks(written), cpu_seconds(written))

    began = perf_counter()
    table: list[Ended[int]] = in_processes(tabulate, connect, list(range(partitions)), processes, bar)
    changes = sum(one.result for one in table)
    says = f"{changes} changes written, {changes / total:.2f} an event"
    measured.took("the table made", total, perf_counter() - began, says, peaks(table), cpu_seconds(table))
    asyncio.run(_commit(connect))

    with tempfile.TemporaryDirectory(prefix="lockstep-day-") as folder:
        began = perf_counter()
        verified = verify(connect, Plan(Path(folder) / "verify", processes), lambda done, _: bar(done))
        keys = sum(one.keys for one in verified.partitions)
        measured.took(
            "lockstep verify", total, perf_counter() - began, f"{keys} keys", verified.peaks, verified.cpu_seconds
        )
        measured.expect("the table and the log, to the last byte", holds=verified.exit_code == 0)

        began = perf_counter()
        plan = Plan(Path(folder) / "rebuild", processes)
        rebuilt = rebuild(connect, plan, lambda done, _: bar(done))
        measured.took(
            "lockstep rebuild", total, perf_counter() - began, "beside it", rebuilt.peaks, rebuilt.cpu_seconds
        )
        digests = [one.digest for one in rebuilt.parts] == [one.log_digest for one in verified.partitions]
        measured.expect("the rebuilt table and the verified log", holds=digests and rebuilt.exit_code == 0)
        measured.expect("commands wanted and in flight", holds=not (rebuilt.wanted or rebuilt.unwanted))

        began = perf_counter()
        asyncio.run(put_in_place(connect(), rebuilt, plan, send_unsent=False, say=lambda _: None))
        says = "the former table kept, the rebuilt one read back"
        measured.figures.append(figure("put in place", perf_counter() - began, "s", says))
        print("\n".join(lines(Group(title="--yes", made="", figures=tuple(measured.figures[-1:])))), flush=True)
    return measured


async def _prepare(connect: Callable[[], KafkaLog], partitions: int) -> str:
    log = connect()
    await log.create_topics(specs(partitions, 1))
    await configure_brands(log, datetime.now(UTC))
    return await log.cluster_id()


async def _commit(connect: Connect) -> None:
    """As workers that have finished everything and left."""
    log = connect()
    spans = await log.spans([ORDERS_EVENTS.name])
    await log.place_group(ORDERS.group, {where: span.end for where, span in spans.items()})


class Bar:
    """A line that tells how far it is, on a terminal."""

    def __init__(self, total: int) -> None:
        self._total = total

    def __call__(self, done: Sequence[int]) -> None:
        if sys.stderr.isatty():
            print(f"\r… {sum(done):,} of about {self._total:,} ", end="", file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.day", description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000, help="about how many (default %(default)s)")
    parser.add_argument("--partitions", type=int, default=6)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--report", type=Path, help="write the figures there, as JSON")
    wanted = parser.parse_args()
    configure("bench", 50)
    seen = machine()
    print(f"machine: {seen}", flush=True)
    with Broker() as broker:
        measured = run(wanted.events, wanted.partitions, wanted.processes, broker.bootstrap)
    if wanted.report is not None:
        made = f"about {wanted.events} events in {wanted.partitions} partitions, {wanted.processes} processes"
        group = Group(title="A day at peak, verified and rebuilt", made=made, figures=tuple(measured.figures))
        write(Findings(machine=seen, groups=(group,)), wanted.report)
    sys.exit(0 if measured.equal else 1)


if __name__ == "__main__":
    main()
