"""`python -m tests.connectors.erp.record`: write anew what a real Tryton answers, for the tests of the translation.

The company, its products and its orders are invented; there is nothing personal in them. Do this when the pinned
series of Tryton changes, and read the difference.
"""

import asyncio
from contextlib import suppress
from pathlib import Path

import orjson

from connectors.runtime.errors import Unavailable
from sandbox.tryton import TrytonServer
from tests.connectors.erp.erps import ErpUnderTest, tryton_under_test
from tests.connectors.erp.wishes import ACME, BLACK_LAMP, LAMP, RUG, an_order, goods_out, line, posting, wish
from tests.sandbox.tryton.company import COMPANY

RECORDED = Path(__file__).parent / "recorded"


async def record(erp: ErpUnderTest) -> None:
    """One order through its life: committed, in two parcels, one of them posted, then amended; a third claimed only."""
    order = an_order()

    async def keep(name: str) -> None:
        (reading,) = await erp.adapter.read(ACME, [order])
        body = orjson.dumps(orjson.loads(reading.body), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)
        (RECORDED / f"tryton_{name}.json").write_bytes(body + b"\n")

    await erp.committed(wish(order, line(11, LAMP, 3), line(12, LAMP, 2), line(13, RUG, 1)))
    await keep("committed")
    await erp.adapter.post_fulfilment(posting(order, goods_out(order), _11=1, _12=2))
    await erp.post_all()
    await erp.adapter.post_fulfilment(posting(order, goods_out(order, 2), _11=1))
    await keep("two_parcels_one_posted")
    await erp.adapter.upsert_order(wish(order, line(11, LAMP, 2), line(12, LAMP, 2), line(14, BLACK_LAMP, 2)))
    await keep("amended")
    erp.network.go_away_after(1)
    with suppress(Unavailable):
        await erp.port.execute(posting(order, goods_out(order, 3), _14=1))
    erp.network.come_back()
    await keep("claimed_not_picked")


async def main() -> None:
    RECORDED.mkdir(exist_ok=True)
    with TrytonServer(COMPANY) as server:
        async with tryton_under_test(server) as erp:
            await record(erp)


if __name__ == "__main__":
    asyncio.run(main())
