"""A history: what is ordered, how often chance strikes, and every planned mishap with its moment. All from one seed."""

import random
from collections.abc import Sequence
from enum import StrEnum

from pydantic import Field

from lockstep.demo.scenario import BRANDS, DemoBrand
from lockstep.simulation.process import CONNECTOR_POINTS, WORKER_POINTS, Point
from lockstep.simulation.shelves import HOT, Shelves
from sandbox.faults import Faults
from schemas.base import Frozen, System
from schemas.topics import (
    CASES,
    COMMANDS,
    COMMANDS_STOCK,
    HINTS,
    ORDERS_EVENTS,
    ORDERS_STATE,
    RAW,
    STOCK_EVENTS,
    STOCK_STATE,
)

WORKERS = ("normalise", "orders", "stock")
ROLES = (*(str(system) for system in System), "normalise", "orders")
TOPICS = (
    ORDERS_EVENTS.name,
    ORDERS_STATE.name,
    CASES.name,
    *(topic.name for group in (RAW, COMMANDS, HINTS) for topic in group.values()),
)


class Kind(StrEnum):
    """What `whom`, `order` and `seconds` of a Mishap mean is said beside each."""

    # processes and the log
    KILL = "kill"
    """The role dies at `point`, without a word; another starts `seconds` later."""
    PAUSE = "pause"
    """The role stands still from `point` on for `seconds`; past its session another takes over, and it is a zombie."""
    JOIN = "join"
    """A second instance of the role for `seconds`; then it leaves in order."""
    LOG_AWAY = "log away"
    SEND_FAILS = "send fails"
    """The next send to the topic is not acknowledged and not in the log."""
    ACK_LOST = "ack lost"
    """The next send to the topic is in the log; its acknowledgement is lost."""
    CLOCK_SKEW = "clock skew"
    """The role's machine is `seconds` ahead from then on."""
    POISON = "poison"
    """A record nobody can read, in the topic."""
    # people of ours
    CONFIG = "config"
    """The brand's next configuration: other waits and another priority."""
    STOP = "stop"
    """The brand is paused for the system in `point`, for `seconds`."""
    OPERATOR = "operator"
    """Does what `point` says to the order."""
    UNMAPPED = "unmapped"
    """For `seconds` the configuration does not know one of the brand's shipping lines."""
    # the shop's staff, about the `order`-th order
    HOLD = "hold"
    """For `seconds`."""
    MOVE = "move"
    SPLIT = "split"
    CANCEL = "cancel"
    ADD_LINE = "add line"
    READDRESS = "readdress"
    """The shopper lives elsewhere now."""
    CHOOSE = "choose"
    """The shopper wants it sent by another shipping line, which is mapped."""
    HAND_FULFILMENT = "hand fulfilment"
    CANCEL_FULFILMENT = "cancel fulfilment"
    # the warehouse and the outside systems
    DELETE_PENDING = "delete pending"
    SHORT_CLOSE = "short close"
    OVER_DESPATCH = "over-despatch"
    UNDESPATCH = "undespatch"
    """Leaves again after `seconds`."""
    RIGHTS_LOST = "rights lost"
    """Clarus shows the brand nothing for `seconds`."""
    SYSTEM_AWAY = "system away"
    """The system answers 502 to everything for `seconds`."""
    PERIOD_CLOSED = "period closed"
    """The ERP takes no posting for `seconds`."""
    # stock, where it is counted: of the brand in `whom`, at the `LOCATION/SKU` in `point`, `units` of it
    RECEIVED = "received"
    RECEIVED_HELD = "received on hold"
    """Released after `seconds`."""
    HELD = "held"
    """For `seconds`."""
    FOUND = "found"
    LOST = "lost"
    TRANSFERRED = "transferred"
    """To another account."""
    WHOLESALE = "wholesale"
    """An order of another channel."""
    PUT_BACK = "put back"
    """Totes of goods-outs that will never leave."""
    RAISED = "raised by hand"
    LOWERED = "lowered by hand"
    BUFFER = "buffer"
    """The brand's buffer is `units` from then on."""


