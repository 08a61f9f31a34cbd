"""Carries a schedule out: real signals to real processes and brokers, real trouble on real connections."""

import asyncio
import contextlib
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import httpx

from kernel.kafka_log import KafkaLog
from kernel.log import LogError
from lockstep.demo.processes import Processes, RoleProcess
from lockstep.roles import Role
from sandbox.clock import Clock
from sandbox.kafka import Cluster
from schemas.base import System
from schemas.topics import ALL
from tests.kills.proxy import FaultProxy, Trouble
from tests.kills.schedule import BROKERS, NETWORK, Blow, Kind

SESSION = 6.0
"""Seconds of silence after which a group goes on without a member; as the processes are told."""
UP_WITHIN = 150.0
"""Seconds for a process or broker to be what it was before the blow; a restart takes 3 to 6 on idle cores."""
AFTER_A_NAP = 2.0
"""Seconds a woken zombie has before its stand-in leaves."""
LOOK_EVERY = 0.3
OFFSETS_TOPIC = "__consumer_offsets"

TROUBLES: Mapping[Kind, Trouble] = {
    Kind.NET_DELAY: Trouble.DELAY,
    Kind.NET_DROP_BEFORE: Trouble.DROP_BEFORE,
    Kind.NET_DROP_AFTER: Trouble.DROP_AFTER,
    Kind.NET_BLACK_HOLE: Trouble.BLACK_HOLE,
    Kind.NET_RESET: Trouble.RESET,
}


class NotUpError(RuntimeError):
    """What was struck did not come back; the text says who, and the end of its log."""


@dataclass(frozen=True, slots=True)
class Nap:
    """A process that stood still past its session and woke: what it was about to send it may have sent then."""

    role: Role
    began: datetime
    woke: datetime


@dataclass(slots=True)
class Told:
    """What fell. `by_victim` counts roles, systems' connections and brokers; `disorderly`: SIGTERM was not enough.

    `back`: by kind, milliseconds from the new start of a process until it is ready, of a broker until all copies are
    in step.
    """

    by_kind: Counter[str] = field(default_factory=Counter)
    by_victim: Counter[str] = field(default_factory=Counter)
    naps: list[Nap] = field(default_factory=list)
    disorderly: list[str] = field(default_factory=list)
    back: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))


