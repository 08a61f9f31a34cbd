"""Dead letters and their fuse: a few bad records are set aside, a flood of them means that something else is wrong."""

from collections import deque

from kernel.log import Record
from schemas.errors import Unreadable
from schemas.topics import DLQ
from streams.engine.contract import Emission


class Fuse:
    """Of one partition: blows when more than `most` of the last `window` records were rejected."""

    def __init__(self, most: int = 50, window: int = 500) -> None:
        self._most = most
        self._recent: deque[bool] = deque(maxlen=window)
        self._rejected = 0

    def passed(self, *, rejected: bool) -> bool:
        """Count one record. False when the fuse blows: nothing more of this partition may be finished."""
        if len(self._recent) == self._recent.maxlen and self._recent[0]:
            self._rejected -= 1
        self._recent.append(rejected)
        self._rejected += rejected
        return self._rejected <= self._most


def dead_letter(record: Record, role: str, cause: Unreadable) -> Emission:
    """The record as it came, with where it lies and why it could not be understood."""
    headers = {
        "topic": record.partition.topic.encode(),
        "partition": str(record.partition.number).encode(),
        "offset": str(record.offset).encode(),
        "reason": str(cause).encode(),
        "stage": role.encode(),
    }
    return Emission(DLQ.name, record.key or b"", record.value, headers)
