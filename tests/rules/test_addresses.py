"""Addresses by their country's rules: literal cases. Answers name parts, never what stands in them."""

import pytest

from schemas.countries import COUNTRIES
from schemas.orders import Address
from streams.rules.orders.addresses import address_lacks
from tests.builders import LEEDS, a_brand

BERLIN = LEEDS.model_copy(update={"city": "Berlin", "postcode": "10115", "country_code": "DE"})
NEW_YORK = LEEDS.model_copy(update={"city": "New York", "postcode": "10001", "country_code": "US", "region": "NY"})
SINGAPORE = LEEDS.model_copy(update={"city": "", "postcode": "018956", "country_code": "SG"})
DUBLIN = LEEDS.model_copy(update={"city": "Dublin", "postcode": "", "country_code": "IE"})
DUBAI = LEEDS.model_copy(update={"city": "", "postcode": "", "country_code": "AE", "region": "Dubai"})
TAIPEI = LEEDS.model_copy(update={"city": "Taipei", "postcode": "100", "country_code": "TW"})

CASES: tuple[tuple[str, Address | None, tuple[str, ...]], ...] = (
    ("complete", LEEDS, ()),
    ("none at all", None, ("delivery address",)),
    ("a company will do for a name", LEEDS.model_copy(update={"name": "", "company": "Kiln Works"}), ()),
    ("nobody's name", LEEDS.model_copy(update={"name": " "}), ("name",)),
    ("no phone", LEEDS.model_copy(update={"phone": ""}), ("phone",)),
    ("everything at once", Address(country_code="GB"), ("name", "street", "city", "postcode", "phone", "email")),
    ("without a country", Address(), ("name", "street", "city", "postcode", "country", "phone", "email")),
    ("half a postcode", LEEDS.model_copy(update={"postcode": "LS1"}), ("a postcode as GB writes them",)),
    ("small letters, no space", LEEDS.model_copy(update={"postcode": " ls14ab "}), ()),
    ("forces post", LEEDS.model_copy(update={"postcode": "BFPO 801"}), ()),
    ("German", BERLIN, ()),
    ("German, with a British postcode", LEEDS.model_copy(update={"country_code": "DE"}),
     ("a postcode as DE writes them",)),
    ("American", NEW_YORK, ()),
    ("American, no state", NEW_YORK.model_copy(update={"region": ""}), ("region",)),
    ("a city state has no city", SINGAPORE, ()),
    ("Irish postcodes are optional", DUBLIN, ()),
    ("and must be one where given", DUBLIN.model_copy(update={"postcode": "1"}), ("a postcode as IE writes them",)),
    ("no postcodes in the Emirates", DUBAI, ()),
    ("no such country", LEEDS.model_copy(update={"country_code": "QQ"}), ("a country that exists",)),
    ("longer than Clarus takes", LEEDS.model_copy(update={"line1": "x" * 81}), ("a street of at most 80 characters",)),
)  # fmt: skip


@pytest.mark.parametrize(("address", "lacks"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_what_an_address_lacks(address: Address | None, lacks: tuple[str, ...]) -> None:
    assert address_lacks(address, a_brand()) == lacks


def test_a_brand_may_do_without_what_a_country_asks_for() -> None:
    assert address_lacks(TAIPEI, a_brand()) == ("region",)
    assert address_lacks(TAIPEI, a_brand(address_exceptions=("TW.region",))) == ()
    assert address_lacks(TAIPEI, a_brand(address_exceptions=("HK.region",))) == ("region",)


def test_a_brand_may_do_without_phone_and_email() -> None:
    bare = LEEDS.model_copy(update={"phone": "", "email": ""})
    assert address_lacks(bare, a_brand(require_phone=False, require_email=False)) == ()


def test_every_country_has_its_rules() -> None:
    assert len(COUNTRIES) > 240
    assert {code for code, country in COUNTRIES.items() if not country.required} == set()
