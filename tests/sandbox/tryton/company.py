"""The company of all tests that need a real Tryton, so that one preparation serves them all."""

from sandbox.tryton import Company, Product

SKUS = ("0042-A", "0042-B", "0007")

COMPANY = Company(("acme", "borealis"), tuple(Product(sku, f"Item {sku}", "49.90") for sku in SKUS))
