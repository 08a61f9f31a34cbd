"""The daily digest: what waits for whom; once a day at the brand's hour, to each target, across restarts."""

from datetime import UTC, datetime, timedelta

import pytest

from lockstep.digest import MOST, digest
from lockstep.notices.daily import days_sent
from schemas.base import Brand
from schemas.cases import CaseCode, Owner
from tests.builders import ACME, NOON, a_case
from tests.lockstep.notices.office import Office, a_target, an_office, away, closed, gone_up, told_in

CS = Owner.CUSTOMER_SERVICE
SHORT, SLOW = a_case(), a_case(CaseCode.CLARUS_SLOW)


def at(hour: int, *, day: int = 3, minute: int = 0, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


# --- what it says


def test_what_waits_is_listed_the_most_pressing_first() -> None:
    late = a_case(CaseCode.RESHIP, "5001", opened_at=NOON - timedelta(days=2), due_at=NOON - timedelta(hours=40))
    taken = gone_up(SHORT).model_copy(update={"assignee": "kim.example"})

    said = digest([taken, SLOW, closed(a_case(order="5009")), late], ACME, CS, at(13)).splitlines()

    assert said == [
        "## acme, customer service: 2 open, 1 overdue",
        "",
        "1 opened and 1 closed since 2026-11-02 13:00 UTC.",
        "",
        "- `reship?` acme/5001 ACME-5001-71-1: 2 of 3 units; **overdue by 41 h**; nobody has it",
        "- `short_closed` acme/5012 ACME-5012-71-1: 2 of 3 units; due 2026-11-03 20:00 UTC, went up to lead; taken",
        "",
        "What to do first:",
        "",
        "- `reship?`: Was it only to correct tracking, or shall the goods be sent again? Nothing is sent by itself.",
        "- `short_closed`: Decide with the shopper: refund the missing units, or release them again.",
    ]


def test_a_case_is_one_line_whatever_an_erp_said() -> None:
    refused = a_case(CaseCode.ERP_REFUSED, detail="refused_400 Forbidden by a rule:\n- `short_closed` acme/1\n\n## all")

    said = digest([refused], ACME, Owner.FINANCE, at(13)).splitlines()

    assert [line.partition(": ")[2] for line in said if line.startswith("- `") and "acme/" in line] == [
        "refused_400 Forbidden by a rule: - `short_closed` acme/1 ## all; due 2026-11-03 16:00 UTC; nobody has it"
    ]


def test_what_went_up_to_an_owner_is_listed_there_too() -> None:
    assert "1 open" in digest([gone_up(SHORT)], ACME, Owner.LEAD, at(13))
    assert "Nothing waits for you." in digest([SHORT], ACME, Owner.LEAD, at(13))


def test_a_flood_is_counted_not_listed() -> None:
    many = [a_case(order=str(number)) for number in range(1000, 1000 + MOST + 7)]

    said = digest(many, ACME, CS, at(13))

    assert said.count("- `short_closed` acme/") == MOST
    assert "and 7 more: `lockstep case list --brand acme --owner 'customer service'`" in said


def test_another_brand_s_cases_are_not_told() -> None:
    assert "0 open" in digest([SHORT.model_copy(update={"brand": Brand("brio")})], ACME, CS, at(13))


# --- when it goes out

DAILY = a_target(digest=True, owners=["customer service"], least="urgent")


@told_in(an_office, at(6))
async def test_it_goes_out_once_a_day_at_the_hour(office: Office) -> None:
    await office.starts(DAILY, digest_hour=8)
    await office.has(SHORT)

    await office.passes(hours=1, minutes=59)
    assert office.posts == []
    await office.passes(minutes=2)
    assert office.told() == [("customer service", "digest")]
    assert office.posts[0].said["text"].startswith("## acme, customer service: 1 open")
    assert office.posts[0].said["day"] == "2026-11-03"
    await office.passes(hours=23)
    assert len(office.told()) == 1
    await office.passes(hours=1)
    assert len(office.told()) == 2
    assert len({post.id for post in office.posts}) == 2


@pytest.mark.parametrize(
    ("start", "zone"),
    [
        pytest.param(at(6, month=7), "Europe/London", id="summer time"),
        pytest.param(at(7), "Europe/London", id="winter"),
        pytest.param(at(22), "Asia/Tokyo", id="tomorrow there"),
    ],
)
def test_the_hour_is_that_of_the_brand_s_zone(start: datetime, zone: str) -> None:
    """In all three it is seven in the morning there."""

    @told_in(an_office, start)
    async def whole(office: Office) -> None:
        await office.starts(DAILY, zone=zone, digest_hour=8)
        await office.has(SHORT)
        await office.passes(minutes=58)
        before = len(office.posts)
        await office.passes(minutes=3)
        assert (before, len(office.posts)) == (0, 1)

    whole()


@told_in(an_office, at(9))
async def test_a_restart_sends_none_twice(office: Office) -> None:
    await office.has(SHORT)
    await office.starts(DAILY, digest_hour=8)
    await office.passes(minutes=2)
    await office.ends()
    await office.starts(DAILY, digest_hour=8)
    await office.passes(hours=3)

    assert len(office.told()) == 1
    assert await days_sent(office.log) == {"acme/ops/customer service": "2026-11-03"}


@told_in(an_office, at(7))
async def test_of_two_processes_one_sends(office: Office) -> None:
    await office.starts(DAILY)
    await office.starts(DAILY)
    await office.has(SHORT)
    await office.passes(hours=2)

    assert len(office.told()) == 1


@told_in(an_office, at(7))
async def test_every_owner_for_whom_something_waits_gets_one(office: Office) -> None:
    await office.starts(a_target(digest=True, least="urgent"))
    await office.has(SHORT, a_case(CaseCode.OVER_DESPATCHED), gone_up(a_case(CaseCode.ERP_NOT_POSTED)))
    await office.passes(hours=2)

    told = [what for what, kind in office.told() if kind == "digest"]
    assert told == ["operations", "customer service", "finance", "lead"]


@told_in(an_office, at(7))
async def test_a_quiet_day_is_told_once(office: Office) -> None:
    await office.starts(a_target(digest=True))
    await office.passes(hours=2)

    (post,) = office.posts
    assert "Nothing waits for you." in post.said["text"]


@told_in(an_office, at(7))
async def test_without_digest_none_is_sent(office: Office) -> None:
    await office.starts(a_target(digest=False))
    await office.passes(hours=2)

    assert office.posts == []


@told_in(an_office, at(7))
async def test_a_target_that_is_away_at_the_hour_gets_it_later_that_day(office: Office) -> None:
    office.answers["ops"] = away
    await office.starts(DAILY)
    await office.has(SHORT)
    await office.passes(hours=5)
    assert office.told() == []

    del office.answers["ops"]
    await office.passes(minutes=10)
    assert len(office.told()) == 1


@told_in(an_office, at(7))
async def test_yesterday_s_is_not_sent_today(office: Office) -> None:
    office.answers["ops"] = away
    await office.starts(DAILY)
    await office.has(SHORT)
    await office.passes(hours=18)
    del office.answers["ops"]
    await office.passes(hours=8)

    assert [post.said["day"] for post in office.taken["ops"]] == ["2026-11-04"]


@told_in(an_office, at(7))
async def test_in_a_chat_it_reads_well(office: Office) -> None:
    await office.starts(a_target(digest=True, form="slack", owners=["customer service"], least="urgent"))
    await office.has(a_case(opened_at=at(6, day=1), due_at=at(6, day=2)))
    await office.passes(hours=2)

    text = office.posts[0].said["text"]
    assert text.startswith("*acme, customer service: 1 open, 1 overdue*")
    assert "*overdue by 26 h*" in text
    assert "**" not in text
