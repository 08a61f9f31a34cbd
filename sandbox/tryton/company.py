"""What the ERP is to hold before the first order, and the fingerprint under which the prepared database is kept."""

import hashlib
import json
import sys
from dataclasses import asdict, dataclass
from datetime import date
from importlib.resources import files

DATABASE = "erp"
"""Every database's name; it is part of Tryton's addresses."""


@dataclass(frozen=True, slots=True)
class Product:
    """One item of the master. `sku` is text to the last zero, `price` a decimal as text."""

    sku: str
    name: str
    price: str


@dataclass(frozen=True, slots=True)
class Company:
    """One company with a web shop, and a party for all its shoppers, per brand; every product in ample stock."""

    brands: tuple[str, ...]
    catalogue: tuple[Product, ...]
    currency: str = "GBP"

    def fingerprint(self, this_year: int) -> str:
        """Changes when the database made from this set-up would: also with the year, whose fiscal year it must hold."""
        described = json.dumps(asdict(self), sort_keys=True)
        return _digest(programs_fingerprint(), _own_file("prepare_base.py"), described, str(this_year))


def programs_fingerprint() -> str:
    """Changes when another virtual environment is needed: other pinned packages or another Python."""
    return _digest(_own_file("requirements.txt"), sys.version)


def this_year() -> int:
    """By the calendar of this machine, as the ERP itself reckons."""
    return date.today().year  # noqa: DTZ011 - fiscal years are local dates


def _own_file(name: str) -> str:
    return files("sandbox.tryton").joinpath(name).read_text(encoding="utf-8")


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
