"""Locations of the shop and warehouses of Clarus, beside the rules that join them."""

from collections.abc import Iterator

from lockstep.audit.catalogue import Finding
from lockstep.audit.codes import Code
from lockstep.audit.seen import Seen


def check_places(seen: Seen) -> Iterator[Finding]:
    config, places = seen.config, seen.shop.places
    if places is not None:
        mapped = {rule.location for rule in config.warehouses}
        there = {place.id: place for place in places if place.active}
        unmapped = [place for place in there.values() if place.id not in mapped and place.id not in config.elsewhere]
        yield Finding.of(
            Code.LOCATION_UNMAPPED,
            [f"{one.name!r} (location {one.id})" for one in unmapped if one.online and not one.service],
        )
        yield Finding.of(
            Code.LOCATION_OF_SERVICE,
            [
                f"{there[one].name!r} (location {one}) belongs to {there[one].service!r}"
                for one in sorted(mapped & there.keys())
                if there[one].service
            ],
        )
        yield Finding.of(Code.SERVICE_OTHER, [f"{one.service!r} with {one.name!r}" for one in unmapped if one.service])
        yield Finding.of(
            Code.LOCATION_GONE,
            [
                f"location {rule.location} of {rule.warehouse}"
                for rule in config.warehouses
                if rule.location not in there
            ]
            + [f"location {one} in elsewhere" for one in config.elsewhere if one not in there],
        )
    if seen.clarus.warehouses is not None:
        missing = sorted({rule.warehouse for rule in config.warehouses} - seen.clarus.warehouses)
        known = ", ".join(sorted(seen.clarus.warehouses)) or "none"
        yield Finding.of(Code.WAREHOUSE_UNKNOWN, [f"{code!r}; Clarus shows us {known}" for code in missing])
