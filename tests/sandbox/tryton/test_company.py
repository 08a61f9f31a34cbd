"""The fingerprint under which a prepared database is kept."""

from dataclasses import replace

from sandbox.tryton import Company, Product

COMPANY = Company(("acme",), (Product("0042-A", "Lamp", "49.90"),))


def test_the_same_company_has_the_same_fingerprint() -> None:
    assert COMPANY.fingerprint(2026) == replace(COMPANY).fingerprint(2026)


def test_whatever_the_database_holds_changes_it() -> None:
    others = [
        replace(COMPANY, brands=("acme", "borealis")),
        replace(COMPANY, currency="EUR"),
        replace(COMPANY, catalogue=(Product("42-A", "Lamp", "49.90"),)),
        replace(COMPANY, catalogue=()),
    ]
    prints = {company.fingerprint(2026) for company in [COMPANY, *others]} | {COMPANY.fingerprint(2027)}
    assert len(prints) == 6
