"""The first bytes of a changelog value: what recovery needs to know without decoding the rest.

24 bytes, big endian: the offset of the last event folded (int64), when to plan again (int64, milliseconds since 1970
UTC, or NEVER), the configuration version planned with (int64). The state's JSON follows.
"""

import struct
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

_LAYOUT = struct.Struct(">qqq")
SIZE = _LAYOUT.size
NEVER = (1 << 63) - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Prefix(NamedTuple):
    last_offset: int
    wake_at: datetime | None
    config_version: int


def milliseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def pack(prefix: Prefix, body: bytes) -> bytes:
    wake = NEVER if prefix.wake_at is None else milliseconds(prefix.wake_at)
    return _LAYOUT.pack(prefix.last_offset, wake, prefix.config_version) + body


def last_offset(value: bytes) -> int:
    """Cheap, for recovery: of two values of one key the one with the higher last offset is the newer."""
    offset: int = _LAYOUT.unpack_from(value)[0]
    return offset


def unpack(value: bytes) -> tuple[Prefix, bytes]:
    """Raises ValueError when there are not even 24 bytes."""
    if len(value) < SIZE:
        msg = f"expected a changelog value of at least {SIZE} bytes, found {len(value)}"
        raise ValueError(msg)
    offset, wake, version = _LAYOUT.unpack_from(value)
    wake_at = None if wake == NEVER else _EPOCH + timedelta(milliseconds=wake)
    return Prefix(offset, wake_at, version), value[SIZE:]