class Mishap(Frozen):
    """`at` and `seconds` in seconds, `at` from the first order on; `order` counts them from 0."""

    at: float
    kind: Kind
    whom: str = ""
    """A role, a topic, a brand or a system."""
    point: str = ""
    order: int = -1
    seconds: float = 0.0
    units: int = 0

    def __str__(self) -> str:
        parts = [self.whom, self.point, f"order {self.order}" if self.order >= 0 else ""]
        parts.append(f"{self.units} units" if self.units else "")
        lasts = f" for {self.seconds:.1f} s" if self.seconds else ""
        return f"{self.at:6.1f} s  {self.kind}: {', '.join(part for part in parts if part)}{lasts}"


class History(Frozen):
    """`rate` is orders a second, over all shops. More are placed at the end until there are `events` of them."""

    seed: int
    orders: int = Field(ge=1)
    rate: float = Field(gt=0)
    events: int = 0
    """Records of `orders.events`, `stock.events` and `items.events` at least, together."""
    planted: tuple[str, ...] = ()
    """Orders that can never be shipped, one of each; see the shoppers' habits."""
    new_line: float = Field(default=0.0, ge=0, le=1)
    """Share of orders by a shipping line that no configuration knows before it is mapped."""
    mapped_after: float = Field(default=0.0, ge=0)
    """Seconds from the first order until the brands' people map the new lines."""
    on_account: int = Field(default=0, ge=0)
    """So many orders are to be paid later, and stay unpaid: a person lets each go once it is a case."""
    faults: Faults = Faults()
    mishaps: tuple[Mishap, ...] = ()
    shelves: Shelves | None = None
    """None: nobody counts stock, and no stock worker runs."""


EVENTS_AN_ORDER = 42
"""An order of a history causes about so many events, and seldom fewer than two thirds of them; what is missing is
ordered later."""
STOCKED_EVENTS_AN_ORDER = 200
"""The same where stock is counted: most of the events are the stock's, and those of a rush for it."""
STOCKED_EVERY = 3
"""Of so many seeds one counts its stock."""


def draw(seed: int, events: int = 200) -> History:
    """The history of a seed: enough orders for so many events, three to eight mishaps, and faults all along."""
    chance = random.Random(f"history/{seed}")  # noqa: S311 - a seed's own
    stocked = seed % STOCKED_EVERY == 0
    orders = max(1, round(events / (STOCKED_EVENTS_AN_ORDER if stocked else EVENTS_AN_ORDER)))
    rate = chance.choice((0.5, 1.0, 2.0, 4.0))
    mishaps = [_mishap(chance, orders, orders / rate) for _ in range(chance.randint(3, 8))]
    planted = [chance.choice(("unmapped_shipping_line", "unmapped_location", "unknown_sku", "address_incomplete"))]
    history = History(
        seed=seed,
        orders=orders,
        rate=rate,
        events=events,
        planted=tuple(planted) if chance.random() < 0.5 else (),
        faults=_faults(chance),
        mishaps=tuple(sorted(mishaps, key=lambda one: one.at)),
    )
    history = with_people(history)
    return with_stock(history) if stocked else history


def with_people(history: History) -> History:
    """The same where, in every third, shoppers choose new shipping lines and, in every other, one is on account."""
    chance = random.Random(f"people/{history.seed}")  # noqa: S311 - a seed's own
    shopping = history.orders / history.rate
    curious, late = chance.random() < 1 / 3, round(chance.uniform(shopping / 2, shopping + 40.0), 2)
    share, owing = chance.choice((0.2, 0.4, 0.6)), chance.random() < 1 / 2
    new = {"new_line": share, "mapped_after": late} if curious else {}
    return history.model_copy(update={**new, "on_account": int(owing)})


def with_stock(history: History) -> History:
    """The same with counted stock, a rush for some of it, and four to nine mishaps more: most of the stock's."""
    chance = random.Random(f"stock/{history.seed}")  # noqa: S311 - a seed's own
    shelves = Shelves(
        units=chance.choice((5, 8, 12)),
        hot=chance.choice((2, 3, 4)),
        off_by=chance.choice((0, 0, 0, 1, 2, -1)),
        buyers=chance.randint(1, 3),
        window=chance.choice((5.0, 15.0, 30.0)),
        gross_of=chance.choice(((), (), ("allocated",), ("allocated", "picked"))),
        buffer=chance.choice((0, 0, 0, 1)),
        max_wait=chance.choice((5, 10, 20)),
        brands=chance.choice((("acme",), ("acme",), ("brio",), ("brio",), ("acme", "brio"))),
    )
    lasts = history.orders / history.rate + shelves.window
    brands = [brand for brand in BRANDS if brand.brand in shelves.brands]
    kinds = chance.choices(list(_STOCK_WEIGHTS), list(_STOCK_WEIGHTS.values()), k=chance.randint(4, 9))
    orders = _rushed(brands[0], shelves.buyers)
    usual = (
        one if one.order < 0 else one.model_copy(update={"order": chance.choice(orders)}) for one in history.mishaps
    )
    mishaps = (*usual, *(_of_stock(chance, kind, orders, lasts, brands) for kind in kinds))
    return history.model_copy(update={"shelves": shelves, "mishaps": tuple(sorted(mishaps, key=lambda one: one.at))})


