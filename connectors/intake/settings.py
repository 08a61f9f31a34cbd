"""What intake needs to know of a brand, and its own limits."""

from pydantic import Field, SecretStr

from schemas.base import Brand, Frozen


class IntakeBrand(Frozen):
    """Who may post for this brand."""

    brand: Brand
    shop_domain: str
    shopify_secrets: tuple[SecretStr, ...] = Field(min_length=1)
    """Shopify signs with the oldest secret that is not revoked; while one is rotated, both are given."""
    clarus_token: SecretStr
    """The unguessable part of the path that Clarus' automations call: they carry no signature."""
    clarus_subdomain: str


class IntakeSettings(Frozen):
    """`answer_within` and `body_within` are seconds. Shopify waits 5 s in all (its webhook guide), so a slow broker is
    told as away, and who takes longer to send is nobody we wait for.
    """

    largest_body: int = 2 * 1024 * 1024
    """Bytes; more is refused."""
    largest_evidence: int = 256 * 1024
    """Bytes; a longer body still makes its hint, without the evidence."""
    answer_within: float = 3.0
    body_within: float = 10.0
