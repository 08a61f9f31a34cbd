"""What a rule may say: a command is wanted, something is waited for, a person must look. `plan` reconciles it."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple

from schemas.base import System
from schemas.cases import CaseCode
from schemas.commands import Decided
from schemas.config import BrandConfig
from streams.rules.orders.state import OrderState

NO_FIELDS: Mapping[str, Any] = MappingProxyType({})


class Wanted(NamedTuple):
    """A command of `kind` on `object` with these fields should have been carried out.

    `fields` are the command's own, without what every command carries; its fingerprint is made of them.
    `keep_while_flying`: one in flight is left alone even when the fields have changed meanwhile.
    """

    kind: type[Decided]
    system: System
    object: str
    says: str
    """In words, for observe mode; nothing personal."""
    generation: int = 1
    fields: Mapping[str, Any] = NO_FIELDS
    keep_while_flying: bool = False


class Waiting(NamedTuple):
    """Something is waited for. After `after` seconds a case opens (0: at once); `read` is read again meanwhile."""

    name: str
    after: int
    code: CaseCode | None = None
    object: str = ""
    detail: str = ""
    read: tuple[System, ...] = ()


class Look(NamedTuple):
    """A person must look, from now on until the fact is gone."""

    code: CaseCode
    object: str
    detail: str = ""


class Wake(NamedTuple):
    """Plan again then, whatever else happens."""

    at: datetime


Finding = Wanted | Waiting | Look | Wake
Rule = Callable[[OrderState, BrandConfig], Iterator[Finding]]
