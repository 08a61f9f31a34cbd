"""Laws over random histories of one order: whatever happens in whatever order, with answers lost and restarts.

Units on their way never exceed what was bought, a bundle being asked for as whole kits only; for a parcel no more is
told than left it and is posted; nothing waits for ever without a case; equal logs give equal bytes; a record delivered
again changes nothing.
"""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.base import System
from schemas.commands import Withdraw
from schemas.orders import FulfilmentOrderStatus
from streams.agents.orders import OrdersFold
from tests.rules.world import BOUGHT, STARTS, World, a_world
from tests.story import Story, refold

Action = Callable[[World, int], object]

BY_SYSTEM = tuple(System)


def restart(world: World, pick: int) -> None:
    """From the changelog; the last records come again, and what may not have been sent is sent again."""
    story = world.story
    fold = OrdersFold(0)
    for key, value in story.changelog.items():
        fold.restore(key, value)
    fold.restored()
    story.fold = fold
    committed = max(0, len(story.log) - pick % 5)
    for emission in fold.resend(committed):
        story.receive(emission)
    before = dict(story.changelog)
    story.again(len(story.log) - committed)
    assert story.changelog == before, "a record delivered again changes nothing"
    world.collect()


def pass_time(world: World, pick: int) -> None:
    world.story.later(minutes=(1, 12, 70, 400)[pick % 4])
    world.collect()


def deliver_more(world: World, pick: int) -> None:
    for number in range(4):
        world.deliver(BY_SYSTEM[(pick + number) % 3])


def execute_all(world: World, _pick: int) -> None:
    for system in BY_SYSTEM:
        world.execute(system)


def flow(world: World, pick: int) -> None:
    """For a while everything is carried out and told in good order."""
    for _ in range(1 + pick % 3):
        for system in BY_SYSTEM:
            world.execute(system)
        for system in BY_SYSTEM:
            while world.queues[system]:
                world.deliver(system)


ACTIONS: dict[str, Action] = {
    "flow": flow,
    "deliver": lambda world, pick: world.deliver(BY_SYSTEM[pick % 3]),
    "deliver more": deliver_more,
    "execute": lambda world, pick: world.execute(BY_SYSTEM[pick % 3]),
    "execute all": execute_all,
    "execute and die": lambda world, pick: world.execute(BY_SYSTEM[pick % 3], dies=True),
    "read": lambda world, pick: world.say(BY_SYSTEM[pick % 3]),
    "time": pass_time,
    "restart": restart,
    "again": lambda world, _: world.story.appended_twice(),
    "pick": World.pick,
    "despatch": World.despatch,
    "despatch untracked": lambda world, pick: world.despatch(pick, tracked=False),
    "close short": lambda world, pick: world.despatch(pick, whole=True),
    "despatch torn": lambda world, pick: world.despatch(pick, torn=True),
    "track": World.track,
    "delete": World.delete,
    "stop": World.stop,
    "commit": World.commit,
    "post": World.post,
    "hold": World.hold,
    "split": World.split,
    "move": World.move,
    "refund": World.refund,
    "cancel": World.cancel,
    "by hand": World.fulfil_by_hand,
    "take back": World.take_back,
}
OFTEN = (
    "flow",
    "flow",
    "deliver more",
    "execute all",
    "despatch",
    "despatch",
    "despatch torn",
    "commit",
    "post",
    "time",
)

TO_THE_END = (("flow", 2), ("commit", 0), ("flow", 2), ("despatch", 0), ("flow", 2), ("post", 0), ("flow", 2))
"""One unit all the way. A history begins with some of it, so that chance meets every stage of an order."""

TORN = tuple(("despatch torn" if name == "despatch" else name, pick) for name, pick in TO_THE_END)
"""The same of a component alone, where the order is one of bundles."""

began = st.builds(
    lambda way, steps: list(way[:steps]),
    st.sampled_from((TO_THE_END, TO_THE_END, TORN)),
    st.integers(min_value=0, max_value=len(TO_THE_END)),
)
chances = st.lists(
    st.tuples(st.sampled_from([*ACTIONS, *OFTEN, *OFTEN]), st.integers(min_value=0, max_value=11)),
    min_size=3,
    max_size=40,
)
steps = st.builds(lambda first, then: first + then, began, chances)
histories = st.tuples(st.sampled_from(sorted(STARTS)), st.booleans(), steps)
History = tuple[str, bool, list[tuple[str, int]]]
"""How the order lies at first, whether it is one of bundles, and what happens."""


