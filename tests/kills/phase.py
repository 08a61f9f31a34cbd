"""One phase: Kafka, the outside world and every role started, struck while shoppers order, brought to rest, judged."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

from kernel.kafka_log import KafkaLog
from lockstep.demo.judge import Books, Judged, Stage
from lockstep.demo.outside import configure_brands, make_outside
from lockstep.demo.processes import Processes
from lockstep.demo.report import percentiles
from lockstep.demo.watch import Watch
from lockstep.demo.wiring import PARTITIONS, wired
from lockstep.topic_specs import specs
from sandbox.clock import LoopClock
from sandbox.faults import Faults, Preset
from sandbox.kafka import Cluster
from schemas.base import System
from tests.kills.blows import Blows
from tests.kills.proxy import FaultProxy
from tests.kills.report import Phase
from tests.kills.rest import come_to_rest
from tests.kills.run import Run
from tests.kills.schedule import Where, draw
from tests.kills.verdict import DOUBLED, LOST, TABLE, Verdict, judge, take

SLACK = timedelta(seconds=5)
"""What was appended this long before everything was asked to be finished must have been."""
RESTARTS_MOST = 60
"""Of one process: each time the whole Kafka is away it may try again a few times."""


@dataclass(frozen=True, slots=True)
class Plan:
    """`over`: seconds in which `blows` fall. `rate` is orders a second over all shops."""

    where: Where
    seed: int
    blows: int
    over: float
    rate: float = 2.0
    faults: Preset = "some"
    settled_within: float = 300.0

    @property
    def brokers(self) -> int:
        return 1 if self.where == "single" else 3


async def play(plan: Plan, folder: Path, say: Callable[[str], None]) -> Phase:
    """Logs, and the books where they are not right, go to `folder`.

    Raises KafkaFailedError, ProcessFailedError or NotUpError when something does not come up.
    """
    clock = LoopClock()
    clock.now()
    began = asyncio.get_running_loop().time()
    async with AsyncExitStack() as stack:
        say(f"{plan.where}: {plan.brokers} broker(s), the outside world and every role are started")
        settings = {"min.insync.replicas": str(max(1, plan.brokers - 1))}
        cluster = await stack.enter_async_context(Cluster(plan.brokers, settings=settings, progress=say))
        outside = make_outside(clock, plan.seed, Faults.preset(plan.faults))
        stack.push_async_callback(outside.aclose)
        proxies: dict[System, FaultProxy] = {}

        async def through_a_proxy(system: System, port: int) -> int:
            proxies[system] = await stack.enter_async_context(FaultProxy(port))
            return proxies[system].port

        environment = await wired(
            outside, None, cluster.bootstrap, folder, stack, reach=through_a_proxy, replication=plan.brokers
        )
        log = KafkaLog(cluster.bootstrap, client_id="lockstep-kills")
        await log.create_topics(specs(PARTITIONS, plan.brokers))
        await configure_brands(log, clock.now() - timedelta(hours=1))
        processes = Processes(environment, folder, restarts_most=RESTARTS_MOST)
        stack.push_async_callback(processes.stop)
        await processes.start()
        blows = Blows(processes, cluster, proxies, log, clock)
        run = Run(outside, processes, Watch(log, lambda _: None), blows, lambda line: say(f"{plan.where} {line}"))
        processes.say = blows.say = run.tell
        async with run:
            await run.be_struck(draw(plan.seed, plan.where, plan.blows, plan.over), plan.rate, plan.over)
            run.tell("all blows have fallen; waiting until everything is settled")
            await run.settle(plan.settled_within)
            moment = clock.now()
            run.tell("the processes finish what is in the log and end")
            await come_to_rest(log, processes, run.check)
        books, taken = await outside.books(), await take(log)
        verdict = judge(books, taken, PARTITIONS, moment - SLACK, blows.told.naps)
        if verdict.violations:
            (folder / "books.json").write_text(json.dumps(asdict(books), indent=1, default=str) + "\n")
        return Phase(
            where=plan.where,
            seed=plan.seed,
            blows=dict(sorted(blows.told.by_kind.items())),
            victims=dict(sorted(blows.told.by_victim.items())),
            troubled=_troubled(proxies),
            back_ms={kind: percentiles(took) for kind, took in sorted(blows.told.back.items())},
            disorderly=tuple(blows.told.disorderly),
            restarts=processes.restarts,
            seconds=round(asyncio.get_running_loop().time() - began, 1),
            blows_seconds=round(run.blows_seconds, 1),
            settled_seconds=round(run.settled_seconds, 1),
            **_found(books, verdict),
        )


def _found(books: Books, verdict: Verdict) -> dict[str, object]:
    stages = Judged(books).stages()
    return {
        "orders": stages.total(),
        "in_step": stages[Stage.TOLD],
        "held": stages[Stage.PLANTED],
        "events": verdict.events,
        "lost": verdict.count(LOST),
        "doubled": verdict.count(DOUBLED),
        "doubled_found": len(verdict.doubled_found),
        "unanswered": verdict.count(frozenset({"unanswered"})),
        "tables_equal": verdict.count(TABLE) == 0,
        "cases_opened": len(verdict.cases),
        "violations": tuple(str(one) for one in verdict.violations),
        "found": tuple(str(one) for one in verdict.doubled_found),
    }


def _troubled(proxies: Mapping[System, FaultProxy]) -> dict[str, int]:
    met: Counter[str] = Counter()
    for proxy in proxies.values():
        met.update({str(trouble): count for trouble, count in proxy.met.items()})
    return dict(sorted(met.items()))
