"""The topic registry: one entry per topic, nobody unknown writes or reads, the docs say what the code says."""

import re
from collections import Counter

import pytest

from lockstep import case_page, daily_page, topic_page
from lockstep.topic_specs import specs
from schemas.topics import ALL, CASES, COMMANDS, CONFIG, HINTS, ORDERS_EVENTS, ORDERS_STATE, Topic
from tests.paths import ROOT

PARTIES = {
    "intake", "polls", "normalise", "connectors", "shopify connector", "clarus connector", "erp connector",
    "orders agent", "orders", "stock and items agents", "operators",
    "lockstep command line", "console", "lockstep config apply", "every process",
    "orders agent on recovery",
    "stock agent", "stock agent on recovery", "stock", "items agent", "items agent on recovery", "item",
    "read models", "case list", "notices", "people", "show", "verify", "rebuild",
}  # fmt: skip
"""Everybody who may write or read a topic."""


def parties(text: str) -> set[str]:
    """`normalise; the orders agent (ticks)` names normalise and the orders agent."""
    plain = re.sub(r"\([^)]*\)", "", text)
    return {one.strip().removeprefix("the ") for one in re.split(r"[,;]", plain)}


def test_names_are_unique() -> None:
    assert [name for name, count in Counter(topic.name for topic in ALL).items() if count > 1] == []


@pytest.mark.parametrize("topic", ALL, ids=lambda topic: topic.name)
def test_writers_and_readers_are_known(topic: Topic) -> None:
    named = parties(topic.writer) | {party for reader in topic.readers for party in parties(reader)}

    assert named <= PARTIES
    assert topic.readers


def test_every_topic_is_made_with_the_same_number_of_partitions() -> None:
    made = specs(partitions=5, replication=3)

    assert [spec.name for spec in made] == [topic.name for topic in ALL]
    assert {(spec.partitions, spec.replication) for spec in made} == {(5, 3)}


def test_the_event_log_is_stamped_by_the_broker_and_kept_for_ever() -> None:
    settings = ORDERS_EVENTS.configuration()

    assert settings["message.timestamp.type"] == "LogAppendTime"
    assert (settings["cleanup.policy"], settings["retention.ms"]) == ("delete", "-1")


@pytest.mark.parametrize("topic", [CONFIG, CASES, ORDERS_STATE], ids=lambda topic: topic.name)
def test_what_is_compacted_is_never_deleted_by_age(topic: Topic) -> None:
    assert topic.configuration()["cleanup.policy"] == "compact"
    assert "retention.ms" not in topic.configuration()


def test_the_changelog_is_not_compacted_while_a_zombie_may_still_write() -> None:
    assert int(ORDERS_STATE.configuration()["min.compaction.lag.ms"]) >= 3600_000


@pytest.mark.parametrize("topic", [*HINTS.values(), *COMMANDS.values()], ids=lambda topic: topic.name)
def test_hints_and_commands_are_keyed_alike(topic: Topic) -> None:
    assert topic.key.startswith(ORDERS_EVENTS.key)


def test_the_topic_page_says_what_the_registry_says() -> None:
    assert (ROOT / "docs/topics.md").read_text() == topic_page.page(), "run `make pages`"


def test_the_case_page_says_what_the_catalogue_says() -> None:
    assert (ROOT / "docs/operate/cases.md").read_text() == case_page.page(), "run `make pages`"


def test_the_daily_checks_say_what_the_catalogue_says() -> None:
    assert (ROOT / "docs/operate/daily-checks.md").read_text() == daily_page.page(), "run `make pages`"
