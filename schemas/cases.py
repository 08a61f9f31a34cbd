"""Cases: what a person must look at. They may open by time; they close only by fact. One catalogue explains all."""

from enum import StrEnum
from types import MappingProxyType

from schemas.base import Brand, Frozen, OrderId, Utc


class Owner(StrEnum):
    OPERATIONS = "operations"
    CUSTOMER_SERVICE = "customer service"
    FINANCE = "finance"
    ENGINEERING = "engineering"
    LEAD = "lead"
    """Whoever answers for the brand's day: what is not settled in time goes there."""


class Severity(StrEnum):
    URGENT = "urgent"
    """Shipping or stock stands still."""
    HIGH = "high"
    NORMAL = "normal"


class CaseCode(StrEnum):
    EDIT_WINDOW = "edit_window"
    ADDRESS_INCOMPLETE = "address_incomplete"
    PAYMENT_NOT_MET = "payment_not_met"
    RISK_NOT_CLEARED = "risk_not_cleared"
    NOT_ROUTED = "not_routed"
    SCHEDULED = "scheduled"
    METHOD_NOT_SERVED = "method_not_served"
    SKU_MISSING = "sku_missing"
    SKU_UNUSABLE = "sku_unusable"
    UNKNOWN_SKU = "unknown_sku"
    UNMAPPED_LOCATION = "unmapped_location"
    UNMAPPED_SHIPPING_LINE = "unmapped_shipping_line"
    FULFILMENT_HOLD = "fulfilment_hold"
    CLARUS_REFUSED = "clarus_refused"
    CLARUS_SLOW = "clarus_slow"
    CLARUS_RIGHTS_LOST = "clarus_rights_lost"
    GOODS_OUT_MISSING = "goods_out_missing"
    UNKNOWN_GOODS_OUT = "unknown_goods_out"
    CHANGED_AFTER_RELEASE = "changed_after_release"
    CANCELLED_AFTER_RELEASE = "cancelled_after_release"
    NOT_DESPATCHED = "not_despatched"
    SHORT_CLOSED = "short_closed"
    HALF_A_KIT = "half_a_kit"
    INSTRUCTIONS_CUT = "instructions_cut"
    OVER_DESPATCHED = "over_despatched"
    UNDESPATCHED = "undespatched"
    TRACKING_MISSING = "tracking_missing"
    ERP_REFUSED = "erp_refused"
    ERP_NOT_COMMITTED = "erp_not_committed"
    ERP_NOT_POSTED = "erp_not_posted"
    SHOPIFY_REFUSED = "shopify_refused"
    NOT_TOLD = "not_told"
    FULFILLED_BY_HAND = "fulfilled_by_hand"
    RESHIP = "reship?"
    SHIPPED_NOT_OWED = "shipped_not_owed"
    SNAPSHOT_UNREADABLE = "snapshot_unreadable"
    CONNECTION_DOWN = "connection_down"
    ORDER_GONE = "order_gone"
    TWO_ITEMS_ONE_CODE = "two_items_one_code"
    STOCK_OF_KIT = "stock_of_kit"
    STOCK_UNREAD = "stock_unread"
    STOCK_REFUSED = "stock_refused"
    STOCK_BY_HAND = "stock_by_hand"
    ORPHAN_GOODS_OUT = "orphan_goods_out"
    ORPHAN_ERP_ORDER = "orphan_erp_order"
    ORPHAN_POSTING = "orphan_posting"
    ORPHAN_FULFILMENT = "orphan_fulfilment"
    MANIFEST_FAILED = "manifest_failed"
    PACKAGE_ASTRAY = "package_astray"
    DRIFT_UNEXPLAINED = "drift_unexplained"
    SWEEP_LATE = "sweep_late"
    ITEM_UNUSABLE = "item_unusable"
    ITEM_CODES_COLLIDE = "item_codes_collide"
    ITEM_BARCODE_TAKEN = "item_barcode_taken"
    ITEM_REFUSED = "item_refused"
    ITEM_SLOW = "item_slow"
    ITEM_INACTIVE = "item_inactive"
    SKU_UNKNOWN_TO_ERP = "sku_unknown_to_erp"
    SKU_UNKNOWN_TO_CLARUS = "sku_unknown_to_clarus"
    BARCODE_DIFFERS = "barcode_differs"
    STOCK_STRANDED = "stock_stranded"
    ITEM_GAPS_MANY = "item_gaps_many"


