"""Products of Clarus: made and changed after a look; after an unclear answer looked at again, never blind.

Clarus keeps codes unique in a tenant (`product_code_exists`, its API description 1.0.0). A product that serves another
account is nobody's to change from here.
"""

from typing import Any, NamedTuple

from connectors.clarus.catalogue import Catalogue
from connectors.clarus.client import ClarusClient, TooLate
from connectors.clarus.items import ProductReader
from connectors.clarus.lists import text
from connectors.clarus.outcomes import made_id, refusal_of
from connectors.clarus.translate_items import translate_product
from connectors.clarus.write import AGAIN_IN, LOOK_LASTS
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
from schemas.commands import AmendProduct, CreateProduct
from schemas.config import BrandConfig
from schemas.errors import Unreadable
from schemas.items import Product, product_reference
from schemas.outcomes import Outcome, OutcomeKind

ItemCommand = CreateProduct | AmendProduct

TAKEN = "product_code_exists"
"""Clarus' symbol for a code that a product has (its API description 1.0.0)."""


class _Look(NamedTuple):
    reading: Reading
    product: Product | None
    account: int
    at: float


class ProductWriter:
    """Of one tenant. `longest_request`: how long Clarus may go on with a request we no longer wait for."""

    def __init__(
        self, client: ClarusClient, reader: ProductReader, catalogue: Catalogue, clock: Clock, longest_request: float
    ) -> None:
        self._client, self._reader, self._catalogue = client, reader, catalogue
        self._clock, self._longest = clock, longest_request

    async def execute(self, command: ItemCommand, config: BrandConfig) -> Execution:
        """As `Port.execute`. A create has two steps, the product and its assignment to the account; one that was cut
        short between them goes on from there.
        """
        raced = False
        while True:
            look = await self._look(command, config)
            found = _settled(command, look.product)
            if found is not None:
                return Execution(found, (look.reading,))
            try:
                await self._barcode_is_free(command, look.product, config)
                id_ = await self._write(command, look)
            except TooLate:
                continue
            except Rejected as refused:
                if refused.code == TAKEN and not raced:
                    raced = True
                    continue
                return Execution(refusal_of(command, refused), (look.reading,))
            except NotFound as error:
                return Execution(refusal_of(command, Rejected("not_found", str(error))), (look.reading,))
            except (TimedOut, Unavailable, Incompatible):
                # Unavailable too: what a proxy answers in Clarus' place does not prove that Clarus did nothing.
                return await self._after_unclear(command, config)
            else:
                outcome = ended(command, OutcomeKind.APPLIED, external_id=id_)
                return Execution(outcome, await self._read_back(command, config))

    async def _look(self, command: ItemCommand, config: BrandConfig) -> _Look:
        """The product of this code. Raises Blind when the answer cannot be believed."""
        (reading,) = await self._reader.read(config, [command.order])
        account = self._catalogue.account(config.account)
        if not reading.complete or account is None:
            raise Blind("Clarus does not show our account and all our warehouses; nothing is written")
        try:
            product = None if reading.absent else translate_product(reading.body)
        except Unreadable as error:
            raise Incompatible(str(error)) from error
        return _Look(reading, product, int(account), self._clock.monotonic())

    async def _barcode_is_free(self, command: ItemCommand, product: Product | None, config: BrandConfig) -> None:
        """Raises Rejected `barcode_taken` naming the other product's code: a scanner could not tell them apart."""
        if not command.barcode or (product is not None and product.barcode == command.barcode):
            return
        others = await self._reader.with_barcode(config, command.barcode)
        codes = sorted(code for node in others if (code := text(node, "code")) != command.code)
        if codes:
            raise Rejected("barcode_taken", f"product {', '.join(codes)} has it", "barcode")

    async def _write(self, command: ItemCommand, look: _Look) -> str:
        until = look.at + LOOK_LASTS
        match command:
            case CreateProduct():
                if look.product is not None:
                    id_ = str(look.product.id)
                else:
                    unit = await self._catalogue.stock_unit(command.stock_unit)
                    made = await self._client.write("POST", "/products", _new(command, unit), until=until)
                    id_ = made_id(made, "/products")
                assignment = {"type": "account_products", "attributes": {"account_id": look.account}}
                await self._client.write("POST", f"/products/{id_}/account_products", {"data": assignment})
                return id_
            case AmendProduct():
                path = f"/products/{command.product}"
                await self._client.write("PATCH", path, _changed(command), until=until)
                return command.product

    async def _after_unclear(self, command: ItemCommand, config: BrandConfig) -> Execution:
        """It is so, and then it was we; or it was not done, or cannot be seen, and is tried again by a new command."""
        await self._clock.sleep(self._longest)
        readings: tuple[Reading, ...] = ()
        said = "no clear answer, and no look since"
        try:
            look = await self._look(command, config)
        except ConnectorError as error:
            if isinstance(error, Unauthorised) and not isinstance(error, Blind):
                raise
        else:
            readings, said = (look.reading,), "no clear answer, and it was not done"
            found = _settled(command, look.product)
            if found is not None and found.kind is OutcomeKind.ALREADY_APPLIED:
                return Execution(found.model_copy(update={"kind": OutcomeKind.APPLIED}), readings)
        until = self._clock.now() + AGAIN_IN
        return Execution(ended(command, OutcomeKind.DELAYED, code="unclear", text=said, until=until), readings)

    async def _read_back(self, command: ItemCommand, config: BrandConfig) -> tuple[Reading, ...]:
        """What it is like now; nothing when that fails, for the outcome stands without it and causes a read."""
        try:
            return tuple(await self._reader.read(config, [command.order]))
        except ConnectorError:
            return ()


def _settled(command: ItemCommand, product: Product | None) -> Outcome | None:
    """What the look decides by itself; None leaves it to be written."""
    match command:
        case CreateProduct():
            if product is None:
                return None
            if product.ours:
                return ended(command, OutcomeKind.ALREADY_APPLIED, external_id=product.id)
            if product.reference == product_reference(command.item) and not product.shared:
                return None  # ours, cut short before it was assigned
            text_ = f"product {product.id} has this code and is not assigned to account {command.account}"
            return refusal_of(command, Rejected("code_taken", text_, "code"))
        case AmendProduct():
            if product is None or product.id != command.product or not product.ours:
                gone = f"product {command.product} has this code no more in account {command.account}"
                return refusal_of(command, Rejected("not_found", gone, "code"))
            if product.shared:
                return refusal_of(command, Rejected("shared_product", "it serves another account too", "account"))
            if all(getattr(product, field) == said for field, said in _fields(command).items()):
                return ended(command, OutcomeKind.ALREADY_APPLIED, external_id=product.id)
            return None


def _fields(command: ItemCommand) -> dict[str, str]:
    """What Clarus shall say; it asks not to be sent empty text (its guide on creating records)."""
    said = {"description": command.description, "barcode": command.barcode}
    return {field: text_ for field, text_ in said.items() if text_}


def _new(command: CreateProduct, stock_unit: int) -> dict[str, Any]:
    attributes = {
        "code": command.code,
        **_fields(command),
        "stock_unit_type_id": stock_unit,
        "external_system_reference1": product_reference(command.item),
    }
    return {"data": {"type": "products", "attributes": attributes}}


def _changed(command: AmendProduct) -> dict[str, Any]:
    """Only what changes: whether the other fields may be left out of a PATCH is documented both ways (assumed: yes)."""
    return {"data": {"type": "products", "id": int(command.product), "attributes": _fields(command)}}
