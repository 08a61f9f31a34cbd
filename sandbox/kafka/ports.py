"""Ports of the loopback that stay ours across a restart."""

import socket
from random import SystemRandom

RANGE = range(20_000, 32_000)
"""Below the ports Linux and macOS give to outgoing connections: nobody gets one of these by chance while its broker
is down. Somebody else may still choose it on purpose; a start then fails, and is made again with others."""

_chance = SystemRandom()  # not the seeded generator: tests that fix the seed would all choose the same port


def free_ports(count: int) -> list[int]:
    """`count` different ports nobody listens on now."""
    found: list[int] = []
    while len(found) < count:
        port = _chance.choice(RANGE)
        if port not in found and _is_free(port):
            found.append(port)
    return found


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