class Entry(Frozen):
    """What a code means to the person who gets it. `due` and `escalates_after` are in seconds from opening."""

    meaning: str
    first_action: str
    closes_when: str
    owner: Owner
    severity: Severity
    due: int
    escalates_after: int
    """Still open then: it is told to `escalates_to` too, with the severity `escalated`. The owner stays."""
    escalates_to: Owner
    escalated: Severity
    by_person: bool = False
    """A person may close it: no system shows the fact."""
    override: str = ""
    """What happens when a person overrides this hold; '' when it cannot be: nothing could be sent then."""


_ONE_UP = {Severity.NORMAL: Severity.HIGH, Severity.HIGH: Severity.URGENT, Severity.URGENT: Severity.URGENT}


def _entry(
    meaning: str,
    first_action: str,
    closes_when: str,
    owner: Owner,
    severity: Severity,
    due: int,
    *,
    escalates_to: Owner = Owner.LEAD,
    by_person: bool = False,
    override: str = "",
) -> Entry:
    return Entry(
        meaning=meaning,
        first_action=first_action,
        closes_when=closes_when,
        owner=owner,
        severity=severity,
        due=due,
        escalates_after=2 * due,
        escalates_to=escalates_to,
        escalated=_ONE_UP[severity],
        by_person=by_person,
        override=override,
    )


_HOUR = 3600
_OPS, _CS, _FIN, _ENG = Owner.OPERATIONS, Owner.CUSTOMER_SERVICE, Owner.FINANCE, Owner.ENGINEERING
_URGENT, _HIGH, _NORMAL = Severity.URGENT, Severity.HIGH, Severity.NORMAL

