"""Brand and connection files as an operator writes them."""

from pathlib import Path

from pydantic import SecretStr

from lockstep.settings import ClarusConnection, Connections, ErpConnection, ShopifyConnection

GOOD_BRAND = """\
brand = "acme"
mode = "live"
release_from = 2026-11-02T00:00:00Z
reference_prefix = "ACME"
account = "ACME"

[[warehouses]]
location = "11"
warehouse = "LDS1"

[[shipping]]
code = "standard"
carrier = "DPD"
service = "NEXTDAY"

[[carriers]]
carrier = "DPD"
company = "DPD UK"

[waits]
hold = 3600
"""

GOOD_CONNECTIONS = """\
[acme.shopify]
base_url = "https://acme.example.test"
shop_domain = "acme.example.test"
token = "env:ACME_SHOPIFY_TOKEN"
webhook_secrets = ["env:ACME_WEBHOOK_SECRET", "plain-secret"]

[acme.clarus]
subdomain = "acme"
client_id = "acme-api"
client_secret = "file:{folder}/clarus-secret"
path_token = "k7-path-token"

[acme.erp]
kind = "tryton"
base_url = "http://127.0.0.1:8420/erp/rest/"
key = "erp-key"
web_shop = "ACME web"
customer = "WEB"
"""


def brand_file(folder: Path, changed: str = "", to: str = "", *, brand: str = "acme") -> Path:
    """The good file of a brand, with one text in it changed to another."""
    path = folder / f"{brand}.toml"
    text = GOOD_BRAND.replace('brand = "acme"', f'brand = "{brand}"')
    assert changed in text
    path.write_text(text.replace(changed, to) if changed else text)
    return path


def connections_file(folder: Path, changed: str = "", to: str = "") -> Path:
    """The good connections file, with one text in it changed to another, and the secret file it names."""
    (folder / "clarus-secret").write_text("from-a-file\n")
    path = folder / "connections.toml"
    text = GOOD_CONNECTIONS.replace("{folder}", str(folder))
    assert changed in text
    path.write_text(text.replace(changed, to) if changed else text)
    return path


def connected_to(erp: ErpConnection) -> Connections:
    """A brand's connections, as read."""
    secret = SecretStr("a-secret")
    shopify = ShopifyConnection(
        base_url="https://acme.example.test", shop_domain="acme.example.test", token=secret, webhook_secrets=(secret,)
    )
    clarus = ClarusConnection(subdomain="acme", client_id="acme-api", client_secret=secret, path_token=secret)
    return Connections(shopify=shopify, clarus=clarus, erp=erp)
