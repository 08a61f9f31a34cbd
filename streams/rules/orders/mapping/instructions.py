"""What the shopper asked for, as the packing desk reads it. Its content is personal and never told anywhere else."""

from typing import NamedTuple

from anyascii import anyascii

from schemas.config import BrandConfig
from schemas.orders import Order
from streams.rules.orders.once import once

CUT = " [cut]"
"""Stands where the rest is missing, so that whoever packs knows that there was more."""
LATIN = 256
"""What Latin-1 has lies below."""


class Instructed(NamedTuple):
    """`length` is what it was before it was cut."""

    text: str
    length: int
    rewritten: bool

    @property
    def cut(self) -> bool:
        return self.length > len(self.text)


@once
def instructions(order: Order, config: BrandConfig) -> Instructed:
    """The note and the chosen note attributes, one per line, by the brand's rules."""
    rules, personal = config.instructions, order.personal
    said = {one.name.casefold(): one for one in reversed(personal.attributes) if one.value.strip()}
    chosen = (said.get(name.casefold()) for name in rules.attributes)
    parts = [personal.note] if rules.note and personal.note.strip() else []
    parts += [f"{one.name}: {one.value}" for one in chosen if one is not None]
    whole = "\n".join(parts)
    text = whole if rules.characters == "any" else "".join(_written(letter, rules.characters) for letter in whole)
    short = text if len(text) <= rules.most else text[: rules.most - len(CUT)] + CUT
    return Instructed(short, len(text), rewritten=text != whole)


def _written(letter: str, characters: str) -> str:
    """One character as a Latin-1 or an ASCII printer has it: `Łódź` becomes `Lodz`, a gift `:gift:`."""
    return letter if characters == "latin" and ord(letter) < LATIN else anyascii(letter)