CATALOGUE: MappingProxyType[CaseCode, Entry] = MappingProxyType(
    {
        CaseCode.EDIT_WINDOW: _entry(
            "The order is kept back for a while after it was placed: the shopper may still change it.",
            "Nothing: it goes by itself. That this became a case is a defect.",
            "the brand's edit window is over",
            _ENG,
            _NORMAL,
            24 * _HOUR,
            override="the order leaves at once; what the shopper changes afterwards may come too late",
        ),
        CaseCode.ADDRESS_INCOMPLETE: _entry(
            "The order waits because its delivery address lacks what the warehouse needs.",
            "Ask the shopper for what is missing and complete the address in Shopify.",
            "the address in Shopify is complete",
            _CS,
            _URGENT,
            4 * _HOUR,
            override="the order leaves with the address as it stands, if there is one; Clarus may refuse it",
        ),
        CaseCode.PAYMENT_NOT_MET: _entry(
            "The order waits because it is not paid as the brand's payment rule asks.",
            "Check the payment in Shopify; capture it, chase it or cancel the order.",
            "the payment rule is met or the order is cancelled",
            _FIN,
            _NORMAL,
            24 * _HOUR,
            override="the order leaves although the payment rule is not met",
        ),
        CaseCode.RISK_NOT_CLEARED: _entry(
            "The order waits because Shopify's risk analysis advises against it.",
            "Look at the order's risk in Shopify: clear it, or cancel the order.",
            "the advice changes or the order is cancelled",
            _CS,
            _HIGH,
            8 * _HOUR,
            override="the order leaves in spite of the advice",
        ),
        CaseCode.SCHEDULED: _entry(
            "The order, or a part of it, is scheduled for later; its date has passed or none was ever given.",
            "Look at the order's date in Shopify: is the pre-order or subscription due?",
            "Shopify opens the fulfilment order",
            _OPS,
            _NORMAL,
            24 * _HOUR,
        ),
        CaseCode.METHOD_NOT_SERVED: _entry(
            "The shopper chose a delivery method that neither the warehouse nor the shop itself serves.",
            "Agree on another delivery with the shopper and change it in Shopify.",
            "the fulfilment order has another delivery method or is closed",
            _CS,
            _URGENT,
            4 * _HOUR,
        ),
        CaseCode.NOT_ROUTED: _entry(
            "Shopify has not assigned the order, or a line of it, to a location: it cannot be sent to the warehouse.",
            "Look at the order's fulfilment section and the shop's order routing; was a product deleted?",
            "every line that ships is fulfilled or in an open fulfilment order",
            _OPS,
            _HIGH,
            4 * _HOUR,
        ),
        CaseCode.SKU_MISSING: _entry(
            "A line that must ship has no SKU.",
            "Give the variant its SKU, or refund the line.",
            "every line that ships has a SKU",
            _OPS,
            _URGENT,
            4 * _HOUR,
        ),
        CaseCode.SKU_UNUSABLE: _entry(
            "A SKU cannot become a product code of Clarus, or two SKUs of the order would become the same.",
            "Correct the SKU in Shopify, or rename it in the brand's configuration.",
            "every SKU has a product code of its own",
            _OPS,
            _URGENT,
            4 * _HOUR,
        ),
        CaseCode.UNKNOWN_SKU: _entry(
            "Clarus or the ERP does not know a SKU of this order.",
            "Create the product under exactly this code, leading zeros too, or correct it in Shopify; then retry.",
            "the command that named the SKU is accepted",
            _OPS,
            _URGENT,
            4 * _HOUR,
        ),
        CaseCode.UNMAPPED_LOCATION: _entry(
            "Shopify assigned the order to a location that no warehouse is mapped to.",
            "Map the location in the brand's configuration, name it there in `elsewhere` if it sends by itself, "
            "or move the order in Shopify.",
            "the location is mapped or named in `elsewhere`, or the order moved",
            _OPS,
            _URGENT,
            4 * _HOUR,
        ),
        CaseCode.UNMAPPED_SHIPPING_LINE: _entry(
            "The shipping method the shopper chose is not mapped to a carrier and service.",
            "Map the shipping line in the brand's configuration.",
            "the shipping line is mapped",
            _OPS,
            _URGENT,
            4 * _HOUR,
        ),
        CaseCode.FULFILMENT_HOLD: _entry(
            "Someone put the order on hold in Shopify.",
            "Read the hold's reason and release it in Shopify when it is settled.",
            "the hold is released",
            _CS,
            _NORMAL,
            24 * _HOUR,
        ),
        CaseCode.CLARUS_REFUSED: _entry(
            "Clarus refused what we sent for this order.",
            "Read which field it refused, correct it in Shopify or Clarus; a change is sent by itself.",
            "Clarus accepts it or it is no longer wanted",
            _OPS,
            _URGENT,
            2 * _HOUR,
            escalates_to=Owner.ENGINEERING,
        ),
        CaseCode.CLARUS_SLOW: _entry(
            "The warehouse has not taken the order yet although it was sent.",
            "See whether Clarus is reachable and the connection is not paused.",
            "the goods-out is seen in Clarus",
            _OPS,
            _URGENT,
            _HOUR,
            escalates_to=Owner.ENGINEERING,
        ),
        CaseCode.CLARUS_RIGHTS_LOST: _entry(
            "Clarus no longer shows us the brand's account or warehouses; its answers cannot be believed.",
            "Restore the rights of the API user in Clarus. Nothing is created meanwhile.",
            "an answer shows account and warehouses again",
            _ENG,
            _URGENT,
            _HOUR,
        ),
        CaseCode.GOODS_OUT_MISSING: _entry(
            "A goods-out that was there is gone, and we did not cancel it.",
            "Ask the warehouse who deleted it. It is not created again by itself: release again, or cancel the order.",
            "it is seen again, or a person decides",
            _OPS,
            _URGENT,
            _HOUR,
            by_person=True,
        ),
        CaseCode.UNKNOWN_GOODS_OUT: _entry(
            "Clarus holds a goods-out for this order that we did not make.",
            "Compare it with ours in Clarus and cancel the one that is not wanted. If both left, ask for one back.",
            "only known goods-outs are left, or a person decides",
            _OPS,
            _URGENT,
            _HOUR,
            by_person=True,
        ),
        CaseCode.CHANGED_AFTER_RELEASE: _entry(
            "The order was moved, held or changed after the warehouse had it.",
            "Tell the warehouse to stop or go on; cancel the goods-out in Clarus if it must not leave.",
            "what the warehouse has and what Shopify wants agree again",
            _CS,
            _URGENT,
            _HOUR,
            by_person=True,
        ),
        CaseCode.CANCELLED_AFTER_RELEASE: _entry(
            "The order was cancelled in Shopify, but the warehouse already works on it.",
            "Ask the warehouse to stop and put back; if it left, treat it as a return.",
            "the goods-out is cancelled, or despatched and settled",
            _CS,
            _URGENT,
            _HOUR,
            by_person=True,
        ),
        CaseCode.NOT_DESPATCHED: _entry(
            "The warehouse has had the goods-out for long and has not despatched it.",
            "Look in Clarus why it does not allocate or is not picked.",
            "it is despatched or cancelled",
            _OPS,
            _HIGH,
            24 * _HOUR,
        ),
        CaseCode.SHORT_CLOSED: _entry(
            "The warehouse closed the goods-out with fewer units than ordered.",
            "Decide with the shopper: refund the missing units, or release them again.",
            "the units are refunded, or released again",
            _CS,
            _HIGH,
            8 * _HOUR,
            by_person=True,
        ),
        CaseCode.HALF_A_KIT: _entry(
            "Some components of a bundle left and others did not; the shopper is not told of half a bundle.",
            "Ask the warehouse for the rest; if it will not come, agree with the shopper.",
            "whole bundles have left, the goods-out's units are released again, or a person closes it",
            _OPS,
            _HIGH,
            8 * _HOUR,
            by_person=True,
        ),
        CaseCode.INSTRUCTIONS_CUT: _entry(
            "The shopper's note is longer than the packing desk takes; its end did not go along.",
            "Read the whole note in Shopify and tell the packing desk what is missing.",
            "the goods-out has left, or a person closes it",
            _OPS,
            _NORMAL,
            4 * _HOUR,
            by_person=True,
        ),
        CaseCode.OVER_DESPATCHED: _entry(
            "The warehouse despatched more units than were ordered.",
            "Ask the warehouse; arrange the return or write it off.",
            "a person closes it",
            _OPS,
            _NORMAL,
            24 * _HOUR,
            by_person=True,
        ),
        CaseCode.UNDESPATCHED: _entry(
            "The shopper was told of more than has left: a despatch was taken back, or it was told twice.",
            "Find the parcel; tell the shopper if it did not leave, cancel the fulfilment that is too many.",
            "as much has left as was told",
            _CS,
            _URGENT,
            2 * _HOUR,
            by_person=True,
        ),
        CaseCode.TRACKING_MISSING: _entry(
            "A parcel left without a tracking number.",
            "Look at the shipment in Clarus: did the carrier's manifest fail?",
            "the tracking number is there, or a person closes it",
            _OPS,
            _HIGH,
            4 * _HOUR,
            by_person=True,
        ),
        CaseCode.ERP_REFUSED: _entry(
            "The ERP refused the sales order or the posting.",
            "Read what it refused and mend it in the ERP; then retry.",
            "the ERP accepts it",
            _FIN,
            _HIGH,
            4 * _HOUR,
        ),
        CaseCode.ERP_NOT_COMMITTED: _entry(
            "The ERP has not committed the sales order.",
            "See whether the ERP is reachable and the order stands in draft there.",
            "the sales order is committed",
            _FIN,
            _HIGH,
            4 * _HOUR,
        ),
        CaseCode.ERP_NOT_POSTED: _entry(
            "The parcel left, but the ERP has not posted it; the shopper is not told yet.",
            "Post the shipment in the ERP, or find out what holds it.",
            "the ERP shows it posted",
            _FIN,
            _HIGH,
            4 * _HOUR,
        ),
        CaseCode.SHOPIFY_REFUSED: _entry(
            "Shopify refused the fulfilment although the parcel left.",
            "Open the order in Shopify and see what its fulfilment orders still allow.",
            "the fulfilment is there",
            _OPS,
            _HIGH,
            4 * _HOUR,
            escalates_to=Owner.ENGINEERING,
        ),
        CaseCode.NOT_TOLD: _entry(
            "The ERP has posted the parcel, but Shopify does not show the fulfilment yet.",
            "See whether Shopify is reachable, its API budget is used up or the connection is paused.",
            "Shopify shows the fulfilment",
            _OPS,
            _HIGH,
            2 * _HOUR,
            escalates_to=Owner.ENGINEERING,
        ),
        CaseCode.FULFILLED_BY_HAND: _entry(
            "Someone fulfilled units in Shopify by hand, without the warehouse's tracking.",
            "Find out who and why; add the tracking there if the parcel is ours.",
            "a person closes it",
            _OPS,
            _NORMAL,
            24 * _HOUR,
            by_person=True,
        ),
        CaseCode.RESHIP: _entry(
            "A fulfilment was cancelled in Shopify after the parcel left.",
            "Was it only to correct tracking, or shall the goods be sent again? Nothing is sent by itself.",
            "a person decides",
            _CS,
            _HIGH,
            8 * _HOUR,
            by_person=True,
        ),
        CaseCode.SHIPPED_NOT_OWED: _entry(
            "The warehouse sent units that Shopify no longer lets us fulfil.",
            "The order was cancelled or refunded meanwhile: ask for the parcel back or charge again.",
            "a person closes it",
            _CS,
            _HIGH,
            8 * _HOUR,
            by_person=True,
        ),
        CaseCode.SNAPSHOT_UNREADABLE: _entry(
            "An answer of a system about this order could not be understood.",
            "Look at the dead letter it names; the next readable answer closes this.",
            "a later answer can be read",
            _ENG,
            _HIGH,
            4 * _HOUR,
        ),
        CaseCode.CONNECTION_DOWN: _entry(
            "A whole system cannot be reached or refuses our credentials.",
            "Check the system's status and our credentials.",
            "it answers again",
            _ENG,
            _URGENT,
            _HOUR,
        ),
        CaseCode.ORDER_GONE: _entry(
            "Shopify no longer has this order, but other systems do.",
            "Orders are seldom deleted: find out who did, and stop the goods-out if it has not left.",
            "a person closes it",
            _CS,
            _HIGH,
            8 * _HOUR,
            by_person=True,
        ),
        CaseCode.TWO_ITEMS_ONE_CODE: _entry(
            "Two items of the shop have SKUs that become one product code: their stock would be offered twice.",
            "Give one of them another SKU in Shopify, or set its tracking off. Until then neither is written.",
            "the shop counts one item of this code at the location",
            _OPS,
            _URGENT,
            4 * _HOUR,
        ),
        CaseCode.STOCK_OF_KIT: _entry(
            "The shop counts stock of a bundle that the warehouse only has as components.",
            "Let Shopify compute it from its components, or stop counting it: what is bought is taken off theirs.",
            "Shopify does not count it at this location any more",
            _OPS,
            _NORMAL,
            23 * _HOUR,
        ),
        CaseCode.STOCK_UNREAD: _entry(
            "For a while there has been no figure for this item that can be believed, so nothing is written.",
            "See `lockstep stock` which side is missing: the product in Clarus, its rights, or the item in Shopify.",
            "both sides have been read",
            _OPS,
            _HIGH,
            4 * _HOUR,
        ),
        CaseCode.STOCK_REFUSED: _entry(
            "Shopify refuses the item's stock figure, so what it offers may be wrong.",
            "Read the refusal: the item may have been deleted, or the location may not stock it.",
            "Shopify takes the figure, or has it already",
            _OPS,
            _URGENT,
            2 * _HOUR,
        ),
        CaseCode.STOCK_BY_HAND: _entry(
            "A person set this item's figure in Shopify, and the brand's rules let it stand.",
            "Ask who did and why. It stands until the warehouse's own figure changes.",
            "the figure is Clarus' again",
            _OPS,
            _NORMAL,
            23 * _HOUR,
        ),
        CaseCode.ORPHAN_GOODS_OUT: _entry(
            "Clarus holds a goods-out under our prefix that names no order of the shop.",
            "Ask the warehouse who made it; cancel it in Clarus, or give it a reference of its own.",
            "a sweep does not find it any more",
            _OPS,
            _URGENT,
            4 * _HOUR,
        ),
        CaseCode.ORPHAN_ERP_ORDER: _entry(
            "The ERP holds a sales order of the shop for which Shopify has no order.",
            "Find out in the ERP who entered it; cancel it there, or correct its key.",
            "the ERP has cancelled it, or it is not found any more",
            _FIN,
            _HIGH,
            8 * _HOUR,
        ),
        CaseCode.ORPHAN_POSTING: _entry(
            "The ERP has posted a despatch of this order that belongs to no goods-out of it.",
            "Compare the posting with the warehouse; take it back in the ERP if nothing left.",
            "the ERP shows it cancelled, or its goods-out is seen",
            _FIN,
            _HIGH,
            8 * _HOUR,
            by_person=True,
        ),
        CaseCode.ORPHAN_FULFILMENT: _entry(
            "Shopify shows goods of the warehouse as sent, and the warehouse was never asked for them.",
            "Find out who fulfilled it and what left; cancel the fulfilment if nothing did, else correct the stock.",
            "the fulfilment is cancelled, or a person closes it",
            _OPS,
            _HIGH,
            8 * _HOUR,
            by_person=True,
        ),
        CaseCode.MANIFEST_FAILED: _entry(
            "The carrier did not take a shipment: its manifest failed in Clarus.",
            "Open the shipment in Clarus, correct what the carrier refused and submit it again.",
            "the shipment is taken or gone, or a person closes it",
            _OPS,
            _URGENT,
            4 * _HOUR,
            by_person=True,
        ),
        CaseCode.PACKAGE_ASTRAY: _entry(
            "A package in Clarus belongs to no shipment: nobody can say which order it is of.",
            "Ask the packing desk what is in it; add it to its shipment in Clarus, or delete it there.",
            "a sweep does not find it any more",
            _OPS,
            _HIGH,
            8 * _HOUR,
        ),
        CaseCode.DRIFT_UNEXPLAINED: _entry(
            "The sweep found that the three systems differ about this order, and no rule says why.",
            "Look at the order side by side with `lockstep show`; mend what differs, and tell us the reason.",
            "they agree, or the reason is known",
            _ENG,
            _HIGH,
            8 * _HOUR,
        ),
        CaseCode.SWEEP_LATE: _entry(
            "The nightly sweep of a system has not come to its end.",
            "See whether its connector runs and has budget left; ask for the sweep again with `lockstep sweep`.",
            "a sweep of this system has come to its end",
            _ENG,
            _NORMAL,
            8 * _HOUR,
        ),
        CaseCode.ITEM_UNUSABLE: _entry(
            "An item of the ERP cannot become the warehouse's product: its code, barcode or description will not do.",
            "Correct in the ERP what the case names. Orders for the item wait until then.",
            "the ERP's item can be used, or is not sold any more",
            _OPS,
            _HIGH,
            8 * _HOUR,
        ),
        CaseCode.ITEM_CODES_COLLIDE: _entry(
            "Several items of the ERP become one product code: which is meant, nobody could tell.",
            "Give all but one another code in the ERP, make them inactive, or correct the brand's SKU rules.",
            "one active item of the ERP has this code",
            _OPS,
            _HIGH,
            8 * _HOUR,
        ),
        CaseCode.ITEM_BARCODE_TAKEN: _entry(
            "Another product in Clarus has this item's barcode: a scanner could not tell them apart.",
            "Find out whose barcode it is and correct the other in the ERP, or in Clarus if the ERP does not know it.",
            "Clarus takes the item, or it is no longer wanted",
            _OPS,
            _HIGH,
            8 * _HOUR,
        ),
        CaseCode.ITEM_REFUSED: _entry(
            "Clarus refuses to make or change the product of an item.",
            "Read which field it refused and why; correct it in the ERP or in Clarus. A change is sent by itself.",
            "Clarus takes the item, or it is no longer wanted",
            _OPS,
            _HIGH,
            8 * _HOUR,
            escalates_to=Owner.ENGINEERING,
        ),
        CaseCode.ITEM_SLOW: _entry(
            "An item of the ERP should have been in Clarus by now.",
            "See whether Clarus is reachable and the connection is not paused.",
            "the product is seen in Clarus as the ERP has it",
            _OPS,
            _NORMAL,
            8 * _HOUR,
            escalates_to=Owner.ENGINEERING,
        ),
        CaseCode.ITEM_INACTIVE: _entry(
            "The ERP no longer sells an item that the warehouse still works with. Nothing is deleted.",
            "Stop the product in Clarus when its stock is gone, or make the item active again in the ERP.",
            "the product is stopped in Clarus, the item is active again, or a person closes it",
            _OPS,
            _NORMAL,
            24 * _HOUR,
            by_person=True,
        ),
        CaseCode.SKU_UNKNOWN_TO_ERP: _entry(
            "Shopify sells a SKU that the ERP, the master of item codes, does not have: an order for it would stall.",
            "Create the item in the ERP under exactly this code, active; or correct the SKU in Shopify.",
            "the ERP has an active item of this code, or Shopify does not sell it any more",
            _OPS,
            _HIGH,
            24 * _HOUR,
        ),
        CaseCode.SKU_UNKNOWN_TO_CLARUS: _entry(
            "Shopify sells a SKU, or a bundle with it, that is no product of the brand's account in Clarus: an order "
            "for it would stall.",
            "Create the product in Clarus under exactly this code, or assign it to the account; or correct the SKU.",
            "Clarus shows the product in the account, or Shopify does not sell it any more",
            _OPS,
            _HIGH,
            24 * _HOUR,
        ),
        CaseCode.BARCODE_DIFFERS: _entry(
            "A SKU has another barcode in one system than in another: the floor scans it, and picks the wrong thing.",
            "Look at the goods, then correct the side that is wrong.",
            "the barcodes are one number again, or a person closes it",
            _OPS,
            _NORMAL,
            24 * _HOUR,
            by_person=True,
        ),
        CaseCode.STOCK_STRANDED: _entry(
            "Stock lies in the warehouse that nobody can buy in the online store.",
            "Activate, publish or stock the item in Shopify; close the case if it is not meant to be sold there.",
            "it can be bought, nothing of it is left, or a person closes it",
            _OPS,
            _NORMAL,
            24 * _HOUR,
            by_person=True,
        ),
        CaseCode.ITEM_GAPS_MANY: _entry(
            "The audit of items found so many of one kind that not each has a case of its own.",
            "Look for what they have in common: an import that failed, a wrong SKU rule, another catalogue. "
            "`lockstep audit` lists them.",
            "each that is left has a case of its own",
            _OPS,
            _HIGH,
            24 * _HOUR,
        ),
    }
)


class Case(Frozen):
    """One open or closed case, keyed brand/object/code. `detail` and `object` never hold anything personal."""

    brand: Brand
    order: OrderId
    object: str
    code: CaseCode
    detail: str = ""
    opened_at: Utc
    due_at: Utc
    owner: Owner
    severity: Severity
    closed_at: Utc | None = None
    escalated_at: Utc | None = None
    """Since when it is `escalates_to`'s business too; `severity` rose then."""
    escalated_to: Owner | None = None
    assignee: str = ""
    """Who has taken it: a person's handle, for people's eyes only; never in a log, a metric or a notice."""
    answer: str = ""
    """What was answered to its question; see `schemas.questions`."""

    @property
    def key(self) -> str:
        return f"{self.brand}/{self.object}/{self.code}"

    @property
    def open(self) -> bool:
        return self.closed_at is None
