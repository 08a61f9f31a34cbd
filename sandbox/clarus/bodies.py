"""What callers may send, and the limits of it (Clarus' API description 1.0.0).

Stricter than the real one may be: an attribute that is not documented is refused, and so is an empty string, which the
documentation asks callers not to send. Numbers may come as text, as some of its samples have them.
"""

from decimal import Decimal
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from sandbox.clarus.refusals import of_body

Text = Annotated[str, StringConstraints(min_length=1)]
Text20 = Annotated[str, StringConstraints(min_length=1, max_length=20)]
Text50 = Annotated[str, StringConstraints(min_length=1, max_length=50)]
Text80 = Annotated[str, StringConstraints(min_length=1, max_length=80)]
Text150 = Annotated[str, StringConstraints(min_length=1, max_length=150)]
Text254 = Annotated[str, StringConstraints(min_length=1, max_length=254)]
Text255 = Annotated[str, StringConstraints(min_length=1, max_length=255)]
Postcode = Annotated[str, StringConstraints(min_length=1, max_length=10)]
Country = Annotated[str, StringConstraints(min_length=2, max_length=6)]
Quantity = Annotated[Decimal, Field(gt=0)]


class Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FreeSlots(Body):
    """What every header and line has for the caller's own use."""

    external_system_reference1: Text255 | None = None
    external_system_reference2: Text255 | None = None
    external_system_reference3: Text255 | None = None
    string1: Text255 | None = None
    string2: Text255 | None = None
    string3: Text255 | None = None
    string4: Text255 | None = None
    string5: Text255 | None = None
    integer1: int | None = None
    integer2: int | None = None
    integer3: int | None = None
    integer4: int | None = None
    integer5: int | None = None
    boolean1: bool | None = None
    boolean2: bool | None = None
    boolean3: bool | None = None
    boolean4: bool | None = None
    boolean5: bool | None = None
    datetime1: AwareDatetime | None = None
    datetime2: AwareDatetime | None = None
    datetime3: AwareDatetime | None = None
    datetime4: AwareDatetime | None = None
    datetime5: AwareDatetime | None = None


class LineAttributes(FreeSlots):
    product_id: int | None = None
    order_quantity: Quantity | None = None
    alt_line_number: Text | None = None
    alt_line_reference: Text | None = None
    alt_line_note: Text | None = None
    alt_product_code: Text50 | None = None


class NewLine(LineAttributes):
    product_id: int
    order_quantity: Quantity


class AddLine(Body):
    type: Literal["ADD"]
    attributes: NewLine


class UpdateLine(Body):
    type: Literal["UPDATE"]
    id: int
    attributes: LineAttributes


class DestroyLine(Body):
    type: Literal["DESTROY"]
    id: int


LineChange = Annotated[AddLine | UpdateLine | DestroyLine, Field(discriminator="type")]


class GoodsOutAttributes(FreeSlots):
    """As a PATCH may send them: every one may be left out."""

    goods_out_type: Literal["sales_order", "work_order", "crossdock"] | None = None
    account_id: int | None = None
    reference: Text50 | None = None
    expected_date_of_dispatch: AwareDatetime | None = None
    warehouse_id: int | None = None
    customer_id: int | None = None
    carrier_id: int | None = None
    carrier_service_id: int | None = None
    priority: Annotated[int, Field(ge=1, le=99)] | None = None
    order_type_id: int | None = None
    pick_type: Literal["standard", "tote"] | None = None
    pack_strategy: Literal["disabled", "pack_by_line", "pack_by_unit"] | None = None
    dispatch_strategy: Literal["manual", "auto", "load", "shipment", "auto_shipment"] | None = None
    order_notes: Text | None = None
    pick_notes: Text | None = None
    packing_notes: Text255 | None = None
    delivery_notes: Text | None = None
    pick_reference: Text | None = None
    load_reference: Text | None = None
    drop_sequence: int | None = None
    goods_out_status_id: Literal[1, 2] | None = None
    """1 makes a draft."""
    lines_changes: tuple[LineChange, ...] = ()


class NewGoodsOutAttributes(GoodsOutAttributes):
    goods_out_type: Literal["sales_order", "work_order", "crossdock"]
    account_id: int
    reference: Text50
    expected_date_of_dispatch: AwareDatetime
    lines_changes: tuple[AddLine, ...] = ()


