"""One key's events come from one cluster's topics for ever."""

from typing import Protocol

from schemas.events import OrderEvent, Source
from streams.rules.orders.state import Reached


class HasSeen(Protocol):
    @property
    def seen(self) -> tuple[Reached, ...]: ...


def same_log(state: HasSeen | None, event: OrderEvent) -> None:
    """Raises AnotherLogError: offsets and epochs of one cluster mean nothing in another."""
    source = event.source
    if state is None or source is None:
        return
    cluster = source.cluster
    for reached in state.seen:
        if reached.cluster != cluster and reached.topic == source.topic:
            raise AnotherLogError(event.key, source, reached.cluster)


class AnotherLogError(Exception):
    """The events of an order come from another cluster's topics than those folded before. Ends the worker."""

    def __init__(self, key: str, source: Source, known: str) -> None:
        super().__init__(
            f"{key}: expected records of {source.topic} in cluster {known}, found some of cluster {source.cluster}, "
            "whose offsets say nothing about what was folded: point the worker at the cluster it knows, or rebuild "
            "its state from the systems"
        )
