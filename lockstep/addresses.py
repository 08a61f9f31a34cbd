"""Addresses of others that our secrets go to: encrypted, or on this machine."""

from ipaddress import ip_address
from urllib.parse import urlsplit


def guarded(address: str, what: str = "our credentials") -> str:
    """Read by whoever carries it, what is sent without TLS may only go to this machine. Raises ValueError, which never
    names the address; `what` would be read.
    """
    split = urlsplit(address)
    if split.scheme not in ("https", "http") or not split.hostname:
        raise ValueError("expected an address that begins with https://")
    if split.scheme == "http" and not _is_this_machine(split.hostname):
        raise ValueError(
            "expected an address that begins with https://, found http:// and a host that is not this machine: "
            f"{what} would travel in clear"
        )
    return address


def _is_this_machine(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
