"""Consumer groups: where each is in its topics, and who is there to read on."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from kernel.log import Group, Partition, Span
from lockstep.doctor.catalogue import Finding
from lockstep.doctor.codes import Code
from lockstep.doctor.installation import Installation

BEHIND = 1000
"""Records; as in the alert rules."""
COMMITS_KEPT_MINUTES = 7 * 24 * 60


def check_groups(there: Installation) -> Iterator[Finding]:
    kept = {broker: _minutes(settings) for broker, settings in there.brokers.items()}
    shortest = min(kept.values(), default=COMMITS_KEPT_MINUTES)
    for name, topics in there.reads.items():
        group = there.groups[name]
        yield from _members(there, name, group, shortest)
        lags: dict[str, int] = defaultdict(int)
        for where, span in sorted(there.spans.items()):
            if where.topic in topics:
                yield from _place(there, name, where, span, group.committed.get(where))
                if where in group.committed:
                    lags[where.topic] += max(0, span.end - max(span.begin, group.committed[where]))
        yield from _uncommitted(name, topics, there.spans, group)
        for topic, lag in sorted(lags.items()):
            if lag > BEHIND:
                yield Finding(Code.GROUP_BEHIND, f"{name} in {topic}", f"at most {BEHIND} records unread", str(lag))
    for broker, minutes in sorted(kept.items()):
        if minutes < COMMITS_KEPT_MINUTES:
            expected = f"offsets.retention.minutes={COMMITS_KEPT_MINUTES} or more"
            yield Finding(Code.COMMITS_KEPT_SHORT, f"broker {broker}", expected, f"offsets.retention.minutes={minutes}")


def _members(there: Installation, name: str, group: Group, kept_minutes: int) -> Iterator[Finding]:
    if group.members == 0:
        dropped = f"; its commits are dropped {kept_minutes / 1440:g} days after the last one left"
        found = f"none{dropped if group.committed else ''}"
        yield Finding(Code.GROUP_WITHOUT_MEMBERS, name, "a member", found)
    most = max((there.topics[topic].partitions for topic in there.reads[name] if topic in there.topics), default=0)
    if group.members > most > 0:
        yield Finding(Code.MEMBERS_IDLE, name, f"at most {most} members", str(group.members))


def _place(there: Installation, name: str, where: Partition, span: Span, committed: int | None) -> Iterator[Finding]:
    reads = f"{name} in {where}"
    if (committed or 0) < span.begin:
        known = "no commit" if committed is None else f"offset {committed}"
        lost = span.begin - (committed or 0)
        yield Finding(
            Code.UNREAD_DELETED, reads, f"a commit at {span.begin} or later, where the partition begins",
            f"{known}: {lost} records were deleted unread",
        )  # fmt: skip
    elif committed is not None and committed > span.end:
        yield Finding(Code.COMMIT_BEYOND_LOG, reads, f"at most {span.end}, where the partition ends", str(committed))
    elif where in there.half_kept:
        young = there.half_kept[where]
        young = span.end if young is None else young
        if (committed or 0) < young:
            old = young - max(span.begin, committed or 0)
            yield Finding(
                Code.UNREAD_SOON_DELETED, reads, "unread records younger than half of the topic's retention",
                f"{old} older ones",
            )  # fmt: skip


def _uncommitted(name: str, topics: Sequence[str], spans: Mapping[Partition, Span], group: Group) -> Iterator[Finding]:
    """One finding a topic: a role that never ran has no commit in any partition."""
    for topic in topics:
        bare = [
            (where, span.end)
            for where, span in sorted(spans.items())
            if where.topic == topic and span.end > span.begin == 0 and where not in group.committed
        ]
        if bare:
            numbers = ", ".join(str(where.number) for where, _ in bare)
            found = f"none in partition {numbers}; {sum(end for _, end in bare)} records wait"
            yield Finding(Code.COMMIT_MISSING, f"{name} in {topic}", "a commit in each partition with records", found)


def _minutes(settings: Mapping[str, str]) -> int:
    return int(settings.get("offsets.retention.minutes", COMMITS_KEPT_MINUTES))
