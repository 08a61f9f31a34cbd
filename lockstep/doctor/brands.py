"""Brands: those the connections file knows beside those the log knows."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from lockstep.doctor.catalogue import Finding
from lockstep.doctor.codes import Code
from lockstep.doctor.installation import Installation
from schemas.base import Brand

SUPPORTED_MONTHS = 12
"""Shopify answers a version for at least so long after its first day (Admin API, versioning)."""


def check_brands(there: Installation) -> Iterator[Finding]:
    match there.connections:
        case None:
            yield Finding(
                Code.CONNECTIONS_UNNAMED, "LOCKSTEP_CONNECTIONS", "the path of the connections file", "nothing"
            )
        case str(mistake):
            yield Finding(Code.CONNECTIONS_UNREADABLE, "LOCKSTEP_CONNECTIONS", "a readable file", mistake)
        case connected:
            yield from _both(there, connected)
    for brand in there.unreadable_configs:
        yield Finding(Code.CONFIGURATION_UNREADABLE, brand, "a configuration this release can read", "another")
    for brand, config in sorted(there.configs.items()):
        if config.paused or config.mode == "observe":
            stopped = "observe" if config.mode == "observe" else f"paused for {', '.join(config.paused)}"
            yield Finding(Code.BRAND_PAUSED, brand, "live, nothing paused", stopped)
        behind = [
            number for number, table in sorted(there.table.items()) if table.configured.get(brand, -1) < config.version
        ]
        if behind:
            numbers = ", ".join(str(number) for number in behind)
            yield Finding(
                Code.CONFIGURATION_NOT_FOLDED, brand, f"version {config.version} in every partition",
                f"an older one, or none, in partition {numbers}",
            )  # fmt: skip


def _both(there: Installation, connected: Mapping[Brand, str]) -> Iterator[Finding]:
    configured = {*there.configs, *there.unreadable_configs}
    for brand in sorted(connected.keys() - configured):
        yield Finding(Code.BRAND_NOT_CONFIGURED, brand, "a configuration in the log", "none")
    for brand in sorted(configured - connected.keys()):
        yield Finding(Code.BRAND_NOT_CONNECTED, brand, "a table in the connections file", "none")
    for brand, version in sorted(connected.items()):
        if _months_since(version, there.at) > SUPPORTED_MONTHS:
            yield Finding(Code.API_VERSION_OLD, brand, f"a version of the last {SUPPORTED_MONTHS} months", version)


def _months_since(version: str, now: datetime) -> int:
    """`2026-10` is from the October of that year; 0 for what is no such version (`unstable`)."""
    year, _, month = version.partition("-")
    if not (year.isdecimal() and month.isdecimal()):
        return 0
    return (now.year - int(year)) * 12 + now.month - int(month)
