"""Whether an event was folded before, or says nothing that is not known: of any key."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Protocol, Self, TypeVar

from schemas.config import BrandConfig
from schemas.events import Source
from streams.rules.orders.state import Reached


class Folded(Protocol):
    """A frozen record that knows where in the log it stands."""

    @property
    def now(self) -> datetime: ...
    @property
    def last_offset(self) -> int: ...
    @property
    def seen(self) -> tuple[Reached, ...]: ...
    @property
    def config_version(self) -> int: ...
    def model_copy(self, *, update: Mapping[str, Any] | None = None) -> Self: ...


F = TypeVar("F", bound=Folded)


def is_repeated(seen: Iterable[Reached], source: Source | None) -> bool:
    """Whether this very record of a source topic has been folded: at or below the offset reached there."""
    if source is None:
        return False
    offset = source.offset
    return any(offset <= reached.offset and reached.is_of(source) for reached in seen)


def says_nothing_new(before: F, known: F, config: BrandConfig | None) -> bool:
    """Whether only the place in the log has changed since the last plan, which was made with this configuration.

    None asks about no configuration.
    """
    if config is not None and before.config_version < config.version:
        return False
    place = {"last_offset": before.last_offset, "now": before.now, "seen": before.seen}
    return vars(known) | place == vars(before)
