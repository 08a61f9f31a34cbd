"""How a brand keeps Shopify's stock in step with Clarus. Part of its configuration."""

from typing import Literal, Self

from pydantic import Field, model_validator

from schemas.base import Frozen, LocationId, Sku

Column = Literal["allocated", "picked"]


class Buffer(Frozen):
    """So many units are never offered of a code, at a location, or of both; what names more is taken first."""

    sku: Sku | None = None
    location: LocationId | None = None
    units: int = Field(ge=0, le=1_000_000)

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if self.sku is None and self.location is None:
            msg = "expected a sku, a location or both; what holds for all is the brand's own buffer"
            raise ValueError(msg)
        return self


class StockRules(Frozen):
    """`off`: stock is neither read nor written. `observe`: read and decided, nothing written."""

    mode: Literal["off", "observe", "write"] = "off"
    taken_out: tuple[Column, ...] = ("allocated", "picked")
    """Columns that Clarus has already taken out of `available`: they are physically there and are added to it. Whether
    it has is not stated in its documentation; the audit shows how to find out.
    """
    buffer: int = Field(default=0, ge=0, le=1_000_000)
    """Units of every code at every location that are never offered."""
    buffers: tuple[Buffer, ...] = ()
    quiet_for: int = Field(default=5, ge=0, le=3600)
    """Seconds without a change before a new figure is written."""
    max_wait: int = Field(default=30, ge=0, le=3600)
    """Seconds after the first change at which it is written, whatever still moves."""
    hand_edits: Literal["overrule", "respect"] = "overrule"
    """What becomes of a figure that a person set in Shopify. respect: it stands until Clarus' own figure changes."""
    ask_again: int = Field(default=60, ge=1, le=3600)
    """Seconds after which a reading that has not come is asked for again; then after twice as long, up to an hour."""
    unread: int = Field(default=1800, ge=60)
    """Seconds without a figure that may be believed before a case opens."""

    @model_validator(mode="after")
    def _waits(self) -> Self:
        if self.max_wait < self.quiet_for:
            msg = f"max_wait: expected at least quiet_for, {self.quiet_for} s, found {self.max_wait}"
            raise ValueError(msg)
        seen = [(one.sku, one.location) for one in self.buffers]
        if len(seen) > len(set(seen)):
            msg = "buffers: expected each sku and location once"
            raise ValueError(msg)
        return self

    def buffer_of(self, code: Sku, location: LocationId) -> int:
        """The one that names most: code and location, code, location, the brand's."""
        for sku, place in ((code, location), (code, None), (None, location)):
            for one in self.buffers:
                if (one.sku, one.location) == (sku, place):
                    return one.units
        return self.buffer
