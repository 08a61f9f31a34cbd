"""What waits for a person: dead letters, partitions stopped by their fuse, cases past their due time. Counts only."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from kernel.log import Partition
from lockstep.doctor.catalogue import Finding
from lockstep.doctor.codes import Code
from lockstep.doctor.installation import Installation
from schemas.topics import CASES
from streams.engine.settings import EngineSettings

WORKERS = ("normalise", "orders", "stock", "items")
"""Roles with a fuse."""


def check_waiting(there: Installation) -> Iterator[Finding]:
    letters = Counter(letter.record.topic for letter in there.letters)
    for topic, count in sorted(letters.items()):
        newest = max(letter.at for letter in there.letters if letter.record.topic == topic)
        yield Finding(Code.DEAD_LETTERS, topic, "no dead letter", f"{count}, the newest of {newest:%Y-%m-%d %H:%M} UTC")
    yield from _fused(there)
    for owner, count in sorted(there.overdue.items()):
        yield Finding(Code.CASES_OVERDUE, owner, "none past its due time", f"{count} of {there.open_cases} open cases")
    if there.unreadable_cases:
        yield Finding(
            Code.CASES_UNREADABLE, CASES.name, "cases this release can read", f"{there.unreadable_cases} it cannot"
        )


def _fused(there: Installation) -> Iterator[Finding]:
    """A fuse is not written down. It blew where dead letters of as many keys as it lets pass stand at the commit."""
    engine = EngineSettings()
    given_up: dict[tuple[str, Partition], dict[int, bytes]] = defaultdict(dict)
    for letter in there.letters:
        if letter.stage in WORKERS:
            given_up[letter.stage, letter.record][letter.offset] = letter.key
    for (role, where), letters in sorted(given_up.items(), key=lambda one: one[0]):
        group, span = there.groups.get(f"lockstep.{role}"), there.spans.get(where)
        committed = None if group is None else group.committed.get(where)
        if committed is None or span is None or committed >= span.end:
            continue
        recent = {offset: key for offset, key in letters.items() if committed - engine.fuse_window <= offset}
        if len(set(recent.values())) >= engine.fuse_most and max(recent) + 1 >= committed:
            yield Finding(
                Code.PARTITION_FUSED, str(where), f"{role} to read on",
                f"it stands at {committed} after {len(recent)} dead letters; {span.end - committed} records wait",
            )  # fmt: skip
