"""A broker that lets in only who knows the password, on a listener of its own; and the certificates of its owner."""

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sandbox.kafka.distribution import prepare, silent
from sandbox.kafka.node import Node
from sandbox.kafka.ports import free_ports
from sandbox.kafka.runs import run_folder
from sandbox.kafka.storage import Seat, format_storage, new_cluster_id, write_properties

USERNAME, PASSWORD = "lockstep", "guarded-secret"


@contextmanager
def guarded_broker(protocol: str, settings: Mapping[str, str] | None = None) -> Iterator[str]:
    """The address of its guarded listener; `protocol` is SASL_PLAINTEXT or SASL_SSL, with the mechanism PLAIN."""
    distribution = prepare(silent)
    port, controller, guarded = free_ports(3)
    seat = Seat(1, port, controller)
    login = "org.apache.kafka.common.security.plain.PlainLoginModule required"
    with run_folder() as run:
        guard = {
            "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller},"
            f"GUARDED://127.0.0.1:{guarded}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port},GUARDED://127.0.0.1:{guarded}",
            "listener.security.protocol.map": f"PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,GUARDED:{protocol}",
            "sasl.enabled.mechanisms": "PLAIN",
            "listener.name.guarded.plain.sasl.jaas.config": f'{login} user_{USERNAME}="{PASSWORD}";',
            **(settings or {}),
        }
        write_properties(run, seat, [seat], guard)
        format_storage(run, seat, new_cluster_id(), distribution.storage_seed)
        node = Node(distribution, seat, run)
        node.spawn()
        try:
            node.wait_until_ready(frozenset({1}))
            yield f"127.0.0.1:{guarded}"
        finally:
            node.kill()


def certify(folder: Path) -> tuple[Path, dict[str, str]]:
    """A certificate for 127.0.0.1 that signs itself: its PEM for clients, and what the broker must be set to."""
    certificate, key, both = folder / "broker.pem", folder / "broker.key", folder / "keystore.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    both.write_text(key.read_text() + certificate.read_text())
    return certificate, {"ssl.keystore.type": "PEM", "ssl.keystore.location": str(both)}
