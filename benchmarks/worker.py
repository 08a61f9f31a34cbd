"""One orders worker beside a plain Faust agent, on the same recorded log, in turns; and a worker's recovery."""

import os
import tempfile
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.figures import Figure, Group, figure, of_runs
from benchmarks.process import answer
from benchmarks.recorded import Recorded, append, load
from benchmarks.topology import PARTITIONS
from kernel.kafka_log import KafkaLog
from kernel.log import Outgoing
from kernel.partitioner import partition_of
from lockstep.topic_specs import specs
from sandbox.kafka import Broker
from schemas.topics import ORDERS_STATE

WITHIN = 600.0
Say = Callable[[str], None]


async def beside_faust(recorded: Recorded, turns: int, say: Say) -> Group:
    """Each turn: ours, then Faust's, each on brokers of its own that hold the same events."""
    total = len(recorded.events)
    ours: list[dict[str, Any]] = []
    fausts: list[dict[str, Any]] = []
    for turn in range(turns):
        say(f"one worker beside a plain Faust agent: turn {turn + 1} of {turns}, {total} events each")
        ours.append(await _on_new_brokers(recorded, "benchmarks.lockstep_worker", str(total)))
        sizes = (str(recorded.state_bytes), str(recorded.command_bytes))
        fausts.append(await _on_new_brokers(recorded, "benchmarks.faust_worker", str(total), *sizes))
    figures = [*_rates("ours", total, ours), *_rates("plain Faust", total, fausts)]
    ratios = [theirs["cpu"] / mine["cpu"] for mine, theirs in zip(ours, fausts, strict=True)]
    figures.append(of_runs("ours ÷ plain Faust", ratios, "times", "events per CPU second of both, turn by turn"))
    writes, commands = len(recorded.changes) / total, recorded.sent / total
    return Group(
        title="One orders worker beside a plain Faust agent",
        made=f"{total} recorded order events, {writes:.2f} state writes of {recorded.state_bytes} bytes and "
        f"{commands:.2f} commands an event; ours runs the whole fold, the plain agent one table "
        "write and one send of the same sizes; median of the turns",
        figures=tuple(figures),
    )


def _rates(name: str, total: int, runs: Sequence[dict[str, Any]]) -> list[Figure]:
    return [
        of_runs(
            f"{name}, by the clock", [total / run["seconds"] for run in runs], "events/s", "from the first event on"
        ),
        of_runs(f"{name}, by CPU", [total / run["cpu"] for run in runs], "events/CPU s", "of that process alone"),
    ]


async def _on_new_brokers(recorded: Recorded, module: str, *arguments: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="lockstep-bench-") as folder:
        os.environ["LOCKSTEP_BENCH_FOLDER"] = folder
        async with Broker() as broker:
            await load(broker.bootstrap, recorded.events)
            return await answer(module, broker.bootstrap, *arguments, within=WITHIN)


async def recovery(recorded: Recorded, records: int, turns: int, say: Say) -> Group:
    """A changelog of so many orders, made of recorded states under other keys, is read into empty folds."""
    say(f"recovery: a changelog of {records} orders")
    async with Broker() as broker:
        log = KafkaLog(broker.bootstrap, client_id="lockstep-bench")
        await log.create_topics(specs(PARTITIONS, 1))
        await append(log, _changelog(recorded, records))
        runs = [await answer("benchmarks.recovery", broker.bootstrap, within=WITHIN) for _ in range(turns)]
    return Group(
        title="Recovery of a worker",
        made=f"a changelog of {records} orders, states of {recorded.state_bytes} bytes, read and put into the folds as "
        "after an assignment; states are decoded later, when something happens to them",
        figures=(
            of_runs("recovery", [run["records"] / run["seconds"] for run in runs], "records/s", "by the clock"),
            of_runs(
                "recovery, by CPU", [run["records"] / run["cpu"] for run in runs], "records/CPU s", "of that process"
            ),
            figure("orders recovered", records, "orders", "in each run"),
        ),
    )


def _changelog(recorded: Recorded, records: int) -> list[Outgoing]:
    states = [one.value for one in recorded.changes if one.key is not None and b"/~" not in one.key]
    made = []
    for number in range(records):
        key = f"acme/{9_000_000_000_000 + number}".encode()
        value = states[number % len(states)]
        made.append(Outgoing(ORDERS_STATE.name, key, value, {}, partition_of(key, PARTITIONS)))
    return made
