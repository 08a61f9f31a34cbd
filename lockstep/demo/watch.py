"""Follows, while a demo runs, what Lockstep tells people: cases, and records in the dead letters."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field

from kernel.log import Log, LogError
from lockstep.reading import case_in
from schemas.cases import Case
from schemas.topics import CASES, DLQ

PAUSE = 1.0
"""Seconds before the log is tried again."""


@dataclass(slots=True)
class Watch:
    """The newest of each case by its key, and how many dead letters there are."""

    log: Log
    say: Callable[[str], None]
    cases: dict[str, Case] = field(default_factory=dict)
    dead_letters: int = 0

    async def run(self) -> None:
        """Until cancelled."""
        reader = self.log.reader([CASES.name, DLQ.name])
        await reader.start()
        try:
            while True:
                with contextlib.suppress(LogError):
                    for record in await reader.poll(timeout=0.5, most=1000):
                        if record.partition.topic == DLQ.name:
                            self.dead_letters += 1
                        elif (case := case_in(record)) is not None:
                            self._note(case)
                    continue
                await asyncio.sleep(PAUSE)
        finally:
            await reader.stop()

    def _note(self, case: Case) -> None:
        before = self.cases.get(case.key)
        self.cases[case.key] = case
        if before is None or before.open != case.open:
            verb = "opened" if case.open else "closed"
            self.say(f"case {verb}: {case.code} {case.brand}/{case.order} {case.detail} (owner {case.owner})")

    @property
    def open(self) -> list[Case]:
        return [case for case in self.cases.values() if case.open]
