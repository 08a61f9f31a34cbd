"""What a fold tells the metrics: waits that ended, and how many cases are open. Nothing is decided by it."""

from collections import Counter
from collections.abc import Iterator
from typing import Protocol

from kernel.metrics import Stage
from schemas.base import Brand, GoodsOutRef
from schemas.cases import Case, CaseCode, Severity
from streams.engine.contract import OpenKind, Took
from streams.rules.orders.state import OrderState

_STAGE_OF_WAIT = {
    "create": Stage.COMPLETE_TO_GOODS_OUT,
    "erp-post": Stage.DESPATCHED_TO_POSTED,
    "tell": Stage.POSTED_TO_TOLD,
}
"""By what stands before the colon in the name of a wait; behind it stands a goods-out's reference."""


def ended_waits(before: OrderState | None, after: OrderState) -> Iterator[Took]:
    """Stages that ended between two states of an order, by when each wait began in the log.

    A wait also ends when what was waited for is not wanted any more; then the goods-out is not there, or the order is
    cancelled, and it took no time worth telling.
    """
    if before is None or (after.shopify is not None and after.shopify.cancelled_at is not None):
        return
    still = {entry.name for entry in after.since}
    for entry in before.since:
        kind, _, reference = entry.name.partition(":")
        stage = _STAGE_OF_WAIT.get(kind)
        if stage is not None and entry.name not in still and after.goods_out(GoodsOutRef(reference)) is not None:
            yield Took(stage, after.brand, entry.at, after.now)


class HasCases(Protocol):
    @property
    def brand(self) -> Brand: ...
    @property
    def cases(self) -> tuple[Case, ...]: ...


class OpenCases:
    """Open cases of one partition by brand, code and severity, kept up as states change."""

    IN_STATE = b'"cases":'
    """Stands in the JSON of a state with an open case: the others need not be decoded at a restore."""

    def __init__(self) -> None:
        self._of: dict[bytes, tuple[tuple[CaseCode, Severity], ...]] = {}
        self._counts: Counter[OpenKind] = Counter()

    def note(self, key: bytes, state: HasCases) -> None:
        """The newest state of a key."""
        kinds = tuple((case.code, case.severity) for case in state.cases)
        if kinds == self._of.get(key, ()):
            return
        self._counts.subtract((state.brand, *kind) for kind in self._of.pop(key, ()))
        if kinds:
            self._of[key] = kinds
            self._counts.update((state.brand, *kind) for kind in kinds)

    def counts(self) -> dict[OpenKind, int]:
        return {what: count for what, count in self._counts.items() if count}
