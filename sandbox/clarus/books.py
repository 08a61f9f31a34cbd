"""The warehouse's own books: what it was asked for and what left, for whoever judges a run.

They are written when things happen and never changed, know nothing of a caller's wishes, and suffer no faults. So units
that were ordered twice, never, or against the shopper's will can be counted from them alone.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

Kind = Literal["created", "amended", "cancelled", "deleted", "despatched", "undespatched", "closed_short"]
By = Literal["api", "hand"]


@dataclass(frozen=True, slots=True)
class OrderedLine:
    """What one line asks for; `external_reference` is the caller's own mark on it."""

    line: int
    sku: str
    units: Decimal
    external_reference: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened to one goods-out. Which of the last fields are filled depends on the kind."""

    at: datetime
    kind: Kind
    goods_out: int
    by: By = "hand"
    head: Mapping[str, str] = field(default_factory=dict)
    """created: tenant, account, warehouse, reference, external_reference1 to 3, service, packing_notes."""
    ordered: tuple[OrderedLine, ...] = ()
    """created and amended: the lines from now on, whole."""
    units: Mapping[int, Decimal] = field(default_factory=dict)
    """despatched: what left; closed_short: what never will. Per line id."""
    tracking: tuple[str, ...] = ()
    """despatched: the numbers known at that moment; '' for a parcel whose number is still to come."""


class Books:
    """Append-only."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._listeners: list[Callable[[Entry], None]] = []

    def listen(self, listener: Callable[[Entry], None]) -> None:
        """`listener` hears of everything written from now on, deletions included."""
        self._listeners.append(listener)

    def write(self, entry: Entry) -> None:
        self._entries.append(entry)
        for listener in self._listeners:
            listener(entry)

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)

    def of(self, goods_out: int) -> list[Entry]:
        return [entry for entry in self._entries if entry.goods_out == goods_out]

    def json(self) -> dict[str, Any]:
        """`goods_outs`: every goods-out ever made with what became of it; `entries`: the same as it came in."""
        return {"goods_outs": _fold(self._entries), "entries": [_entry_json(entry) for entry in self._entries]}


def units(quantity: Decimal) -> int | float:
    """As JSON writes it: whole where it is whole."""
    return int(quantity) if quantity == quantity.to_integral_value() else float(quantity)


def _fold(entries: list[Entry]) -> list[dict[str, Any]]:
    told: dict[int, dict[str, Any]] = {}
    for entry in entries:
        if entry.kind == "created":
            told[entry.goods_out] = {
                "goods_out": entry.goods_out, "arrived_at": entry.at.isoformat(), "by": entry.by, **entry.head,
                "ended": None, "ended_by": None, "ended_at": None, "lines": [], "despatches": [],
            }  # fmt: skip
        _apply(told[entry.goods_out], entry)
    return list(told.values())


def _apply(story: dict[str, Any], entry: Entry) -> None:
    lines: dict[int, dict[str, Any]] = {line["line"]: line for line in story["lines"]}
    match entry.kind:
        case "created" | "amended":
            story["lines"] = [_line_json(line) | {"despatched": 0, "short": 0} for line in entry.ordered]
        case "cancelled" | "deleted":
            story |= {"ended": entry.kind, "ended_by": entry.by, "ended_at": entry.at.isoformat()}
        case "despatched":
            story["despatches"].append(_despatch_json(entry))
            for number, left in entry.units.items():
                lines[number]["despatched"] += units(left)
        case "undespatched":
            story["despatches"].append({"at": entry.at.isoformat(), "lines": [], "tracking": [], "undone": True})
            for line in story["lines"]:
                line["despatched"] = line["short"] = 0
        case "closed_short":
            for number, missing in entry.units.items():
                lines[number]["short"] += units(missing)


def _line_json(line: OrderedLine) -> dict[str, Any]:
    return {
        "line": line.line,
        "sku": line.sku,
        "units": units(line.units),
        "external_reference": line.external_reference,
    }


def _despatch_json(entry: Entry) -> dict[str, Any]:
    return {
        "at": entry.at.isoformat(),
        "lines": [{"line": line, "units": units(left)} for line, left in entry.units.items()],
        "tracking": list(entry.tracking),
    }


def _entry_json(entry: Entry) -> dict[str, Any]:
    return _despatch_json(entry) | {
        "kind": entry.kind,
        "goods_out": entry.goods_out,
        "by": entry.by,
        "head": dict(entry.head),
        "ordered": [_line_json(line) for line in entry.ordered],
    }
