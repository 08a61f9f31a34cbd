"""Processes under test: started as in production, killed, frozen and asked to end by the tests that own them."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.group import LeaveGroupRequest

from tests.engine.crash_points import CrashPoint

ROOT = Path(__file__).parents[2]
DEADLINE = 40.0
KILLED = -signal.SIGKILL


class Process:
    """One child of ours. `said` is what it printed, line by line."""

    def __init__(self, name: str, child: asyncio.subprocess.Process, errors: Path) -> None:
        self.name, self.said = name, list[str]()
        self._child, self._errors = child, errors
        self._listening = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        assert self._child.stdout is not None
        async for line in self._child.stdout:
            self.said.append(line.decode().strip())

    async def says(self, start: str, *, times: int = 1) -> str:
        """Wait until it has said a line that begins so; the line. Fails when it ends before."""

        def lines() -> list[str]:
            return [line for line in self.said if line.startswith(start)]

        await until(lambda: len(lines()) >= times or self._listening.done(), f"{self.name} says {start!r}")
        assert len(lines()) >= times, f"{self.name} ended before it said {start!r}: {self.said}\n{self.complaints}"
        return lines()[times - 1]

    async def frozen(self) -> None:
        """Wait until it has stopped itself."""
        stat = Path(f"/proc/{self._child.pid}/stat")
        await until(lambda: stat.read_text().rpartition(")")[2].split()[0] == "T", f"{self.name} is frozen")

    def send(self, what: signal.Signals) -> None:
        self._child.send_signal(what)

    async def ended(self) -> int:
        """Wait for its end; its exit status, negative when it was a signal's."""
        async with asyncio.timeout(DEADLINE):
            await self._listening
            return await self._child.wait()

    async def terminated(self) -> None:
        """Ask it to end, and see that it did so in order."""
        self.send(signal.SIGTERM)
        status = await self.ended()
        assert status == 0, f"{self.name} ended with {status}: {self.said}\n{self.complaints}"

    @property
    def complaints(self) -> str:
        return self._errors.read_text()[-3000:]

    @property
    def running(self) -> bool:
        return self._child.returncode is None

    async def kill(self) -> None:
        if self.running:
            self._child.kill()
        await self.ended()


class Processes:
    """Makes them; see `processes`."""

    def __init__(self, bootstrap: str, prefix: str, folder: Path) -> None:
        self._bootstrap, self._prefix, self._folder = bootstrap, prefix, folder
        self.made: list[Process] = []

    async def worker(self, name: str, point: CrashPoint = CrashPoint.NEVER, trigger: str = "") -> Process:
        return await self.start("worker_process", name, point, trigger)

    async def start(self, module: str, name: str, *arguments: str) -> Process:
        errors = self._folder / f"{name}.err"
        with errors.open("wb") as stderr:
            child = await asyncio.create_subprocess_exec(
                sys.executable, "-m", f"tests.engine.{module}", self._bootstrap, self._prefix, name, *arguments,
                cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=stderr,
            )  # fmt: skip
        self.made.append(Process(name, child, errors))
        return self.made[-1]

    async def bury(self, group: str, dead: Process) -> None:
        """The group hears of the death at once, not only when the session is over: leave in the dead one's name."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self._bootstrap)
        await admin.start()
        try:
            (answer,) = await admin.describe_consumer_groups([self._prefix + group])
            members = answer.groups[0][5]
            coordinator = await admin.find_coordinator(self._prefix + group)
            for member in members:
                if member[1] == dead.name:
                    await admin._send_request(LeaveGroupRequest(self._prefix + group, member[0]), coordinator)
        finally:
            await admin.close()


@asynccontextmanager
async def processes(bootstrap: str, prefix: str, folder: Path) -> AsyncIterator[Processes]:
    """None of them outlives the block."""
    made = Processes(bootstrap, prefix, folder)
    try:
        yield made
    finally:
        for one in made.made:
            await one.kill()


async def until(holds: Callable[[], bool], what: str) -> None:
    """Wait for a condition; fails, naming it, when it does not come within the deadline."""
    end = asyncio.get_running_loop().time() + DEADLINE
    while not holds():
        assert asyncio.get_running_loop().time() < end, f"it never came to that: {what}"
        await asyncio.sleep(0.05)
