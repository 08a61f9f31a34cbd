"""The roles a process can play, a module each, named like the role: `play` puts it together and runs it.

intake      webhooks and automations in, hints out
shopify     reads and writes Shopify;  clarus and erp likewise
normalise   raw.* → orders.events
orders      orders.events → commands, cases
stock       stock.events → readings asked for, stock figures, cases
items       items.events → products of Clarus, cases
notices     cases → webhooks of people's tools, daily digests

A process loads the modules of the roles it plays and no others: a connector needs neither rules nor Faust.
"""

from enum import StrEnum


class Role(StrEnum):
    INTAKE = "intake"
    SHOPIFY = "shopify"
    CLARUS = "clarus"
    ERP = "erp"
    NORMALISE = "normalise"
    ORDERS = "orders"
    STOCK = "stock"
    ITEMS = "items"
    NOTICES = "notices"
