"""`python -m benchmarks`: measure, print each figure with what it is, and write it as JSON where asked."""

import argparse
import asyncio
import sys
from pathlib import Path

import uvloop

from benchmarks import flow, worker
from benchmarks.figures import Findings, Group, lines, machine, write
from benchmarks.recorded import Recorded, record
from benchmarks.stock import stock
from benchmarks.topology import topology
from kernel.kafka_log import KafkaLog
from kernel.logs import configure
from sandbox.kafka import Broker


def _say(line: str) -> None:
    print(f"… {line}", file=sys.stderr, flush=True)


def _tell(group: Group) -> None:
    print("\n".join(lines(group)), flush=True)


async def run(*, quick: bool, report: Path | None) -> None:
    """All benches, one after the other. `quick` takes small sizes: to see that they run, not for figures."""
    seen = machine()
    print(f"machine: {seen}", flush=True)
    sizes = flow.Sizes(seconds=5, warm_up=5, steady=(5.0,), ramp=(10.0,)) if quick else flow.Sizes()
    groups, recorded = await _flow(sizes)
    groups.append(await worker.beside_faust(recorded, 1 if quick else 3, _say))
    _tell(groups[-1])
    groups.append(await worker.recovery(recorded, 5_000 if quick else 120_000, 1 if quick else 3, _say))
    _tell(groups[-1])
    _say("stock: changes, a sweep of a catalogue, memory")
    for group in await stock(quick=quick):
        groups.append(group)
        _tell(group)
    if report is not None:
        write(Findings(machine=seen, groups=tuple(groups)), report)
        print(f"\nwritten to {report}", flush=True)


async def _flow(sizes: flow.Sizes) -> tuple[list[Group], Recorded]:
    rates = ", ".join(f"{rate:g}" for rate in (*sizes.steady, *sizes.ramp))
    _say(f"the whole flow at up to {rates} orders/s, {sizes.seconds:g} s each, until a rate is not sustained")
    async with Broker(progress=_say) as broker:
        log = KafkaLog(broker.bootstrap, client_id="lockstep-bench")
        async with topology(broker.bootstrap) as running:
            groups = await flow.play(running, sizes)
        for group in groups:
            _tell(group)
        return groups, await record(log)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes: does it run, not how fast")
    parser.add_argument("--report", type=Path, help="write the figures there, as JSON")
    wanted = parser.parse_args()
    configure("bench", 50)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run(quick=wanted.quick, report=wanted.report))


main()
