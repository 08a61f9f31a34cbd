"""A brand's words and the warehouse's: shipping lines, tags, notes, SKUs, bundles. Part of its configuration."""

from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from schemas.base import Amount, Frozen, Sku
from schemas.limits import NOTES_MOST, PRODUCT_CODE_MOST

CountryCode = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
Text = Annotated[str, Field(min_length=1)]
ProductCode = Annotated[Sku, Field(min_length=1, max_length=PRODUCT_CODE_MOST)]


class ShippingRule(Frozen):
    """A shipping line, by `code` first, else by `title`, and how Clarus sends it. Compared without case.

    A rule that names neither is for any shipping line no other rule knows. What else it says must hold of the order
    too: the first rule that fits is taken.
    """

    code: str = ""
    title: str = ""
    countries: tuple[CountryCode, ...] = ()
    postcodes: tuple[Text, ...] = ()
    """What the postcode may begin with, without regard to space."""
    weight_from: int | None = Field(default=None, ge=0)
    """Grams."""
    weight_below: int | None = Field(default=None, gt=0)
    value_from: Amount | None = Field(default=None, ge=0)
    """Of the order as it stands, in the shop's currency."""
    value_below: Amount | None = Field(default=None, gt=0)
    tags: tuple[Text, ...] = ()
    """The order has one of them."""
    carrier: str = Field(min_length=1, max_length=50)
    service: str = Field(min_length=1, max_length=30)
    priority: int = Field(default=50, ge=1, le=99)
    """Clarus: 1 is the most urgent."""
    expedited: bool = False
    """What is sent so does not wait for the edit window."""

    @model_validator(mode="after")
    def _can_fit(self) -> Self:
        if not (self.code or self.title or self.conditional):
            msg = "expected a code, a title or a condition to recognise the shipping line by, found none"
            raise ValueError(msg)
        for name, low, high in (
            ("weight", self.weight_from, self.weight_below),
            ("value", self.value_from, self.value_below),
        ):
            if low is not None and high is not None and low >= high:
                msg = f"{name}_from: expected less than {name}_below, found {low} and {high}: the rule fits nothing"
                raise ValueError(msg)
        return self

    @property
    def conditional(self) -> bool:
        """Whether it asks for more than a name."""
        bounds = (self.weight_from, self.weight_below, self.value_from, self.value_below)
        return bool(self.countries or self.postcodes or self.tags) or any(bound is not None for bound in bounds)


class PriorityRule(Frozen):
    """Orders with this tag are that urgent, whatever their shipping rule says. The first that fits is taken."""

    tag: str = Field(min_length=1)
    priority: int = Field(ge=1, le=99)


class Instructions(Frozen):
    """What of the shopper's note and note attributes goes along with the order to the packing desk."""

    note: bool = True
    attributes: tuple[Text, ...] = ()
    """Names of note attributes, in the order in which they go along."""
    most: int = Field(default=NOTES_MOST, ge=20, le=NOTES_MOST)
    """Characters; what is longer is cut, and a case tells."""
    characters: Literal["any", "latin", "ascii"] = "any"
    """any: as written. latin: what Western printers have (Latin-1). ascii: plain letters, accents taken off."""


class Rename(Frozen):
    """A SKU that the warehouse knows by another code."""

    shop: Sku = Field(min_length=1)
    clarus: ProductCode


class SkuRules(Frozen):
    """How a SKU becomes a product code. Case and zeros are never touched, and a SKU is never a number."""

    trim: bool = False
    """Space at both ends is taken off."""
    remove: str = ""
    """Characters that are taken out wherever they stand."""
    renames: tuple[Rename, ...] = ()
    """Taken before anything else, and as they are written."""

    def code_of(self, sku: Sku) -> Sku:
        """The product code that a SKU becomes; a bundle has none of its own."""
        renamed = next((one.clarus for one in self.renames if one.shop == sku), None)
        if renamed is not None:
            return renamed
        kept: str = sku
        for character in self.remove:
            kept = kept.replace(character, "")
        return Sku(kept.strip() if self.trim else kept)

    @model_validator(mode="after")
    def _injective(self) -> Self:
        once("renames: expected each SKU of the shop", [one.shop for one in self.renames])
        once("renames: expected each code of Clarus", [one.clarus for one in self.renames])
        return self


class Component(Frozen):
    """So many of a product, by its code in Clarus, in one bundle."""

    sku: ProductCode
    quantity: int = Field(default=1, ge=1)


class Bundle(Frozen):
    """A SKU that the warehouse picks as its components.

    `commits`: what Shopify commits when one is bought, its own SKU alone or its components.
    """

    sku: Sku = Field(min_length=1)
    components: tuple[Component, ...] = Field(min_length=1)
    commits: Literal["bundle", "components"] = "bundle"

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        once(f"components of {self.sku}: expected each", [one.sku for one in self.components])
        return self


def once(expected: str, names: Sequence[str]) -> None:
    """Raises ValueError that names what is there more than once."""
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        msg = f"{expected} once, found {', '.join(twice)} more than once"
        raise ValueError(msg)