class AddressAttributes(Body):
    name: Text80 | None = None
    address_1: Text80 | None = None
    address_2: Text80 | None = None
    address_3: Text80 | None = None
    address_4: Text80 | None = None
    address_5: Text80 | None = None
    postcode: Postcode | None = None
    country_code: Country | None = None
    email_address: Text254 | None = None
    phone_number: Text50 | None = None
    external_system_reference1: Text255 | None = None
    external_system_reference2: Text255 | None = None
    external_system_reference3: Text255 | None = None


class AddressData(Body):
    type: Literal["addresses"]
    attributes: AddressAttributes


class AddressRelation(Body):
    data: AddressData


class Relationships(Body):
    address: AddressRelation | None = None


class GoodsOutPatchData(Body):
    type: Literal["goods_outs"]
    id: int | None = None
    attributes: GoodsOutAttributes = GoodsOutAttributes()
    relationships: Relationships = Relationships()


class NewGoodsOutData(Body):
    type: Literal["goods_outs"]
    attributes: NewGoodsOutAttributes
    relationships: Relationships = Relationships()


class GoodsOutPatch(Body):
    data: GoodsOutPatchData


class NewGoodsOut(Body):
    data: NewGoodsOutData


class ProcessPicks(Body):
    ids: tuple[int, ...]


class ShortLines(Body):
    ids: tuple[int, ...]
    description: Text | None = None
    reason_code_id: int | None = None


class ProductAttributes(Body):
    model_config = ConfigDict(frozen=True, extra="allow")
    """Products have many fields that change nothing here."""

    description: Text150
    stock_unit_type_id: int
    code: Text50 | None = None
    barcode: Text | None = None


class NewProductData(Body):
    type: Literal["products"]
    attributes: ProductAttributes


class NewProduct(Body):
    data: NewProductData


class ProductChanges(Body):
    """Whether a change must name everything is documented both ways; this one takes a part."""

    model_config = ConfigDict(frozen=True, extra="allow")

    description: Text150 | None = None
    stock_unit_type_id: int | None = None
    code: Text50 | None = None
    barcode: Text | None = None


class ProductPatchData(Body):
    type: Literal["products"]
    id: int | None = None
    attributes: ProductChanges


class ProductPatch(Body):
    data: ProductPatchData


class AccountProductAttributes(Body):
    account_id: int


class AccountProductData(Body):
    type: Literal["account_products"]
    attributes: AccountProductAttributes


class NewAccountProduct(Body):
    data: AccountProductData


class Parameter(Body):
    parameter_code: Text
    value: str


class AddParameter(Body):
    type: Literal["ADD"]
    attributes: Parameter


class Action(Body):
    destination_type: Literal["webhook"]
    destination_code: Text = "default"
    parameters_changes: tuple[AddParameter, ...]

    def parameter(self, code: str) -> str | None:
        values = {each.attributes.parameter_code: each.attributes.value for each in self.parameters_changes}
        return values.get(code)


class AddAction(Body):
    type: Literal["ADD"]
    attributes: Action


class ConditionAttributes(Body):
    condition_code: Text
    source_path: Text
    operator: Literal["eq", "neq", "in", "notin", "starts_with"]
    value: str


class AddCondition(Body):
    type: Literal["ADD"]
    attributes: ConditionAttributes


class AutomationAttributes(Body):
    resource_name: Literal["goods_out", "stock", "stock_balance"]
    event: Literal[
        "created", "updated", "processed", "completed", "cancelled",
        "received", "picked", "dispatched", "undispatched", "positively_adjusted", "negatively_adjusted",
        "placed_on_hold", "released_from_hold", "account_transferred",
    ]  # fmt: skip
    name: Text
    enabled: bool = True
    conditions_changes: tuple[AddCondition, ...] = ()
    actions_changes: Annotated[tuple[AddAction, ...], Field(min_length=1, max_length=1)]


class AutomationData(Body):
    type: Literal["automations"]
    attributes: AutomationAttributes


class NewAutomation(Body):
    data: AutomationData


B = TypeVar("B", bound=Body)


def read(model: type[B], body: Any) -> B:
    """Raises Refused 422 with one entry per field that does not fit."""
    try:
        return model.model_validate(body)
    except ValidationError as error:
        raise of_body(error) from None


def written(attributes: BaseModel, *but: str) -> dict[str, Any]:
    """What the caller sent, in JSON's types, less what the records hold as fields of their own."""
    return attributes.model_dump(mode="json", exclude_unset=True, exclude=set(but))
