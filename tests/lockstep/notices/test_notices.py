"""Cases are told when they open, go up and close: once to each target, none waiting for another, across restarts."""

import asyncio
import base64
import hashlib
import hmac
from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import pairwise

import httpx
import pytest
from structlog.testing import capture_logs

from kernel.memory_log import MemoryLog
from lockstep.notices.courier import LONGEST_PAUSE, TRIES
from schemas.base import Brand
from schemas.cases import CaseCode
from schemas.topics import CASES
from tests.builders import NOON, a_case
from tests.lockstep.notices.office import SECRET, Office, a_target, an_office, away, closed, gone_up, told_in

OPENED, UP, CLOSED = "case.opened", "case.escalated", "case.closed"
ONE = a_case()


story = told_in(an_office)


@story
async def test_a_case_is_told_when_it_opens_goes_up_and_closes(office: Office) -> None:
    await office.starts(a_target())

    await office.has(ONE, gone_up(ONE), closed(gone_up(ONE)))
    await office.passes(minutes=1)

    assert office.told() == [("5012", OPENED), ("5012", UP), ("5012", CLOSED)]
    assert len({post.id for post in office.posts}) == 3


@story
async def test_a_changed_detail_or_who_took_it_is_no_news(office: Office) -> None:
    await office.starts(a_target())

    await office.has(ONE, ONE.model_copy(update={"detail": "1 of 3 units"}), ONE.model_copy(update={"assignee": "kim"}))
    await office.has(closed(ONE), closed(ONE))
    await office.passes(minutes=1)

    assert office.told() == [("5012", OPENED), ("5012", CLOSED)]


@story
async def test_one_that_opens_again_is_told_again_and_an_old_record_of_it_is_not(office: Office) -> None:
    again = ONE.model_copy(update={"opened_at": NOON + timedelta(hours=5)})
    await office.starts(a_target())

    await office.has(ONE, closed(ONE), again, closed(ONE), again)
    await office.passes(minutes=1)

    assert office.told() == [("5012", OPENED), ("5012", CLOSED), ("5012", OPENED)]
    assert len({post.id for post in office.posts}) == 3


@story
async def test_a_notice_says_what_to_do_and_nothing_personal(office: Office) -> None:
    with capture_logs() as logs:
        await office.starts(a_target(), a_target("chat", form="slack"))
        await office.has(
            ONE.model_copy(update={"assignee": "kim.example", "answer": "refund", "detail": "2 < 3 & more"})
        )
        await office.passes(minutes=1)

    (plain,), (chat,) = office.taken["ops"], office.taken["chat"]
    assert plain.said["first_action"].startswith("Decide with the shopper")
    assert plain.said["command"] == "lockstep case show acme/5012"
    assert plain.said["taken"] is True
    assert (plain.said["owner"], plain.said["severity"], plain.said["due_at"]) == (
        "customer service", "high", "2026-11-03T20:00:00Z",
    )  # fmt: skip
    assert set(chat.said) == {"text"}
    assert "*short_closed* acme/5012 ACME-5012-71-1: 2 &lt; 3 &amp; more" in chat.said["text"]
    everywhere = f"{plain.content!r} {chat.content!r} {logs} {list(office.metrics.registry.collect())}"
    assert "kim.example" not in everywhere
    assert SECRET not in everywhere


@story
async def test_every_post_is_signed_as_standard_webhooks_are(office: Office) -> None:
    raw = b"twenty-four bytes of key"
    await office.starts(a_target(), a_target("base", secret=f"whsec_{base64.b64encode(raw).decode()}"))
    await office.has(ONE)
    await office.passes(minutes=1)

    for name, key in (("ops", SECRET.encode()), ("base", raw)):
        (post,) = office.taken[name]
        signed = f"{post.id}.{post.headers['webhook-timestamp']}.".encode() + post.content
        expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        assert post.headers["webhook-signature"] == f"v1,{expected}"
        assert abs(int(post.headers["webhook-timestamp"]) - NOON.timestamp()) < 60


# --- across restarts


@story
async def test_a_restart_tells_nothing_twice_and_goes_on_where_it_was(office: Office) -> None:
    await office.starts(a_target())
    await office.has(ONE)
    await office.passes(minutes=1)
    await office.ends()

    await office.has(ONE.model_copy(update={"detail": "1 of 3 units"}), gone_up(ONE))
    await office.starts(a_target())
    await office.passes(minutes=1)

    assert office.told() == [("5012", OPENED), ("5012", UP)]


