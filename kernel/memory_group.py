"""Groups of the log in memory: who owns which partition, how far each group has come, who was fenced."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from typing import TYPE_CHECKING

from kernel.log import Fenced, Group, LogError, Partition, Rebalance, Record

if TYPE_CHECKING:
    from kernel.memory_log import MemoryLog


class MemoryGroup:
    """As Kafka's classic protocol: whenever a member comes or goes, all is revoked, then dealt in ranges.

    Who comes while others are being told what they are assigned waits for that; a real group cuts it short.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.committed: dict[Partition, int] = {}
        self.owner: dict[Partition, MemoryConsumer] = {}
        self._members: list[MemoryConsumer] = []
        self._dealing = asyncio.Lock()

    async def join(self, member: "MemoryConsumer") -> None:
        async with self._dealing:
            await self._revoke_all()
            if not member.lost:
                self._members.append(member)
            await self._deal()

    async def leave(self, member: "MemoryConsumer") -> None:
        async with self._dealing:
            if member not in self._members:
                await member.give_up()  # fenced long ago, and told so only now
                return
            await self._revoke_all()
            self._members.remove(member)
            await self._deal()

    async def expire(self, member: "MemoryConsumer") -> None:
        """Its session is over: the others get its partitions, and it does not know yet."""
        self.forget(member)
        async with self._dealing:
            await self._revoke_all()
            await self._deal()

    def forget(self, member: "MemoryConsumer") -> None:
        """It died without a word: nobody has its partitions until the next rebalance."""
        if member in self._members:
            self._members.remove(member)
        for where in [where for where, owner in self.owner.items() if owner is member]:
            del self.owner[where]

    def seen(self) -> Group:
        return Group(len(self._members), dict(self.committed))

    def place(self, offsets: Mapping[Partition, int]) -> None:
        """A commit by somebody who is no member; refused while there are any."""
        if self._members:
            raise Fenced(f"expected no member in group {self.name}, found {len(self._members)}: stop them first")
        self.committed.update(offsets)

    async def _revoke_all(self) -> None:
        for member in list(self._members):
            await member.give_up()
        self.owner.clear()

    async def _deal(self) -> None:
        """Contiguous ranges per topic, the first members one more: partition n of all topics goes together."""
        counts = {topic: member.log.count(topic) for member in self._members for topic in member.topics}
        for topic, count in counts.items():
            members = [member for member in self._members if topic in member.topics]
            each, more = divmod(count, len(members))
            begin = 0
            for place, member in enumerate(members):
                end = begin + each + (1 if place < more else 0)
                self.owner.update({Partition(topic, number): member for number in range(begin, end)})
                begin = end
        for member in list(self._members):
            await member.take(frozenset(where for where, owner in self.owner.items() if owner is member))


class MemoryConsumer:
    """A member of a group; see `kernel.log.Consumer`. What `assigned` or `revoked` raises comes out of `poll`."""

    def __init__(
        self, log: "MemoryLog", group: MemoryGroup, topics: Sequence[str], rebalance: Rebalance | None
    ) -> None:
        self.log = log
        self.topics = tuple(topics)
        self._group = group
        self._rebalance = rebalance
        self._positions: dict[Partition, int] = {}
        self._paused: set[Partition] = set()
        self._failure: Exception | None = None
        self.lost = False

    async def start(self) -> None:
        self.log.must_be_there()
        counts = {topic: self.log.count(topic) for topic in self.topics}
        if len(set(counts.values())) > 1:
            raise LogError(
                f"expected the same number of partitions in all topics of group {self._group.name}, found {counts}"
            )
        await self._group.join(self)
        self._raise_failure()

    async def stop(self) -> None:
        await self._group.leave(self)

    # --- for tests: ends that are not orderly

    def lose(self) -> None:
        """Die without a word: nothing is revoked politely, the partitions stay unread until a rebalance. Whoever dies
        while it joins, does not.
        """
        self.lost = True
        self._group.forget(self)

    async def expire(self) -> None:
        """Be silent past the session: others own the partitions, this member still believes it does, and is fenced."""
        await self._group.expire(self)

    async def rejoin(self) -> None:
        """Learn, after `expire`, that others own what it held: give that up, and be a member again."""
        await self._group.leave(self)
        await self._group.join(self)

    # --- the contract

    async def poll(self, *, timeout: float, most: int = 500) -> Sequence[Record]:
        deadline = asyncio.get_running_loop().time() + timeout
        found = self._take(most)
        while not found and await self.log.happening(self._positions, deadline):
            found = self._take(most)
        return found

    async def commit(self, finished: Mapping[Partition, int]) -> None:
        self.log.must_be_there()
        for where in finished:
            if self._group.owner.get(where) is not self:
                raise Fenced(f"committing as group {self._group.name}: {where} belongs to another member now")
        self._group.committed.update(finished)

    def pause(self, *partitions: Partition) -> None:
        self._paused.update(where for where in partitions if self._group.owner.get(where) is self)

    def resume(self, *partitions: Partition) -> None:
        self._paused.difference_update(partitions)
        self.log.wake()

    async def end_offsets(self, partitions: Sequence[Partition]) -> Mapping[Partition, int]:
        return {where: self.log.end(where) for where in partitions}

    async def committed(self, partition: Partition) -> int | None:
        self.log.must_be_there()
        return self._group.committed.get(partition)

    # --- the rebalance, told by the group

    async def take(self, partitions: frozenset[Partition]) -> None:
        """Records come only after `assigned` has returned."""
        if self._rebalance is not None:
            await self._told(self._rebalance.assigned(partitions))
        self._positions = {where: self._group.committed.get(where, 0) for where in sorted(partitions)}
        self.log.wake()

    async def give_up(self) -> None:
        """No record comes any more; commits are taken until `revoked` has returned."""
        held = frozenset(self._positions)
        self._positions = {}
        if self._rebalance is not None and held:
            await self._told(self._rebalance.revoked(held))
        self._paused.clear()

    async def _told(self, telling: Awaitable[None]) -> None:
        try:
            await telling
        except Exception as cause:  # noqa: BLE001 - whatever it is, it comes out of this member's poll, not another's
            self._failure = cause

    def _take(self, most: int) -> list[Record]:
        self._raise_failure()
        open_ones = {where: at for where, at in self._positions.items() if where not in self._paused}
        found = self.log.fetch(open_ones, most)
        self._positions.update(open_ones)
        return found

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure
