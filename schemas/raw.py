"""Headers of `raw.<system>`: what kind of body lies there verbatim, and when and by whom it was read."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from schemas.base import Brand, Frozen, System, Utc
from schemas.errors import Unreadable
from schemas.events import ConnectionState


class RawKind(StrEnum):
    """SNAPSHOT is verbatim JSON of the system; the others are our own JSON."""

    SNAPSHOT = "snapshot"
    OUTCOME = "outcome"
    CONNECTION = "connection"
    LISTED = "listed"
    """A sweep named this order; says nothing of it."""
    SWEPT = "swept"
    """A sweep of the system came to its end."""
    OWNERSHIP = "ownership"
    """A connector took this partition; its offset is the epoch of all it publishes there."""


class RawHeaders(Frozen):
    """`complete` is false when a list cannot be believed; `api_version` is what the system said it answered with."""

    brand: Brand
    system: System
    kind: RawKind
    epoch: int = -1
    read_started_at: Utc
    complete: bool = True
    absent: bool = False
    """The system says that there is no such record; the body is empty."""
    api_version: str = ""
    token: int = -1
    """The highest token among the hints that asked for it; -1: none did."""
    trace: str = ""

    def dump(self) -> dict[str, bytes]:
        return {
            "brand": self.brand.encode(),
            "system": self.system.encode(),
            "kind": self.kind.encode(),
            "epoch": str(self.epoch).encode(),
            "read_started_at": self.read_started_at.isoformat().encode(),
            "complete": b"1" if self.complete else b"0",
            "absent": b"1" if self.absent else b"0",
            "api_version": self.api_version.encode(),
            "trace": self.trace.encode(),
            **({"token": str(self.token).encode()} if self.token >= 0 else {}),
        }

    @classmethod
    def load(cls, headers: Mapping[str, bytes]) -> "RawHeaders":
        """Raises Unreadable naming the header that is missing or wrong."""
        try:
            return cls(
                brand=Brand(headers["brand"].decode()),
                system=System(headers["system"].decode()),
                kind=RawKind(headers["kind"].decode()),
                epoch=int(headers.get("epoch", b"-1")),
                read_started_at=datetime.fromisoformat(headers["read_started_at"].decode()),
                complete=headers.get("complete", b"1") == b"1",
                absent=headers.get("absent", b"0") == b"1",
                api_version=headers.get("api_version", b"").decode(),
                token=int(headers.get("token", b"-1")),
                trace=headers.get("trace", b"").decode(),
            )
        except KeyError as missing:
            raise Unreadable("headers", f"a header {missing}", "none") from missing
        except ValueError as wrong:
            raise Unreadable("headers", "brand, system, kind, epoch, read_started_at", str(wrong)) from wrong


class ConnectionReport(Frozen):
    """The body of a CONNECTION record, keyed `brand/~system`: how the whole connection of a brand fares."""

    state: ConnectionState
    text: str = ""
