"""One Clarus tenant, as a brand sees it: address, credentials, timings. What is mapped stands in the configuration."""

from pydantic import SecretStr

from schemas.base import Brand, Frozen


class ClarusTenant(Frozen):
    """`longest_request`: seconds for which Clarus may still execute a request that nobody waits for any more.

    No rate limit is documented (API description 1.0.0); `per_second` and `at_once` are ours.
    """

    brand: Brand
    base_url: str = "https://clarus-api.com"
    subdomain: str
    client_id: str
    client_secret: SecretStr
    rest_prefix: str = "/api"
    timeout: float = 20.0
    longest_request: float = 30.0
    per_second: float = 5.0
    at_once: int = 4
    page_size: int = 100
    read_batch: int = 20
    known_for: float = 600.0
    """Seconds a looked-up id is believed."""
