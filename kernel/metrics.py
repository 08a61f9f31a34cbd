"""The closed set of our metrics. Names, labels and meaning are here and nowhere else; nothing personal is a label."""

from enum import StrEnum
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)


_LONG: Final = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 4 * 3600, 24 * 3600)
"""Stages in which people and other systems take their time."""


class Stage(StrEnum):
    """A stretch of an order's way. The first four are our own machinery, the rest what a shopper waits for."""

    WEBHOOK_TO_SNAPSHOT = "webhook_to_snapshot"
    """From a webhook or automation at our door to the whole record read and in the log."""
    SNAPSHOT_TO_EVENT = "snapshot_to_event"
    """From there to its event being sent."""
    EVENT_TO_COMMAND = "event_to_command"
    """From an event's append to the commands it caused being sent."""
    COMMAND_TO_OUTCOME = "command_to_outcome"
    """From a decision to its outcome in the log."""
    COMPLETE_TO_GOODS_OUT = "complete_to_goods_out"
    """From the first decision to release an order's units to their goods-out seen in Clarus."""
    DESPATCHED_TO_POSTED = "despatched_to_posted"
    """From a despatch seen to the ERP seen to have posted it."""
    POSTED_TO_TOLD = "posted_to_told"
    """From there to Shopify seen to show it to the shopper."""


class Metrics:
    """One instance per process; tests make their own with a registry of their own."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        made: Any = {"registry": self.registry}
        self.records = Counter(
            "lockstep_records_total",
            "Records a worker finished: applied, duplicate, held, rejected or tick. Their sum is all that came.",
            ["topic", "verdict"],
            **made,
        )
        self.dead_letters = Counter(
            "lockstep_dead_letters_total", "Records sent to the dead letters.", ["topic"], **made
        )
        self.fused = Gauge("lockstep_fused_partitions", "Partitions stopped by the fuse of their dead letters.", **made)
        self.step_seconds = Histogram(
            "lockstep_step_seconds",
            "From a record's append to its end in a worker.",
            ["role"],
            buckets=_SECONDS,
            **made,
        )
        self.commit_age = Gauge(
            "lockstep_commit_age_seconds", "Since the last commit while records are waiting.", ["role"], **made
        )
        self.lag = Gauge("lockstep_lag_records", "Records not finished yet.", ["role", "topic", "partition"], **made)
        self.recovered = Counter("lockstep_recovered_records_total", "Changelog records read at assignments.", **made)
        self.keys = Gauge("lockstep_keys", "Keys in a worker's tables; orders a connector works on.", ["role"], **made)
        self.hints = Counter("lockstep_hints_total", "Hints, by why.", ["brand", "system", "why"], **made)
        self.refused = Counter(
            "lockstep_webhooks_refused_total",
            "Webhooks refused, by reason; nothing was written.",
            ["brand", "reason"],
            **made,
        )
        self.readings = Counter("lockstep_readings_total", "Snapshots published.", ["brand", "system"], **made)
        self.outcomes = Counter(
            "lockstep_outcomes_total", "Commands ended, by how.", ["brand", "system", "kind"], **made
        )
        self.hint_to_snapshot = Histogram(
            "lockstep_hint_to_snapshot_seconds",
            "From a hint to its snapshot.",
            ["brand", "system"],
            buckets=_SECONDS,
            **made,
        )
        self.command_to_outcome = Histogram(
            "lockstep_command_to_outcome_seconds",
            "From a decision to its outcome.",
            ["brand", "system", "kind"],
            buckets=_SECONDS,
            **made,
        )
        self.stage_seconds = Histogram(
            "lockstep_stage_seconds",
            "How long a stage of an order's way took.",
            ["brand", "stage"],
            buckets=_LONG,
            **made,
        )
        self.budget = Gauge(
            "lockstep_api_budget", "What is left of an API's budget, 0 to 1.", ["brand", "system"], **made
        )
        self.connection = Gauge(
            "lockstep_connection_well", "1 while a connection is well.", ["brand", "system"], **made
        )
        self.lists_refused = Counter(
            "lockstep_lists_refused_total",
            "Lists of what changed, or of all there is, that a system refused.",
            ["brand", "system"],
            **made,
        )
        self.compared = Counter(
            "lockstep_compared_orders_total",
            "Orders a sweep compared, by why their systems differ; one with two causes counts under both.",
            ["brand", "cause"],
            **made,
        )
        self.stock_drift = Counter(
            "lockstep_stock_drift_total",
            "Stock figures that began to differ from the warehouse, by why; counted before they are put right.",
            ["brand", "cause"],
            **made,
        )
        self.open_cases = Gauge("lockstep_open_cases", "Cases open now.", ["brand", "code", "severity"], **made)
        self.notices = Counter(
            "lockstep_notices_total",
            "Notices of cases posted to a target, by how it ended.",
            ["brand", "target", "outcome"],
            **made,
        )
        self.notice_target = Gauge(
            "lockstep_notice_target_well", "1 while a target takes its notices.", ["brand", "target"], **made
        )
