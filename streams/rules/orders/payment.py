"""Is it paid, and does anybody advise against it?"""

from collections.abc import Iterator

from schemas.cases import CaseCode
from schemas.config import BrandConfig
from schemas.orders import Order
from streams.rules.orders.holds import Hold


def payment_holds(order: Order, config: BrandConfig) -> Iterator[Hold]:
    """The brand's payment rule."""
    if order.financial_status not in config.paid:
        yield Hold(code=CaseCode.PAYMENT_NOT_MET, named=f"payment is {order.financial_status}")


def risk_holds(order: Order, config: BrandConfig) -> Iterator[Hold]:
    """Shopify's risk analysis. A fraud hold that staff or an app put on a fulfilment order is that order's own hold."""
    if order.risk in config.risk_holds:
        yield Hold(code=CaseCode.RISK_NOT_CLEARED, named=f"Shopify advises {order.risk}")
