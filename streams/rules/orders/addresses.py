"""Can a parcel be delivered there, and will Clarus take the address? Answers name parts, never their values."""

from collections.abc import Iterator

from schemas.cases import CaseCode
from schemas.config import BrandConfig
from schemas.countries import COUNTRIES
from schemas.limits import ADDRESS_MOST
from schemas.orders import Address
from streams.rules.orders.holds import Hold


def address_holds(address: Address | None, config: BrandConfig) -> Iterator[Hold]:
    """One hold that names all that is missing or wrong."""
    lacking = address_lacks(address, config)
    if lacking:
        yield Hold(code=CaseCode.ADDRESS_INCOMPLETE, named=f"lacks {', '.join(lacking)}")


def address_lacks(address: Address | None, config: BrandConfig) -> tuple[str, ...]:
    """What the country's rules, Clarus' packing desk and its field lengths ask for and the address does not have."""
    if address is None:
        return ("delivery address",)
    return (*_missing(address, config), *_malformed(address), *_too_long(address))


def _missing(address: Address, config: BrandConfig) -> Iterator[str]:
    country = COUNTRIES.get(address.country_code.upper())
    parts = {
        "name": address.name or address.company,
        "street": address.line1,
        "city": address.city,
        "region": address.region,
        "postcode": address.postcode,
        "country": address.country_code,
        "phone": address.phone,
        "email": address.email,
    }
    needed = {"name", "country"} | ({"street", "city", "postcode"} if country is None else country.required)
    needed -= {name for code, _, name in _split(config) if code == address.country_code.upper()}
    needed |= {name for name, on in (("phone", config.require_phone), ("email", config.require_email)) if on}
    return (part for part, value in parts.items() if part in needed and not value.strip())


def _split(config: BrandConfig) -> Iterator[tuple[str, str, str]]:
    return (exception.partition(".") for exception in config.address_exceptions)


def _malformed(address: Address) -> Iterator[str]:
    if not address.country_code.strip():
        return
    country = COUNTRIES.get(address.country_code.upper())
    if country is None:
        yield "a country that exists"
    elif address.postcode.strip() and not country.takes(address.postcode):
        yield f"a postcode as {address.country_code.upper()} writes them"


_NAMES = {"line1": "street", "line2": "second street line", "country_code": "country"}


def _too_long(address: Address) -> Iterator[str]:
    for field, most in ADDRESS_MOST.items():
        if len(getattr(address, field)) > most:
            yield f"a {_NAMES.get(field, field)} of at most {most} characters"
