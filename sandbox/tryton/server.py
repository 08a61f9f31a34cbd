"""A Tryton of one's own for the length of a block: a copy of the prepared database behind a server process."""

import asyncio
import shutil
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from sandbox.tryton.company import DATABASE, Company
from sandbox.tryton.prepare import Progress, prepare, silent
from sandbox.tryton.process import TrytonProcess, database_file


class TrytonServer:
    """`with TrytonServer(company) as erp:` or `async with …`; the latter prepares and starts off the event loop.

    Inside the block :attr:`base_url` and :attr:`key` open its REST interface. When the block ends, or this process
    dies, the server ends; its database is gone, the prepared one is untouched. Raises TrytonFailedError on entry.
    """

    def __init__(self, company: Company, progress: Progress = silent) -> None:
        self._company = company
        self._progress = progress
        self._folder: Path | None = None
        self._process: TrytonProcess | None = None
        self.key = ""
        self.base_url = ""
        """`http://127.0.0.1:PORT/DATABASE/rest/`, set on entry."""
        self.database = DATABASE

    def __enter__(self) -> Self:
        prepared = prepare(self._company, self._progress)
        self._folder = Path(tempfile.mkdtemp(prefix="tryton-"))
        try:
            shutil.copyfile(prepared.database, database_file(self._folder))
            self._process = TrytonProcess(prepared.programs, self._folder, delete_folder=True)
            self._process.wait_until_it_answers()
        except BaseException:
            self.stop()
            raise
        self.key = prepared.key
        self.base_url = f"{self._process.url}/rest/"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        return await asyncio.to_thread(self.__enter__)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.stop)

    def stop(self) -> None:
        """End the server and delete its database. Safe to call twice."""
        if self._process is not None:
            self._process.stop()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
        self._process = self._folder = None

    def end_of_log(self) -> str:
        """What the server printed last."""
        return self._process.end_of_log() if self._process is not None else ""
