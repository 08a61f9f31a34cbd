"""How far a bulk fold has come, in a file per partition: a run that was interrupted goes on from there.

A file is replaced whole or not at all, and is believed only when it is of the same log, the same code and the same
question; otherwise the fold begins anew.
"""

import json
import os
import struct
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Any

from lockstep.replay.checks import Rejected
from lockstep.replay.fold import BulkFold
from lockstep.replay.tables import ORDERS, FoldedTable
from schemas.base import Brand
from streams.engine.prefix import unpack

_LENGTHS = struct.Struct(">II")
DIGEST = sha256().digest_size


@cache
def code() -> str:
    """A mark of the code that decides what a fold makes of a log."""
    mark = sha256()
    for package in ("schemas", "streams"):
        for root in import_module(package).__path__:
            for file in sorted(Path(root).rglob("*.py")):
                mark.update(file.read_bytes())
    return mark.hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """Of one log, in a folder of their own, for our eyes only: states hold addresses. `without`: brands left out."""

    folder: Path
    cluster: str
    without: tuple[Brand, ...] = ()
    table: FoldedTable = ORDERS

    def save(self, bulk: BulkFold) -> None:
        """Returns when the file is on the disk."""
        head = {
            **self._identity(bulk.where.number),
            "next": bulk.next,
            "began_at": bulk.began_at,
            "verdicts": dict(bulk.verdicts),
            "rejected": [(one.offset, one.at.isoformat(), one.where, one.reason) for one in bulk.rejected],
        }
        path = self._path(bulk.where.number)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh, whole = path.with_suffix(".new"), sha256()
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            for part in (json.dumps(head).encode() + b"\n", *_entries(bulk)):
                whole.update(part)
                file.write(part)
            file.write(whole.digest())
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)

    def load(self, number: int, until: int) -> BulkFold:
        """As saved, when it is ours, whole and not past `until`; else a fold that begins at 0."""
        path = self._path(number)
        bulk = BulkFold(number, self.without, self.table)
        if not path.exists():
            return bulk
        content = path.read_bytes()
        line, _, rest = content[:-DIGEST].partition(b"\n")
        if sha256(content[:-DIGEST]).digest() != content[-DIGEST:]:
            return bulk
        head: dict[str, Any] = json.loads(line)
        if any(head.get(name) != value for name, value in self._identity(number).items()) or head["next"] > until:
            return bulk
        bulk.next, bulk.began_at, bulk.verdicts = head["next"], head["began_at"], Counter(head["verdicts"])
        bulk.rejected = [
            Rejected(offset, datetime.fromisoformat(at), where, reason)
            for offset, at, where, reason in head["rejected"]
        ]
        place = 0
        while place < len(rest):
            key_size, value_size = _LENGTHS.unpack_from(rest, place)
            place += _LENGTHS.size
            key = rest[place : place + key_size]
            value = rest[place + key_size : place + key_size + value_size]
            unpack(value)
            bulk.newest[key] = value
            place += key_size + value_size
        bulk.renew()
        return bulk

    def forget(self, numbers: Collection[int]) -> None:
        for number in numbers:
            self._path(number).unlink(missing_ok=True)
            self._path(number).with_suffix(".new").unlink(missing_ok=True)

    def _path(self, number: int) -> Path:
        return self.folder / f"{self.table.role}-{number}.fold"

    def _identity(self, number: int) -> dict[str, object]:
        asked = {"table": self.table.role, "partition": number, "without": sorted(self.without)}
        return {"cluster": self.cluster, "code": code(), **asked}


def _entries(bulk: BulkFold) -> "list[bytes]":
    parts: list[bytes] = []
    for key, value in bulk.newest.items():
        parts += (_LENGTHS.pack(len(key), len(value)), key, value)
    return parts
