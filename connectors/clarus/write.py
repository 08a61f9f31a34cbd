"""Writes to Clarus: look, write, and after an unclear answer look again; never blind.

Clarus has no idempotency key and does not enforce unique references (its API description 1.0.0 names neither), so the
look by all references of the order is what keeps a goods-out single.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeVar

from connectors.clarus.catalogue import Catalogue
from connectors.clarus.client import ClarusClient, TooLate
from connectors.clarus.outcomes import made_id, refusal_of
from connectors.clarus.read import ClarusReader
from connectors.clarus.translate import line_mark, translate_goods_outs
from connectors.runtime.errors import (
    Blind,
    ConnectorError,
    Incompatible,
    NotFound,
    Rejected,
    TimedOut,
    Unauthorised,
    Unavailable,
)
from connectors.runtime.outcomes import ended
from connectors.runtime.port import Execution, Reading
from kernel.clock import Clock
from schemas.commands import CancelGoodsOut, Command, CreateGoodsOut, GoodsOutUnits
from schemas.config import BrandConfig
from schemas.errors import Unreadable
from schemas.goods_outs import GoodsOut, GoodsOutStatus
from schemas.limits import ADDRESS_MOST, NOTES_MOST
from schemas.orders import Address
from schemas.outcomes import Outcome, OutcomeKind

C = TypeVar("C", CreateGoodsOut, CancelGoodsOut)
V = TypeVar("V")
Judge = Callable[[C, Sequence[GoodsOut]], Outcome | None]
"""What a look decides by itself; None leaves it to be written."""

LIMITS = {
    "name": ADDRESS_MOST["name"], "address_1": ADDRESS_MOST["line1"], "address_2": ADDRESS_MOST["line2"],
    "address_3": ADDRESS_MOST["city"], "address_4": ADDRESS_MOST["region"], "address_5": ADDRESS_MOST["name"],
    "postcode": ADDRESS_MOST["postcode"], "country_code": ADDRESS_MOST["country_code"],
    "email_address": ADDRESS_MOST["email"], "phone_number": ADDRESS_MOST["phone"],
}  # fmt: skip
"""Characters Clarus takes. Too long is refused by us: an address is never cut."""

CUT = " [cut]"
DISPATCH_WITHIN = timedelta(days=1)

LOOK_LASTS = 5.0
"""Seconds after which a look is too old to write on."""
AGAIN_IN = timedelta(seconds=1)
"""After an unclear answer that was waited out, the next try need not wait."""
UNKNOWN_IDS = "invalid_ids_provided"
"""Clarus' symbol for ids it does not have (its error list, 37)."""


class _Look(NamedTuple):
    """An order's goods-outs, and when the answer came."""

    reading: Reading
    shown: tuple[GoodsOut, ...]
    at: float


