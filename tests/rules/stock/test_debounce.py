"""Debounce, exact in event time: when the figure is written, by named cases of changes and their moments."""

import pytest

from tests.stock_story import StockStory, stock_brand


def sent_at(changes: dict[float, int], quiet_for: int, max_wait: int) -> list[tuple[float, int]]:
    """Whole seconds after the first change, and figures, of every write; Clarus answers each request at once."""
    story = StockStory(stock_brand(quiet_for=quiet_for, max_wait=max_wait)).in_step(100)
    now, sent = 0.0, 0
    found: list[tuple[float, int]] = []
    moments = sorted({*changes, *(tick / 2 for tick in range(200))})
    latest = 100
    for moment in moments:
        story.later(seconds=moment - now)
        now = moment
        if moment in changes:
            latest = changes[moment]
            story.clarus(latest)
        if story.state.asked:
            story.clarus(latest)
        for command in story.commands[sent:]:
            sent += 1
            found.append((int(moment), command.quantity))
            story.applied()
    return found


@pytest.mark.parametrize(
    ("case", "changes", "written"),
    [
        ("one change waits for quiet", {0: 90}, [(5, 90)]),
        ("two within the quiet are one write", {0: 90, 3: 80}, [(8, 80)]),
        ("two apart are two", {0: 90, 20: 80}, [(5, 90), (25, 80)]),
        ("restless: after the longest wait", {at: 99 - at for at in range(0, 24, 3)}, [(20, 81), (26, 78)]),
        ("back where it was: nothing", {0: 90, 3: 100}, []),
        ("nothing left: at once", {0: 0}, [(0, 0)]),
        ("nothing left within a wait: at once", {0: 90, 3: 0}, [(3, 0)]),
        ("up from nothing waits", {0: 0, 2: 50}, [(0, 0), (7, 50)]),
    ],
)
def test_when_it_is_written(case: str, changes: dict[float, int], written: list[tuple[float, int]]) -> None:
    assert sent_at(changes, quiet_for=5, max_wait=20) == written, case


def test_without_waits_every_change_is_written() -> None:
    assert sent_at({0: 90, 3: 80}, quiet_for=0, max_wait=0) == [(0, 90), (3, 80)]
