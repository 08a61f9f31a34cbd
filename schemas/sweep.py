"""The sweep: at its hour every open and lately closed order is read from all three systems and laid side by side."""

from enum import StrEnum

from schemas.base import Frozen, System, Utc
from schemas.cases import CaseCode

MOST_STRAYS = 200
"""Strays that one report names; the rest it counts."""


class Stray(Frozen):
    """A record of an outside system that belongs to no order: the case it is, and which record."""

    code: CaseCode
    object: str
    detail: str = ""


class Listed(Frozen):
    """The body of a LISTED record, keyed by an order: the sweep named it."""

    sweep: Utc


class SweepReport(Frozen):
    """The body of a SWEPT record, keyed `brand/~system`: how many orders the system named, and what belongs to none."""

    sweep: Utc
    orders: int
    strays: tuple[Stray, ...] = ()
    more: int = 0
    """Strays beyond MOST_STRAYS."""


class Difference(StrEnum):
    """What two systems say differently about one order."""

    NO_ORDER = "no_order"
    """Clarus or the ERP has it, Shopify has no such order."""
    WAREHOUSE_LACKS = "warehouse_lacks"
    """Units Shopify wants sent and no goods-out covers."""
    WAREHOUSE_HAS_MORE = "warehouse_has_more"
    """Units the warehouse still works on and Shopify does not want any more."""
    GOODS_OUT_TWICE = "goods_out_twice"
    """Goods-outs under a reference that another one bears."""
    ERP_LACKS = "erp_lacks"
    """Units on the order's lines that the ERP's sales order has not, or has another number of."""
    NOT_POSTED = "not_posted"
    """Units that left and the ERP has not posted."""
    POSTED_NOT_LEFT = "posted_not_left"
    NOT_TOLD = "not_told"
    """Units that left, are posted, and stand in no fulfilment."""
    TOLD_NOT_LEFT = "told_not_left"
    NO_TRACKING = "no_tracking"
    """Goods-outs that left without a tracking number."""


class Cause(StrEnum):
    """Why it is so, as far as the rules know."""

    IN_FLIGHT = "in_flight"
    """On its way: a command is out, or an answer is awaited within its time."""
    STOPPED = "stopped"
    """The brand is in observe mode, or paused for the system."""
    HELD = "held"
    """Kept back for a reason that a case names, or will."""
    LATE = "late"
    """Awaited longer than it should take."""
    REFUSED = "refused"
    MISSING = "missing"
    """A goods-out that was there is gone."""
    UNKNOWN = "unknown"
    """A goods-out that we did not make."""
    EDITED = "edited_after_release"
    WAREHOUSE = "warehouse_sent_otherwise"
    """Short, over, in part, or taken back."""
    HAND_SHOPIFY = "by_hand_in_shopify"
    HAND_ERP = "by_hand_in_erp"
    HAND_CLARUS = "by_hand_in_clarus"
    NO_COUNTERPART = "no_counterpart"
    UNREADABLE = "unreadable"
    SETTLED = "settled_by_a_person"
    UNEXPLAINED = "unexplained"


AGREES = "agrees"
"""Stands for a cause where the systems agree."""


class Drift(Frozen):
    """One difference, how many units (or records) it is about, and why."""

    what: Difference
    count: int
    cause: Cause


class Comparison(Frozen):
    """Of one order in the newest sweep that named it."""

    sweep: Utc
    awaited: tuple[System, ...] = tuple(System)
    """Systems whose answer since then has not come yet."""
    at: Utc | None = None
    """When all had answered and it was compared."""
    drifts: tuple[Drift, ...] = ()
    """Until it is compared: what the sweep before could not explain."""

    @property
    def unexplained(self) -> tuple[Drift, ...]:
        return tuple(one for one in self.drifts if one.cause is Cause.UNEXPLAINED)

    @property
    def causes(self) -> tuple[str, ...]:
        """Each once; AGREES when there is no difference."""
        return tuple(sorted({str(one.cause) for one in self.drifts})) or (AGREES,)
