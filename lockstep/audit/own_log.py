"""What Lockstep's own log tells an audit: whose figures the stock worker had to put right."""

from datetime import datetime

from kernel.log import Log
from lockstep.audit.seen import Overruled
from lockstep.reading import read_all_stock
from schemas.config import BrandConfig
from streams.rules.stock.causes import Cause


async def overruled(log: Log, config: BrandConfig, since: datetime) -> tuple[Overruled, ...] | None:
    """The newest of each item, newest first; None for a brand whose stock is not kept in step. Raises LogError."""
    if config.stock.mode == "off":
        return None
    found: list[Overruled] = []
    for state in await read_all_stock(log, config.brand):
        if state.drift == Cause.BY_HAND and state.differs_since is not None:
            found.append(Overruled(state.code, state.location, state.differs_since))
        elif state.written is not None and state.written.why == Cause.BY_HAND and state.written.at >= since:
            found.append(Overruled(state.code, state.location, state.written.at))
    return tuple(sorted(found, key=lambda one: (one.at, one.code, one.location), reverse=True))
