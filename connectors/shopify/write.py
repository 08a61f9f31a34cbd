"""Carries out what the shopper is to be told: look, write if it is not so, look again. Never blind.

`fulfillmentCreate` has no idempotency key and sends a mail (Admin API 2026-10, @idempotent): the look is all that
stands between a lost answer and a second mail.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from connectors.runtime.errors import (
    ConnectorError,
    Permanent,
    RateLimited,
    Rejected,
    TimedOut,
    Transient,
    Unauthorised,
    Unavailable,
)
from connectors.runtime.outcomes import ended
from connectors.runtime.port import Execution, Reading
from connectors.shopify.answers import Answer
from connectors.shopify.client import ShopifyClient
from connectors.shopify.gids import number_of
from connectors.shopify.look import Done, Mutation, Refused, TellingWish, TrackingWish, Wish
from connectors.shopify.read import OrderReader
from connectors.shopify.settings import ShopifyShop
from connectors.shopify.translate import translate_order
from kernel.clock import Clock
from schemas.base import FulfilmentId
from schemas.commands import CreateFulfilment, UpdateTracking
from schemas.errors import Unreadable
from schemas.orders import Order
from schemas.outcomes import OutcomeKind

MOST_ROUNDS = 12
"""Looks one try may take: throttling and stale looks must not keep a key for ever."""


class FulfilmentWriter:
    """Tells the shoppers of one shop."""

    def __init__(self, shop: ShopifyShop, client: ShopifyClient, reader: OrderReader, clock: Clock) -> None:
        self._shop, self._client, self._reader, self._clock = shop, client, reader, clock

    async def execute(self, command: CreateFulfilment | UpdateTracking) -> Execution:
        """As `Port.execute`; the Execution carries the order as read last.

        Ends in `delayed(unclear_answer)` when a second request in a row gets no clear answer, or when Shopify is away
        after the first.
        """
        wish = TellingWish(command) if isinstance(command, CreateFulfilment) else TrackingWish(command)
        return await _Try(wish, self._shop, self._client, self._reader, self._clock).run()


@dataclass(frozen=True, slots=True)
class _Look:
    order: Order
    at: float


class _Try:
    """One command's way through look and write."""

    def __init__(self, wish: Wish, shop: ShopifyShop, client: ShopifyClient, reader: OrderReader, clock: Clock) -> None:
        self._wish, self._command = wish, wish.command
        self._shop, self._client, self._reader, self._clock = shop, client, reader, clock
        self._reading: Reading | None = None
        self._unclear: ConnectorError | None = None
        """Why it is not known whether a request was executed."""
        self._refusal: Refused | None = None
        """What Shopify refused; the look that follows decides what it means."""
        self._wrote = False
        self._throttled: RateLimited | None = None

    async def run(self) -> Execution:
        for _ in range(MOST_ROUNDS):
            try:
                look = await self._look()
            except Unauthorised:
                raise
            except Unreadable as error:
                return self._end(OutcomeKind.REJECTED, code="unreadable", field=error.where, text=str(error))
            except ConnectorError as error:
                return self._blind(error)
            if look is None:
                return self._refused(Refused("order_gone", "Shopify has no such order"))
            execution = await self._step(look)
            if execution is not None:
                return execution
        return self._blind(self._throttled or Unavailable("the order was not looked at in time to write"))

    async def _look(self) -> _Look | None:
        at = self._clock.monotonic()
        reading = await self._reader.read_one(self._command.order)
        self._reading = reading
        if reading.absent:
            return None
        if not reading.complete:
            raise Unauthorised(f"order {self._command.order}: parts of it are hidden from us")
        return _Look(translate_order(reading.body), at)

    async def _step(self, look: _Look) -> Execution | None:
        """Judge what was seen and write what is missing. None: look again."""
        match self._wish.judge(look.order):
            case Done(fulfilment=found):
                tried = self._wrote or self._unclear is not None
                kind = OutcomeKind.APPLIED if tried else OutcomeKind.ALREADY_APPLIED
                return self._end(kind, external_id=found, text=self._wish.left)
            case Refused() as refused:
                return self._refused(refused)
            case Mutation() as mutation:
                if self._refusal is not None:
                    return self._refused(self._refusal)
                if isinstance(self._unclear, Unauthorised):
                    raise self._unclear
                return await self._write(mutation, look)

    # --- writing

    async def _write(self, mutation: Mutation, look: _Look) -> Execution | None:
        reserved = await self._client.reserve(mutation.operation)
        if self._clock.monotonic() - look.at > self._shop.look_lasts:
            self._client.unused(reserved)  # the wait for budget made the look old
            return None
        try:
            answer = await self._client.mutate(mutation.operation, mutation.variables, reserved)
        except RateLimited as throttled:
            self._throttled = throttled  # nothing was executed
        except Unauthorised:
            raise  # nothing was executed
        except Rejected as refused:
            self._refusal = Refused(refused.code, refused.text, refused.field)
        except Permanent as error:
            self._refusal = Refused(type(error).__name__.lower(), str(error))
        except Transient as error:
            # Unavailable too: what a proxy answers in Shopify's place does not prove that Shopify did nothing.
            return await self._wait_out(error, look)
        else:
            return await self._heed(answer, mutation, look)
        return None

    async def _heed(self, answer: Answer, mutation: Mutation, look: _Look) -> Execution | None:
        """HTTP 200 is not yet a success, and a denied field beside the data not yet a failure."""
        payload: dict[str, Any] = answer.data.get(mutation.payload) or {}
        errors = payload.get("userErrors") or ()
        fulfilment = number_of((payload.get("fulfillment") or {}).get("id") or "")
        if fulfilment:
            self._wrote, self._unclear = True, None
            self._wish.wrote(mutation, FulfilmentId(fulfilment))
            return None
        if errors:
            path = ".".join(str(step) for step in errors[0].get("field") or ())
            self._refusal = Refused("refused", str(errors[0].get("message") or "no reason given"), path)
            return None
        if answer.denied:
            return await self._wait_out(Unauthorised(f"{mutation.operation}: {answer.denied[0].text}"), look)
        return await self._wait_out(TimedOut(f"{mutation.operation}: answered without data"), look)

    async def _wait_out(self, why: ConnectorError, look: _Look) -> Execution | None:
        """Until Shopify cannot execute the request any more; only then does a look tell what became of it. A second
        time is left to the next try: a key is not held for so long.
        """
        again = self._unclear is not None
        self._unclear = why
        self._wish.unclear(look.order)
        if again:
            return self._delayed(why)
        await self._clock.sleep(self._shop.longest_request)
        return None

    # --- ends

    def _refused(self, refused: Refused) -> Execution:
        """What was told before stands, though the order is gone since."""
        if self._wish.complete:
            return self._end(OutcomeKind.APPLIED, text=self._wish.left)
        return self._end(OutcomeKind.REJECTED, code=refused.code, field=refused.field, text=refused.text)

    def _blind(self, why: ConnectorError) -> Execution:
        """The order cannot be looked at. Raises when nothing can have been written."""
        if self._wish.complete:
            return self._end(OutcomeKind.APPLIED, text=self._wish.left)  # answered; only the reading is missing
        if isinstance(why, Transient) and self._unclear is None and not self._wrote:
            raise why
        return self._delayed(self._unclear or why)

    def _delayed(self, why: ConnectorError) -> Execution:
        until = self._clock.now() + timedelta(seconds=self._shop.longest_request)
        code = "unclear_answer" if self._unclear is not None else type(why).__name__.lower()
        return self._end(OutcomeKind.DELAYED, code=code, text=str(why), until=until)

    def _end(
        self,
        kind: OutcomeKind,
        *,
        external_id: str = "",
        code: str = "",
        field: str = "",
        text: str = "",
        until: datetime | None = None,
    ) -> Execution:
        known = external_id or self._wish.done or ""
        outcome = ended(self._command, kind, external_id=known, code=code, field=field, text=text, until=until)
        return Execution(outcome, (self._reading,) if self._reading is not None else ())
