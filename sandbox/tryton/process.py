"""One `trytond` process on a database file: its configuration, its port, its start and its end."""

import os
import socket
import sqlite3
import time
from pathlib import Path

import httpx

from sandbox import tether
from sandbox.tryton.company import DATABASE

START_SECONDS = 90.0
"""Measured: 1 to 3 s on an idle machine of two cores; a busy one gets time."""

CONFIGURATION = """\
[database]
uri = sqlite://
path = {folder}
timezone = UTC
[web]
listen = 127.0.0.1:{port}
[session]
timeout = 86400
super_timeout = 86400
"""


class TrytonFailedError(RuntimeError):
    """Tryton could not be prepared or started; the text holds the end of what it printed."""


def write_configuration(folder: Path, port: int) -> Path:
    """`trytond.conf` in `folder`, for the database file there. The path must be absolute (measured, series 8.0)."""
    file = folder / "trytond.conf"
    file.write_text(CONFIGURATION.format(folder=folder.resolve(), port=port), encoding="utf-8")
    return file


def free_port() -> int:
    """A port of the loopback nobody listens on now. Another process may take it before we do: a start then fails."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def database_file(folder: Path) -> Path:
    return folder / f"{DATABASE}.sqlite"


def settle(database: Path) -> None:
    """Bring everything into the one file, so that a copy is whole: SQLite runs in write-ahead mode here (measured)."""
    connection = sqlite3.connect(database)
    try:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()
    for suffix in ("-wal", "-shm"):
        database.with_name(database.name + suffix).unlink(missing_ok=True)


class TrytonProcess:
    """A running server over the database file in `folder`. Ends with this process, however this one ends."""

    def __init__(self, programs: Path, folder: Path, *, delete_folder: bool = False) -> None:
        """Start it; :meth:`wait_until_it_answers` comes next. `programs` is the virtual environment's `bin`.

        `delete_folder`: the folder goes with the server, also when this process is killed.
        """
        self.port = free_port()
        self.log = folder / "trytond.log"
        configuration = write_configuration(folder, self.port)
        with self.log.open("wb") as log:
            self._tethered = tether.start(
                [str(programs / "trytond"), "-c", str(configuration), "-d", DATABASE],
                environment={**os.environ, "PYTHONWARNINGS": "ignore"},
                log=log,
                folder=folder,
                delete=folder if delete_folder else None,
            )

    @property
    def url(self) -> str:
        """Without a slash at its end: `http://127.0.0.1:PORT/DATABASE`."""
        return f"http://127.0.0.1:{self.port}/{DATABASE}"

    def wait_until_it_answers(self) -> None:
        """Return once a request is answered at all. Raises TrytonFailedError with the end of the log."""
        deadline = time.monotonic() + START_SECONDS
        with httpx.Client(timeout=10) as client:
            while time.monotonic() < deadline:
                if self._tethered.exit_status is not None:
                    raise TrytonFailedError(f"trytond ended with {self._tethered.exit_status}:\n{self.end_of_log()}")
                try:
                    # Without a key: 401 once the database is loaded.
                    if client.get(f"{self.url}/rest/model/web.shop").status_code < 500:
                        return
                except httpx.TransportError:
                    pass
                time.sleep(0.1)
        printed = self.end_of_log()
        self.stop()
        raise TrytonFailedError(f"trytond did not answer within {START_SECONDS:.0f} s:\n{printed}")

    def stop(self) -> None:
        """End it and wait for its end. Safe to call twice."""
        self._tethered.stop()

    def end_of_log(self) -> str:
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-30:])
