"""How a brand's items come from the ERP into Clarus. Part of its configuration."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from schemas.base import Frozen

ItemField = Literal["description", "barcode"]


class ItemRules(Frozen):
    """`off`: items are not read. `observe`: read and decided, nothing written. `create`: products that are missing in
    Clarus are made. `create_and_amend`: and kept as the ERP has them.
    """

    mode: Literal["off", "observe", "create", "create_and_amend"] = "off"
    fields: tuple[ItemField, ...] = ("description", "barcode")
    """What is kept as the ERP has it. What the ERP does not say is left alone in Clarus; all else is Clarus' own."""
    prefixes: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    """Of the ERP's codes: only items that begin with one of these are the brand's. None: all of the ERP are."""
    stock_unit: str = Field(default="", max_length=50)
    """Code of the stock unit type that new products count in; Clarus makes no product without one."""
    patience: int = Field(default=900, ge=0, le=366 * 86400)
    """Seconds an item may be on its way to Clarus, and an order may wait for it, before a case opens."""

    audit: bool = True
    """Once a day what Shopify sells and what lies in Clarus is compared with the ERP's items, code by code."""

    @property
    def audited(self) -> bool:
        return self.audit and self.mode != "off"

    @property
    def writes(self) -> bool:
        return self.mode in ("create", "create_and_amend")

    @model_validator(mode="after")
    def _can_create(self) -> Self:
        if self.writes and not self.stock_unit:
            msg = f"stock_unit: expected the code of a stock unit type of Clarus when mode is {self.mode}, found none"
            raise ValueError(msg)
        return self