def _rushed(brand: DemoBrand, buyers: int) -> list[int]:
    """Numbers of the orders of the shop that everybody comes to: they are dealt out in turns."""
    return [BRANDS.index(brand) + number * len(BRANDS) for number in range(1 + buyers)]


def _faults(chance: random.Random) -> Faults:
    """Each kind often, seldom or, in some histories, never; but not all of them seldom: ten are to strike in each."""

    def share(most: float) -> float:
        return round(chance.choice((0.0, most / 4, most / 2, most)), 4)

    drawn = Faults(
        webhook_lost=share(0.2),
        webhook_doubled=share(0.3),
        webhook_delay=share(8.0),
        throttled=share(0.04),
        server_error=share(0.06),
        answer_lost=share(0.15),
        late_execution=share(0.08),
        late_by=round(chance.uniform(1.0, 4.5), 2),
        slow=share(0.15),
        slow_by=round(chance.uniform(0.5, 4.0), 2),
    )
    per_request = drawn.throttled + drawn.server_error + drawn.slow
    expected = WEBHOOKS * (drawn.webhook_lost + drawn.webhook_doubled) + REQUESTS * per_request
    return drawn if expected >= 25 else drawn.model_copy(update={"webhook_doubled": 0.3, "slow": 0.15})


WEBHOOKS, REQUESTS = 25, 250
"""At least about so many there are in a history."""


OPERATED = ("refresh", "retry", "close", "release_again", "override")
"""What an operator may ask for. What is overridden is the edit window."""

_WEIGHTS: dict[Kind, int] = {
    Kind.KILL: 8, Kind.PAUSE: 6, Kind.JOIN: 2, Kind.LOG_AWAY: 2, Kind.SEND_FAILS: 2, Kind.ACK_LOST: 2,
    Kind.CLOCK_SKEW: 2, Kind.POISON: 1, Kind.CONFIG: 2, Kind.UNMAPPED: 3, Kind.STOP: 2, Kind.OPERATOR: 3,
    Kind.HOLD: 4, Kind.MOVE: 3, Kind.SPLIT: 3, Kind.CANCEL: 5, Kind.ADD_LINE: 3, Kind.READDRESS: 4,
    Kind.CHOOSE: 3,
    Kind.HAND_FULFILMENT: 2, Kind.CANCEL_FULFILMENT: 2, Kind.DELETE_PENDING: 2, Kind.SHORT_CLOSE: 2,
    Kind.OVER_DESPATCH: 1, Kind.UNDESPATCH: 1,
    Kind.RIGHTS_LOST: 2, Kind.SYSTEM_AWAY: 3, Kind.PERIOD_CLOSED: 2,
}  # fmt: skip
"""How often each is drawn among others."""


