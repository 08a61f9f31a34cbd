"""Offsets and epochs mean nothing in another cluster: the worker stops and says so, rather than take all for old."""

import pytest

from schemas.events import ShopifyOrderSeen, Source
from streams.agents.same_log import AnotherLogError
from tests.builders import ACME, ORDER, an_order
from tests.story import Story


def seen_in(cluster: str, story: Story) -> ShopifyOrderSeen:
    source = Source(topic="raw.shopify", cluster=cluster, partition=0, offset=3)
    snapshot = an_order().with_line("MUG", 1).order
    return ShopifyOrderSeen(
        brand=ACME, order=ORDER, source=source, epoch=1, read_started_at=story.at, snapshot=snapshot
    )


def test_events_of_another_cluster_stop_the_worker_with_an_explanation() -> None:
    story = Story().shopify(an_order().with_line("MUG", 1).routed("71"))
    before = dict(story.changelog)
    with pytest.raises(AnotherLogError, match=r"acme/5012.*raw\.shopify in cluster test.*cluster other.*rebuild"):
        story._event(seen_in("other", story))
    assert story.changelog == before


def test_a_key_never_seen_takes_any_cluster() -> None:
    story = Story()
    story._event(seen_in("other", story))
    assert story.state.shopify is not None
