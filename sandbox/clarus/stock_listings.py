"""Lists of stock: balances, the records they are made of, and the log of what moved."""

from collections.abc import Iterable
from typing import Any

from sandbox.clarus import render
from sandbox.clarus.filters import Field, moment, number
from sandbox.clarus.listing import Listing
from sandbox.clarus.stock import Balance, StockRecord, Transaction
from sandbox.clarus.world import ClarusWorld


def stock_listings(world: ClarusWorld) -> dict[str, Listing[Any]]:
    """By the name of the GraphQL root."""
    return {"stock_balances": _balances(world), "stocks": _stocks(world), "transactions": _transactions(world)}


def _balances(world: ClarusWorld) -> Listing[Balance]:
    def show(balance: Balance) -> dict[str, Any]:
        balance.reads.note(world.clock.now())
        return render.balance(balance)

    return Listing(
        lambda _: world.stock,
        id=lambda it: it.id,
        visible=lambda user, it: user.sees(it.account, it.warehouse),
        fields={
            "id": number(lambda it: it.id),
            "product_id": number(lambda it: it.product.id),
            "product_code": Field(lambda it: it.product.code),
            "account_id": number(lambda it: it.account.id),
            "warehouse_id": number(lambda it: it.warehouse.id),
            "available": Field(lambda it: it.shown, float),
            "allocated": Field(lambda it: it.allocated, float),
            "picked": Field(lambda it: it.picked, float),
        },
        show=show,
    )


def _stocks(world: ClarusWorld) -> Listing[StockRecord]:
    return Listing(
        lambda _: world.stock.records.values(),
        id=lambda it: it.id,
        visible=lambda user, it: user.sees(it.balance.account, it.balance.warehouse),
        fields={
            "id": number(lambda it: it.id),
            "product_id": number(lambda it: it.balance.product.id),
            "product_code": Field(lambda it: it.balance.product.code),
            "account_id": number(lambda it: it.balance.account.id),
            "warehouse_id": number(lambda it: it.balance.warehouse.id),
            "location_code": Field(lambda it: it.location),
            "status": Field(lambda it: it.status),
            "quantity": Field(lambda it: it.quantity, float),
            "fifo_date": Field(lambda it: it.fifo_date, moment),
        },
        show=render.stock,
    )


def _transactions(world: ClarusWorld) -> Listing[Transaction]:
    def records(_: object) -> Iterable[Transaction]:
        return world.stock.transactions

    return Listing(
        records,
        id=lambda it: it.id,
        visible=lambda user, it: user.sees(it.balance.account, it.balance.warehouse),
        fields={
            "id": number(lambda it: it.id),
            "subtype": Field(lambda it: it.subtype),
            "category": Field(lambda _: render.STOCK),
            "product_id": number(lambda it: it.balance.product.id),
            "account_id": number(lambda it: it.balance.account.id),
            "warehouse_id": number(lambda it: it.balance.warehouse.id),
            "goods_out_id": number(lambda it: it.goods_out),
            "created_at": Field(lambda it: it.created_at, moment),
        },
        show=render.transaction,
    )
