"""What another configuration would make of the orders there are: which would be released, held or sent otherwise. Pure.

The rules are asked about each order's state twice, with the configuration that holds and with the other; nothing is
folded, planned or kept. What is under way or in the warehouse already stays as it was resolved at its release.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from lockstep.awaited import HOLD
from schemas.base import Brand, OrderId, Sku, order_key
from schemas.cases import CaseCode
from schemas.commands import CreateGoodsOut
from schemas.config import BrandConfig
from streams.rules.orders.findings import Waiting, Wanted
from streams.rules.orders.mapping.products import collisions
from streams.rules.orders.plan import asked
from streams.rules.orders.state import OrderState

KEPT = ("known_goods_outs", "ship_to")
"""Fields of a goods-out that no configuration decides."""


class Foreseen(NamedTuple):
    """One order for which something would change. `says` is one line for a person; nothing personal."""

    brand: Brand
    order: OrderId
    says: str

    def __str__(self) -> str:
        return f"{order_key(self.brand, self.order)}: {self.says}"


@dataclass(slots=True)
class Foresight:
    """Of the orders of the brand of `after`. `before` None: the brand is not configured yet. `at` is now."""

    before: BrandConfig | None
    after: BrandConfig
    at: datetime
    released: list[Foreseen] = field(default_factory=list)
    held: list[Foreseen] = field(default_factory=list)
    """Ready now, and held then."""
    otherwise: list[Foreseen] = field(default_factory=list)
    """Sent in any case, but with other words; or held for other reasons."""
    alone: list[Foreseen] = field(default_factory=list)
    """Held now, and then no business of ours: sent from elsewhere, or older than the switch-on."""
    stay: Counter[CaseCode] = field(default_factory=Counter)
    """Holds that stay, by code."""
    looked_at: int = 0
    _skus: set[Sku] = field(default_factory=set)

    def look_at(self, state: OrderState) -> None:
        """One order more. Those of other brands, and those that have left the hot state, are passed over."""
        if state.brand != self.after.brand or state.shopify is None:
            return
        self.looked_at += 1
        self._skus |= {line.sku for line in state.shopify.lines if line.requires_shipping and line.sku}
        now = state.model_copy(update={"now": max(state.now, self.at)})
        _compare(self, now, _Asked.of(now, self.before), _Asked.of(now, self.after))

    @property
    def collide(self) -> tuple[str, ...]:
        """SKUs of these orders that would be one product."""
        return tuple(collisions(self._skus, self.after))

    @property
    def nothing(self) -> bool:
        return not (self.released or self.held or self.otherwise or self.alone or self.collide)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the rules say of one order: reasons that hold it, and goods-outs to be asked for."""

    holds: Mapping[CaseCode, str]
    creates: Mapping[str, Wanted]

    @classmethod
    def of(cls, state: OrderState, config: BrandConfig | None) -> "_Asked":
        findings = [] if config is None else asked(state, config)
        waits = (one for one in findings if isinstance(one, Waiting) and one.name.startswith(f"{HOLD}:"))
        creates = (one for one in findings if isinstance(one, Wanted) and one.kind is CreateGoodsOut and one.fields)
        return cls(
            {one.code: one.detail for one in waits if one.code is not None}, {one.object: one for one in creates}
        )


def _compare(found: Foresight, state: OrderState, before: _Asked, after: _Asked) -> None:
    def note(among: list[Foreseen], says: str) -> None:
        among.append(Foreseen(state.brand, state.order, says))

    found.stay.update(code for code in after.holds if code in before.holds)
    for name, create in after.creates.items():
        if name not in before.creates:
            freed = ", ".join(code for code in before.holds if code not in after.holds) or "not configured before"
            note(found.released, f"{create.says} (was held: {freed})")
        elif changed := sorted(_differing(before.creates[name], create)):
            note(found.otherwise, f"{create.says} (other {', '.join(changed)})")
    stopped = before.creates.keys() - after.creates.keys()
    new = {code: named for code, named in after.holds.items() if code not in before.holds}
    renamed = {code: named for code, named in after.holds.items() if before.holds.get(code, named) != named}
    if stopped or (new and not before.holds):
        note(found.held, _in_words(new or after.holds) or "not to be released any more")
    elif new or renamed:
        note(found.otherwise, f"held by {_in_words(new | renamed)}")
    elif before.holds and not (after.holds or after.creates):
        note(found.alone, f"nothing to send (was held: {', '.join(before.holds)})")


def _differing(one: Wanted, other: Wanted) -> Iterator[str]:
    return (name for name, value in other.fields.items() if name not in KEPT and one.fields.get(name) != value)


def _in_words(holds: Mapping[CaseCode, str]) -> str:
    return "; ".join(f"{code}, {named}" for code, named in holds.items())
