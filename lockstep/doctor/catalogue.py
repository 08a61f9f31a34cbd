"""Every finding the doctor can have: how bad, what is expected and why, what to do. One catalogue explains all."""

from dataclasses import dataclass
from types import MappingProxyType

from lockstep import catalogued
from lockstep.doctor.codes import Code, Severity, Subject

Entry = catalogued.Entry[Subject, Severity]

_STOPS, _LOSS, _ADVICE = Severity.STOPS_REBUILD, Severity.RISKS_LOSS, Severity.ADVICE
_SET = "Set it: `kafka-configs.sh --alter --entity-type topics --entity-name TOPIC --add-config NAME=VALUE`."
_TOPICS = Subject.TOPICS
_REBUILD = "what is deleted already comes back by `lockstep rebuild --from-systems` only."

CATALOGUE: MappingProxyType[Code, Entry] = MappingProxyType(
    {
        Code.TOPIC_MISSING: Entry(
            _TOPICS, _LOSS,
            "Every topic of the registry is there; without it the roles that read or write it do not run.",
            "`lockstep topics create`. If it was there before, what it held is gone: `lockstep rebuild` next.",
        ),
        Code.PARTITIONS_DIFFER: Entry(
            _TOPICS, _LOSS,
            "All topics have as many partitions as `orders.events`: a key then lies in the same number everywhere.",
            "Stop the roles, make the topic anew with the right number, `lockstep refresh` what it held. Never add "
            "partitions: keys would move.",
        ),
        Code.PARTITIONS_SETTING: Entry(
            _TOPICS, _ADVICE,
            "`LOCKSTEP_PARTITIONS` is the number that is there; `topics create` refuses another.",
            "Set `LOCKSTEP_PARTITIONS` to what is there.",
        ),
        Code.LOG_COMPACTED: Entry(
            _TOPICS, _STOPS,
            "`orders.events` is never compacted: each order's state is the fold of all its events.",
            f"{_SET} NAME=VALUE is `cleanup.policy=delete`; {_REBUILD}",
        ),
        Code.LOG_FORGETS: Entry(
            _TOPICS, _STOPS,
            "`orders.events` is kept for ever (`retention.ms=-1`, tiered or not): it is what a rebuild reads.",
            f"{_SET} NAME=VALUE is `retention.ms=-1`; {_REBUILD}",
        ),
        Code.LOG_LIMITED: Entry(
            _TOPICS, _STOPS,
            "`orders.events` has no limit by size (`retention.bytes=-1`).",
            f"{_SET} NAME=VALUE is `retention.bytes=-1`; {_REBUILD}",
        ),
        Code.STAMPED_BY_PRODUCER: Entry(
            _TOPICS, _STOPS,
            "Event logs bear the broker's append time (`message.timestamp.type=LogAppendTime`): it is the rules' only "
            "clock, and with a producer's clock a fold depends on who wrote.",
            _SET,
        ),
        Code.CLEANUP_DIFFERS: Entry(
            _TOPICS, _LOSS,
            "The topic is cleaned up as declared: compacted by key, or deleted by age.",
            _SET,
        ),
        Code.RETENTION_SHORT: Entry(
            _TOPICS, _LOSS,
            "The topic is kept as long as declared: so long a reader may stand still without losing records.",
            _SET,
        ),
        Code.RETENTION_LONG: Entry(
            _TOPICS, _ADVICE,
            "The topic is kept no longer than declared: it holds addresses.",
            f"{_SET} Or leave it, if you may keep them.",
        ),
        Code.RETENTION_BY_SIZE: Entry(
            _TOPICS, _LOSS,
            "Nothing is deleted by size (`retention.bytes=-1`): a busy day would take records nobody has read.",
            _SET,
        ),
        Code.COMPACTION_LAG_SHORT: Entry(
            _TOPICS, _LOSS,
            "A changelog is not compacted before a worker that was paused has woken (`min.compaction.lag.ms`): its "
            "late write would else remove the newer state.",
            _SET,
        ),
        Code.RECORD_LIMIT_LOW: Entry(
            _TOPICS, _LOSS,
            "The topic takes records as large as we send (`max.message.bytes`); a larger one ends in the dead letters.",
            _SET,
        ),
        Code.SETTING_DIFFERS: Entry(
            _TOPICS, _ADVICE,
            "The topic's other settings are as declared.",
            _SET,
        ),
        Code.COPIES_FEW: Entry(
            _TOPICS, _LOSS,
            "Every partition has `LOCKSTEP_REPLICATION` copies.",
            "Add copies with `kafka-reassign-partitions.sh`.",
        ),
        Code.COPY_SINGLE: Entry(
            _TOPICS, _ADVICE,
            "More than one copy of each record. One is for a laptop: with its disk everything is gone.",
            "Three brokers, `LOCKSTEP_REPLICATION=3`, and `kafka-reassign-partitions.sh` for what is there.",
        ),
        Code.ACKNOWLEDGED_BY_ONE: Entry(
            _TOPICS, _LOSS,
            "An acknowledged record lies on two brokers at least (`min.insync.replicas=2`).",
            _SET,
        ),
        Code.ACKNOWLEDGED_BY_ALL: Entry(
            _TOPICS, _ADVICE,
            "One broker may be away (`min.insync.replicas` below the number of copies): else nothing can be written.",
            _SET,
        ),
        Code.UNCLEAN_ELECTION: Entry(
            _TOPICS, _LOSS,
            "A broker that lags never becomes leader (`unclean.leader.election.enable=false`): acknowledged records "
            "would vanish, and offsets would be given twice.",
            _SET,
        ),
        Code.PARTITION_WITHOUT_LEADER: Entry(
            _TOPICS, _LOSS,
            "Every partition has a leader; without one its orders stand still and webhooks are answered 503.",
            "Start the brokers that hold it; `kafka-topics.sh --describe --unavailable-partitions` names them.",
        ),
        Code.PARTITION_OUT_OF_SYNC: Entry(
            _TOPICS, _ADVICE,
            "All copies of a partition are in step with its leader.",
            "Look at the brokers; it is normal for a while after one was started.",
        ),
        Code.TOPICS_MADE_ON_DEMAND: Entry(
            _TOPICS, _ADVICE,
            "The brokers make no topic that is only asked for (`auto.create.topics.enable=false`): it would have "
            "another number of partitions and their retention.",
            "Set `auto.create.topics.enable=false` on the brokers.",
        ),
        Code.LOG_BEGINS_LATE: Entry(
            Subject.LOG, _STOPS,
            "Each partition of `orders.events` begins at offset 0.",
            "What was deleted cannot be folded again: mend the retention, keep the changelog, and should the state be "
            "lost too, use `lockstep rebuild --from-systems`.",
        ),
        Code.OPEN_ORDERS_OUTLIVE_LOG: Entry(
            Subject.LOG, _STOPS,
            "No order that is still open is older than `orders.events` is kept.",
            "Set `retention.ms=-1` before its first events are deleted; else only `--from-systems` rebuilds it.",
        ),
        Code.STATE_AHEAD_OF_LOG: Entry(
            Subject.LOG, _LOSS,
            "No state has folded more than its partition of the log holds. Else the log was made anew, and all its "
            "records up to that offset would be taken for duplicates.",
            "Stop the orders role, delete the topic `orders.state`, `lockstep topics create`; then `lockstep rebuild "
            "--yes`, or `--from-systems`.",
        ),
        Code.STATE_OF_ANOTHER_CLUSTER: Entry(
            Subject.LOG, _LOSS,
            "The state was folded from this cluster's topics; offsets of another say nothing here: the worker ends.",
            "Point the roles at the cluster they know; or delete `orders.state`, `lockstep topics create` and rebuild.",
        ),
        Code.STATE_LOST: Entry(
            Subject.LOG, _LOSS,
            "Where the group of orders, stock or items has committed, its table holds states: it goes on from there "
            "without more.",
            "Of orders: stop the role, then `lockstep rebuild`, or where the log is gone too `--from-systems`. Of "
            "stock or items: stop the role, then `lockstep rebuild --table stock --yes` (`items`).",
        ),
        Code.STATE_UNREADABLE: Entry(
            Subject.LOG, _LOSS,
            "Every state can be read by this release.",
            "Is this an older release than the one that wrote it? Else `lockstep rebuild`.",
        ),
        Code.COMMIT_MISSING: Entry(
            Subject.GROUPS, _ADVICE,
            "Whoever reads a topic that holds records has committed how far.",
            "Run the role. It begins with the oldest record; commands that are old by then expire.",
        ),
        Code.UNREAD_DELETED: Entry(
            Subject.GROUPS, _LOSS,
            "Nothing was deleted before it was read.",
            "A role that ends with *records were skipped* at every start does not pass the gap by itself: stop it and "
            "delete its group's offsets of the topic (`kafka-consumer-groups.sh --delete-offsets`). Then `lockstep "
            "refresh` the orders of that time, or `lockstep rebuild --from-systems BRAND --yes`, and look why the role "
            "stood still longer than the topic is kept.",
        ),
        Code.UNREAD_SOON_DELETED: Entry(
            Subject.GROUPS, _LOSS,
            "What waits is younger than half the time the topic is kept.",
            "Run the role now, or keep the topic longer until it has caught up.",
        ),
        Code.COMMIT_BEYOND_LOG: Entry(
            Subject.GROUPS, _LOSS,
            "A committed offset lies within its partition. Else the topic was made anew, and its new records up to the "
            "old commit may be skipped.",
            "Stop the role and delete its group's offsets (`kafka-consumer-groups.sh --delete-offsets`).",
        ),
        Code.GROUP_BEHIND: Entry(
            Subject.GROUPS, _ADVICE,
            "A group is not far behind.",
            "More processes of the role, up to the number of partitions; `/health/ready` tells if one stands still.",
        ),
        Code.GROUP_WITHOUT_MEMBERS: Entry(
            Subject.GROUPS, _ADVICE,
            "Every role runs, and of the notices every target is told. The brokers drop the commits of a group "
            "whose last member left longer ago than `offsets.retention.minutes`; it then begins with the oldest "
            "record.",
            "`lockstep run` the role; of `lockstep.notices.BRAND.TARGET` it is `notices`.",
        ),
        Code.MEMBERS_IDLE: Entry(
            Subject.GROUPS, _ADVICE,
            "A role has no more processes than there are partitions; the others only wait.",
            "Run fewer, if not meant as a reserve.",
        ),
        Code.COMMITS_KEPT_SHORT: Entry(
            Subject.GROUPS, _ADVICE,
            "Commits outlive a long weekend (`offsets.retention.minutes` of 7 days at least).",
            "Set `offsets.retention.minutes=10080` or more on the brokers.",
        ),
        Code.CONNECTIONS_UNNAMED: Entry(
            Subject.CONFIGURATION, _ADVICE,
            "`LOCKSTEP_CONNECTIONS` names the connections file, so that brands can be compared.",
            "Run the doctor where the roles run.",
        ),
        Code.CONNECTIONS_UNREADABLE: Entry(
            Subject.CONFIGURATION, _LOSS,
            "The connections file can be read; no role starts without it.",
            "Mend what it says; [settings](settings.md) shows an example.",
        ),
        Code.BRAND_NOT_CONFIGURED: Entry(
            Subject.CONFIGURATION, _LOSS,
            "Each brand of the connections file has a configuration in the log; else nothing is decided for it.",
            "`lockstep config apply` its file, in mode `observe` first.",
        ),
        Code.BRAND_NOT_CONNECTED: Entry(
            Subject.CONFIGURATION, _LOSS,
            "Each configured brand has its connections; else its webhooks are refused and its orders are not read.",
            "Add its table to the connections file and start the roles again.",
        ),
        Code.BRAND_PAUSED: Entry(
            Subject.CONFIGURATION, _ADVICE,
            "No brand stands still by configuration.",
            "`lockstep resume BRAND`, or mode `live`, when that is not meant any more.",
        ),
        Code.CONFIGURATION_UNREADABLE: Entry(
            Subject.CONFIGURATION, _LOSS,
            "Each brand's newest configuration can be read by this release.",
            "`lockstep config apply` its file again, with the release that runs.",
        ),
        Code.CONFIGURATION_NOT_FOLDED: Entry(
            Subject.CONFIGURATION, _ADVICE,
            "Every partition decides with each brand's newest configuration.",
            "Normal for seconds after `config apply`; else look at `normalise` and `orders`.",
        ),
        Code.API_VERSION_OLD: Entry(
            Subject.CONFIGURATION, _ADVICE,
            "The Shopify API version asked for is younger than a year; Shopify then answers with another.",
            "Set `api_version` to one this release was tried with, after a look at Shopify's changes.",
        ),
        Code.DEAD_LETTERS: Entry(
            Subject.WAITING, _ADVICE,
            "No dead letters.",
            "See *Dead letters* in [running](running.md): mend the cause, then `lockstep refresh` the orders.",
        ),
        Code.PARTITION_FUSED: Entry(
            Subject.WAITING, _LOSS,
            "No partition is stopped by the fuse of its dead letters.",
            "Find out what changed in those records, deploy the mend, restart the role; it begins where it stopped.",
        ),
        Code.CASES_OVERDUE: Entry(
            Subject.WAITING, _ADVICE,
            "No open case is past its due time.",
            "`lockstep case list --owner OWNER`.",
        ),
        Code.CASES_UNREADABLE: Entry(
            Subject.WAITING, _ADVICE,
            "Every case can be read by this release.",
            "Look with the release that wrote them.",
        ),
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be. `where` names topic, partition, group or brand; nothing personal."""

    code: Code
    where: str
    expected: str
    found: str

    @property
    def severity(self) -> Severity:
        return CATALOGUE[self.code].severity

    @property
    def do(self) -> str:
        return CATALOGUE[self.code].do
