"""`python -m tests.engine.other_release_process …`: the orders worker of a release whose rules ask otherwise.

As `worker_process`, but every goods-out asked for is for another carrier.
"""

import asyncio
import sys
from collections.abc import Iterator

from kernel.logs import configure
from schemas.commands import CreateGoodsOut
from schemas.config import BrandConfig
from streams.rules.orders import plan
from streams.rules.orders.findings import Finding, Wanted
from streams.rules.orders.release import release
from streams.rules.orders.state import OrderState
from tests.engine.worker_process import main


def release_otherwise(state: OrderState, config: BrandConfig) -> Iterator[Finding]:
    for finding in release(state, config):
        if isinstance(finding, Wanted) and finding.kind is CreateGoodsOut and finding.fields:
            yield finding._replace(fields={**finding.fields, "carrier": "NEW-RELEASE"})
        else:
            yield finding


if __name__ == "__main__":
    configure(sys.argv[3])
    plan.ORDER_RULES = tuple(release_otherwise if rule is release else rule for rule in plan.ORDER_RULES)
    sys.exit(asyncio.run(main(*sys.argv[1:])))
