"""A whole day of the demo in virtual time: shoppers, pickers, faults, kills; judged from the books, as the demo is."""

import asyncio
from collections.abc import Sequence

from lockstep.demo.desk import Desk
from lockstep.demo.held import held_in
from lockstep.demo.judge import Judged
from lockstep.demo.outside import WHOLE_DAY
from lockstep.demo.report import Report
from lockstep.simulation.house import House
from lockstep.simulation.log_oracle import cases_of
from schemas.topics import DLQ


async def play_day(
    house: House, orders: int, rate: float, *, within: float = 1800.0, kills: Sequence[tuple[float, str]] = ()
) -> Report:
    """Place the orders, wait until all is told and settled, judge. `kills`: seconds from the start and whom."""
    clock = house.clock
    began = clock.monotonic()
    pickers = asyncio.create_task(house.outside.pickers().run())
    desk = Desk(house.log, house.outside, lambda: cases_of(house.log))
    shoppers = asyncio.create_task(house.outside.shoppers(WHOLE_DAY).run(orders, rate))
    people = [asyncio.create_task(work) for work in (desk.map_new_lines(orders / rate / 2), desk.let_go())]
    killers = [asyncio.create_task(_kill(house, after, whom)) for after, whom in kills]
    quiet_since, last = began, ""
    in_time = False
    while clock.monotonic() - began < within:
        house.raise_what_ended()
        judged = Judged(await house.outside.books())
        open_ = [(case.key, case.open) for case in cases_of(house.log)]
        said = f"{judged.clarus()} {judged.erp()} {judged.shopify()} {open_}"
        if said != last:
            quiet_since, last = clock.monotonic(), said
        done = shoppers.done() and judged.finished() and not _strays(house, judged)
        if done and clock.monotonic() - quiet_since > 30:
            in_time = True
            break
        await clock.sleep(1.0)
    for task in (pickers, shoppers, *people, *killers):
        task.cancel()
    await asyncio.gather(pickers, shoppers, *people, *killers, return_exceptions=True)
    return Judged(await house.outside.books()).report(
        seconds=clock.monotonic() - began,
        in_time=in_time,
        cases=cases_of(house.log),
        dead_letters=len(house.log.records(DLQ.name)),
        held=await held_in(house.log),
    )


async def _kill(house: House, after: float, whom: str) -> None:
    await house.clock.sleep(after)
    await house.kill(whom)
    await house.clock.sleep(2.0)
    house.start(whom)


def _strays(house: House, judged: Judged) -> bool:
    report = judged.report(seconds=0, in_time=True, cases=cases_of(house.log), dead_letters=0)
    return not report.in_step
