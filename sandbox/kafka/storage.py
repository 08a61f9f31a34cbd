"""What a broker finds in its folder when it starts: `server.properties`, and a formatted storage below `log/`.

The quorum of controllers is static, so a formatted storage holds no ports and can be written from a template.
"""

import base64
import shutil
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

STORAGE_SEED = "bootstrap.checkpoint"
"""The file a formatted storage begins with: feature levels only, neither ports nor ids (measured, Kafka 4.1)."""


@dataclass(frozen=True, slots=True)
class Seat:
    """One node's place in its cluster; it is broker and controller at once."""

    node_id: int
    port: int
    controller_port: int


def write_properties(folder: Path, seat: Seat, seats: Sequence[Seat], settings: Mapping[str, str]) -> Path:
    """`server.properties` in `folder` for one of `seats`; `settings` win over ours."""
    copies = min(3, len(seats))
    properties = {
        "process.roles": "broker,controller",
        "node.id": str(seat.node_id),
        "controller.quorum.voters": ",".join(f"{each.node_id}@127.0.0.1:{each.controller_port}" for each in seats),
        "controller.listener.names": "CONTROLLER",
        "listeners": f"PLAINTEXT://127.0.0.1:{seat.port},CONTROLLER://127.0.0.1:{seat.controller_port}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{seat.port}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": str(folder / "log"),
        # Every topic of ours is declared; one that is not is a defect, not a wish.
        "auto.create.topics.enable": "false",
        "default.replication.factor": str(copies),
        "offsets.topic.replication.factor": str(copies),
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.replication.factor": str(copies),
        "transaction.state.log.min.isr": str(max(1, copies - 1)),
        "share.coordinator.state.topic.replication.factor": str(copies),
        "share.coordinator.state.topic.min.isr": str(max(1, copies - 1)),
        # Tests lose and regain members of a group within seconds.
        "group.initial.rebalance.delay.ms": "0",
        "group.min.session.timeout.ms": "1000",
        # A killed broker may register again only when its session is over: 9 s unless said otherwise (measured).
        "broker.session.timeout.ms": "3000",
        "broker.heartbeat.interval.ms": "500",
        **settings,
    }
    file = folder / "server.properties"
    file.write_text("".join(f"{name}={value}\n" for name, value in properties.items()), encoding="utf-8")
    return file


def format_storage(folder: Path, seat: Seat, cluster_id: str, seed: Path) -> None:
    """Do what Kafka's storage tool does, without its second of start-up."""
    log = folder / "log"
    log.mkdir()
    shutil.copyfile(seed, log / STORAGE_SEED)
    identity = {
        "version": "1",
        "cluster.id": cluster_id,
        "node.id": str(seat.node_id),
        "directory.id": new_cluster_id(),
    }
    lines = "".join(f"{name}={value}\n" for name, value in identity.items())
    (log / "meta.properties").write_text(lines, encoding="utf-8")


def new_cluster_id() -> str:
    """22 characters of URL-safe base 64 that do not begin with a dash: the form Kafka gives its own ids."""
    while True:
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not text.startswith("-"):
            return text
