"""One lane per order: what waits for it, and whether a call for it is out. A key is never read while it is written."""

from dataclasses import dataclass, field
from datetime import datetime

from kernel.log import Partition
from schemas.base import Brand, OrderId, OrderKey
from schemas.commands import Command
from schemas.hints import Hint


@dataclass(slots=True)
class WaitingHint:
    where: Partition
    offset: int
    hint: Hint


@dataclass(slots=True)
class WaitingCommand:
    """`not_before`: it was in the topic when we took the partition, so a predecessor may be carrying it out."""

    where: Partition
    offset: int
    command: Command
    not_before: datetime | None = None


@dataclass(slots=True)
class Lane:
    """Of one order, in one partition number of hints and commands alike."""

    key: OrderKey
    brand: Brand
    order: OrderId
    number: int
    busy: bool = False
    hints: list[WaitingHint] = field(default_factory=list)
    commands: list[WaitingCommand] = field(default_factory=list)

    @property
    def idle(self) -> bool:
        return not (self.busy or self.hints or self.commands)

    def superseded(self) -> list[WaitingCommand]:
        """Take out the commands that a later one for the same object makes pointless."""
        newest = {waiting.command.object: waiting.offset for waiting in self.commands}
        old = [waiting for waiting in self.commands if newest[waiting.command.object] > waiting.offset]
        self.commands = [waiting for waiting in self.commands if newest[waiting.command.object] == waiting.offset]
        return old
