"""Where a brand's cases are told, as the connections file says it."""

import base64
import binascii
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, SecretStr, model_validator

from lockstep.addresses import guarded
from schemas.base import Brand, Frozen
from schemas.cases import Case, Owner, Severity

SHORTEST_SECRET = 16
PREFIX = "whsec_"
"""Of a secret in the form of Standard Webhooks: what follows is base64."""

_RANK = {severity: rank for rank, severity in enumerate((Severity.NORMAL, Severity.HIGH, Severity.URGENT))}


def _address(url: SecretStr) -> SecretStr:
    guarded(url.get_secret_value(), "the address and what is told")
    return url


def _strong(secret: SecretStr) -> SecretStr:
    if len(key_of(secret)) < SHORTEST_SECRET:
        raise ValueError(f"expected a secret of at least {SHORTEST_SECRET} bytes")
    return secret


def key_of(secret: SecretStr) -> bytes:
    """The bytes a secret stands for. Raises ValueError."""
    text = secret.get_secret_value()
    if not text.startswith(PREFIX):
        return text.encode()
    try:
        return base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except binascii.Error as wrong:
        raise ValueError(f"expected base64 after {PREFIX}") from wrong


def _known(zone: str) -> str:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError) as unknown:
        raise ValueError(f"expected a time zone like Europe/London, found {zone!r}") from unknown
    return zone


class NoticeTarget(Frozen):
    """One address. Both `url` and `secret` are secrets: whoever has a chat's address may write to it."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,30}$")
    """In metrics, logs and the name of its consumer group."""
    url: Annotated[SecretStr, AfterValidator(_address)]
    secret: Annotated[SecretStr, AfterValidator(_strong)]
    """Signs every notice."""
    form: Literal["plain", "slack"] = "plain"
    owners: tuple[Owner, ...] = ()
    """Whose cases; none named: everybody's."""
    least: Severity = Severity.NORMAL
    """Nothing below this severity is told; the digest tells all."""
    per_minute: int = Field(default=30, ge=1, le=600)
    digest: bool = True

    def wants(self, case: Case) -> bool:
        """Whether a case's news are told here."""
        return self.cares_for(case) and _RANK[case.severity] >= _RANK[self.least]

    def cares_for(self, case: Case) -> bool:
        return not self.owners or case.owner in self.owners or case.escalated_to in self.owners


def group_of(brand: Brand, target: NoticeTarget) -> str:
    """The consumer group that tells this target."""
    return f"lockstep.notices.{brand}.{target.name}"


class NoticeSettings(Frozen):
    """A brand's targets, and when its day begins."""

    zone: Annotated[str, AfterValidator(_known)] = "UTC"
    digest_hour: int = Field(default=8, ge=0, le=23)
    """Of the day in `zone`, at which digests go out."""
    to: tuple[NoticeTarget, ...] = ()

    @model_validator(mode="after")
    def _apart(self) -> Self:
        names = [target.name for target in self.to]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"to: expected each name once, found {', '.join(twice)} more than once")
        return self
