"""Writes stock to Shopify: many figures a request, each only where Shopify still has the one it was decided against.

`inventorySetQuantities` takes up to 250 pairs of item and location, compares, and does all or nothing; the same key
with the same variables has no second effect for 24 hours (Admin API 2026-10, @idempotent). So one stale figure is taken
out and the others are sent again, and an unclear answer is asked for again with the very same request.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import NAMESPACE_URL, uuid5

from connectors.runtime.errors import ConnectorError, Permanent, RateLimited, Transient, Unauthorised
from connectors.runtime.outcomes import ended
from connectors.runtime.port import Execution, Reading
from connectors.shopify.client import ShopifyClient
from connectors.shopify.gids import gid
from connectors.shopify.limiter import Purpose
from connectors.shopify.settings import ShopifyShop
from connectors.shopify.stock_read import LevelReader
from kernel.clock import Clock
from schemas.base import OrderId
from schemas.commands import SetOnHand
from schemas.config import BrandConfig
from schemas.outcomes import Outcome, OutcomeKind

OPERATION = "SetOnHand"
MOST = 250
"""Pairs of item and location one call takes (Admin API 2026-10, inventorySetQuantities)."""
MOST_ROUNDS = 8
"""Requests for one batch; each takes at least one figure out, or waits."""
STALE = "stale"
_CODE_STALE = "CHANGE_FROM_QUANTITY_STALE"
_CONCURRENT = "IDEMPOTENCY_CONCURRENT_REQUEST"
_OTHER_VARIABLES = "IDEMPOTENCY_KEY_PARAMETER_MISMATCH"


@dataclass(eq=False, slots=True)
class _Waiting:
    command: SetOnHand
    config: BrandConfig
    ended: asyncio.Future[Execution] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class _Error(NamedTuple):
    code: str
    text: str
    element: int | None
    """Of the element it is about; None: the call's."""
    field: str


class StockWriter:
    """Of one shop. Commands that come within a moment of one another go out together."""

    def __init__(self, shop: ShopifyShop, client: ShopifyClient, levels: LevelReader, clock: Clock) -> None:
        self._shop, self._client, self._levels, self._clock = shop, client, levels, clock
        self._waiting: list[_Waiting] = []
        self._sending: asyncio.Task[None] | None = None
        self._full = asyncio.Event()

    async def execute(self, command: SetOnHand, config: BrandConfig) -> Execution:
        """As `Port.execute`. Rejected `stale`: Shopify has another figure; the Execution carries it."""
        mine = _Waiting(command, config)
        self._waiting.append(mine)
        if len(self._waiting) >= MOST:
            self._full.set()
        if self._sending is None or self._sending.done():
            self._sending = asyncio.create_task(self._send_all(), name=f"stock of {self._shop.brand}")
        try:
            return await mine.ended
        finally:
            if mine in self._waiting:
                self._waiting.remove(mine)

    async def aclose(self) -> None:
        if self._sending is not None:
            self._sending.cancel()
            await asyncio.gather(self._sending, return_exceptions=True)

    # --- together

    async def _send_all(self) -> None:
        while self._waiting:
            await self._gather()
            reserved = await self._client.reserve(OPERATION, Purpose.STOCK)  # more may come along meanwhile
            batch = self._next()
            if not batch:
                self._client.unused(reserved)
                return
            try:
                outcomes = await _Batch(batch, self._client, self._clock, self._shop).run(reserved)
                readings = await self._read_stale(batch, outcomes)
            except ConnectorError as error:
                for one in batch:
                    if not one.ended.done():
                        one.ended.set_exception(error)
                continue
            for one, outcome in zip(batch, outcomes, strict=True):
                if not one.ended.done():  # whoever waited for it may have been called away
                    reading = readings.get(one.command.order)
                    one.ended.set_result(Execution(outcome, () if reading is None else (reading,)))

    async def _gather(self) -> None:
        """A moment for others to come along, unless there are enough."""
        self._full.clear()
        if len(self._waiting) >= MOST:
            return
        full = asyncio.create_task(self._full.wait())
        moment = asyncio.create_task(self._clock.sleep(self._shop.stock_gathers))
        try:
            await asyncio.wait((full, moment), return_when=asyncio.FIRST_COMPLETED)
        finally:
            full.cancel()
            moment.cancel()

    def _next(self) -> list[_Waiting]:
        """The oldest, each pair once: Shopify refuses a call that names one twice."""
        taken: dict[tuple[str, str], _Waiting] = {}
        for one in self._waiting:
            taken.setdefault((one.command.item, one.command.location), one)
            if len(taken) == MOST:
                break
        batch = list(taken.values())
        self._waiting = [one for one in self._waiting if one not in batch]
        return batch

    async def _read_stale(self, batch: Sequence[_Waiting], outcomes: Sequence[Outcome]) -> dict[OrderId, Reading]:
        """What Shopify has instead, so that the next decision need not ask. Where it cannot be read, the fold asks."""
        stale = [one for one, outcome in zip(batch, outcomes, strict=True) if outcome.code == STALE]
        if not stale:
            return {}
        try:
            found = await self._levels.read(stale[0].config, [one.command.order for one in stale])
        except ConnectorError:
            return {}
        return {reading.order: reading for reading in found}


