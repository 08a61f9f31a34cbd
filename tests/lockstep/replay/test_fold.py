"""A fold in bulk: interrupted anywhere and gone on with it comes to the same; a saved one is believed if it is ours."""

import dataclasses
from pathlib import Path

import pytest

from kernel.memory_log import MemoryLog
from kernel.virtual_time import run_virtual
from lockstep.replay import checkpoint
from lockstep.replay.checkpoint import Checkpoints
from lockstep.replay.fold import BulkFold, Interrupted, digest, fold_to
from lockstep.replay.pool import Quiet
from lockstep.simulation.house import House
from schemas.base import Brand
from schemas.topics import ORDERS_EVENTS
from tests.engine.events import Events
from tests.lockstep.replay.small_logs import after_a_day, ends


@dataclasses.dataclass
class Stops:
    """Asks to stop once so many records are folded."""

    after: int
    told: int = 0

    def done(self, records: int) -> None:
        self.told = records

    def stopping(self) -> bool:
        return self.told >= self.after


async def folded(log: MemoryLog, number: int) -> BulkFold:
    bulk = BulkFold(number)
    await fold_to(log, bulk, ends(log)[number], Quiet())
    return bulk


def test_a_fold_that_is_interrupted_everywhere_comes_to_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lockstep.replay.fold.BATCH", 1)

    async def story(log: MemoryLog, _: Events) -> None:
        number, until = max(ends(log).items(), key=lambda one: one[1])
        saved, whole, interruptions = Checkpoints(tmp_path, "memory"), await folded(log, number), 0
        while (bulk := saved.load(number, until)).next < until:
            with pytest.raises(Interrupted):
                await fold_to(log, bulk, until, Stops(bulk.next + 1), save=saved.save)
            interruptions += 1
        assert interruptions == until > 3
        assert digest(bulk.newest.items()) == digest(whole.newest.items())
        assert bulk.verdicts == whole.verdicts

    after_a_day(story)


def test_a_fold_that_renews_itself_comes_to_the_same_over_a_whole_day_of_orders(tmp_path: Path) -> None:
    async def story() -> None:
        async with House() as house:
            await house.outside.shoppers().run(12, 2.0)
            await house.clock.sleep(120)
            log = house.log
            for where, span in (await log.spans([ORDERS_EVENTS.name])).items():
                whole, renewed = BulkFold(where.number), BulkFold(where.number)
                await fold_to(log, whole, span.end, Quiet())
                await fold_to(log, renewed, span.end, Quiet(), save_every=1)
                assert whole.newest == renewed.newest

    run_virtual(story())


def test_a_saved_fold_is_believed_only_when_it_is_of_this_log_this_code_and_this_question(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(log: MemoryLog, _: Events) -> None:
        saved, until = Checkpoints(tmp_path, "memory"), ends(log)[0]
        saved.save(await folded(log, 0))
        assert saved.load(0, until).next == until
        assert saved.load(0, until - 1).next == 0, "the workers are behind it"
        assert saved.load(1, until).next == 0
        assert dataclasses.replace(saved, cluster="other").load(0, until).next == 0
        assert dataclasses.replace(saved, without=(Brand("acme"),)).load(0, until).next == 0
        monkeypatch.setattr(checkpoint, "code", lambda: "another release")
        assert saved.load(0, until).next == 0

    after_a_day(story)


def test_a_saved_fold_that_was_damaged_is_not_believed_and_nobody_else_may_read_it(tmp_path: Path) -> None:
    async def story(log: MemoryLog, _: Events) -> None:
        saved, until = Checkpoints(tmp_path / "work", "memory"), ends(log)[0]
        saved.save(await folded(log, 0))
        (file,) = (tmp_path / "work").iterdir()
        assert file.stat().st_mode & 0o077 == 0
        assert (tmp_path / "work").stat().st_mode & 0o077 == 0
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.write_bytes(content)
        assert saved.load(0, until).next == 0
        saved.forget([0])
        assert not list((tmp_path / "work").iterdir())

    after_a_day(story)


def test_a_digest_does_not_depend_on_the_order_and_does_on_every_byte() -> None:
    one = {b"a": b"1", b"b": b"2"}
    assert digest(one.items()) == digest(reversed(one.items()))
    assert (
        len(
            {
                digest(entries.items())
                for entries in (one, {b"a": b"1"}, {b"a": b"2", b"b": b"1"}, {b"a1": b"", b"b": b"2"})
            }
        )
        == 4
    )