class ClarusWriter:
    """Of one tenant. `longest_request`: how long Clarus may go on with a request we no longer wait for."""

    def __init__(
        self, client: ClarusClient, reader: ClarusReader, catalogue: Catalogue, clock: Clock, longest_request: float
    ) -> None:
        self._client, self._reader, self._catalogue = client, reader, catalogue
        self._clock, self._longest = clock, longest_request

    async def create(self, command: CreateGoodsOut, config: BrandConfig) -> Execution:
        """As `Port.execute`. Ids that Clarus refuses are resolved anew, once: master data changes."""
        refusal: Rejected | None = None
        sent: dict[str, Any] | None = None
        look = await self._look(command, config)
        while True:
            found = _settled(command, look.shown)
            if found is not None:
                return Execution(found, (look.reading,))
            try:
                body = await self._body(command)
            except Rejected as unknown:
                return Execution(refusal_of(command, unknown), (look.reading,))
            if refusal is not None and body == sent:
                return Execution(refusal_of(command, refusal), (look.reading,))
            try:
                made = await self._client.write("POST", "/goods_outs", body, until=look.at + LOOK_LASTS)
                id_ = made_id(made, "/goods_outs")
            except TooLate:
                look = await self._look(command, config)
            except Rejected as refused:
                if refused.code != UNKNOWN_IDS or refusal is not None:
                    return Execution(refusal_of(command, refused), (look.reading,))
                refusal, sent = refused, body
                self._catalogue.forget()
            except NotFound as error:
                return Execution(refusal_of(command, Rejected("not_found", str(error))), (look.reading,))
            except (TimedOut, Unavailable, Incompatible):
                # Unavailable too: what a proxy answers in Clarus' place does not prove that Clarus did nothing.
                return self._after_unclear(command, await self._look_late(command, config), _settled)
            else:
                outcome = ended(command, OutcomeKind.APPLIED, external_id=id_)
                return Execution(outcome, await self._read_back(command, config))

    async def cancel(self, command: CancelGoodsOut, config: BrandConfig) -> Execution:
        """Only in a state the command allows; in Draft and Pending a cancel deletes (Clarus' cancel page)."""
        look = await self._look(command, config)
        found = _no_cancel(command, look.shown)
        if found is not None:
            return Execution(found, (look.reading,))
        path = f"/goods_outs/{command.goods_out}/cancel"
        try:
            await self._client.write("POST", path, until=look.at + LOOK_LASTS)
        except TooLate:  # the floor may have begun meanwhile
            return await self.cancel(command, config)
        except Rejected as refused:
            return Execution(refusal_of(command, refused), await self._read_back(command, config) or (look.reading,))
        except NotFound as error:  # gone between the look and the cancel, or never reached
            look = await self._look(command, config)
            found = _no_cancel(command, look.shown) or refusal_of(command, Rejected("not_found", str(error)))
            return Execution(found, (look.reading,))
        except (TimedOut, Unavailable, Incompatible):
            return self._after_unclear(command, await self._look_late(command, config), _no_cancel)
        outcome = ended(command, OutcomeKind.APPLIED, external_id=command.goods_out)
        return Execution(outcome, await self._read_back(command, config))

    async def _look(self, command: Command, config: BrandConfig) -> _Look:
        """All goods-outs of the order. Raises Blind when the answer cannot be believed."""
        (reading,) = await self._reader.read(config, [command.order])
        if not reading.complete:
            raise Blind("Clarus does not show our account and all our warehouses; nothing is written")
        try:
            return _Look(reading, translate_goods_outs(reading.body), self._clock.monotonic())
        except Unreadable as error:
            raise Incompatible(str(error)) from error

    async def _look_late(self, command: Command, config: BrandConfig) -> _Look | None:
        """What is there once Clarus cannot be at it any more; None when that cannot be seen."""
        await self._clock.sleep(self._longest)
        try:
            return await self._look(command, config)
        except ConnectorError as error:
            if isinstance(error, Unauthorised) and not isinstance(error, Blind):
                raise
            return None

    def _after_unclear(self, command: C, look: _Look | None, judge: Judge[C]) -> Execution:
        """It is so, and then it was we; or it was not done, or cannot be seen, and is tried again by a new command."""
        found = judge(command, look.shown) if look is not None else None
        readings = (look.reading,) if look is not None else ()
        if found is None:
            text = "no clear answer, and it was not done" if look is not None else "no clear answer, and no look since"
            return Execution(
                ended(command, OutcomeKind.DELAYED, code="unclear", text=text, until=self._soon()), readings
            )
        if found.kind is OutcomeKind.ALREADY_APPLIED:
            found = found.model_copy(update={"kind": OutcomeKind.APPLIED})
        return Execution(found, readings)

    def _soon(self) -> datetime:
        return self._clock.now() + AGAIN_IN

    async def _read_back(self, command: Command, config: BrandConfig) -> tuple[Reading, ...]:
        """What it is like now; nothing when that fails, for the outcome stands without it and causes a read."""
        try:
            return tuple(await self._reader.read(config, [command.order]))
        except ConnectorError:
            return ()

    async def _body(self, command: CreateGoodsOut) -> dict[str, Any]:
        """Raises Rejected for a code that Clarus does not have and for an address that does not fit."""
        address = {"data": {"type": "addresses", "attributes": _address(command.ship_to)}}
        account, warehouse = await self._catalogue.place(command.account, command.warehouse)
        carrier, service = await self._catalogue.carrier(command.carrier, command.service)
        products = await self._catalogue.products([unit.sku for unit in command.lines])
        attributes: dict[str, Any] = {
            "goods_out_type": "sales_order",
            "account_id": account,
            "warehouse_id": warehouse,
            "reference": command.reference,
            "expected_date_of_dispatch": (command.decided_at + DISPATCH_WITHIN).isoformat(),
            "carrier_id": carrier,
            "carrier_service_id": service,
            "priority": command.priority,
            "external_system_reference1": f"gid://shopify/Order/{command.order}",
            "external_system_reference2": f"gid://shopify/FulfillmentOrder/{command.fulfilment_order}",
            "external_system_reference3": command.order_name,
            "packing_notes": _cut(command.order_notes),
            "lines_changes": [
                {"type": "ADD", "attributes": _line(number, unit, products[unit.sku])}
                for number, unit in enumerate(command.lines, start=1)
            ],
        }
        written = _without_empty(attributes)
        return {"data": {"type": "goods_outs", "attributes": written, "relationships": {"address": address}}}


def _settled(command: CreateGoodsOut, shown: Sequence[GoodsOut]) -> Outcome | None:
    """What the look decides by itself: it is there already, or there is one nobody told the decision of."""
    for one in shown:
        if one.reference == command.reference:
            return ended(command, OutcomeKind.ALREADY_APPLIED, external_id=one.id)
    for one in shown:
        if one.reference not in command.known_goods_outs:
            return refusal_of(command, Rejected("unknown_goods_out", one.reference, "reference"))
    return None


def _no_cancel(command: CancelGoodsOut, shown: Sequence[GoodsOut]) -> Outcome | None:
    """Why there is nothing to cancel, or nothing that may be; None for one that may."""
    goods_out = next((one for one in shown if one.id == command.goods_out), None)
    if goods_out is None:
        if any(one.reference == command.reference for one in shown):
            return refusal_of(command, Rejected("unknown_goods_out", command.reference, "reference"))
        return ended(command, OutcomeKind.ALREADY_APPLIED, external_id=command.goods_out)
    if goods_out.status is GoodsOutStatus.CANCELLED:
        return ended(command, OutcomeKind.ALREADY_APPLIED, external_id=command.goods_out)
    if goods_out.status not in command.only_if:
        return refusal_of(command, Rejected("state_not_allowed", str(goods_out.status), "status"))
    return None


def _line(number: int, unit: GoodsOutUnits, product: int) -> dict[str, Any]:
    return _without_empty(
        {
            "product_id": product,
            "order_quantity": unit.quantity,
            "alt_line_number": str(number),
            "alt_product_code": unit.shop_sku,
            "external_system_reference1": line_mark(unit.line, unit.each),
        }
    )


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
    return _without_empty(fields)


def _without_empty(fields: dict[str, V]) -> dict[str, V]:
    return {field: value for field, value in fields.items() if value != ""}


def _cut(notes: str) -> str:
    return notes if len(notes) <= NOTES_MOST else notes[: NOTES_MOST - len(CUT)] + CUT
