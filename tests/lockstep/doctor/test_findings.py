"""Every finding of the catalogue: an installation that has it, and what is told. Nothing else is found there."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from kernel.kafka_cluster import Placement
from kernel.log import Group, Partition, Span
from lockstep.doctor import page
from lockstep.doctor.catalogue import CATALOGUE
from lockstep.doctor.codes import Code, Severity
from lockstep.doctor.installation import READS, Installation, Letter, Table, kept
from lockstep.doctor.judge import findings, well
from lockstep.replay.tables import ITEMS, STOCK, FoldedTable
from schemas.base import Brand, System
from schemas.cases import Owner
from schemas.topics import CASES, HINTS, OPERATOR_ACTIONS, ORDERS_EVENTS, ORDERS_STATE, RAW
from tests.builders import ACME, NOON, a_brand
from tests.lockstep.doctor.installations import (
    BROKER,
    END,
    a_well_installation,
    spans_with,
    with_copies,
    with_group,
    with_setting,
    with_table,
    with_topic,
)
from tests.paths import ROOT

WELL = a_well_installation()
EVENTS, STATE, ACTIONS = ORDERS_EVENTS.name, ORDERS_STATE.name, OPERATOR_ACTIONS.name
HINTS_SHOPIFY, RAW_ERP = HINTS[System.SHOPIFY].name, RAW[System.ERP].name
OLD = NOON - timedelta(days=40)


def without(topic: str) -> Installation:
    return replace(WELL, topics={name: spec for name, spec in WELL.topics.items() if name != topic})


def letters(count: int) -> tuple[Letter, ...]:
    where = Partition(RAW_ERP, 0)
    return tuple(Letter("normalise", where, number, b"acme/%d" % number, NOON) for number in range(count))


def place(topic: str, led: bool, in_sync: int) -> Mapping[Partition, Placement]:
    return {**WELL.placement, Partition(topic, 1): Placement(led=led, copies=3, in_sync=in_sync)}


ILL: dict[Code, tuple[Installation, str]] = {
    Code.TOPIC_MISSING: (without(CASES.name), "cases: expected a topic, found none"),
    Code.PARTITIONS_DIFFER: (
        with_topic(replace(WELL.topics[ACTIONS], partitions=5)),
        "operator.actions: expected 2 partitions, found 5",
    ),
    Code.PARTITIONS_SETTING: (
        replace(WELL, partitions=6),
        "LOCKSTEP_PARTITIONS: expected 2, as orders.events has, found 6",
    ),
    Code.LOG_COMPACTED: (
        with_setting(EVENTS, cleanup_policy="compact"),
        "orders.events: expected cleanup.policy=delete, found cleanup.policy=compact",
    ),
    Code.LOG_FORGETS: (
        with_setting(EVENTS, retention_ms="31536000000"),
        "orders.events: expected retention.ms=-1 (for ever), found retention.ms=31536000000 (365 days)",
    ),
    Code.LOG_LIMITED: (
        with_setting(EVENTS, retention_bytes="1000"),
        "orders.events: expected retention.bytes=-1, found retention.bytes=1000",
    ),
    Code.STAMPED_BY_PRODUCER: (
        with_setting(EVENTS, message_timestamp_type="CreateTime"),
        "orders.events: expected message.timestamp.type=LogAppendTime, found message.timestamp.type=CreateTime",
    ),
    Code.CLEANUP_DIFFERS: (
        with_setting(STATE, cleanup_policy="compact,delete"),
        "orders.state: expected cleanup.policy=compact, found cleanup.policy=compact,delete",
    ),
    Code.RETENTION_SHORT: (
        with_setting(RAW_ERP, retention_ms="86400000"),
        "raw.erp: expected retention.ms=2592000000 (30 days), found retention.ms=86400000 (1 days)",
    ),
    Code.RETENTION_LONG: (
        with_setting(RAW_ERP, retention_ms="-1"),
        "raw.erp: expected retention.ms=2592000000 (30 days), found retention.ms=-1 (for ever)",
    ),
    Code.RETENTION_BY_SIZE: (
        with_setting(RAW_ERP, retention_bytes="1000"),
        "raw.erp: expected retention.bytes=-1, found retention.bytes=1000",
    ),
    Code.COMPACTION_LAG_SHORT: (
        with_setting(STATE, min_compaction_lag_ms="0"),
        "orders.state: expected min.compaction.lag.ms=3600000, found min.compaction.lag.ms=0",
    ),
    Code.RECORD_LIMIT_LOW: (
        with_setting(RAW_ERP, max_message_bytes="100000"),
        "raw.erp: expected max.message.bytes=1000000 or more, found max.message.bytes=100000",
    ),
    Code.SETTING_DIFFERS: (
        with_setting(RAW_ERP, compression_type="gzip"),
        "raw.erp: expected compression.type=producer, found compression.type=gzip",
    ),
    Code.COPIES_FEW: (with_copies(2, in_sync="1"), "cases: expected 3 copies, found 2"),
    Code.COPY_SINGLE: (with_copies(1, wanted=1), "cases: expected 2 copies or more, found 1"),
    Code.ACKNOWLEDGED_BY_ONE: (
        with_setting(EVENTS, min_insync_replicas="1"),
        "orders.events: expected min.insync.replicas=2, found min.insync.replicas=1",
    ),
    Code.ACKNOWLEDGED_BY_ALL: (
        with_setting(EVENTS, min_insync_replicas="3"),
        "orders.events: expected min.insync.replicas=2 or less, found min.insync.replicas=3",
    ),
    Code.UNCLEAN_ELECTION: (
        with_setting(EVENTS, unclean_leader_election_enable="true"),
        "orders.events: expected unclean.leader.election.enable=false, found unclean.leader.election.enable=true",
    ),
    Code.PARTITION_WITHOUT_LEADER: (
        replace(WELL, placement=place(EVENTS, led=False, in_sync=0)),
        "orders.events/1: expected a leader, found none",
    ),
    Code.PARTITION_OUT_OF_SYNC: (
        replace(WELL, placement=place(EVENTS, led=True, in_sync=2)),
        "orders.events/1: expected 3 copies in step, found 2",
    ),
    Code.TOPICS_MADE_ON_DEMAND: (
        replace(WELL, brokers={"1": {**BROKER, "auto.create.topics.enable": "true"}}),
        "broker 1: expected auto.create.topics.enable=false, found auto.create.topics.enable=true",
    ),
    Code.LOG_BEGINS_LATE: (
        replace(WELL, spans=spans_with(EVENTS, Span(7, END)), first_kept={Partition(EVENTS, 0): NOON}),
        "orders.events/0: expected offset 0 as its first, "
        "found offset 7: everything before 2026-11-03 12:00 UTC was deleted",
    ),
    Code.OPEN_ORDERS_OUTLIVE_LOG: (
        replace(
            with_setting(EVENTS, retention_ms="2592000000"), table={0: Table(1, 5, frozenset({"ours"}), OLD, {ACME: 1})}
        ),
        "orders.events/0: expected no open order placed before 2026-10-04 12:00 UTC, found one of 2026-09-24 12:00 UTC",
    ),
    Code.STATE_AHEAD_OF_LOG: (
        with_table(Table(9, END, frozenset({"ours"}), None, {ACME: 1})),
        "orders.state/0: expected offsets below 40, the end of orders.events/0, found offset 40",
    ),
    Code.STATE_OF_ANOTHER_CLUSTER: (
        with_table(Table(9, 3, frozenset({"ours", "theirs"}), None, {ACME: 1})),
        "orders.state/0: expected cluster ours, found cluster theirs",
    ),
    Code.STATE_LOST: (
        with_table(Table(), configs={}, connections=None),
        "orders.state/0: expected states up to offset 40, where lockstep.orders is, found no state",
    ),
    Code.STATE_UNREADABLE: (
        with_table(Table(9, 3, frozenset({"ours"}), None, {ACME: 1}, unreadable=2)),
        "orders.state/0: expected states this release can read, found 2 it cannot",
    ),
    Code.COMMIT_MISSING: (
        with_group("lockstep.normalise", RAW_ERP, None),
        "lockstep.normalise in raw.erp: expected a commit in each partition with records, "
        "found none in partition 0; 40 records wait",
    ),
    Code.UNREAD_DELETED: (
        with_group("lockstep.normalise", RAW_ERP, 10, spans=spans_with(RAW_ERP, Span(30, END))),
        "lockstep.normalise in raw.erp/0: expected a commit at 30 or later, where the partition begins, "
        "found offset 10: 20 records were deleted unread",
    ),
    Code.UNREAD_SOON_DELETED: (
        with_group("lockstep.shopify", HINTS_SHOPIFY, 10, half_kept={Partition(HINTS_SHOPIFY, 0): 25}),
        "lockstep.shopify in hints.shopify/0: expected unread records younger than half of the topic's retention, "
        "found 15 older ones",
    ),
    Code.COMMIT_BEYOND_LOG: (
        with_group("lockstep.orders", EVENTS, 41),
        "lockstep.orders in orders.events/0: expected at most 40, where the partition ends, found 41",
    ),
    Code.GROUP_BEHIND: (
        with_group("lockstep.orders", EVENTS, 40, spans=spans_with(EVENTS, Span(0, 2041))),
        "lockstep.orders in orders.events: expected at most 1000 records unread, found 2001",
    ),
    Code.GROUP_WITHOUT_MEMBERS: (
        replace(WELL, groups={**WELL.groups, "lockstep.erp": replace(WELL.groups["lockstep.erp"], members=0)}),
        "lockstep.erp: expected a member, found none; its commits are dropped 7 days after the last one left",
    ),
    Code.MEMBERS_IDLE: (
        replace(WELL, groups={**WELL.groups, "lockstep.erp": replace(WELL.groups["lockstep.erp"], members=3)}),
        "lockstep.erp: expected at most 2 members, found 3",
    ),
    Code.COMMITS_KEPT_SHORT: (
        replace(WELL, brokers={"1": BROKER, "2": {**BROKER, "offsets.retention.minutes": "1440"}}),
        "broker 2: expected offsets.retention.minutes=10080 or more, found offsets.retention.minutes=1440",
    ),
    Code.CONNECTIONS_UNNAMED: (
        replace(WELL, connections=None),
        "LOCKSTEP_CONNECTIONS: expected the path of the connections file, found nothing",
    ),
    Code.CONNECTIONS_UNREADABLE: (
        replace(WELL, connections="brands.toml: expected TOML"),
        "LOCKSTEP_CONNECTIONS: expected a readable file, found brands.toml: expected TOML",
    ),
    Code.BRAND_NOT_CONFIGURED: (
        replace(WELL, connections={ACME: "2026-10", Brand("new"): "2026-10"}),
        "new: expected a configuration in the log, found none",
    ),
    Code.BRAND_NOT_CONNECTED: (
        replace(WELL, connections={}),
        "acme: expected a table in the connections file, found none",
    ),
    Code.BRAND_PAUSED: (
        replace(WELL, configs={ACME: a_brand(paused=("clarus",))}),
        "acme: expected live, nothing paused, found paused for clarus",
    ),
    Code.CONFIGURATION_UNREADABLE: (
        replace(WELL, configs={}, unreadable_configs=(ACME,)),
        "acme: expected a configuration this release can read, found another",
    ),
    Code.CONFIGURATION_NOT_FOLDED: (
        replace(WELL, configs={ACME: a_brand(version=2)}, table={**WELL.table, 1: Table(9, 3, configured={ACME: 2})}),
        "acme: expected version 2 in every partition, found an older one, or none, in partition 0",
    ),
    Code.API_VERSION_OLD: (
        replace(WELL, connections={ACME: "2025-10"}),
        "acme: expected a version of the last 12 months, found 2025-10",
    ),
    Code.DEAD_LETTERS: (
        replace(WELL, letters=letters(3)),
        "raw.erp: expected no dead letter, found 3, the newest of 2026-11-03 12:00 UTC",
    ),
    Code.PARTITION_FUSED: (
        with_group("lockstep.normalise", RAW_ERP, 50, spans=spans_with(RAW_ERP, Span(0, 60)), letters=letters(50)),
        "raw.erp/0: expected normalise to read on, found it stands at 50 after 50 dead letters; 10 records wait",
    ),
    Code.CASES_OVERDUE: (
        replace(WELL, overdue={Owner.FINANCE: 2}, open_cases=5),
        "finance: expected none past its due time, found 2 of 5 open cases",
    ),
    Code.CASES_UNREADABLE: (
        replace(WELL, unreadable_cases=1),
        "cases: expected cases this release can read, found 1 it cannot",
    ),
}
BESIDE: dict[Code, set[Code]] = {
    Code.COPIES_FEW: {Code.ACKNOWLEDGED_BY_ONE},
    Code.OPEN_ORDERS_OUTLIVE_LOG: {Code.LOG_FORGETS},
    Code.STATE_LOST: {Code.CONNECTIONS_UNNAMED},
    Code.PARTITION_FUSED: {Code.DEAD_LETTERS},
}
"""What cannot be but with others."""


def test_a_well_installation_has_no_finding() -> None:
    assert findings(WELL) == []
    assert well([])


@pytest.mark.parametrize("code", Code)
def test_each_finding_is_found_where_it_is_and_nothing_else(code: Code) -> None:
    there, told = ILL[code]

    found = findings(there)

    assert {one.code for one in found} == {code, *BESIDE.get(code, set())}
    assert told in [f"{one.where}: expected {one.expected}, found {one.found}" for one in found if one.code is code]
    assert well(found) == all(CATALOGUE[one.code].severity is Severity.ADVICE for one in found)


def test_the_worst_comes_first() -> None:
    there = replace(
        with_setting(EVENTS, retention_ms="1", unclean_leader_election_enable="true"),
        table=dict.fromkeys(range(2), Table(configured={ACME: 1})),
        overdue={Owner.FINANCE: 1},
    )

    severities = [finding.severity for finding in findings(there)]

    assert severities == [Severity.STOPS_REBUILD, Severity.RISKS_LOSS, Severity.ADVICE]


def test_an_empty_cluster_has_every_topic_missing_and_nobody_there() -> None:
    nobody = {name: Group(0, {}) for name in READS}
    there = replace(WELL, topics={}, spans={}, placement={}, groups=nobody, table={}, configs={}, connections=None)

    found = Counter(finding.code for finding in findings(there))

    assert found == {
        Code.TOPIC_MISSING: len(WELL.topics),
        Code.GROUP_WITHOUT_MEMBERS: len(READS),
        Code.CONNECTIONS_UNNAMED: 1,
    }


def test_a_fresh_installation_that_only_was_configured_has_lost_no_state() -> None:
    there = replace(WELL, table=dict.fromkeys(range(2), Table(configured={ACME: 1})))

    assert findings(there) == []


@pytest.mark.parametrize("table", [STOCK, ITEMS], ids=lambda one: one.role)
def test_a_lost_table_of_stock_or_of_items_is_told(table: FoldedTable) -> None:
    committed = {Partition(table.events.name, number): END for number in range(2)}
    there = replace(WELL, groups={**WELL.groups, table.group: Group(1, committed)})
    assert findings(there) == []

    gone = replace(there, spans={**there.spans, Partition(table.state.name, 1): Span(0, 0)})
    (found,) = findings(gone)

    assert (found.code, found.where) == (Code.STATE_LOST, f"{table.state.name}/1")
    assert found.expected == f"states up to offset {END}, where {table.group} is"
    never_run = replace(gone, groups=WELL.groups)
    assert findings(never_run) == []


def test_dead_letters_that_the_group_has_passed_are_no_blown_fuse() -> None:
    there = with_group("lockstep.normalise", RAW_ERP, 55, spans=spans_with(RAW_ERP, Span(0, 60)), letters=letters(50))

    assert {finding.code for finding in findings(there)} == {Code.DEAD_LETTERS}


def test_dead_letters_of_one_order_are_no_blown_fuse() -> None:
    same = tuple(replace(letter, key=b"acme/5001") for letter in letters(50))
    there = with_group("lockstep.normalise", RAW_ERP, 50, spans=spans_with(RAW_ERP, Span(0, 60)), letters=same)

    assert {finding.code for finding in findings(there)} == {Code.DEAD_LETTERS}


def test_every_finding_has_its_place_in_the_catalogue_and_on_the_page() -> None:
    assert set(CATALOGUE) == set(Code)
    assert (ROOT / "docs/operate/doctor.md").read_text() == page.page(), "run `make pages`"


def test_a_role_that_no_brand_needs_need_not_run() -> None:
    items = {"mode": "observe"}
    assert kept([a_brand()]) == {}
    assert kept([a_brand(), a_brand(items=items)]) == {"lockstep.items": ("items.events",)}
    assert set(kept([a_brand(stock={"mode": "observe"}, items=items)])) == {"lockstep.stock", "lockstep.items"}


def test_the_group_of_a_notices_target_is_looked_after_like_a_role() -> None:
    """Of two targets one is told up to the end, of the other nobody runs and news wait."""
    told, untold = "lockstep.notices.acme.chat", "lockstep.notices.acme.pager"
    ends = {where: span.end for where, span in WELL.spans.items() if where.topic == CASES.name}
    there = replace(
        WELL,
        reads={**READS, told: (CASES.name,), untold: (CASES.name,)},
        groups={**WELL.groups, told: Group(1, ends), untold: Group(0, {})},
    )

    found = findings(there)

    assert {(one.code, one.where) for one in found} == {
        (Code.GROUP_WITHOUT_MEMBERS, untold),
        (Code.COMMIT_MISSING, f"{untold} in {CASES.name}"),
    }
    assert well(found)
