"""A brand's configuration as a TOML file: read, checked, and every mistake named with file, path and expectation."""

import tomllib
from difflib import get_close_matches
from pathlib import Path

from pydantic import ValidationError

from lockstep.mistakes import Where, mistakes
from schemas.base import Frozen
from schemas.config import BrandConfig, CarrierRule, Waits, WarehouseRule
from schemas.mapping import Bundle, Component, Instructions, PriorityRule, Rename, ShippingRule, SkuRules


class ConfigurationError(Exception):
    """The file is refused; the last good configuration stays. One line per mistake."""


def read_brand(path: Path) -> BrandConfig:
    """Raises ConfigurationError: what was expected, what was found, where, and the nearest valid name."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigurationError(f"{path}: expected a readable file, found {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: expected text in UTF-8, found byte {error.start} of another kind") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path}: expected TOML, found {error}") from error
    try:
        return BrandConfig.model_validate(table)
    except ValidationError as wrong:
        raise ConfigurationError("\n".join(f"{path}: {one}" for one in mistakes(wrong, near=_nearest))) from wrong


_TABLES: dict[str, type[Frozen]] = {
    "warehouses": WarehouseRule,
    "shipping": ShippingRule,
    "priorities": PriorityRule,
    "instructions": Instructions,
    "skus": SkuRules,
    "renames": Rename,
    "bundles": Bundle,
    "components": Component,
    "carriers": CarrierRule,
    "waits": Waits,
}


def _nearest(where: Where) -> str:
    table = next((_TABLES[part] for part in reversed(where[:-1]) if part in _TABLES), BrandConfig)
    near = get_close_matches(str(where[-1]), table.model_fields, n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(sorted(table.model_fields))}"
