"""Fills a new Tryton database with what a brand's finance department would have set up before its first web order.

Run by `sandbox.tryton.prepare` with the Python of Tryton's own virtual environment, never imported: it is a client that
speaks to a running server over XML-RPC through proteus, Tryton's client library.

    python prepare_base.py DESCRIPTION.json

DESCRIPTION: `{"url": ".../<database>/rpc/", "password", "key", "currency", "brands": ["acme"],
"catalogue": [{"sku", "name", "price"}]}`. Prints one line per step; ends with status 0 when all of it stands.
"""

import datetime
import json
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

from proteus import Model, Wizard, config  # type: ignore[import-not-found]  # lives in Tryton's environment only

STOCK_OF_EACH = 1_000_000
"""So many that no run ever waits for stock: the warehouse system is the truth about stock, not the ERP."""

CURRENCIES = {"GBP": ("Pound sterling", "£", "1.0"), "EUR": ("Euro", "€", "1.2"), "USD": ("US dollar", "$", "1.3")}
"""Name, symbol and a fixed, invented rate against the pound."""


def main(description: dict[str, Any]) -> None:
    with config.set_xmlrpc_session(description["url"], "admin", description["password"]) as session:
        say("company, currencies and chart of accounts")
        company = make_company(description["currency"], session)
        accounts = make_accounts(company)
        say("fiscal years, payment term and numbering")
        first = datetime.date.today().year  # noqa: DTZ011 - the ERP's books follow the calendar of its machine
        for year in (first, first + 1):
            make_fiscal_year(company, year)
        make_payment_term()
        say(f"{len(description['brands'])} web shops with their customers")
        for brand in description["brands"]:
            make_web_shop(brand, company)
        say(f"{len(description['catalogue'])} products with stock")
        make_products(description["catalogue"], accounts, company)
        say("application key")
        make_key(description["key"])


def say(step: str) -> None:
    print(step, flush=True)  # noqa: T201 - its output is the progress its caller shows


def make_company(currency_code: str, session: Any) -> Any:
    """The one company, keeping its books in the currency; the present user works for it from here on."""
    currency_model = Model.get("currency.currency")
    currencies = {}
    for code, (name, symbol, rate) in CURRENCIES.items():
        currency = currency_model(name=name, code=code, symbol=symbol, rounding=Decimal("0.01"))
        relative = Decimal(rate) / Decimal(CURRENCIES[currency_code][2])
        currency.rates.new(date=datetime.date(2020, 1, 1), rate=round(relative, 6))
        currency.save()
        currencies[code] = currency
    party = Model.get("party.party")(name="Lantern & Loom Trading Ltd")
    party.save()
    wizard = Wizard("company.company.config")
    wizard.execute("company")
    wizard.form.party = party
    wizard.form.currency = currencies[currency_code]
    wizard.execute("add")
    session._context = Model.get("res.user").get_preferences(True, {})
    (company,) = Model.get("company.company").find()
    return company


def make_accounts(company: Any) -> dict[str, Any]:
    """The minimal chart Tryton ships; answers its accounts for revenue, expense, receivable and payable."""
    (template,) = Model.get("account.account.template").find([("parent", "=", None)], limit=1)
    wizard = Wizard("account.create_chart")
    wizard.execute("account")
    wizard.form.account_template = template
    wizard.form.company = company
    wizard.execute("create_account")
    account = Model.get("account.account")
    accounts = {}
    for kind in ("revenue", "expense", "receivable", "payable"):
        wanted = [(f"type.{kind}", "=", True), ("company", "=", company.id), ("closed", "!=", True)]
        if kind in {"receivable", "payable"}:
            wanted.append(("party_required", "=", True))
        accounts[kind] = account.find(wanted, limit=1)[0]
    wizard.form.account_receivable = accounts["receivable"]
    wizard.form.account_payable = accounts["payable"]
    wizard.form.category_account_revenue = accounts["revenue"]
    wizard.form.category_account_expense = accounts["expense"]
    wizard.execute("create_properties")
    return accounts


def make_fiscal_year(company: Any, year: int) -> None:
    """The calendar year with a period per month, and numbering of its moves and invoices."""
    fiscal_year = Model.get("account.fiscalyear")(name=str(year), company=company)
    fiscal_year.start_date = datetime.date(year, 1, 1)
    fiscal_year.end_date = datetime.date(year, 12, 31)
    fiscal_year.move_sequence = numbering("Account Move", year, company)
    invoices = numbering("Invoice", year, company)
    (sequence,) = fiscal_year.invoice_sequences
    sequence.out_invoice_sequence = sequence.in_invoice_sequence = invoices
    sequence.out_credit_note_sequence = sequence.in_credit_note_sequence = invoices
    fiscal_year.save()
    fiscal_year.click("create_period")


def numbering(kind: str, year: int, company: Any) -> Any:
    (sequence_type,) = Model.get("ir.sequence.type").find([("name", "=", kind)], limit=1)
    sequence = Model.get("ir.sequence.strict")(name=f"{kind} {year}", sequence_type=sequence_type, company=company)
    sequence.save()
    return sequence


def make_payment_term() -> None:
    term = Model.get("account.invoice.payment_term")(name="Paid at the shop")
    term.lines.new(type="remainder")
    term.save()


def make_web_shop(brand: str, company: Any) -> None:
    """The brand's shop and the party all its orders are booked to: shoppers are not the ERP's customers.

    That party is not the shop's *guest party*: Tryton refuses to quote an order whose customer is a guest (read in
    trytond-web-shop 8.0.0, the validation of a sale).
    """
    party = Model.get("party.party")(name=f"Web customer {brand}", code=f"WEB-{brand}")
    (address,) = party.addresses or [party.addresses.new()]
    address.street_unstructured = "1 Invented Row"
    address.city = "Bristol"
    party.save()
    shop = Model.get("web.shop")(name=brand, company=company, currency=company.currency)
    warehouses = Model.get("stock.location").find([("type", "=", "warehouse")])
    shop.warehouses.extend(warehouses)
    shop.save()


def make_products(catalogue: list[dict[str, str]], accounts: dict[str, Any], company: Any) -> None:
    """Products under their SKU, text to the last zero, each with stock to last for ever."""
    (unit,) = Model.get("product.uom").find([("name", "=", "Unit")], limit=1)
    category = Model.get("product.category")(name="Goods", accounting=True)
    category.account_revenue, category.account_expense = accounts["revenue"], accounts["expense"]
    category.save()
    (storage,) = Model.get("stock.location").find([("code", "=", "STO")])
    inventory = Model.get("stock.inventory")(location=storage, company=company)
    template_model = Model.get("product.template")
    for item in catalogue:
        template = template_model(name=item["name"], default_uom=unit, type="goods", salable=True)
        template.account_category = category
        template.list_price = Decimal(item["price"])
        (product,) = template.products
        product.suffix_code = item["sku"]
        template.save()
        inventory.lines.new(product=template.products[0], quantity=float(STOCK_OF_EACH))
    inventory.save()
    inventory.click("confirm")


def make_key(key: str) -> None:
    """A validated REST key for the administrator. Over XML-RPC the present user is unknown, so he is looked up."""
    (admin,) = Model.get("res.user").find([("login", "=", "admin")])
    Model.get("res.user.application")(key=key, user=admin, application="rest", state="validated").save()


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
