"""The topic page of the documentation, derived from the registry."""

from schemas.topics import ALL, Topic


def page() -> str:
    """Markdown. A test keeps docs/topics.md equal to it."""
    rows = "\n".join(_row(topic) for topic in ALL)
    return f"""# Topics

Generated from `schemas/topics.py` by `lockstep topics page`. All keyed topics have the same number of partitions and
one partitioner (murmur2, the Java default), so that one instance owns the same keys in hints and commands.

| topic | key | holds | value | kept | writer | readers |
|---|---|---|---|---|---|---|
{rows}
"""


def _row(topic: Topic) -> str:
    kept = "compacted" if topic.cleanup == "compact" else _days(topic.retention_ms)
    readers = ", ".join(topic.readers)
    stamped = "; broker's append time" if topic.stamped_by_broker else ""
    cells = (f"`{topic.name}`", topic.key, topic.holds, f"{topic.value}{stamped}", kept, topic.writer, readers)
    return f"| {' | '.join(cells)} |"


def _days(retention_ms: int | None) -> str:
    return "for ever, or tiered" if retention_ms is None else f"{retention_ms // 86_400_000} days"