@story
async def test_delivered_and_not_committed_is_told_again_with_the_same_id(office: Office) -> None:
    log = office.log
    assert isinstance(log, MemoryLog)
    await office.starts(a_target())
    await office.has(ONE)
    await office.passes(minutes=1)
    await office.ends()
    for where in list(log.committed()["lockstep.notices.acme.ops"]):
        await log.place_group("lockstep.notices.acme.ops", {where: 0})

    await office.starts(a_target())
    await office.passes(minutes=1)

    assert office.told() == [("5012", OPENED), ("5012", OPENED)]
    assert len({post.id for post in office.posts}) == 1


@story
async def test_closed_is_told_when_compaction_took_what_was_told_before(office: Office) -> None:
    log = office.log
    assert isinstance(log, MemoryLog)
    await office.starts(a_target())
    await office.has(ONE)
    await office.passes(minutes=1)
    await office.ends()

    await office.has(closed(ONE))
    log.compact(CASES.name)
    await office.starts(a_target())
    await office.passes(minutes=1)

    assert office.told() == [("5012", OPENED), ("5012", CLOSED)]


@story
async def test_a_new_target_is_told_what_is_open_and_nothing_of_the_past(office: Office) -> None:
    await office.has(ONE, closed(ONE), a_case(order="5013"), closed(a_case(order="5014")))

    await office.starts(a_target())
    await office.passes(minutes=1)
    await office.has(closed(a_case(order="5013")))
    await office.passes(minutes=1)

    assert office.told() == [("5013", OPENED), ("5013", CLOSED)]


@story
async def test_two_processes_share_the_work(office: Office) -> None:
    await office.starts(a_target())
    await office.passes(seconds=5)
    await office.starts(a_target())
    await office.passes(seconds=5)

    await office.has(*(a_case(order=str(number)) for number in range(5000, 5020)))
    await office.passes(minutes=2)

    assert sorted(office.told()) == [(str(number), OPENED) for number in range(5000, 5020)]


# --- a target that is away


@story
async def test_a_target_that_is_away_keeps_nobody_else_waiting_and_gets_all_later(office: Office) -> None:
    office.answers["ops"] = away
    await office.starts(a_target(), a_target("chat"))
    await office.has(*(a_case(order=str(number)) for number in range(5000, 5300)))
    with capture_logs() as logs:
        await office.passes(minutes=20)

    assert len(office.told("chat")) == 300
    assert office.told("ops") == []
    assert office.metrics.notice_target.labels("acme", "ops")._value.get() == 0
    assert office.metrics.notice_target.labels("acme", "chat")._value.get() == 1
    tries = [post for post in office.posts if post.target == "ops"]
    assert 8 < len(tries) < 20, "with growing pauses"
    told = [one for one in logs if one["event"] == "notices.target_away"]
    assert 1 <= len(told) <= 5, "told, but not every time"

    del office.answers["ops"]
    await office.passes(minutes=20)

    assert sorted(office.told("ops")) == sorted(office.told("chat"))
    assert office.metrics.notice_target.labels("acme", "ops")._value.get() == 1


@pytest.mark.parametrize("status", [301, 401, 404, 410, 429, 500, 503])
def test_what_may_pass_is_tried_until_it_is_taken(status: int) -> None:
    @story
    async def whole(office: Office) -> None:
        answers = iter([httpx.Response(status)] * 7)
        office.answers["ops"] = lambda: next(answers, httpx.Response(200))
        await office.starts(a_target())
        await office.has(ONE)
        await office.passes(minutes=10)

        assert office.told() == [("5012", OPENED)]
        assert len(office.posts) == 8

    whole()


@story
async def test_a_pause_that_the_target_asks_for_is_kept(office: Office) -> None:
    answers = iter([httpx.Response(429, headers={"retry-after": "45"})])
    office.answers["ops"] = lambda: next(answers, httpx.Response(200))
    await office.starts(a_target())
    await office.has(ONE)
    await office.passes(minutes=2)

    first, second = office.posts
    assert 45 <= second.at - first.at < 47


