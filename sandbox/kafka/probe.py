"""Asks a broker who is there, over a bare socket: needs no client library, no event loop, and leaves no log lines."""

import socket
import struct

METADATA_V1 = (3, 1)
"""Api key and version. Version 1 names the controller and is still served by Kafka 4."""


def brokers_known(port: int, *, timeout: float = 1.0) -> frozenset[int]:
    """The node ids of the brokers that take part, as the broker at this loopback port knows them.

    Empty as long as the broker knows no controller. Raises OSError when it does not listen or does not answer in time.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as connection:
        client = b"probe"
        no_topics = 0
        request = struct.pack(">hhih", *METADATA_V1, 1, len(client)) + client + struct.pack(">i", no_topics)
        connection.sendall(struct.pack(">i", len(request)) + request)
        (length,) = struct.unpack(">i", _exactly(connection, 4))
        return _brokers(_exactly(connection, length))


def _exactly(connection: socket.socket, length: int) -> bytes:
    received = b""
    while len(received) < length:
        part = connection.recv(length - len(received))
        if not part:
            raise ConnectionError("the broker closed the connection in the middle of an answer")
        received += part
    return received


def _brokers(answer: bytes) -> frozenset[int]:
    at = 4  # the correlation id
    (count,) = struct.unpack_from(">i", answer, at)
    at += 4
    ids = []
    for _ in range(count):
        node_id, host_length = struct.unpack_from(">ih", answer, at)
        at += 6 + host_length + 4  # host and port
        (rack_length,) = struct.unpack_from(">h", answer, at)
        at += 2 + max(0, rack_length)
        ids.append(node_id)
    (controller,) = struct.unpack_from(">i", answer, at)
    return frozenset(ids) if controller >= 0 else frozenset()
