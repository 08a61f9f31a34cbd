"""How this process reaches its Kafka cluster: one place, so that no command forgets a certificate or a password."""

from kernel.kafka_log import KafkaLog, KafkaSettings
from lockstep.settings import Settings


def kafka_log(settings: Settings, client_id: str) -> KafkaLog:
    """The log, not connected yet. Raises SettingsError when a secret named by file or variable is not there."""
    return KafkaLog(
        settings.kafka_bootstrap,
        client_id=client_id,
        security=settings.kafka_security.resolved(),
        settings=KafkaSettings(session_timeout=settings.session_timeout),
    )