@story
async def test_a_pause_that_is_no_number_is_not_kept_and_ends_nothing(office: Office) -> None:
    answers = iter([httpx.Response(429, headers={b"retry-after": text}) for text in (b"\xb2", b"soon", b"-1")])
    office.answers["ops"] = lambda: next(answers, httpx.Response(200))
    await office.starts(a_target())
    await office.has(ONE)
    await office.passes(minutes=2)

    assert office.told() == [("5012", OPENED)]


@story
async def test_what_a_target_says_beside_its_status_is_not_read(office: Office) -> None:
    read = 0

    async def without_end() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 1
            await asyncio.sleep(1)
            yield b"x"

    office.answers["ops"] = lambda: httpx.Response(200, content=without_end())
    await office.starts(a_target())
    await office.has(ONE, closed(ONE))
    await office.passes(minutes=2)

    assert office.told() == [("5012", OPENED), ("5012", CLOSED)]
    assert read == 0


@story
async def test_pauses_grow_to_five_minutes(office: Office) -> None:
    office.answers["ops"] = away
    await office.starts(a_target())
    await office.has(ONE)
    await office.passes(hours=2)

    pauses = [later.at - before.at for before, later in pairwise(office.posts)]
    assert pauses[0] < 3
    assert max(pauses) < LONGEST_PAUSE + 2
    assert pauses[-1] > LONGEST_PAUSE - 1


@story
async def test_a_notice_the_target_refuses_is_given_up_loudly_and_the_next_is_told(office: Office) -> None:
    refused = iter([httpx.Response(400)] * TRIES)
    office.answers["ops"] = lambda: next(refused, httpx.Response(200))
    await office.starts(a_target())
    with capture_logs() as logs:
        await office.has(ONE, closed(ONE))
        await office.passes(minutes=5)

    assert office.told() == [("5012", CLOSED)]
    assert [one["status"] for one in logs if one["event"] == "notices.refused"] == [400]
    assert office.metrics.notices.labels("acme", "ops", "refused")._value.get() == 1


@story
async def test_not_too_many_a_minute(office: Office) -> None:
    await office.starts(a_target(per_minute=6))
    await office.has(*(a_case(order=str(number)) for number in range(5000, 5010)))
    await office.passes(minutes=3)

    moments = [post.at for post in office.posts]
    assert len(moments) == 10
    assert all(later - before >= 10 for before, later in pairwise(moments))


@story
async def test_while_the_log_is_away_it_is_waited_for(office: Office) -> None:
    """It goes away between a delivery and its commit: told again, with the same id."""
    log = office.log
    assert isinstance(log, MemoryLog)

    def taken_and_then_no_log() -> httpx.Response:
        log.available = bool(office.taken["ops"])
        return httpx.Response(200)

    office.answers["ops"] = taken_and_then_no_log
    await office.starts(a_target())
    await office.has(ONE)
    await office.passes(seconds=30)
    assert not log.available
    log.available = True
    await office.passes(minutes=1)
    await office.has(closed(ONE))
    await office.passes(minutes=1)

    assert office.told() == [("5012", OPENED), ("5012", OPENED), ("5012", CLOSED)]
    assert len({post.id for post in office.posts}) == 2


# --- who is told what


@story
async def test_a_target_hears_of_its_owners_its_brand_and_what_is_grave_enough(office: Office) -> None:
    slow, reship = a_case(CaseCode.CLARUS_SLOW), a_case(CaseCode.RESHIP)
    hold = a_case(CaseCode.FULFILMENT_HOLD)
    other = slow.model_copy(update={"brand": Brand("brio")})
    await office.starts(
        a_target("cs", owners=["customer service"]),
        a_target("grave", least="urgent"),
        a_target("eng", owners=["engineering"]),
    )

    await office.has(slow, reship, hold, other, gone_up(slow), gone_up(hold))
    await office.passes(minutes=2)

    def heard(name: str) -> list[tuple[str, str]]:
        return sorted((post.said["code"], post.said["kind"]) for post in office.taken[name])

    assert heard("cs") == [("fulfilment_hold", UP), ("fulfilment_hold", OPENED), ("reship?", OPENED)]
    assert heard("grave") == [("clarus_slow", UP), ("clarus_slow", OPENED)]
    assert heard("eng") == [("clarus_slow", UP)], "it went up to them"
    assert all(post.said["brand"] == "acme" for post in office.posts)


@story
async def test_without_a_target_nothing_happens(office: Office) -> None:
    await office.starts()
    await office.has(ONE)
    await office.passes(minutes=1)

    assert office.posts == []
