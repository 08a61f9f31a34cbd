"""Lockstep's own processes in a demo: one per role, ended when the demo ends, killed and started again on demand."""

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
"""Of one process, before the demo gives up: something is wrong that a restart does not mend."""


class ProcessFailedError(RuntimeError):
    """A process would not start or not stay; the text holds the end of what it printed."""


@dataclass(slots=True)
class RoleProcess:
    """One `lockstep run ROLE`."""

    role: Role
    environment: Mapping[str, str]
    health: str
    log: Path
    restarts: int = 0
    """How often it ended by itself."""
    kills: int = 0
    _tethered: tether.Tethered | None = None
    _expected_down: bool = False

    def start(self) -> None:
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

    def stop(self) -> None:
        if self._tethered is not None:
            self._expected_down = True
            self._tethered.stop()

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
    """All roles. `environment` is what they share beside our own environment; logs go to `folder`."""

    environment: Mapping[str, str]
    folder: Path
    roles: Sequence[Role] = tuple(Role)
    say: Callable[[str], None] = lambda _: None
    all: dict[Role, RoleProcess] = field(default_factory=dict)

    async def start(self) -> None:
        """Returns when all are ready. Raises ProcessFailedError with the end of a log."""
        ports = free_ports(len(self.roles))
        for role, port in zip(self.roles, ports, strict=True):
            own = {**os.environ, **self.environment, "LOCKSTEP_HEALTH_PORT": str(port)}
            log = self.folder / f"{role}.log"
            self.all[role] = RoleProcess(role, own, f"http://127.0.0.1:{port}", log)
            self.all[role].start()
        async with asyncio.timeout(READY_WITHIN), httpx.AsyncClient(timeout=2.0) as client:
            for process in self.all.values():
                while not await process.ready(client):
                    if process.ended_by_itself:
                        raise ProcessFailedError(f"{process.role} ended while starting:\n{process.end_of_log()}")
                    await asyncio.sleep(LOOK_EVERY)

    async def keep(self) -> None:
        """Until cancelled: start again what ended by itself, as a cluster would. Raises ProcessFailedError."""
        while True:
            for process in self.all.values():
                if process.ended_by_itself:
                    process.restarts += 1
                    if process.restarts > RESTARTS_MOST:
                        raise ProcessFailedError(f"{process.role} ends again and again:\n{process.end_of_log()}")
                    self.say(f"{process.role} ended by itself and is started again")
                    process.start()
            await asyncio.sleep(LOOK_EVERY)

    async def kill_and_restart(self, role: Role, down_for: float) -> None:
        """SIGKILL now, start again after so many seconds."""
        self.say(f"{role} is killed (SIGKILL), and started again in {down_for:.0f} s")
        await asyncio.to_thread(self.all[role].kill)
        await asyncio.sleep(down_for)
        self.all[role].start()

    async def stop(self) -> None:
        """Ask all to end at once, and wait."""
        await asyncio.gather(*(asyncio.to_thread(process.stop) for process in self.all.values()))

    @property
    def kills(self) -> int:
        return sum(process.kills for process in self.all.values())

    @property
    def restarts(self) -> int:
        return sum(process.restarts for process in self.all.values())
