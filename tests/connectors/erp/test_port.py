"""How a write of an adapter becomes an outcome, told with an adapter that does as the test says."""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import pytest

from connectors.erp.interface import Capabilities, ItemChanges, ItemRecord, NotYet, Written
from connectors.erp.port import ErpPort
from connectors.erp.sandbox.adapter import CAPABILITIES
from connectors.erp.setup import ErpSetup
from connectors.runtime.errors import Incompatible, Rejected, TimedOut, Unauthorised, Unavailable
from connectors.runtime.port import Changes, Execution, Reading
from schemas.base import Brand, OrderId, Sku, System
from schemas.commands import Decided, PostFulfilment, UpsertErpOrder, Withdraw
from schemas.hints import Hint
from schemas.items import ErpItemId
from schemas.outcomes import OutcomeKind
from tests.connectors.erp.wishes import ACME, LAMP, NOON, an_order, goods_out, line, posting, wish
from tests.sandbox.step_clock import StepClock


class ScriptedErp:
    """Answers each write with the next entry of its script."""

    def __init__(self, clock: StepClock, *script: Written | Exception, reads: bool = True) -> None:
        self._clock = clock
        self._script = deque(script)
        self._reads = reads
        self.closed = 0

    @property
    def capabilities(self) -> Capabilities:
        return CAPABILITIES

    async def read(self, brand: Brand, orders: Sequence[OrderId]) -> Sequence[Reading]:
        if not self._reads:
            raise Unavailable("away")
        return [Reading(brand, order, b"{}", self._clock.now()) for order in orders]

    async def upsert_order(self, command: UpsertErpOrder) -> Written:
        return self._next()

    async def post_fulfilment(self, command: PostFulfilment) -> Written:
        return self._next()

    async def changes_since(self, brand: Brand, cursor: str) -> Changes:
        return Changes((), cursor)

    async def listed(self, brand: Brand, since: datetime) -> Sequence[OrderId]:
        return ()

    async def item_codes(self, brand: Brand) -> Mapping[ErpItemId, Sku]:
        return {}

    async def items(self, brand: Brand, ids: Sequence[ErpItemId]) -> Mapping[ErpItemId, ItemRecord]:
        return {}

    async def items_changed(self, brand: Brand, cursor: str) -> ItemChanges:
        return ItemChanges({}, cursor)

    def setup(self, brand: Brand) -> ErpSetup:
        raise NotImplementedError

    async def aclose(self) -> None:
        self.closed += 1

    def _next(self) -> Written:
        answer = self._script.popleft()
        if isinstance(answer, Exception):
            raise answer
        return answer


def execute(*script: Written | Exception, reads: bool = True) -> tuple[Execution, float]:
    """How the port ends a wish over this script, and the seconds it took."""
    clock = StepClock()
    before = clock.now()
    port = ErpPort({ACME: ScriptedErp(clock, *script, reads=reads)}, clock)
    ended = asyncio.run(port.execute(wish(an_order(), line(1, LAMP, 1))))
    return ended, (clock.now() - before).total_seconds()


@pytest.mark.parametrize(("already", "kind"), [(False, OutcomeKind.APPLIED), (True, OutcomeKind.ALREADY_APPLIED)])
def test_a_write_is_read_back(already: bool, kind: OutcomeKind) -> None:
    ended, _ = execute(Written("SO-1", already))
    assert (ended.outcome.kind, ended.outcome.external_id) == (kind, "SO-1")
    assert len(ended.readings) == 1


def test_a_write_stands_even_if_it_cannot_be_read_back() -> None:
    ended, _ = execute(Written("SO-1", already=False), reads=False)
    assert (ended.outcome.kind, ended.readings) == (OutcomeKind.APPLIED, ())


def test_after_an_unclear_answer_it_waits_the_longest_request_and_looks_again() -> None:
    ended, seconds = execute(TimedOut("no answer"), Written("SO-1", already=True))
    assert ended.outcome.kind is OutcomeKind.APPLIED
    assert seconds == CAPABILITIES.longest_request


def test_what_the_erp_must_do_first_delays() -> None:
    ended, _ = execute(NotYet("order_not_committed", "a draft", seconds=10))
    assert (ended.outcome.kind, ended.outcome.code) == (OutcomeKind.DELAYED, "order_not_committed")
    assert ended.outcome.until == StepClock().now() + timedelta(seconds=10)


def test_a_refusal_is_an_outcome_with_its_place() -> None:
    ended, _ = execute(Rejected("unknown_sku", "no item", "lines.0.sku"))
    outcome = ended.outcome
    assert (outcome.kind, outcome.code, outcome.field) == (OutcomeKind.REJECTED, "unknown_sku", "lines.0.sku")


def test_an_answer_we_cannot_read_is_a_refusal_for_developers() -> None:
    ended, _ = execute(Incompatible("expected JSON"))
    assert (ended.outcome.kind, ended.outcome.code) == (OutcomeKind.REJECTED, "incompatible")


@pytest.mark.parametrize("error", [Unavailable("away"), Unauthorised("401")])
def test_a_connection_that_fails_is_the_runtimes_business(error: Exception) -> None:
    with pytest.raises(type(error)):
        execute(error)


def test_a_second_unclear_answer_is_not_called_anything() -> None:
    with pytest.raises(TimedOut):
        execute(TimedOut("once"), TimedOut("twice"))


def test_a_posting_goes_the_same_way() -> None:
    clock, order = StepClock(), an_order()
    port = ErpPort({ACME: ScriptedErp(clock, Written("G#1", already=False))}, clock)
    ended = asyncio.run(port.execute(posting(order, goods_out(order), _1=1)))
    assert (ended.outcome.kind, ended.outcome.external_id) == (OutcomeKind.APPLIED, "G#1")


def test_another_systems_command_is_refused_and_nothing_read() -> None:
    clock = StepClock()
    wanted = wish(an_order(), line(1, LAMP, 1))
    carried = {name: getattr(wanted, name) for name in Decided.model_fields if name != "kind"}
    withdraw = Withdraw(**carried, system=System.ERP, withdrawn=wanted.id)
    ended = asyncio.run(ErpPort({ACME: ScriptedErp(clock)}, clock).execute(withdraw))
    assert (ended.outcome.kind, ended.outcome.code) == (OutcomeKind.REJECTED, "wrong_system")


def test_brands_that_share_an_erp_close_it_once() -> None:
    clock = StepClock()
    erp = ScriptedErp(clock)
    port = ErpPort({ACME: erp, Brand("borealis"): erp}, clock)
    assert port.brands == {"acme", "borealis"}
    asyncio.run(port.aclose())
    assert erp.closed == 1


def test_a_hint_names_its_order_and_nothing_else_is_known() -> None:
    clock = StepClock()
    port = ErpPort({ACME: ScriptedErp(clock)}, clock)
    hint = Hint(brand=ACME, order=OrderId("5001"), why="poll", seen_at=NOON)
    unknown = hint.model_copy(update={"order": OrderId("~17")})
    assert asyncio.run(port.resolve(hint)) == ("5001",)
    assert asyncio.run(port.resolve(unknown)) == ()