def live(history: History) -> World:
    """Tell a history, checking the books after every step."""
    start, kits, happening = history
    world = a_world(start, kits=kits)
    world.say(System.SHOPIFY)
    world.deliver(System.SHOPIFY)
    for name, pick in happening:
        ACTIONS[name](world, pick)
        the_books_are_right(world)
    return world


def the_books_are_right(world: World) -> None:
    on_the_way: Counter[str] = Counter()
    for units in world.made_of.values():
        on_the_way.update(units)
    assert not on_the_way - Counter(BOUGHT), f"more is on its way than was bought: {dict(world.made_of)}"
    for one in world.order.order.fulfilment_orders:
        asked: Counter[str] = Counter()
        for reference, units in world.made_of.items():
            if reference.split("-")[2] == one.id:
                asked.update(units - world.told_of.get(reference, Counter()))
        had = Counter[str]({line.line: line.total for line in one.lines})
        assert not asked - had, f"fulfilment order {one.id} had {dict(had)}, {dict(asked)} are asked for and not told"
    for reference, told in world.told_of.items():
        settled = world.despatched_of(reference) & world.posted_of(reference)
        assert not told - settled, f"{reference}: {dict(told)} told, {dict(settled)} left and posted"


def settle(world: World) -> World:
    """Nothing goes wrong any more, and time passes: everything is delivered and carried out."""
    for _ in range(9):
        while any(world.queues.values()) or any(world.commands.values()):
            execute_all(world, 0)
            deliver_more(world, 0)
            assert world.executed < 2000, "commands are sent for ever"
        world.commit(0)
        world.post(0)
        world.track(0)
        world.story.later(hours=20)
        world.collect()
    return world


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories)
def test_whatever_happens_the_books_are_right_and_nothing_waits_in_silence(history: History) -> None:
    world = settle(live(history))
    the_books_are_right(world)
    if not in_step(world):
        assert world.story.open_cases, "not in step, and nobody is told"
    assert world.executed < 60 + 12 * len(history[2]), "commands are sent for ever"


def in_step(world: World) -> bool:
    """Nothing is left to do: no open fulfilment order with units, no goods-out at work, all that left is told."""
    order = world.order.order
    owed = any(
        line.remaining > 0
        for one in order.fulfilment_orders
        if one.status in (FulfilmentOrderStatus.OPEN, FulfilmentOrderStatus.IN_PROGRESS, FulfilmentOrderStatus.ON_HOLD)
        for line in one.lines
    )
    at_work = any(not one.goods_out.status.ended for one in world.goods_outs.values())
    untold = any(
        world.despatched_of(reference) - world.told_of.get(reference, Counter[str]()) for reference in world.goods_outs
    )
    return not (owed or at_work or untold)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories)
def test_equal_logs_give_equal_bytes(history: History) -> None:
    """Restarts included: what the living fold wrote is what a fresh fold of its log writes."""
    story = live(history).story
    changes, emissions = refold(story.log)
    assert {change.key: change.value for change in changes} == story.changelog
    again = Story()
    for emission in emissions:
        again.receive(emission)
    assert {command.id: command for command in again.commands} == {command.id: command for command in story.commands}


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories, st.integers(min_value=0, max_value=200))
def test_any_prefix_replayed_changes_nothing(history: History, back: int) -> None:
    story = live(history).story
    before, commands = dict(story.changelog), list(story.commands)
    story.again(min(back, len(story.log)))
    assert story.changelog == before
    assert story.commands == commands
    assert story.at - story.log[0].at < timedelta(days=60)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories)
def test_a_decision_asks_at_most_one_thing_of_an_object(history: History) -> None:
    """Two commands for one object would be two wishes: the connector carries out the later and lets the other go."""
    sent = {command.id: command for command in live(history).story.commands}.values()
    asked = Counter((one.decided_offset, one.object) for one in sent if not isinstance(one, Withdraw))
    assert [place for place, times in asked.items() if times > 1] == []
