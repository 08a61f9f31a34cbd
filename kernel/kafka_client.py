"""How we reach Kafka: addresses, security, time limits, and what aiokafka's errors mean to our callers."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from aiokafka import errors
from aiokafka.admin import AIOKafkaAdminClient

from kernel.log import Fenced, LogError, LogUnavailable, RecordTooLarge

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class KafkaSecurity:
    """How brokers know us and we know them. The default is for a broker on this machine only.

    `ca_file` names the authority of the brokers' certificates, None takes the system's; `certificate` and
    `certificate_key` are for brokers that ask for ours.
    """

    protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: Path | None = None
    certificate: Path | None = None
    certificate_key: Path | None = None

    def arguments(self) -> dict[str, Any]:
        """As aiokafka's clients take them. Reads the certificates."""
        chosen: dict[str, Any] = {"security_protocol": self.protocol}
        if self.protocol in {"SSL", "SASL_SSL"}:
            context = ssl.create_default_context(cafile=self.ca_file)
            if self.certificate is not None:
                context.load_cert_chain(self.certificate, self.certificate_key)
            chosen["ssl_context"] = context
        if self.protocol in {"SASL_PLAINTEXT", "SASL_SSL"}:
            chosen["sasl_mechanism"] = self.mechanism
            chosen["sasl_plain_username"] = self.username
            chosen["sasl_plain_password"] = self.password
        return chosen


@dataclass(frozen=True, slots=True)
class KafkaSettings:
    """Time limits and sizes; seconds and bytes.

    `acknowledged_within`: after it an acknowledgement that did not come is LogUnavailable, though the record is still
    being sent. `session_timeout`: a silent member of a group loses its partitions. `rebalance_timeout`: how long
    `revoked` may take before the group goes on without us; below `request_timeout`, for a member that joins waits so
    long for one answer.
    """

    linger: float = 0.005
    batch_bytes: int = 256 * 1024
    largest_record: int = 1_000_000
    compression: Literal["lz4", "none"] = "lz4"
    acknowledged_within: float = 30.0
    session_timeout: float = 30.0
    rebalance_timeout: float = 35.0
    request_timeout: float = 40.0


@dataclass(frozen=True, slots=True)
class Connection:
    """One cluster as one process of ours reaches it."""

    bootstrap: str
    client_id: str
    security: KafkaSecurity
    settings: KafkaSettings

    def arguments(self) -> dict[str, Any]:
        """What all of aiokafka's clients are made with."""
        return {
            "bootstrap_servers": self.bootstrap.split(","),
            "client_id": self.client_id,
            "request_timeout_ms": milliseconds(self.settings.request_timeout),
            **self.security.arguments(),
        }

    @asynccontextmanager
    async def admin(self) -> AsyncIterator[Any]:
        """An administrator's client for a few questions. Raises LogUnavailable."""
        client = AIOKafkaAdminClient(**self.arguments())
        try:
            with translated(f"reaching Kafka at {self.bootstrap}"):
                await client.start()
            yield client
        finally:
            await client.close()

    async def partition_counts(self, topics: frozenset[str]) -> Mapping[str, int]:
        """How many partitions each topic has. Raises LogUnavailable, or LogError naming the topics not there."""
        async with self.admin() as client:
            with translated(f"asking Kafka at {self.bootstrap} for its topics"):
                # All topics: asking for one by name would create it where the cluster creates what it is asked for.
                described = await client.describe_topics()
        counts = {topic["topic"]: len(topic["partitions"]) for topic in described if topic["topic"] in topics}
        missing = sorted(topics - counts.keys())
        if missing:
            raise LogError(
                f"expected topics {', '.join(missing)} in Kafka at {self.bootstrap}, found no such topic: "
                "create them with `lockstep topics create`"
            )
        return counts


def when(timestamp_ms: int) -> datetime:
    """Kafka's milliseconds as an aware time."""
    return _EPOCH + timedelta(milliseconds=timestamp_ms)


def milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


_TOO_LARGE = (errors.MessageSizeTooLargeError, errors.RecordTooLargeError, errors.RecordListTooLargeError)
_FENCED = (
    errors.CommitFailedError,
    errors.IllegalStateError,  # aiokafka: the partition is not assigned to this consumer
    errors.IllegalGenerationError,
    errors.UnknownMemberIdError,
    errors.RebalanceInProgressError,
)
_NEVER = (
    errors.AuthenticationFailedError,
    errors.ClusterAuthorizationFailedError,
    errors.GroupAuthorizationFailedError,
    errors.IllegalArgumentError,
    errors.IllegalOperation,
    errors.InvalidSessionTimeoutError,
    errors.InvalidTopicError,
    errors.PolicyViolationError,
    errors.SaslAuthenticationFailed,
    errors.TopicAuthorizationFailedError,
    errors.UnknownTopicOrPartitionError,
    errors.UnsupportedVersionError,
)


NOBODY_ANSWERS = (
    "expected a broker, found none that answers: is Kafka running there, is LOCKSTEP_KAFKA_BOOTSTRAP right, and do "
    "LOCKSTEP_KAFKA_SECURITY__PROTOCOL and its credentials fit the brokers?"
)


def _nobody_answers(cause: BaseException) -> bool:
    """None of the addresses: aiokafka tells it by this text alone, and a broker that refuses our security, too."""
    return isinstance(cause, errors.KafkaConnectionError) and "Unable to bootstrap" in str(cause)


def translate(cause: BaseException, doing: str) -> LogError:
    """What one of aiokafka's errors means to a caller; what is neither lasting nor fenced is worth another try."""
    said = f"{doing}: {NOBODY_ANSWERS if _nobody_answers(cause) else repr(cause)}"
    if isinstance(cause, _TOO_LARGE):
        return RecordTooLarge(said)
    if isinstance(cause, _FENCED):
        return Fenced(said)
    if isinstance(cause, _NEVER):
        return LogError(said)
    return LogUnavailable(said)


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Errors of aiokafka, the network and time limits leave this block as LogError."""
    try:
        yield
    except (errors.KafkaError, errors.IllegalOperation, errors.ConsumerStoppedError, OSError, TimeoutError) as cause:
        raise translate(cause, doing) from cause


@asynccontextmanager
async def answered(doing: str, *, within: float) -> AsyncIterator[None]:
    """As `translated`, and no longer than so many seconds: aiokafka itself retries for ever."""
    with translated(f"{doing}, within {within:g} s"):
        async with asyncio.timeout(within):
            yield
