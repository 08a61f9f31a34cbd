"""Dead letters and their fuse: what is bad of a few keys is set aside, of many something else is wrong."""

from collections import Counter, deque
from dataclasses import replace

from kernel.log import Outgoing, Record
from schemas.errors import Unreadable
from schemas.topics import DLQ
from streams.engine.contract import Emission

REASON_MOST = 1000
"""Characters of what is said of a dead letter."""


class Fuse:
    """Of one partition: blows when more than `most` keys had a record rejected among the last `window` records.

    One key that nobody can read is one, however often it is read again: the rest of the partition goes on beside it. A
    release that can read nothing meets key after key. A record without a key counts for itself.
    """

    def __init__(self, most: int = 50, window: int = 500) -> None:
        self._most = most
        self._recent: deque[object | None] = deque(maxlen=window)
        """The key of each that was rejected, None for one that was not."""
        self._rejected = Counter[object]()

    def passed(self) -> None:
        """Count a record that could be read."""
        self._count(None)

    def rejected(self, key: bytes | None) -> bool:
        """Count one that could not. False when the fuse blows: nothing more of this partition may be finished."""
        self._count(object() if key is None else key)
        return len(self._rejected) <= self._most

    def _count(self, key: object | None) -> None:
        oldest = self._recent[0] if len(self._recent) == self._recent.maxlen else None
        self._recent.append(key)
        if key is not None:
            self._rejected[key] += 1
        if oldest is not None:
            self._rejected[oldest] -= 1
            if not self._rejected[oldest]:
                del self._rejected[oldest]


def dead_letter(record: Record, role: str, cause: Unreadable) -> Emission:
    """The record as it came, with where it lies and why it could not be understood."""
    headers = {
        "topic": record.partition.topic.encode(),
        "partition": str(record.partition.number).encode(),
        "offset": str(record.offset).encode(),
        "reason": str(cause)[:REASON_MOST].encode(),
        "stage": role.encode(),
    }
    return Emission(DLQ.name, record.key or b"", record.value, headers)


def without_body(letter: Outgoing) -> Outgoing:
    """One that is too large with what is said of it; its body lies where the headers say."""
    left = f" (a body of {len(letter.value or b'')} bytes, left where it lies)"
    reason = {"reason": letter.headers["reason"] + left.encode()}
    return replace(letter, value=b"", headers={**letter.headers, **reason})
