"""Where a process cannot listen it says why, and a role that cannot tell of its health does not work in silence."""

import asyncio
import contextlib
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from kernel.log import Log
from kernel.metrics import Metrics
from lockstep import serving
from lockstep.roles import Role
from lockstep.roles import run as running
from lockstep.roles.process import Process
from lockstep.roles.run import Play
from lockstep.serving import CannotListenError, Health, health_app, listening, serve_on, served
from lockstep.settings import Settings, SettingsError
from sandbox.kafka.ports import free_ports
from tests.lockstep.brands import connections_file


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as there:
        yield there.getsockname()[1]


def refusal(host: str, port: int) -> str:
    with pytest.raises(CannotListenError) as refused:
        asyncio.run(listening(host, port))
    return str(refused.value)


def test_a_taken_port(taken: int) -> None:
    assert refusal("127.0.0.1", taken).startswith(f"expected a free port to listen on, found 127.0.0.1:{taken} taken: ")


@pytest.mark.parametrize("host", ["192.0.2.1", "nowhere.invalid"], ids=["an address", "a name"])
def test_a_host_that_is_not_this_machine_is_not_called_taken(host: str) -> None:
    assert refusal(host, 0).startswith(f"expected an address of this machine to listen on, found '{host}': ")


def test_a_port_that_is_not_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    def not_allowed(*_: object, **__: object) -> socket.socket:
        raise PermissionError(13, "Permission denied (while attempting to bind)")

    monkeypatch.setattr(socket, "create_server", not_allowed)

    assert refusal("127.0.0.1", 80).startswith(
        "expected to be allowed to listen on 127.0.0.1:80, found Permission denied: "
    )


def test_every_address_of_a_name_is_listened_on_and_left_again() -> None:
    async def asked() -> tuple[list[int], list[socket.socket]]:
        sockets = await listening("localhost", 0)
        app = health_app(Health(ready=lambda: True), Metrics())
        serving = asyncio.create_task(serve_on(sockets, app))
        try:
            async with httpx.AsyncClient(timeout=5.0) as client:
                addresses = [one.getsockname()[:2] for one in sockets]
                names = [f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in addresses]
                return [(await client.get(f"http://{name}/health/ready")).status_code for name in names], sockets
        finally:
            serving.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await serving

    statuses, sockets = asyncio.run(asked())

    assert set(statuses) == {200}
    assert all(one.fileno() == -1 for one in sockets)


HEAD = b"POST /health/ready HTTP/1.1\r\nHost: here\r\n"


@pytest.mark.parametrize(
    ("begun", "then"),
    [
        pytest.param(b"", b"", id="nothing"),
        pytest.param(HEAD, b"X", id="a head without end"),
        pytest.param(HEAD + b"Content-Length: 9000000\r\n\r\n", b"x", id="a body nobody reads"),
    ],
)
def test_a_connection_on_which_nothing_whole_is_asked_is_not_kept(
    monkeypatch: pytest.MonkeyPatch, begun: bytes, then: bytes
) -> None:
    monkeypatch.setattr(serving, "UNASKED_MOST", 0.2)

    async def dripping(writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while then:
                writer.write(then)
                await writer.drain()
                await asyncio.sleep(0.01)

    async def asked() -> None:
        sockets = await listening("127.0.0.1", 0)
        async with served(sockets, health_app(Health(ready=lambda: True), Metrics())):
            reader, writer = await asyncio.open_connection(*sockets[0].getsockname())
            writer.write(begun)
            going_on = asyncio.create_task(dripping(writer))
            async with asyncio.timeout(5):
                with contextlib.suppress(ConnectionResetError):
                    await reader.read()
            going_on.cancel()
            writer.close()

    asyncio.run(asked())


def test_a_connection_on_which_is_asked_again_and_again_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "UNASKED_MOST", 0.2)

    async def asked() -> None:
        sockets = await listening("127.0.0.1", 0)
        async with served(sockets, health_app(Health(ready=lambda: True), Metrics())):
            reader, writer = await asyncio.open_connection(*sockets[0].getsockname())
            until = asyncio.get_running_loop().time() + 0.6
            while asyncio.get_running_loop().time() < until:
                writer.write(b"GET /health/ready HTTP/1.1\r\nHost: here\r\n\r\n")
                async with asyncio.timeout(5):
                    answer = await reader.readuntil(b"ok\n")
                assert answer.startswith(b"HTTP/1.1 200")
            writer.close()

    asyncio.run(asked())


@dataclass
class Plays:
    """Roles whose work is over when it has begun; all serve their health while they are at it."""

    worked: list[Role] = field(default_factory=list)
    ports: list[int] = field(default_factory=list)

    def player(self, role: Role) -> Play:
        async def play(process: Process, _log: Log) -> None:
            self.ports.append(process.settings.health_port)

            async def work() -> None:
                self.worked.append(role)

            await process.with_health(work, Health(ready=lambda: True))

        return play


def test_a_role_that_cannot_tell_of_its_health_ends_before_its_work(
    taken: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plays = Plays()
    with pytest.raises(SettingsError, match=f"LOCKSTEP_HEALTH_HOST, LOCKSTEP_HEALTH_PORT: .* 127.0.0.1:{taken} taken"):
        run(plays, tmp_path, monkeypatch, taken, Role.NORMALISE)

    assert plays.worked == []


def test_the_first_of_several_roles_tells_of_its_health(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plays, (free,) = Plays(), free_ports(1)
    run(plays, tmp_path, monkeypatch, free, Role.ORDERS, Role.STOCK)

    assert plays.ports == [free, 0]


def run(plays: Plays, folder: Path, monkeypatch: pytest.MonkeyPatch, health_port: int, *chosen: Role) -> None:
    monkeypatch.setenv("ACME_SHOPIFY_TOKEN", "token")
    monkeypatch.setenv("ACME_WEBHOOK_SECRET", "secret")
    monkeypatch.setattr(running, "player", plays.player)
    asyncio.run(running.run_roles(chosen, Settings(connections=connections_file(folder), health_port=health_port)))


ROOMS = {
    Role.INTAKE: "connectors.intake.app",
    Role.SHOPIFY: "connectors.shopify.port",
    Role.CLARUS: "connectors.clarus.port",
    Role.ERP: "connectors.erp.port",
    Role.NOTICES: "lockstep.notices.role",
    Role.NORMALISE: "streams.agents.normalise faust.app.base",
    Role.ORDERS: "streams.agents.orders",
    Role.STOCK: "streams.agents.stock",
    Role.ITEMS: "streams.agents.items",
}
LOADS = """
import sys
from lockstep.roles.run import player
rooms = set(sys.argv[2:])
for role in sys.argv[1].split():
    before = rooms & sys.modules.keys()
    player(role)
    print(*sorted(rooms & sys.modules.keys() - before))
"""


def test_a_role_loads_what_it_plays_and_nothing_of_the_others() -> None:
    """Each is a process: what it does not need it would hold in memory, and take longer to come back after a kill.

    One after the other here, for each takes a moment: those of the rules last, of which notices read the cases.
    """
    rooms = [room for needed in ROOMS.values() for room in needed.split()]
    command = [sys.executable, "-c", LOADS, " ".join(ROOMS), *rooms]
    loads = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout

    orders = ROOMS[Role.ORDERS]
    assert [line.split() for line in loads.splitlines()] == [
        sorted([*needed.split(), orders] if role is Role.NOTICES else [] if role is Role.ORDERS else needed.split())
        for role, needed in ROOMS.items()
    ]
