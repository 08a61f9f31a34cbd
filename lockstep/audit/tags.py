"""Tags of recent orders: who goes by a tag meets only the spelling he knows."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from lockstep.audit.catalogue import Finding
from lockstep.audit.codes import Code
from lockstep.audit.seen import Seen
from schemas.orders import is_like_a_person


def check_tags(seen: Seen) -> Iterator[Finding]:
    spellings: dict[str, Counter[str]] = defaultdict(Counter)
    for order in seen.shop.orders or ():
        for tag in order.tags:
            if not is_like_a_person(tag):
                spellings["".join(filter(str.isalnum, tag.casefold()))][tag] += 1
    yield Finding.of(
        Code.TAGS_ALIKE,
        [
            ", ".join(f"{tag!r} on {count}" for tag, count in same.most_common())
            for alike, same in spellings.items()
            if alike and len(same) > 1
        ],
    )
