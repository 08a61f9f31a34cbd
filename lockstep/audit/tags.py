"""Tags of recent orders: who goes by a tag meets only the spelling he knows."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator

from lockstep.audit.catalogue import Finding
from lockstep.audit.codes import Code
from lockstep.audit.seen import Seen

_LIKE_A_PERSON = re.compile(r"@|\d{6}")
"""An address or a telephone number: some put such into a tag, and no page repeats it."""


def check_tags(seen: Seen) -> Iterator[Finding]:
    spellings: dict[str, Counter[str]] = defaultdict(Counter)
    for order in seen.shop.orders or ():
        for tag in order.tags:
            if not _LIKE_A_PERSON.search(tag):
                spellings["".join(filter(str.isalnum, tag.casefold()))][tag] += 1
    yield Finding.of(
        Code.TAGS_ALIKE,
        [
            ", ".join(f"{tag!r} on {count}" for tag, count in same.most_common())
            for alike, same in spellings.items()
            if alike and len(same) > 1
        ],
    )
