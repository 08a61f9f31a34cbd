"""What others would do beside us: back-orders, automatic fulfilment, native integrations."""

from collections.abc import Iterator
from datetime import timedelta

from lockstep.audit.catalogue import Finding
from lockstep.audit.codes import Code
from lockstep.audit.seen import Seen
from lockstep.audit.skus import sold

AT_ONCE = timedelta(minutes=2)
"""Fulfilled sooner after its order was placed, nobody has picked anything. Shopify shows no setting for it."""


def check_left_on(seen: Seen) -> Iterator[Finding]:
    if seen.shop.variants is not None:
        shipped = sold(seen.shop.variants)
        yield Finding.of(
            Code.BACKORDER_ON, [_named(one.sku, one.id) for one in shipped if one.tracked and one.oversells]
        )
        yield Finding.of(Code.ITEM_UNTRACKED, [_named(one.sku, one.id) for one in shipped if not one.tracked])
    yield Finding.of(
        Code.FULFILLED_AT_ONCE,
        [
            one.name
            for one in seen.shop.orders or ()
            if one.shipping is not None and one.fulfilled_at is not None and one.fulfilled_at - one.created_at < AT_ONCE
        ],
    )
    yield Finding.of(Code.CLARUS_INTEGRATION_ON, [repr(name) for name in seen.clarus.integrations or ()])
    yield Finding.of(Code.ERP_AUTOMATION_ON, list(seen.erp.automations or ()))
    yield Finding.of(
        Code.STOCK_WRITTEN_ELSEWHERE,
        [f"{one.code} at location {one.location}, {one.at:%Y-%m-%d %H:%M} UTC" for one in seen.overruled or ()],
    )


def _named(sku: str, variant: str) -> str:
    return sku or f"variant {variant}"
