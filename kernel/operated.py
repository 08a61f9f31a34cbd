"""The log as an operator's tools need it: how far groups are, and topics beside topics."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from kernel.log import Group, Log, Partition


class OperatedLog(Log, Protocol):
    """In Kafka and in memory."""

    async def describe_groups(self, names: Sequence[str]) -> dict[str, Group]:
        """The named groups; one that never was has no member and no commit. Nobody joins anything."""
        ...

    async def place_group(self, name: str, offsets: Mapping[Partition, int]) -> None:
        """Commit in the name of a group that nobody is a member of. Raises Fenced when somebody is."""
        ...

    async def create_like(self, name: str, model: str) -> bool:
        """A topic with the partitions, copies and settings of another one; False when it was there already."""
        ...
