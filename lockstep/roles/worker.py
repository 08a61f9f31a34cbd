"""What the roles that fold have in common: an engine's worker, handed its records by a Faust agent."""

from collections.abc import Sequence
from typing import NamedTuple

from kernel.log import Log
from lockstep.roles import Role
from lockstep.roles.process import Process
from schemas.topics import Topic
from streams.engine.contract import FoldFactory
from streams.engine.faust_shell import Agent, run_in_faust
from streams.engine.settings import EngineSettings
from streams.engine.worker import Worker


class Folding(NamedTuple):
    """A worker's log, what folds it, its table's changelog and the agent that hands it over."""

    events: Topic
    fold: FoldFactory
    state: Topic
    agent: Agent


async def folded(process: Process, log: Log, role: Role, folding: Folding) -> None:
    """Keep one state per key."""
    await worked(process, log, role, [folding.events.name], folding.fold, folding.state.name, folding.agent)


async def worked(
    process: Process,
    log: Log,
    role: Role,
    sources: Sequence[str],
    factory: FoldFactory,
    changelog: str | None,
    agent: Agent,
) -> None:
    engine = EngineSettings(tick_every=process.settings.tick_every)
    worker = Worker(role, log, sources, factory, changelog, process.clock, process.metrics, engine)
    health = process.health(lambda: worker.ready, worker.stuck_for)
    await process.with_health(lambda: run_in_faust(role, worker, agent), health)
