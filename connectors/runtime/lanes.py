"""One lane per order: what waits for it, and whether a call for it is out. A key is never read while it is written."""

from dataclasses import dataclass, field
from datetime import datetime

from kernel.log import Record
from schemas.base import Brand, OrderId, OrderKey
from schemas.commands import Command
from schemas.hints import Hint


@dataclass(frozen=True, slots=True)
class WaitingHint:
    record: Record
    hint: Hint


@dataclass(frozen=True, slots=True)
class WaitingCommand:
    record: Record
    command: Command

    @property
    def offset(self) -> int:
        return self.record.offset


@dataclass(slots=True)
class Lane:
    """Of one order, in one partition number of hints and commands alike.

    `perhaps_until`: somebody, our predecessor or a call of ours nobody waits for any more, may be writing this order
    until then; no command of the lane starts before. `refused` counts the reads in a row that will fail the same again.
    """

    key: OrderKey
    brand: Brand
    order: OrderId
    number: int
    busy: bool = False
    hints: list[WaitingHint] = field(default_factory=list)
    commands: list[WaitingCommand] = field(default_factory=list)
    perhaps_until: datetime | None = None
    refused: int = 0

    @property
    def idle(self) -> bool:
        return not (self.busy or self.hints or self.commands)

    def perhaps_written(self, now: datetime) -> bool:
        return self.perhaps_until is not None and now < self.perhaps_until

    def stays_closed(self, until: datetime) -> None:
        self.perhaps_until = until if self.perhaps_until is None else max(until, self.perhaps_until)

    def superseded(self) -> list[WaitingCommand]:
        """Take out the commands that a later one for the same object makes pointless."""
        newest = {waiting.command.object: waiting.offset for waiting in self.commands}
        old = [waiting for waiting in self.commands if newest[waiting.command.object] > waiting.offset]
        self.commands = [waiting for waiting in self.commands if newest[waiting.command.object] == waiting.offset]
        return old
