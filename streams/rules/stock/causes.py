"""Why Shopify's figure is not what it should be, in a word: counted, and said by `lockstep stock`."""

from enum import StrEnum

from schemas.stock_rules import StockRules
from streams.rules.stock.figure import physical
from streams.rules.stock.state import Basis, StockState


class Cause(StrEnum):
    FIRST = "first"
    """It has never been in step since we know it."""
    WAREHOUSE = "warehouse"
    """Clarus holds more or less: received, despatched, adjusted, held or released."""
    OTHER_CHANNEL = "other channel"
    """Goods-outs that are not ours want more or less."""
    NOT_HONOURED = "not honoured"
    """The warehouse still ships what Shopify has cancelled, or has stopped doing so."""
    BUFFER = "buffer"
    """The brand's buffer, or what counts as taken out, was changed."""
    TOLD = "told"
    """Shopify's figure fell: units that had left were fulfilled, or a person lowered it, which looks the same."""
    BY_HAND = "by hand"
    """Shopify's figure rose, and the warehouse's did not."""
    UNKNOWN = "unknown"


def basis(state: StockState, rules: StockRules) -> Basis | None:
    """What stands behind the figures now; None when a side is not known."""
    if state.item is None or state.balance is None:
        return None
    return Basis(
        on_hand=state.item.on_hand,
        physical=physical(state.balance, rules.taken_out),
        others=state.balance.others,
        withheld=state.units_withheld,
        buffer=rules.buffer_of(state.code, state.location),
    )


def cause(state: StockState, rules: StockRules) -> Cause:
    """The first of them that explains the difference, asked in the order of who decides."""
    now, before = basis(state, rules), state.basis
    if now is None or before is None:
        return Cause.FIRST
    for differs, why in (
        (now.physical != before.physical, Cause.WAREHOUSE),
        (now.others != before.others, Cause.OTHER_CHANNEL),
        (now.withheld != before.withheld, Cause.NOT_HONOURED),
        (now.buffer != before.buffer, Cause.BUFFER),
        (now.on_hand < before.on_hand, Cause.TOLD),
        (now.on_hand > before.on_hand, Cause.BY_HAND),
    ):
        if differs:
            return why
    return Cause.UNKNOWN
