"""Lockstep's own processes, one or several per role: ended when we end, killed, frozen and started again on demand."""

import asyncio
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from lockstep.roles import Role
from sandbox import tether
from sandbox.kafka.ports import free_ports

READY_WITHIN = 90.0
"""Seconds; measured 3 to 6 on an idle machine of two cores, all six starting at once."""
LOOK_EVERY = 0.2
RESTARTS_MOST = 10
"""Of one process, before we give up: something is wrong that a restart does not mend."""
RESTART_AFTER = 0.5
"""Seconds from the end of a process to its next start."""


class ProcessFailedError(RuntimeError):
    """A process would not start or not stay; the text holds the end of what it printed."""


@dataclass(slots=True)
class RoleProcess:
    """One `lockstep run ROLE`. `name` tells it from others of its role."""

    role: Role
    name: str
    environment: Mapping[str, str]
    health: str
    log: Path
    restarts: int = 0
    """How often it ended by itself."""
    kills: int = 0
    _tethered: tether.Tethered | None = None
    _expected_down: bool = False

    def start(self) -> None:
        if self._tethered is not None:
            self._tethered.stop()  # it has ended; its tether's pipe has not
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", "lockstep", "run", self.role]
            self._tethered = tether.start(command, environment=self.environment, log=log, folder=self.log.parent)
        self._expected_down = False

    def kill(self) -> None:
        """SIGKILL: what it was doing is left where it is. Blocks until it is gone."""
        assert self._tethered is not None
        self._expected_down = True
        self._tethered.kill()
        self.kills += 1

    def stop(self) -> int | None:
        """SIGTERM, and SIGKILL when that is not enough; blocks until it is gone. Its exit status, 0 when in order."""
        if self._tethered is None:
            return None
        self._expected_down = True
        self._tethered.stop()
        return self._tethered.exit_status

    def pause(self) -> None:
        """SIGSTOP: it stands still where it is, and does not know. Raises ProcessLookupError when it does not run."""
        assert self._tethered is not None
        self._tethered.pause()

    def resume(self) -> None:
        """Raises ProcessLookupError when it does not run any more."""
        assert self._tethered is not None
        self._tethered.resume()

    @property
    def ended_by_itself(self) -> bool:
        return not self._expected_down and self._tethered is not None and self._tethered.exit_status is not None

    async def ready(self, client: httpx.AsyncClient) -> bool:
        try:
            return (await client.get(f"{self.health}/health/ready")).status_code == 200
        except httpx.TransportError:
            return False

    def end_of_log(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-20:])


@dataclass(slots=True)
class Processes:
    """Those of all roles. `environment` is what they share beside our own environment; logs go to `folder`."""

    environment: Mapping[str, str]
    folder: Path
    roles: Sequence[Role] = tuple(Role)
    say: Callable[[str], None] = lambda _: None
    restarts_most: int = RESTARTS_MOST
    all: list[RoleProcess] = field(default_factory=list)
    gone: list[RoleProcess] = field(default_factory=list)
    """Those that are not to run any more."""

    async def start(self) -> None:
        """One of each role; returns when all are ready. Raises ProcessFailedError with the end of a log."""
        for role in self.roles:
            self.add(role)
        await self.ready(*self.all)

    def of(self, role: Role) -> list[RoleProcess]:
        """The oldest first."""
        return [process for process in self.all if process.role is role]

    def add(self, role: Role) -> RoleProcess:
        """One more of this role, started. The intake listens on one port: there can be only one."""
        (port,) = free_ports(1)
        number = 1 + sum(process.role is role for process in (*self.all, *self.gone))
        name = role if number == 1 else f"{role}-{number}"
        own = {**os.environ, **self.environment, "LOCKSTEP_HEALTH_PORT": str(port)}
        process = RoleProcess(role, name, own, f"http://127.0.0.1:{port}", self.folder / f"{name}.log")
        process.start()
        self.all.append(process)
        return process

    async def ready(self, *processes: RoleProcess) -> None:
        """Wait until they are. Raises ProcessFailedError when one ends instead, TimeoutError when it takes too long."""
        async with asyncio.timeout(READY_WITHIN), httpx.AsyncClient(timeout=2.0) as client:
            for process in processes:
                while not await process.ready(client):
                    if process.ended_by_itself:
                        raise ProcessFailedError(f"{process.name} ended while starting:\n{process.end_of_log()}")
                    await asyncio.sleep(LOOK_EVERY)

    async def leave(self, process: RoleProcess, *, killed: bool = False) -> int | None:
        """End this one for good, in order or by SIGKILL; its exit status when in order."""
        self.all.remove(process)
        self.gone.append(process)
        if killed:
            await asyncio.to_thread(process.kill)
            return None
        return await asyncio.to_thread(process.stop)

    async def keep(self) -> None:
        """Until cancelled: start again what ended by itself, as a cluster would. Raises ProcessFailedError."""
        while True:
            for process in list(self.all):
                if process.ended_by_itself:
                    process.restarts += 1
                    if process.restarts > self.restarts_most:
                        raise ProcessFailedError(f"{process.name} ends again and again:\n{process.end_of_log()}")
                    self.say(f"{process.name} ended by itself and is started again")
                    await asyncio.sleep(RESTART_AFTER)
                    if process.ended_by_itself and process in self.all:
                        process.start()
            await asyncio.sleep(LOOK_EVERY)

    async def kill_and_restart(self, role: Role, down_for: float) -> None:
        """SIGKILL the oldest of this role now, start it again after so many seconds."""
        process = self.of(role)[0]
        self.say(f"{process.name} is killed (SIGKILL), and started again in {down_for:.0f} s")
        await asyncio.to_thread(process.kill)
        await asyncio.sleep(down_for)
        process.start()

    async def stop(self, *roles: Role) -> None:
        """Ask those of these roles to end, or all, at once, and wait. They do not come back."""
        ending = [process for process in self.all if not roles or process.role in roles]
        await asyncio.gather(*(self.leave(process) for process in ending))

    @property
    def kills(self) -> int:
        return sum(process.kills for process in (*self.all, *self.gone))

    @property
    def restarts(self) -> int:
        return sum(process.restarts for process in (*self.all, *self.gone))
