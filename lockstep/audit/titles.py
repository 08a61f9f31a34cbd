"""What each gap is called on a page for people."""

from types import MappingProxyType

from lockstep.audit.codes import Code

TITLES: MappingProxyType[Code, str] = MappingProxyType(
    {
        Code.LOCATION_UNMAPPED: "Locations without a warehouse",
        Code.LOCATION_OF_SERVICE: "Mapped locations that belong to a fulfilment service",
        Code.LOCATION_GONE: "Rules for locations that are not there",
        Code.WAREHOUSE_UNKNOWN: "Warehouses that Clarus does not show us",
        Code.SHIPPING_UNMAPPED: "Shipping lines without a rule",
        Code.SHIPPING_RULE_UNUSED: "Shipping rules that met no order",
        Code.CARRIER_UNKNOWN: "Carriers that Clarus does not know",
        Code.SERVICE_UNKNOWN: "Carrier services that Clarus does not know",
        Code.CARRIER_INACTIVE: "Carriers and services that are switched off",
        Code.CARRIER_UNNAMED: "Carriers without a name for the shopper",
        Code.TAGS_ALIKE: "Tags in several spellings",
        Code.SKU_MISSING: "Variants without a SKU",
        Code.SKU_UNKNOWN_TO_CLARUS: "SKUs that Clarus does not know",
        Code.SKU_OF_ANOTHER_ACCOUNT: "SKUs of another account in Clarus",
        Code.SKU_UNKNOWN_TO_ERP: "SKUs that the ERP does not know",
        Code.SKU_ZEROS_LOST: "SKUs that lost their leading zeros",
        Code.SKU_SPELLED_OTHERWISE: "SKUs that are spelled otherwise elsewhere",
        Code.PRODUCT_STOPPED: "Products that are stopped in Clarus",
        Code.SKU_TWICE: "SKUs on two variants",
        Code.SKUS_COLLIDE: "SKUs that are easily taken for one another",
        Code.BARCODE_DIFFERS: "Barcodes that differ",
        Code.BARCODE_TWICE: "Barcodes of two SKUs",
        Code.ACCOUNT_UNKNOWN: "The account is not shown to us",
        Code.SCOPE_MISSING: "Scopes that are missing",
        Code.ERP_LACKING: "What the ERP lacks",
        Code.SCOPE_ADVISED: "Scopes that would help",
        Code.CLARUS_INTEGRATION_ON: "Clarus connects Shopify itself",
        Code.FULFILLED_AT_ONCE: "Orders fulfilled as they were placed",
        Code.SERVICE_OTHER: "Other fulfilment services",
        Code.BACKORDER_ON: "Variants sold when there are none",
        Code.ITEM_UNTRACKED: "Variants whose quantity is not tracked",
        Code.ERP_AUTOMATION_ON: "What the ERP does by itself",
        Code.WEBHOOK_MISSING: "Webhooks that are missing",
        Code.WEBHOOK_ELSEWHERE: "Webhooks that go elsewhere",
        Code.WEBHOOK_FILTERED: "Webhooks with a filter",
        Code.WEBHOOK_VERSION_OTHER: "Webhooks of another API version",
        Code.API_VERSION_OTHER: "Another API version answers",
        Code.AUTOMATION_MISSING: "Automations that are missing in Clarus",
        Code.WEBHOOKS_UNLISTED: "No webhooks are listed",
        Code.STOCK_WRITTEN_ELSEWHERE: "Stock written by somebody else",
        Code.STOCK_STRANDED: "Stock that nobody can buy",
    }
)
