"""Stock: from a change to the figure that is sent, a whole catalogue swept and written, memory of many items."""

from datetime import datetime
from typing import Any

from benchmarks.figures import Group, figure, of_runs
from benchmarks.flow import rank
from benchmarks.process import answer, until
from benchmarks.topology import topology
from kernel.kafka_log import KafkaLog
from lockstep.reading import everything
from sandbox.kafka import Broker
from schemas.stock_rules import StockRules
from schemas.topics import COMMANDS_STOCK

QUIET_FOR = 1.0
RULES = StockRules(mode="write", quiet_for=QUIET_FOR, max_wait=10)
WITHIN = 900.0


async def changes(count: int, rate: float) -> Group:
    """Goods are received in Clarus; when is the command with the new figure in the log?"""
    async with Broker() as broker:
        log = KafkaLog(broker.bootstrap, client_id="lockstep-bench")
        async with topology(broker.bootstrap, RULES) as running:
            await running.receive(15, rate)  # each item once: its first figure takes longer, and is not what is asked
            await _decided(log, 15)
            received = await running.receive(count, rate)
            waits = await _waits(log, received)
    return Group(
        title="Stock: a change in the warehouse → the new figure, sent to Shopify's connector",
        made=f"every role in its own process, a real Kafka; {count} receipts of 15 items, {rate:g} a second; what is "
        f"told is beyond the {QUIET_FOR:g} s for which a figure must be quiet",
        figures=tuple(
            figure(f"p{share * 100:.0f}", rank(waits, share), "ms", f"of {len(waits)} changes") for share in (0.5, 0.95)
        ),
    )


async def _decided(log: KafkaLog, items: int) -> None:
    async def all_there() -> bool:
        return len({key for key, _ in await _commands(log)}) >= items

    await until(all_there, within=60.0, what=f"figures of {items} items")


async def _waits(log: KafkaLog, received: list[dict[str, str]]) -> list[float]:
    """Seconds beyond the quiet time, of each change, to the first command for its item after it."""
    waits: list[float] = []

    async def all_answered() -> bool:
        sent = await _commands(log)
        waits.clear()
        for one in received:
            at = datetime.fromisoformat(one["at"])
            after = [moment for key, moment in sent if key == one["key"] and moment >= at]
            if after:
                waits.append((min(after) - at).total_seconds() - QUIET_FOR)
        return len(waits) == len(received)

    await until(all_answered, within=60.0, what=f"a figure after each of {len(received)} changes")
    return waits


async def _commands(log: KafkaLog) -> list[tuple[str, datetime]]:
    async with everything(log, [COMMANDS_STOCK.name]) as records:
        return [((one.key or b"").decode(), one.at) async for one in records]


async def sweep(items: int) -> Group:
    """At the restore rate of the smallest plan, and of a large one."""
    figures = []
    for rate in (100, 1000):
        found = await _swept(items, rate)
        of = f"at {rate} points/s"
        throttled = 100 * found["throttled"] / found["requests"]
        figures += [
            figure(f"restore rate used {of}", 100 * found["restored"], "%", "the rest came back into a full bucket"),
            figure(f"throttled {of}", throttled, "% of answers", f"of {found['requests']} requests"),
            figure(f"swept and written {of}", found["seconds"] / 60, "minutes", "of Shopify's time"),
            figure(f"CPU {of}", 1e6 * found["cpu"] / items, "us/item", "of connector and sandbox together"),
        ]
    found = await _swept(items, 100, "bulk")
    figures.append(
        figure("the same, read in one bulk query", found["seconds"] / 60, "minutes", f"{found['points']:.0f} points")
    )
    return Group(
        title=f"Stock: a catalogue of {items} items looked at in Shopify, and every figure written",
        made="the connector as it runs against the sandbox's cost bucket, sixty items a request, in virtual time; "
        "orders are left their share",
        figures=tuple(figures),
    )


async def _swept(items: int, rate: float, *how: str) -> dict[str, Any]:
    found = await answer("benchmarks.stock_sweep", str(items), str(rate), *how, within=WITHIN)
    if found["applied"] != items:
        raise RuntimeError(f"expected {items} figures to be taken, found {found['applied']}")
    return found


async def memory(items: int, turns: int) -> Group:
    runs = {
        known: [await answer("benchmarks.stock_memory", str(items), known, within=WITHIN) for _ in range(turns)]
        for known in ("restored", "decoded")
    }
    per_100_000 = {known: [one["grown"] / items * 100_000 / 2**20 for one in found] for known, found in runs.items()}
    return Group(
        title="Stock: memory of a worker",
        made=f"{items} items in step in one partition, told as of 100 000",
        figures=(
            of_runs("after a restart", per_100_000["restored"], "MiB/100 000", "as they come from the changelog"),
            of_runs("later", per_100_000["decoded"], "MiB/100 000", "when something has happened to each of them"),
            figure("in the changelog", runs["restored"][0]["record"], "bytes/item", "of one item in step"),
        ),
    )


async def stock(*, quick: bool) -> list[Group]:
    """All of them."""
    if quick:
        return [await changes(15, 5.0), await sweep(600), await memory(2_000, 1)]
    return [await changes(120, 2.0), await sweep(50_000), await memory(100_000, 3)]