def _mishap(chance: random.Random, orders: int, shopping: float) -> Mishap:  # noqa: PLR0912 - a case per kind
    """At any moment while orders come and for as long as one takes through the warehouse."""
    kind = chance.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
    at, seconds = round(chance.uniform(0.5, shopping + 25.0), 2), 0.0
    whom, point, order = "", "", -1
    match kind:
        case Kind.KILL:
            whom = chance.choice(ROLES)
            point, seconds = _point(chance, whom), chance.uniform(0.2, 6.0)
        case Kind.PAUSE:
            whom = chance.choice(ROLES)
            point, seconds = _point(chance, whom), chance.uniform(1.0, 45.0)
        case Kind.JOIN:
            whom, seconds = chance.choice(ROLES), chance.uniform(1.0, 20.0)
        case Kind.LOG_AWAY:
            seconds = chance.uniform(0.5, 12.0)
        case Kind.SEND_FAILS | Kind.ACK_LOST:
            whom = chance.choice(TOPICS)
        case Kind.CLOCK_SKEW:
            whom, seconds = chance.choice(ROLES), chance.choice((-1, 1)) * chance.choice((2.0, 30.0, 90.0))
        case Kind.POISON:
            whom = chance.choice([topic.name for group in (RAW, COMMANDS, HINTS) for topic in group.values()])
        case Kind.CONFIG | Kind.UNMAPPED | Kind.RIGHTS_LOST:
            whom, seconds = str(chance.choice(BRANDS).brand), chance.uniform(5.0, 40.0)
        case Kind.STOP:
            whom, point = str(chance.choice(BRANDS).brand), str(chance.choice(list(System)))
            seconds = chance.uniform(5.0, 40.0)
        case Kind.SYSTEM_AWAY:
            whom, seconds = str(chance.choice(list(System))), chance.uniform(5.0, 40.0)
        case Kind.PERIOD_CLOSED:
            seconds = chance.uniform(5.0, 40.0)
        case Kind.OPERATOR:
            order, point = chance.randrange(orders), chance.choice(OPERATED)
        case _:
            order, seconds = chance.randrange(orders), chance.uniform(2.0, 20.0)
    return Mishap(at=at, kind=kind, whom=whom, point=point, order=order, seconds=round(seconds, 2))


_STOCK_WEIGHTS: dict[Kind, int] = {
    Kind.RECEIVED: 3, Kind.RECEIVED_HELD: 2, Kind.HELD: 4, Kind.FOUND: 2, Kind.LOST: 4, Kind.TRANSFERRED: 3,
    Kind.WHOLESALE: 5, Kind.PUT_BACK: 2, Kind.RAISED: 5, Kind.LOWERED: 3, Kind.BUFFER: 1,
    Kind.KILL: 4, Kind.PAUSE: 3, Kind.JOIN: 1, Kind.SEND_FAILS: 2, Kind.ACK_LOST: 2, Kind.POISON: 1, Kind.CANCEL: 4,
}  # fmt: skip
"""The same of what is drawn for the stock; what strikes processes and the log strikes the stock's own."""
_STOCK_TOPICS = (STOCK_EVENTS.name, STOCK_STATE.name, COMMANDS_STOCK.name)


def _of_stock(
    chance: random.Random, kind: Kind, orders: Sequence[int], lasts: float, brands: Sequence[DemoBrand]
) -> Mishap:
    """At any moment while orders come, and a little longer."""
    at, seconds = round(chance.uniform(0.5, lasts + 15.0), 2), round(chance.uniform(2.0, 20.0), 2)
    match kind:
        case Kind.KILL | Kind.PAUSE:
            return Mishap(at=at, kind=kind, whom="stock", point=_point(chance, "stock"), seconds=seconds)
        case Kind.JOIN:
            return Mishap(at=at, kind=kind, whom="stock", seconds=seconds)
        case Kind.SEND_FAILS | Kind.ACK_LOST:
            return Mishap(at=at, kind=kind, whom=chance.choice(_STOCK_TOPICS))
        case Kind.POISON:
            return Mishap(at=at, kind=kind, whom=COMMANDS_STOCK.name)
        case Kind.CANCEL:
            return Mishap(at=at, kind=kind, order=chance.choice(orders))
    brand = chance.choice(brands)
    return Mishap(
        at=at,
        kind=kind,
        whom=str(brand.brand),
        point="" if kind in (Kind.PUT_BACK, Kind.BUFFER) else _place(chance, brand),
        seconds=seconds if kind in (Kind.HELD, Kind.RECEIVED_HELD) else 0.0,
        units=0 if kind is Kind.PUT_BACK else chance.randint(kind is not Kind.BUFFER, 3),
    )


def _place(chance: random.Random, brand: DemoBrand) -> str:
    """Mostly of what is wanted most."""
    single = [sku for sku in brand.skus if sku not in brand.bundles]
    sku = chance.choice(HOT[brand.brand] if chance.random() < 0.7 else single)
    return f"{chance.choice(list(brand.warehouses))}/{sku}"


def _point(chance: random.Random, role: str) -> str:
    points: Sequence[Point] = WORKER_POINTS if role in WORKERS else CONNECTOR_POINTS
    return str(chance.choice(points))
