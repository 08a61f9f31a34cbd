"""What one system has of an order and no other knows of; and shipments that the carrier did not take."""

from collections.abc import Iterator

from schemas.base import GoodsOutRef, LineId, System
from schemas.cases import Case, CaseCode
from schemas.config import BrandConfig
from schemas.erp import ErpOrderState, FulfilmentState
from schemas.orders import Order
from streams.rules.orders.by_hand import by_hand, hand
from streams.rules.orders.delivery import SHIPPING, unshipped
from streams.rules.orders.findings import Finding, Look, Waiting
from streams.rules.orders.readiness import is_ours
from streams.rules.orders.state import Closed, OrderState


def orphan_sale(state: OrderState, _config: BrandConfig) -> Iterator[Finding]:
    """Rule: a sales order of the ERP for which Shopify has no order, and the warehouse neither, is a case."""
    if not state.shopify_gone or state.goods_outs or state.erp is None:
        return
    if state.erp.state is not ErpOrderState.CANCELLED:
        yield Waiting(
            name="orphan-sale",
            after=0,
            code=CaseCode.ORPHAN_ERP_ORDER,
            object=f"sales order {state.erp.number or state.order}",
            detail=f"{state.erp.state} in the ERP, no order {state.order} in Shopify",
            read=(System.ERP,),
        )


def orphan_posting(state: OrderState, _config: BrandConfig) -> Iterator[Finding]:
    """Rule: a posting under a goods-out that this order never had is a case. Nobody judges before Clarus has answered
    whole: a goods-out we lost sight of is still known.
    """
    if state.erp is None or not state.clarus_read:
        return
    known: set[GoodsOutRef] = {one.reference for one in state.goods_outs}
    for one in state.erp.fulfilments:
        if one.state is FulfilmentState.POSTED and one.goods_out not in known:
            units = sum(unit.quantity for unit in one.lines)
            yield Waiting(
                name=f"orphan-posting:{one.key}",
                after=0,
                code=CaseCode.ORPHAN_POSTING,
                object=f"posting {one.key}",
                detail=f"{units} units posted, no such goods-out in Clarus",
                read=(System.CLARUS, System.ERP),
            )


def orphan_fulfilment(state: OrderState, config: BrandConfig) -> Iterator[Finding]:
    """Rule: goods of a warehouse of ours that Shopify shows as sent, of lines that were never asked of it, are a case.

    Said only after a sweep has read all three systems: before that the warehouse may just not have been heard of. What
    was said once stands while the next sweep reads them.
    """
    order = state.shopify
    if order is None or not is_ours(state, config) or not order.fulfilments:
        return
    compared = state.comparison is not None and not state.comparison.awaited
    told: tuple[Case | Closed, ...] = (*state.cases, *state.closed_by_person)
    said = {one.object for one in told if one.code is CaseCode.ORPHAN_FULFILMENT}
    if not compared and not said:
        return
    ours = _lines_of_warehouses(order, config)
    asked = {line.line for known in state.goods_outs for line in known.goods_out.lines}
    asked |= {line.line for create in state.creates_in_flight for line in create.lines}
    for one in by_hand(state, order, config):
        if not compared and hand(one) not in said:
            continue
        astray = sum(unit.quantity for unit in one.lines if unit.line in ours - asked)
        if astray and not any(unit.line in asked for unit in one.lines):
            yield Look(
                code=CaseCode.ORPHAN_FULFILMENT,
                object=hand(one),
                detail=f"{astray} units that no goods-out was ever made for",
            )


def _lines_of_warehouses(order: Order, config: BrandConfig) -> set[LineId]:
    return {
        line.line
        for one in order.fulfilment_orders
        if one.method == SHIPPING and config.warehouse_of(one.location) is not None
        for line in one.lines
    } - unshipped(order)


def manifest_failed(state: OrderState, _config: BrandConfig) -> Iterator[Finding]:
    """Rule: a shipment that the carrier did not take is a case until it is taken or gone."""
    for known in state.goods_outs:
        for one in known.goods_out.shipments:
            if one.failed:
                yield Waiting(
                    name=f"manifest:{one.id}",
                    after=0,
                    code=CaseCode.MANIFEST_FAILED,
                    object=f"{known.reference} shipment {one.reference or one.id}",
                    detail=f"status {one.status}",
                    read=(System.CLARUS,),
                )
