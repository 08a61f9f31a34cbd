"""The REST calls that change something: bodies checked, ids resolved, the world told."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, TypeVar

from sandbox.clarus import bodies, render
from sandbox.clarus.access import ApiUser
from sandbox.clarus.bodies import AddLine, DestroyLine, GoodsOutAttributes, LineAttributes, UpdateLine, written
from sandbox.clarus.office import Header, LineWish
from sandbox.clarus.records import Account, Automation, Carrier, CarrierService, Condition, GoodsOut, Product, Warehouse
from sandbox.clarus.refusals import Refused, Symbol, not_found, refused
from sandbox.clarus.world import ClarusWorld

T = TypeVar("T")
Json = dict[str, Any]

HELD_AS_RECORDS = (
    "account_id", "warehouse_id", "carrier_id", "carrier_service_id", "reference", "goods_out_status_id",
    "lines_changes",
)  # fmt: skip


class Writes:
    """What a user may change. All methods raise Refused, and then nothing is changed."""

    def __init__(self, world: ClarusWorld) -> None:
        self._world = world

    def create_goods_out(self, user: ApiUser, body: Any) -> Json:
        data = bodies.read(bodies.NewGoodsOut, body).data
        asked = data.attributes
        account = self._account(user, asked.account_id)
        address = data.relationships.address
        header = self._with_related(
            user, Header(account, asked.reference, attributes=written(asked, *HELD_AS_RECORDS)), asked
        )
        if address is not None:
            header = replace(header, address=written(address.data.attributes))
        wishes = [self._wish(account, change) for change in asked.lines_changes]
        made = self._world.create_goods_out(header, wishes, draft=asked.goods_out_status_id == 1)
        return _document("goods_outs", made.id, render.goods_out_attributes(made))

    def amend_goods_out(self, user: ApiUser, number: int, body: Any) -> Json:
        goods_out = self._goods_out(user, number)
        data = bodies.read(bodies.GoodsOutPatch, body).data
        asked = data.attributes
        account = goods_out.account if asked.account_id is None else self._account(user, asked.account_id)
        header = Header(
            account,
            asked.reference or goods_out.reference,
            goods_out.warehouse,
            goods_out.carrier,
            goods_out.service,
            goods_out.attributes | written(asked, *HELD_AS_RECORDS),
            goods_out.address,
        )
        if data.relationships.address is not None:
            header = replace(header, address=goods_out.address | written(data.relationships.address.data.attributes))
        changes = asked.lines_changes
        self._world.amend_goods_out(
            number,
            self._with_related(user, header, asked),
            add=[self._wish(account, change) for change in changes if isinstance(change, AddLine)],
            update={change.id: _update(change) for change in changes if isinstance(change, UpdateLine)},
            destroy=[change.id for change in changes if isinstance(change, DestroyLine)],
        )
        return _document("goods_outs", number, render.goods_out_attributes(goods_out))

    def delete_goods_out(self, user: ApiUser, number: int) -> None:
        self._world.delete_goods_out(self._goods_out(user, number).id)

    def cancel_goods_out(self, user: ApiUser, number: int) -> None:
        self._world.cancel_goods_out(self._goods_out(user, number).id)

    def process_picks(self, user: ApiUser, body: Any) -> Json:
        numbers = self._known(user, bodies.read(bodies.ProcessPicks, body).ids)
        return {"process_references": self._world.process_picks(numbers)}

    def short_order_lines(self, user: ApiUser, body: Any) -> None:
        self._world.short_lines(self._known(user, bodies.read(bodies.ShortLines, body).ids))

    def create_product(self, user: ApiUser, body: Any) -> Json:
        """Without a code its id serves as one."""
        self._may_write(user)
        asked = bodies.read(bodies.NewProduct, body).data.attributes
        self._stock_unit(user, asked.stock_unit_type_id)
        master = self._world.master
        if asked.code and master.product(user.tenant, asked.code):
            raise refused(Symbol.PRODUCT_CODE_EXISTS, f"product code {asked.code} is taken", field="code")
        product = master.add_product(user.tenant, asked.code, asked.description)
        product.attributes = written(asked, "code", "description")
        return _document("products", product.id, {**render.product(product)})

    def amend_product(self, user: ApiUser, number: int, body: Any) -> Json:
        """Changes what is named and nothing else."""
        self._may_write(user)
        product = self._product(user, number)
        asked = bodies.read(bodies.ProductPatch, body).data.attributes
        if asked.stock_unit_type_id is not None:
            self._stock_unit(user, asked.stock_unit_type_id)
        if asked.code is not None:
            try:
                self._world.master.rename_product(product, asked.code)
            except ValueError:
                raise refused(Symbol.PRODUCT_CODE_EXISTS, f"product code {asked.code} is taken", field="code") from None
        product.description = asked.description or product.description
        product.attributes |= written(asked, "code", "description")
        return _document("products", product.id, {**render.product(product)})

    def assign_product(self, user: ApiUser, number: int, body: Any) -> Json:
        """Flat answer: the assignment's id alone."""
        self._may_write(user)
        product = self._product(user, number)
        account = self._account(user, bodies.read(bodies.NewAccountProduct, body).data.attributes.account_id)
        product.accounts.add(account.id)
        return {"id": number * 1_000_000 + account.id}

    def create_automation(self, user: ApiUser, body: Any) -> Json:
        self._may_write(user)
        asked = bodies.read(bodies.NewAutomation, body).data.attributes
        action = asked.actions_changes[0].attributes
        url = action.parameter("webhook_url")
        if not url or (action.parameter("webhook_method") or "POST").upper() != "POST":
            raise refused(Symbol.INVALID, "expected webhook_url, and webhook_method POST", field="actions_changes")
        conditions = (change.attributes for change in asked.conditions_changes)
        automation = self._world.add_automation(
            Automation(
                id=0,
                tenant=user.tenant,
                resource=asked.resource_name,
                event=asked.event,
                webhook_url=url,
                name=asked.name,
                enabled=asked.enabled,
                conditions=tuple(Condition(each.source_path, each.operator, each.value) for each in conditions),
            )
        )
        return _document("automations", automation.id, written(asked, "conditions_changes", "actions_changes"))

    def delete_automation(self, user: ApiUser, number: int) -> None:
        self._may_write(user)
        automation = self._world.automations.get(number)
        if automation is None or automation.tenant != user.tenant:
            raise not_found("automation", number)
        del self._world.automations[number]

    # Ids, as far as this user sees them

    def _may_write(self, user: ApiUser) -> None:
        if self._world.access.is_blind(user):
            raise refused(Symbol.FORBIDDEN, "this user's role does not allow it", status=403)

    def _goods_out(self, user: ApiUser, number: int) -> GoodsOut:
        self._may_write(user)
        goods_out = self._world.goods_out(number)
        if not user.sees(goods_out.account, goods_out.warehouse):
            raise not_found("goods out", number)
        return goods_out

    def _product(self, user: ApiUser, number: int) -> Product:
        product = self._world.master.products.get(number)
        if product is None or product.tenant != user.tenant:
            raise not_found("product", number)
        return product

    def _stock_unit(self, user: ApiUser, number: int) -> None:
        """Any will do in a tenant that has entered none."""
        units = [unit for unit in self._world.master.stock_units.values() if unit.tenant == user.tenant]
        if units and all(unit.id != number for unit in units):
            raise _unknown("stock_unit_type_id", number)

    def _account(self, user: ApiUser, number: int) -> Account:
        self._may_write(user)
        account = self._world.master.accounts.get(number)
        if account is None or not user.sees(account):
            raise _unknown("account_id", number)
        return account

    def _with_related(self, user: ApiUser, header: Header, asked: GoodsOutAttributes) -> Header:
        """The header with the warehouse, carrier and service asked for; a carrier alone brings its default service."""
        master = self._world.master
        if asked.warehouse_id is not None:
            warehouse: Warehouse = _one(master.warehouses, "warehouse_id", asked.warehouse_id)
            if not user.sees_warehouse(warehouse):
                raise _unknown("warehouse_id", asked.warehouse_id)
            header = replace(header, warehouse=warehouse)
        if asked.carrier_id is not None:
            carrier: Carrier = _one(master.carriers, "carrier_id", asked.carrier_id)
            if carrier.tenant != user.tenant:
                raise _unknown("carrier_id", asked.carrier_id)
            header = replace(header, carrier=carrier, service=master.default_service(carrier))
        if asked.carrier_service_id is not None:
            service: CarrierService = _one(master.services, "carrier_service_id", asked.carrier_service_id)
            if service.carrier != header.carrier:
                raise _unknown("carrier_service_id", asked.carrier_service_id)
            header = replace(header, service=service)
        return header

    def _wish(self, account: Account, change: AddLine) -> LineWish:
        asked = change.attributes
        product = self._world.master.products.get(asked.product_id)
        if product is None or product.tenant != account.tenant:
            raise _unknown("product_id", asked.product_id)
        if account.id not in product.accounts:
            raise refused(
                Symbol.INVALID_IDS,
                f"product {product.code} is not assigned to account {account.code}",
                field="product_id",
                ids=[product.id],
            )
        return LineWish(product, asked.order_quantity, _line_attributes(asked))

    def _known(self, user: ApiUser, ids: Sequence[int]) -> list[int]:
        self._may_write(user)
        if not ids:
            raise refused(Symbol.EMPTY_IDS, "no ids were sent")
        unknown = []
        for number in ids:
            try:
                self._goods_out(user, number)
            except Refused:
                unknown.append(number)
        if unknown:
            raise refused(Symbol.INVALID_IDS, f"unknown ids {unknown}", ids=unknown)
        return list(dict.fromkeys(ids))


def _update(change: UpdateLine) -> tuple[Decimal | None, Mapping[str, Any]]:
    if change.attributes.product_id is not None:
        raise refused(Symbol.INVALID, "a line's product cannot be changed", field="product_id", ids=[change.id])
    return change.attributes.order_quantity, _line_attributes(change.attributes)


def _line_attributes(asked: LineAttributes) -> Json:
    return written(asked, "product_id", "order_quantity")


def _one(records: Mapping[int, T], field: str, number: int) -> T:
    if number not in records:
        raise _unknown(field, number)
    return records[number]


def _unknown(field: str, number: int) -> Refused:
    return refused(Symbol.INVALID_IDS, f"{field}: no record with id {number}", field=field, ids=[number])


def _document(kind: str, number: int, attributes: Json) -> Json:
    return {"data": {"id": number, "type": kind, "attributes": attributes}}
