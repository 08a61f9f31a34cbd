"""Writes to Clarus: look, write, and after an unclear answer look again; never blind.

Clarus has no idempotency key and does not enforce unique references (its API description 1.0.0 names neither), so the
look by all references of the order is what keeps a goods-out single.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from connectors.clarus.catalogue import Catalogue
from connectors.clarus.client import ClarusClient
from connectors.clarus.read import ClarusReader, warehouses_of
from connectors.clarus.translate import translate_goods_outs
from connectors.runtime.errors import Incompatible, NotFound, Rejected, TimedOut, Unauthorised
from connectors.runtime.port import Execution, Reading
from kernel.clock import Clock
from schemas.commands import CancelGoodsOut, Command, CreateGoodsOut
from schemas.config import BrandConfig
from schemas.errors import Unreadable
from schemas.goods_outs import GoodsOut
from schemas.orders import Address
from schemas.outcomes import Outcome, OutcomeKind

LIMITS = {"name": 80, "address_1": 80, "address_2": 80, "address_3": 80, "address_4": 80, "address_5": 80,
          "postcode": 10, "country_code": 6, "email_address": 254, "phone_number": 50}  # fmt: skip
"""Characters Clarus takes (API description 1.0.0, addresses). Too long is refused by us: an address is never cut."""

NOTES_MOST = 255
CUT = " [cut]"
DISPATCH_WITHIN = timedelta(days=1)


class Blind(Unauthorised):
    """Clarus does not show our account or warehouses; nothing it does not show can be believed absent."""


class ClarusWriter:
    """Of one tenant. `longest_request`: how long Clarus may go on with a request we no longer wait for."""

    def __init__(
        self, client: ClarusClient, reader: ClarusReader, catalogue: Catalogue, clock: Clock, longest_request: float
    ) -> None:
        self._client, self._reader, self._catalogue = client, reader, catalogue
        self._clock, self._longest = clock, longest_request

    async def create(self, command: CreateGoodsOut, config: BrandConfig) -> Execution:
        reading, shown = await self._look(command, config)
        found = _settled(command, shown)
        if found is not None:
            return Execution(found, (reading,))
        try:
            body = await self._body(command, config)
        except Rejected as refused:
            return Execution(_refused(command, refused), (reading,))
        try:
            made = await self._client.write("POST", "/goods_outs", body)
            id_ = _id(made)
        except Rejected as refused:
            return Execution(_refused(command, refused), (reading,))
        except (TimedOut, Incompatible):
            return await self._after_unclear(command, config)
        return Execution(_ended(command, OutcomeKind.APPLIED, external_id=id_), await self._read_back(command, config))

    async def _after_unclear(self, command: CreateGoodsOut, config: BrandConfig) -> Execution:
        """Wait until Clarus cannot be at it any more, then look: it is there, or it was not done."""
        await self._clock.sleep(self._longest)
        reading, shown = await self._look(command, config)
        found = _settled(command, shown)
        if found is not None:
            made = found.model_copy(update={"kind": OutcomeKind.APPLIED}) if found.external_id else found
            return Execution(made, (reading,))
        text = "no clear answer, and it was not done: sent again"
        until = self._clock.now() + timedelta(seconds=1)
        outcome = _ended(command, OutcomeKind.DELAYED, code="unclear", text=text).model_copy(update={"until": until})
        return Execution(outcome, (reading,))

    async def cancel(self, command: CancelGoodsOut, config: BrandConfig) -> Execution:
        """Only in a state the command allows; in Draft and Pending a cancel deletes (Clarus' cancel page)."""
        reading, shown = await self._look(command, config)
        goods_out = next((one for one in shown if one.reference == command.reference), None)
        if goods_out is None or goods_out.status.name == "CANCELLED":
            return Execution(_ended(command, OutcomeKind.ALREADY_APPLIED, external_id=command.goods_out), (reading,))
        if goods_out.status not in command.only_if:
            refused = Rejected("state_not_allowed", str(goods_out.status), "status")
            return Execution(_refused(command, refused), (reading,))
        try:
            await self._client.write("POST", f"/goods_outs/{command.goods_out}/cancel")
        except Rejected as refused:
            return Execution(_refused(command, refused), await self._read_back(command, config))
        except NotFound:
            pass  # gone between the look and the cancel: as wished
        except TimedOut:
            await self._clock.sleep(self._longest)
            reading, shown = await self._look(command, config)
            if any(one.reference == command.reference and not one.status.ended for one in shown):
                until = self._clock.now() + timedelta(seconds=1)
                outcome = _ended(command, OutcomeKind.DELAYED, code="unclear", text="no clear answer: sent again")
                return Execution(outcome.model_copy(update={"until": until}), (reading,))
        outcome = _ended(command, OutcomeKind.APPLIED, external_id=command.goods_out)
        return Execution(outcome, await self._read_back(command, config))

    async def _look(self, command: Command, config: BrandConfig) -> tuple[Reading, tuple[GoodsOut, ...]]:
        """All goods-outs of the order. Raises Blind when the answer cannot be believed."""
        (reading,) = await self._reader.read(config, [command.order])
        if not reading.complete:
            raise Blind("Clarus does not show our account and warehouses; nothing is written")
        try:
            return reading, translate_goods_outs(reading.body)
        except Unreadable as error:
            raise Incompatible(str(error)) from error

    async def _read_back(self, command: Command, config: BrandConfig) -> tuple[Reading, ...]:
        return tuple(await self._reader.read(config, [command.order]))

    async def _body(self, command: CreateGoodsOut, config: BrandConfig) -> dict[str, Any]:
        rights = await self._catalogue.rights(command.account, warehouses_of(config))
        if rights.account is None:
            raise Rejected("unknown_account", command.account, "account")
        if command.warehouse not in rights.warehouses:
            raise Rejected("unknown_warehouse", command.warehouse, "warehouse")
        carrier, service = await self._catalogue.carrier(command.carrier, command.service)
        products = await self._catalogue.products([unit.sku for unit in command.lines])
        attributes: dict[str, Any] = {
            "goods_out_type": "sales_order",
            "account_id": int(rights.account),
            "warehouse_id": int(rights.warehouses[command.warehouse]),
            "reference": command.reference,
            "expected_date_of_dispatch": (command.decided_at + DISPATCH_WITHIN).isoformat(),
            "carrier_id": carrier,
            "carrier_service_id": service,
            "priority": command.priority,
            "external_system_reference1": f"gid://shopify/Order/{command.order}",
            "external_system_reference2": f"gid://shopify/FulfillmentOrder/{command.fulfilment_order}",
            "external_system_reference3": command.order_name,
            "lines_changes": [
                {
                    "type": "ADD",
                    "attributes": {
                        "product_id": products[unit.sku],
                        "order_quantity": unit.quantity,
                        "alt_line_number": str(number),
                        "alt_product_code": unit.shop_sku,
                        "external_system_reference1": f"gid://shopify/LineItem/{unit.line}",
                    },
                }
                for number, unit in enumerate(command.lines, start=1)
            ],
        }
        if command.order_notes:
            attributes["packing_notes"] = _cut(command.order_notes)
        address = {"data": {"type": "addresses", "attributes": _address(command.ship_to)}}
        return {"data": {"type": "goods_outs", "attributes": attributes, "relationships": {"address": address}}}


def _settled(command: CreateGoodsOut, shown: Sequence[GoodsOut]) -> Outcome | None:
    """What the look decides by itself: it is there already, or there is one nobody told the decision of."""
    for one in shown:
        if one.reference == command.reference:
            return _ended(command, OutcomeKind.ALREADY_APPLIED, external_id=one.id)
    for one in shown:
        if one.reference not in command.known_goods_outs:
            return _refused(command, Rejected("unknown_goods_out", one.reference, "reference"))
    return None


def _address(to: Address) -> dict[str, str]:
    """Clarus' block: town in `address_3`, county in `address_4`, one name only, so a company comes first and the person
    moves to `address_5`. Empty fields are left out (its guide on creating records).
    """
    fields = {
        "name": to.company or to.name,
        "address_1": to.line1,
        "address_2": to.line2,
        "address_3": to.city,
        "address_4": to.region,
        "address_5": to.name if to.company else "",
        "postcode": to.postcode,
        "country_code": to.country_code,
        "email_address": to.email,
        "phone_number": to.phone,
    }
    for field, value in fields.items():
        if len(value) > LIMITS[field]:
            raise Rejected("too_long", f"{len(value)} characters, Clarus takes {LIMITS[field]}", field)
    return {field: value for field, value in fields.items() if value}


def _cut(notes: str) -> str:
    return notes if len(notes) <= NOTES_MOST else notes[: NOTES_MOST - len(CUT)] + CUT


def _id(made: dict[str, Any]) -> str:
    """`data.id`, an integer or text, or a flat `id`."""
    data = made.get("data", made)
    id_ = data.get("id") if isinstance(data, dict) else None
    if id_ is None:
        raise Incompatible("POST /goods_outs: expected data.id, found none")
    return str(id_)


def _refused(command: Command, refused: Rejected) -> Outcome:
    return _ended(command, OutcomeKind.REJECTED, code=refused.code, field=refused.field, text=refused.text)


def _ended(
    command: Command, kind: OutcomeKind, *, external_id: str = "", code: str = "", field: str = "", text: str = ""
) -> Outcome:
    return Outcome(
        command=command.id,
        object=command.object,
        generation=command.generation,
        kind=kind,
        external_id=external_id,
        code=code,
        field=field,
        text=text,
    )
