"""A whole connection as an aggregate of its own (`brand/~clarus`): one case for it, not one per order."""

from collections.abc import Iterator

from schemas.cases import CaseCode
from schemas.config import BrandConfig
from schemas.events import ConnectionState
from streams.rules.orders.findings import Finding, Look
from streams.rules.orders.state import OrderState


def connection(state: OrderState, _config: BrandConfig) -> Iterator[Finding]:
    """Rule: a connection that is not well is a case until it is."""
    match state.connection:
        case None | ConnectionState.WELL:
            return
        case ConnectionState.RIGHTS_LOST:
            yield Look(code=CaseCode.CLARUS_RIGHTS_LOST, object=state.order, detail=state.connection_text)
        case ConnectionState.DOWN | ConnectionState.UNAUTHORISED:
            yield Look(
                code=CaseCode.CONNECTION_DOWN,
                object=state.order,
                detail=f"{state.connection}: {state.connection_text}",
            )
