"""Every gap the audit can find: how bad, what should be so and why, what to do. One catalogue explains all."""

from dataclasses import dataclass
from types import MappingProxyType

from lockstep import catalogued
from lockstep.audit.codes import Code, Severity, Subject

Entry = catalogued.Entry[Subject, Severity]

_STALLS, _HARMS, _ADVICE = Severity.STALLS, Severity.HARMS, Severity.ADVICE
_RULE = "then `lockstep config apply`."
_SUBSCRIBE = "Subscribe each topic to `https://INTAKE/shopify/BRAND/TOPIC`, in JSON."

CATALOGUE: MappingProxyType[Code, Entry] = MappingProxyType(
    {
        Code.LOCATION_UNMAPPED: Entry(
            Subject.PLACES, _STALLS,
            "Each active location that fulfils online orders has a warehouse; what Shopify routes elsewhere is held.",
            "Add a `[[warehouses]]` rule for it, or name it in `elsewhere` if it sends its orders itself, "
            f"{_RULE} Or let it fulfil no online orders (Shopify, Locations).",
        ),
        Code.LOCATION_OF_SERVICE: Entry(
            Subject.PLACES, _STALLS,
            "A mapped location is the merchant's own: what lies at a fulfilment service's, Shopify lets that service "
            "fulfil.",
            f"Map an ordinary location and stock the items there, {_RULE}",
        ),
        Code.LOCATION_GONE: Entry(
            Subject.PLACES, _ADVICE,
            "Each mapped location exists and is active; a rule for another is a mistyped number or left over.",
            f"Correct or remove it in `[[warehouses]]` or `elsewhere`, {_RULE}",
        ),
        Code.WAREHOUSE_UNKNOWN: Entry(
            Subject.PLACES, _STALLS,
            "Clarus shows our user each warehouse that a rule names; else creating a goods-out there is refused.",
            "Correct the code in `[[warehouses]]`, or give the API user the right to the warehouse.",
        ),
        Code.SHIPPING_UNMAPPED: Entry(
            Subject.SHIPPING, _STALLS,
            "Each shipping line that orders bear has a rule; without one the order is held.",
            f"Add a `[[shipping]]` rule by its code, or by its title where it has none, {_RULE}",
        ),
        Code.SHIPPING_RULE_UNUSED: Entry(
            Subject.SHIPPING, _ADVICE,
            "Each shipping rule met an order in the time looked at; one that did not may be misspelt.",
            "Compare it with Shopify's shipping rates; leave it if it is for a rate that is rarely chosen.",
        ),
        Code.CARRIER_UNKNOWN: Entry(
            Subject.SHIPPING, _STALLS,
            "Clarus knows each carrier that a rule names, by its exact code.",
            f"Correct `carrier` in `[[shipping]]`, {_RULE} Or have the carrier set up in Clarus.",
        ),
        Code.SERVICE_UNKNOWN: Entry(
            Subject.SHIPPING, _STALLS,
            "Clarus knows each service that a rule names, under that carrier.",
            f"Correct `service` in `[[shipping]]`, {_RULE} Or have the service set up in Clarus.",
        ),
        Code.CARRIER_INACTIVE: Entry(
            Subject.SHIPPING, _STALLS,
            "Each carrier and service that a rule names is active in Clarus.",
            "Switch it on in Clarus, or map the shipping line to another.",
        ),
        Code.CARRIER_UNNAMED: Entry(
            Subject.SHIPPING, _ADVICE,
            "Each carrier has its name in Shopify's spelling: without it the shopper reads Clarus' code and gets no "
            "link.",
            f"Add a `[[carriers]]` rule, with `url` where Shopify knows no link itself, {_RULE}",
        ),
        Code.TAGS_ALIKE: Entry(
            Subject.SHIPPING, _ADVICE,
            "A tag is spelled in one way: a filter, a rule or a colleague who goes by it misses the others.",
            "Agree on one spelling, and correct whoever writes the other: an app, a checkout script, a person.",
        ),
        Code.SKU_MISSING: Entry(
            Subject.SKUS, _STALLS,
            "Each variant that is sold and shipped has a SKU; an order line without one is held.",
            "Enter the SKU at the variant in Shopify.",
        ),
        Code.SKU_UNKNOWN_TO_CLARUS: Entry(
            Subject.SKUS, _STALLS,
            "Clarus has a product under each SKU that is sold and shipped, text to the last zero.",
            "Create the product in Clarus and assign it to the account, or correct the SKU in Shopify.",
        ),
        Code.SKU_OF_ANOTHER_ACCOUNT: Entry(
            Subject.SKUS, _STALLS,
            "The product is assigned to the brand's account; Clarus has it, but for others only.",
            "Assign the product to the account in Clarus.",
        ),
        Code.SKU_UNKNOWN_TO_ERP: Entry(
            Subject.SKUS, _STALLS,
            "The ERP has an item under each SKU that is sold and shipped: without a sales order the shopper is never "
            "told.",
            "Create the item in the ERP, active and salable, or correct the SKU in Shopify.",
        ),
        Code.SKU_ZEROS_LOST: Entry(
            Subject.SKUS, _STALLS,
            "A SKU has the same leading zeros everywhere; a spreadsheet that took it for a number has dropped them.",
            "Correct the code on the side that lost them, and import SKUs as text from now on.",
        ),
        Code.SKU_SPELLED_OTHERWISE: Entry(
            Subject.SKUS, _STALLS,
            "A SKU is spelled alike everywhere: capitals and spaces count.",
            "Correct the side that is wrong; a space at the end is easily overlooked.",
        ),
        Code.PRODUCT_STOPPED: Entry(
            Subject.SKUS, _STALLS,
            "No product that is sold is stopped in Clarus, which blocks all its use.",
            "Release the product in Clarus, or take it off sale in Shopify.",
        ),
        Code.SKU_TWICE: Entry(
            Subject.SKUS, _HARMS,
            "No two variants share a SKU: both would sell the same stock, and what a warehouse picks may not be what "
            "was bought.",
            "Give one of them a SKU of its own.",
        ),
        Code.SKUS_COLLIDE: Entry(
            Subject.SKUS, _HARMS,
            "No two SKUs become one product code by the brand's rules: an order with both waits, and their stock is "
            "not written. Nor do two differ only by capitals, spaces or leading zeros: sooner or later a list or a "
            "person takes one for the other.",
            "Rename one of them everywhere, or correct the brand's `skus`; until then send no such list through a "
            "spreadsheet.",
        ),
        Code.BARCODE_DIFFERS: Entry(
            Subject.SKUS, _HARMS,
            "A SKU has the same barcode everywhere: the floor scans it, and a wrong one is a wrong parcel.",
            "Look at the goods, then correct the side that is wrong.",
        ),
        Code.BARCODE_TWICE: Entry(
            Subject.SKUS, _HARMS,
            "No two SKUs share a barcode: a scan could not tell them apart.",
            "Look at the goods, then correct the barcode of one.",
        ),
        Code.ACCOUNT_UNKNOWN: Entry(
            Subject.ACCESS, _STALLS,
            "Clarus shows our user the brand's account.",
            "Correct `account` in the configuration, or give the API user the right to it.",
        ),
        Code.SCOPE_MISSING: Entry(
            Subject.ACCESS, _STALLS,
            "The Shopify app has the scopes for what Lockstep reads and writes.",
            "Add the scope to the app and have the merchant accept it; then fetch a new token.",
        ),
        Code.ERP_LACKING: Entry(
            Subject.ACCESS, _STALLS,
            "The ERP has what our sales orders and fulfilments refer to, and our key may write them.",
            "Have finance set it up, or extend the rights of our key.",
        ),
        Code.SCOPE_ADVISED: Entry(
            Subject.ACCESS, _ADVICE,
            "The Shopify app has the scopes that spare people work.",
            "Add the scope to the app when the merchant agrees.",
        ),
        Code.CLARUS_INTEGRATION_ON: Entry(
            Subject.LEFT_ON, _HARMS,
            "Clarus' own integration with Shopify is off: with both, each order is sent twice.",
            "Disable it in Clarus before the brand goes live; its mappings stay.",
        ),
        Code.FULFILLED_AT_ONCE: Entry(
            Subject.LEFT_ON, _HARMS,
            "Nothing fulfils shipped orders as they are placed: the shopper would be told before anything is picked.",
            "In Shopify: Settings, Checkout, Order processing: do not fulfil automatically. Else look which app does.",
        ),
        Code.SERVICE_OTHER: Entry(
            Subject.LEFT_ON, _HARMS,
            "No other fulfilment service has an active location in the shop: Shopify may route lines to it.",
            "Name the location in `elsewhere` if the service is to send what is routed there. Else deactivate it, or "
            "make sure that nothing sold here is stocked there.",
        ),
        Code.BACKORDER_ON: Entry(
            Subject.LEFT_ON, _HARMS,
            "No variant goes on selling when there is none left, unless back-orders are meant.",
            "At the variant in Shopify: do not continue selling when out of stock.",
        ),
        Code.ITEM_UNTRACKED: Entry(
            Subject.LEFT_ON, _HARMS,
            "Shopify tracks the quantity of each variant that is shipped: one it does not track is never sold out.",
            "At the variant in Shopify: track quantity.",
        ),
        Code.ERP_AUTOMATION_ON: Entry(
            Subject.LEFT_ON, _HARMS,
            "The ERP does not fulfil the brand's orders, or fill back-orders, by itself beside us.",
            "Have it switched off in the ERP.",
        ),
        Code.WEBHOOK_MISSING: Entry(
            Subject.WEBHOOKS, _HARMS,
            "Each topic that bears on an order is subscribed; without it a change is found by the poll only, or when "
            "the order is read again.",
            _SUBSCRIBE,
        ),
        Code.WEBHOOK_ELSEWHERE: Entry(
            Subject.WEBHOOKS, _HARMS,
            "Each subscription points to our intake, under the brand and its own topic.",
            f"Correct or delete it. {_SUBSCRIBE}",
        ),
        Code.WEBHOOK_FILTERED: Entry(
            Subject.WEBHOOKS, _HARMS,
            "No subscription has a filter or a choice of fields: a wrong name in it stops deliveries without a word.",
            "Remove `filter` and `includeFields` from the subscription.",
        ),
        Code.WEBHOOK_VERSION_OTHER: Entry(
            Subject.WEBHOOKS, _HARMS,
            "Subscriptions are made for the API version that is pinned.",
            "Set the app's webhook version, or make the subscription again with the pinned version.",
        ),
        Code.API_VERSION_OTHER: Entry(
            Subject.WEBHOOKS, _HARMS,
            "Shopify answers in the pinned version; one that is no longer supported falls forward silently.",
            "Set `api_version` to one that is supported, after reading what changed.",
        ),
        Code.AUTOMATION_MISSING: Entry(
            Subject.WEBHOOKS, _HARMS,
            "Clarus has an automation for each event we wait for; without it a despatch is found by the poll only.",
            "Create it in Clarus: when a goods-out is completed or cancelled, call "
            "`https://INTAKE/clarus/BRAND/PATH_TOKEN` by POST.",
        ),
        Code.WEBHOOKS_UNLISTED: Entry(
            Subject.WEBHOOKS, _ADVICE,
            "Shopify lists our subscriptions. It leaves out those in an app's configuration file, and lists none here.",
            f"Compare that file with the topics named. If there is none: {_SUBSCRIBE}",
        ),
        Code.STOCK_WRITTEN_ELSEWHERE: Entry(
            Subject.LEFT_ON, _HARMS,
            "Nobody but Lockstep writes the shop's stock: no figure rose there without goods in the warehouse.",
            "Find who wrote it: in Shopify, the item's inventory history names the app or the person. Switch the app's "
            "stock off (the ERP's connector, the warehouse's own, a marketplace tool).",
        ),
        Code.STOCK_STRANDED: Entry(
            Subject.STOCK, _HARMS,
            "What Clarus has available can be bought: its SKU is active, published, and stocked at a location of that "
            "warehouse.",
            "Activate, publish or stock the item in Shopify; or move the stock if it is not meant to be sold.",
        ),
    }
)  # fmt: skip

MOST_EXAMPLES = 10


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of gap, as often as it was found. `examples` name codes, SKUs and orders; nothing personal."""

    code: Code
    count: int
    examples: tuple[str, ...]

    @classmethod
    def of(cls, code: Code, found: "list[str]") -> "Finding":
        return cls(code, len(found), tuple(found[:MOST_EXAMPLES]))

    @property
    def entry(self) -> Entry:
        return CATALOGUE[self.code]

    @property
    def severity(self) -> Severity:
        return CATALOGUE[self.code].severity
