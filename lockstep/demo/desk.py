"""The brands' own people in a demo or a simulation: one maps what is new, one lets go what is on account.

They use what the command line uses, and see what it shows: the log, and the cases in it.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from kernel.log import Log, LogError
from lockstep.deciding import Person
from lockstep.demo.outside import Outside
from lockstep.demo.scenario import DemoBrand
from lockstep.publishing import apply
from lockstep.reading import newest_configs
from schemas.base import OrderKey, order_key
from schemas.cases import Case, CaseCode

T = TypeVar("T")

LOOK_EVERY = 1.0
WHO = "kim"
WHY = "on account: the customer pays by invoice"


@dataclass(slots=True)
class Desk:
    """Of all brands. `cases` are the newest of each, as the log has them."""

    log: Log
    outside: Outside
    cases: Callable[[], Sequence[Case]]
    say: Callable[[str], None] = lambda _: None

    async def map_new_lines(self, after: float) -> None:
        """After so many seconds: apply each brand's configuration with its new shipping lines, as its next version."""
        await self.outside.clock.sleep(after)
        for brand in self.outside.brands:
            at = self.outside.clock.now().isoformat()
            self.outside.mapped_at[brand.brand] = {code: at for _, code in brand.new_lines}
            await self._until_done(partial(self._mend, brand))

    async def _mend(self, brand: DemoBrand) -> None:
        applied = await apply(self.log, brand.mended((await newest_configs(self.log))[brand.brand]))
        lines = ", ".join(title for title, _ in brand.new_lines)
        self.say(f"config apply: {applied.brand} version {applied.version} maps {lines}")

    async def let_go(self, over: Callable[[], bool] = lambda: False) -> None:
        """Until it is over, or cancelled: an order on account that is held for its payment goes, once that has become a
        case.
        """
        while not over():
            for case in self.cases():
                if case.open and case.code is CaseCode.PAYMENT_NOT_MET:
                    await self._look_at(case)
            await self.outside.clock.sleep(LOOK_EVERY)

    async def _look_at(self, case: Case) -> None:
        shop = self.outside.shop(case.brand)
        order = shop.orders.get(int(case.order)) if case.order.isdecimal() else None
        if order is None or not order.on_account or order.agreed_at is not None:
            return
        shop.agree(order)
        while not await self._until_done(partial(self._release, order_key(case.brand, case.order))):
            await self.outside.clock.sleep(LOOK_EVERY)  # something else holds it for the moment
            if not any(one.open and one.key == case.key for one in self.cases()):
                return

    async def _release(self, key: OrderKey) -> bool:
        """Whether that lifted anything."""
        made = await Person(self.log, WHO, self.outside.clock.now).release(key, WHY)
        self.say(f"case release: {key} leaves in spite of {', '.join(made.lifted) or 'nothing'}")
        return bool(made.lifted)

    async def _until_done(self, do: Callable[[], Awaitable[T]]) -> T:
        """Again and again while the log is away; done twice it changes nothing."""
        while True:
            try:
                return await do()
            except LogError:
                await self.outside.clock.sleep(LOOK_EVERY)