class Blows:
    """Upon one running flow. One at a time per victim: who has not come back yet is not struck again."""

    def __init__(
        self,
        processes: Processes,
        cluster: Cluster,
        proxies: Mapping[System, FaultProxy],
        log: KafkaLog,
        clock: Clock,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._processes, self._cluster, self._proxies = processes, cluster, proxies
        self._log, self._clock, self.say = log, clock, say
        self._locks: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._brokers_struck = 0
        self.told = Told()

    async def run(self, schedule: Sequence[Blow]) -> None:
        """Returns when all have fallen and everybody is up again. Raises NotUpError or what ended a process."""
        began = asyncio.get_running_loop().time()
        async with asyncio.TaskGroup() as falling:
            for number, blow in enumerate(schedule, 1):
                falling.create_task(self._fall(blow, f"blow {number} of {len(schedule)}", began + blow.at))

    async def _fall(self, blow: Blow, which: str, at: float) -> None:
        await asyncio.sleep(at - asyncio.get_running_loop().time())
        victim = "broker" if blow.kind in BROKERS else f"{blow.whom} connections" if blow.kind in NETWORK else blow.whom
        async with self._locks[victim]:
            self.say(f"{which}: {blow}")
            await self._strike(blow)
            self.told.by_kind[blow.kind] += 1
            self.told.by_victim[victim] += 1

    async def _strike(self, blow: Blow) -> None:
        if blow.kind in NETWORK:
            await self._trouble(self._proxies[System(blow.whom)], TROUBLES[blow.kind], blow.seconds)
        elif blow.kind in BROKERS:
            await self._broker(blow)
        elif blow.kind is Kind.SCALE:
            await self._scale(Role(blow.whom), blow.seconds)
        elif blow.kind is Kind.FREEZE:
            await self._freeze(self._processes.of(Role(blow.whom))[0], blow.seconds)
        else:
            await self._end(self._processes.of(Role(blow.whom))[0], blow)

    # --- processes

    async def _end(self, process: RoleProcess, blow: Blow) -> None:
        if blow.kind is Kind.KILL:
            await asyncio.to_thread(process.kill)
        else:
            self._note_end(process, await asyncio.to_thread(process.stop))
        await asyncio.sleep(blow.seconds)
        with self._timed(blow.kind):
            process.start()
            await self._up(process)

    async def _freeze(self, process: RoleProcess, seconds: float) -> None:
        """The intake is no member of a group and has no stand-in: its callers wait and give up."""
        began = self._clock.now()
        with contextlib.suppress(ProcessLookupError):  # it ended by itself at this moment, and is started again
            process.pause()
        stand_in = None
        if process.role is Role.INTAKE:
            await asyncio.sleep(SESSION)
        else:
            stand_in = self._processes.add(process.role)
            await self._up(stand_in)
        await asyncio.sleep(seconds)
        self.told.naps.append(Nap(process.role, began, self._clock.now()))
        with contextlib.suppress(ProcessLookupError):
            process.resume()
        await asyncio.sleep(AFTER_A_NAP)
        await self._up(process)
        if stand_in is not None:
            await self._leave(stand_in)

    async def _scale(self, role: Role, seconds: float) -> None:
        old = self._processes.of(role)
        new = [self._processes.add(role) for _ in range(2)]
        await self._up(*new)
        await asyncio.sleep(seconds)
        await self._leave(old[0])
        await self._processes.leave(new[0], killed=True)
        await self._up(new[1])

    async def _leave(self, process: RoleProcess) -> None:
        self._note_end(process, await self._processes.leave(process))

    def _note_end(self, process: RoleProcess, status: int | None) -> None:
        if status != 0:
            self.told.disorderly.append(f"{process.name} ended with {status} when asked to")

    async def _up(self, *processes: RoleProcess) -> None:
        """Those that end meanwhile are started again by whoever keeps them."""
        async with httpx.AsyncClient(timeout=2.0) as client:
            for process in processes:

                async def ready(process: RoleProcess = process) -> bool:
                    return await process.ready(client)

                await until(ready, lambda process=process: f"{process.name} is not up:\n{process.end_of_log()}")  # type: ignore[misc]  # mypy cannot infer a lambda with a default

    # --- brokers

    async def _broker(self, blow: Blow) -> None:
        """One after the other in turn, and none before all copies are in step again."""
        node = self._cluster.nodes[self._brokers_struck % len(self._cluster.nodes)]
        self._brokers_struck += 1
        match blow.kind:
            case Kind.BROKER_FREEZE:
                node.pause()
            case Kind.BROKER_KILL:
                await asyncio.to_thread(node.kill)
            case _:
                await asyncio.to_thread(node.stop)
        await asyncio.sleep(blow.seconds)
        with self._timed(blow.kind):
            if blow.kind is Kind.BROKER_FREEZE:
                node.resume()
            else:
                await asyncio.to_thread(node.restart)
            await until(self._all_in_sync, lambda: f"broker {node.seat.node_id}: its copies are not in step again")

    async def _all_in_sync(self) -> bool:
        try:
            places = await self._log.describe_placement([*(topic.name for topic in ALL), OFFSETS_TOPIC])
        except LogError:
            return False
        return bool(places) and all(place.led and place.in_sync == place.copies for place in places.values())

    @contextlib.contextmanager
    def _timed(self, kind: Kind) -> Iterator[None]:
        began = asyncio.get_running_loop().time()
        yield
        self.told.back[kind].append((asyncio.get_running_loop().time() - began) * 1000)

    # --- connections

    async def _trouble(self, proxy: FaultProxy, trouble: Trouble, seconds: float) -> None:
        proxy.strike(trouble)
        try:
            await asyncio.sleep(seconds)
        finally:
            proxy.strike(Trouble.NONE)


async def until(holds: Callable[[], Awaitable[bool]], why_not: Callable[[], str], within: float = UP_WITHIN) -> None:
    """Raises NotUpError saying why not."""
    end = asyncio.get_running_loop().time() + within
    while not await holds():
        if asyncio.get_running_loop().time() > end:
            raise NotUpError(f"after {within:.0f} s: {why_not()}")
        await asyncio.sleep(LOOK_EVERY)