class _Batch:
    """One call after another until each of its figures has ended."""

    def __init__(self, batch: Sequence[_Waiting], client: ShopifyClient, clock: Clock, shop: ShopifyShop) -> None:
        self._commands = [one.command for one in batch]
        self._client, self._clock, self._shop = client, clock, shop
        self._ended: dict[int, Outcome] = {}
        self._try = 1
        self._unclear = False

    async def run(self, reserved: float) -> list[Outcome]:
        """One outcome per command, in their order. Raises Transient and Unauthorised when nothing was executed.

        `reserved` is the budget of the first request; each one after it waits for its own.
        """
        for number in range(MOST_ROUNDS):
            left = [index for index in range(len(self._commands)) if index not in self._ended]
            if not left:
                break
            await self._round(left, reserved if number == 0 else await self._client.reserve(OPERATION, Purpose.STOCK))
        for index in range(len(self._commands)):
            self._end(index, self._delayed("it did not come to an end"))
        return [self._ended[index] for index in range(len(self._commands))]

    async def _round(self, left: Sequence[int], reserved: float) -> None:
        try:
            answer = await self._client.mutate(OPERATION, self._variables(left), reserved)
        except (RateLimited, Unauthorised):
            if self._ended or self._unclear:
                self._all(left, self._delayed("not executed for now"))
                return
            raise
        except Transient as error:
            await self._wait_out(left, str(error))
            return
        except Permanent as error:
            self._all(left, _rejected(type(error).__name__.lower(), str(error)))
            return
        payload: Mapping[str, Any] | None = answer.data.get("inventorySetQuantities")
        if payload is None:
            await self._wait_out(left, "answered without data")
            return
        await self._heed(left, [_error(one) for one in payload.get("userErrors") or ()])

    async def _heed(self, left: Sequence[int], errors: Sequence[_Error]) -> None:
        """Any error means that nothing of the call was done."""
        if not errors:
            self._all(left, _Said(OutcomeKind.APPLIED))
        elif any(one.code == _CONCURRENT for one in errors):
            await self._wait_out(left, "the same request is still being executed")
        elif any(one.code == _OTHER_VARIABLES for one in errors):
            self._try += 1
        else:
            named = {one.element: one for one in errors if one.element is not None}
            for position, error in named.items():
                if position < len(left):
                    code = STALE if error.code == _CODE_STALE else error.code.lower()
                    self._end(left[position], _rejected(code, error.text, error.field))
            if not named:
                self._all(left, _rejected(errors[0].code.lower(), errors[0].text, errors[0].field))
            self._try += 1

    async def _wait_out(self, left: Sequence[int], why: str) -> None:
        """The same request again has no second effect; a third time is left to the next decision."""
        if self._unclear:
            self._all(left, self._delayed(why, "unclear_answer"))
            return
        self._unclear = True
        await self._clock.sleep(self._shop.stock_again)

    def _variables(self, left: Sequence[int]) -> dict[str, Any]:
        commands = [self._commands[index] for index in left]
        return {
            "key": str(uuid5(NAMESPACE_URL, "|".join([str(self._try), *(command.id for command in commands)]))),
            "input": {
                "name": "on_hand",
                "reason": "correction",
                "referenceDocumentUri": f"gid://lockstep/StockDecision/{commands[0].decided_offset}",
                "quantities": [
                    {
                        "inventoryItemId": gid("InventoryItem", command.item),
                        "locationId": gid("Location", command.location),
                        "quantity": command.quantity,
                        "changeFromQuantity": command.compare,
                    }
                    for command in commands
                ],
            },
        }

    def _all(self, left: Sequence[int], said: "_Said") -> None:
        for index in left:
            self._end(index, said)

    def _end(self, index: int, said: "_Said") -> None:
        command = self._commands[index]
        outcome = ended(command, said.kind, code=said.code, field=said.field, text=said.text, until=said.until)
        self._ended.setdefault(index, outcome)

    def _delayed(self, why: str, code: str = "unavailable") -> "_Said":
        until = self._clock.now() + timedelta(seconds=self._shop.stock_again)
        return _Said(OutcomeKind.DELAYED, code, why, "", until)


class _Said(NamedTuple):
    """How one figure ended."""

    kind: OutcomeKind
    code: str = ""
    text: str = ""
    field: str = ""
    until: datetime | None = None


def _rejected(code: str, text: str, field: str = "") -> _Said:
    return _Said(OutcomeKind.REJECTED, code, text, field)


def _error(found: Mapping[str, Any]) -> _Error:
    """`field` is a path like `input, quantities, 3, changeFromQuantity`; it names the element."""
    path = [str(step) for step in found.get("field") or ()]
    number = path[2] if len(path) > 2 and path[1] == "quantities" and path[2].isdigit() else None
    return _Error(
        str(found.get("code") or "refused"),
        str(found.get("message") or "no reason given"),
        None if number is None else int(number),
        ".".join(path),
    )
