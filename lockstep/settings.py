"""Every setting of a Lockstep process: typed, from `LOCKSTEP_…` variables or a file, printed by `lockstep config show`.

Addresses and credentials of the outside systems stand in one TOML or JSON file, `LOCKSTEP_CONNECTIONS`, a table per
brand. A value may be `env:NAME` or `file:PATH`, so that secrets stay where the platform keeps them.
"""

import json
import os
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from connectors.runtime.settings import RuntimeSettings
from kernel.kafka_log import KafkaSecurity
from lockstep.addresses import guarded
from lockstep.mistakes import dotted, mistakes
from lockstep.notices.target import NoticeSettings
from schemas.base import Brand, Frozen


class SettingsError(Exception):
    """A setting is missing or wrong: where, what was expected, what to do."""


def _said(secret: SecretStr) -> SecretStr:
    """A variable that is set to nothing is no secret: whoever knows that could sign."""
    if not secret.get_secret_value().strip():
        raise ValueError("expected a secret, found an empty one")
    return secret


Secret = Annotated[SecretStr, AfterValidator(_said)]
Address = Annotated[str, AfterValidator(guarded)]


class ShopifyConnection(Frozen):
    """One shop. Give a fixed `token`, or `client_id` and `client_secret` for the client credentials grant."""

    base_url: Address
    shop_domain: str
    api_version: str = "2026-10"
    token: Secret | None = None
    client_id: str = ""
    client_secret: Secret | None = None
    poll_lookback: float = 4 * 3600.0
    """Seconds the first poll after a start looks back."""
    webhook_secrets: tuple[Secret, ...] = Field(min_length=1)
    """Old and new while a secret is being rotated."""
    longest_request: float = 30.0
    stock_bulk_from: int = Field(default=2000, ge=1)
    """A sweep of so many stock items or more reads them in one bulk query."""


class ClarusConnection(Frozen):
    base_url: Address = "https://clarus-api.com"
    subdomain: str
    client_id: str
    client_secret: Secret
    path_token: Secret
    """The unguessable part of the address Clarus' automations call; they carry no signature."""
    longest_request: float = 30.0
    per_second: float = 5.0
    """Requests; Clarus documents no limit, this one is ours."""
    at_once: int = 4


class TrytonConnection(Frozen):
    kind: Literal["tryton"] = "tryton"
    base_url: str
    """Down to the database: `http://127.0.0.1:8420/erp/rest/`."""
    key: Secret
    web_shop: str
    customer: str
    """Code of the party the shop's orders are booked to."""
    posts_itself: bool = False
    """False: we ship, the ERP's people or jobs post. True: we post too."""


class SandboxErpConnection(Frozen):
    kind: Literal["sandbox"] = "sandbox"
    base_url: str
    key: Secret


ErpConnection = Annotated[TrytonConnection | SandboxErpConnection, Field(discriminator="kind")]


class Connections(Frozen):
    """The outside systems of one brand."""

    shopify: ShopifyConnection
    clarus: ClarusConnection
    erp: ErpConnection
    notices: NoticeSettings = NoticeSettings()
    """Where its cases are told."""


class KafkaSecuritySettings(Frozen):
    """How the brokers know us and we know them. The default is for a broker on this machine only."""

    protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    username: str | None = None
    password: SecretStr | None = None
    """May be `file:PATH` or `env:NAME`, as in the connections file."""
    ca_file: Path | None = None
    """PEM of the authority that signed the brokers' certificates; None takes the system's."""
    certificate: Path | None = None
    certificate_key: Path | None = None
    """PEM, for brokers that ask for ours."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        """What is given must be used: a password that is never sent or an authority never asked is a mistake."""
        credentials = {"username": self.username, "password": self.password}
        certificates = {
            "ca_file": self.ca_file, "certificate": self.certificate, "certificate_key": self.certificate_key,
        }  # fmt: skip
        if self.protocol.startswith("SASL"):
            _expect_all(credentials, f"with protocol {self.protocol}")
        else:
            _expect_none(credentials, f"protocol SASL_SSL (or SASL_PLAINTEXT), found {self.protocol}")
        if not self.protocol.endswith("SSL"):
            _expect_none(certificates, f"protocol SSL or SASL_SSL, found {self.protocol}")
        if self.certificate is None:
            _expect_none({"certificate_key": self.certificate_key}, "certificate too, found none")
        return self

    def resolved(self) -> KafkaSecurity:
        """As the Kafka clients take it. Raises SettingsError for a password or certificate that is not there."""
        for name in ("ca_file", "certificate", "certificate_key"):
            path: Path | None = getattr(self, name)
            if path is not None and not path.is_file():
                variable = f"LOCKSTEP_KAFKA_SECURITY__{name.upper()}"
                raise SettingsError(f"{variable}: expected a readable file, found none at {path}")
        password = None if self.password is None else self.password.get_secret_value()
        return KafkaSecurity(
            protocol=self.protocol,
            mechanism=self.mechanism,
            username=self.username,
            password=_resolved(password, "LOCKSTEP_KAFKA_SECURITY__PASSWORD"),
            ca_file=self.ca_file,
            certificate=self.certificate,
            certificate_key=self.certificate_key,
        )


def _expect_all(fields: dict[str, Any], when: str) -> None:
    missing = [name for name, value in fields.items() if value is None]
    if missing:
        raise ValueError(f"expected {' and '.join(fields)} {when}, found no {' and no '.join(missing)}")


def _expect_none(fields: dict[str, Any], expected: str) -> None:
    given = [name for name, value in fields.items() if value is not None]
    if given:
        raise ValueError(f"{' and '.join(given)} given: expected {expected}")


def handle(said: str) -> str:
    """What stands in the log for a person for ever. Raises ValueError for an address or a name."""
    if said and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,38}", said):
        raise ValueError(f"expected a handle of letters, digits, dots and dashes, found {said!r}; no address")
    return said


_BROKER = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s:/\[\]]+):(\d{1,5})")


def _brokers(bootstrap: str) -> str:
    for one in bootstrap.split(","):
        found = _BROKER.fullmatch(one.strip())
        if found is None or not 1 <= int(found[2]) <= 65535:
            raise ValueError("expected host:port of one or more brokers, separated by commas")
    return bootstrap


class Settings(BaseSettings):
    """Read once at start."""

    model_config = SettingsConfigDict(env_prefix="LOCKSTEP_", env_nested_delimiter="__", extra="ignore")

    kafka_bootstrap: Annotated[str, AfterValidator(_brokers)] = Field(
        default="127.0.0.1:9092", description="host:port of one or more brokers"
    )
    kafka_security: KafkaSecuritySettings = KafkaSecuritySettings()
    partitions: int = Field(default=6, ge=1, description="of every keyed topic; cannot be changed later")
    replication: int = Field(default=3, ge=1, description="copies of every record; 1 only on a laptop")
    connections: Path | None = Field(default=None, description="TOML (or .json) file with a table per brand")
    intake_host: str = Field(default="127.0.0.1", description="address the intake listens on")
    intake_port: int = Field(default=8080, ge=0, le=65535, description="port the intake listens on")
    health_host: str = Field(default="127.0.0.1", description="address of /health and /metrics")
    health_port: int = Field(
        default=0, ge=0, le=65535, description="port of /health and /metrics of the first role; 0: none"
    )
    session_timeout: float = Field(
        default=30.0, gt=0, description="seconds after which a silent worker loses its partitions"
    )
    tick_every: float = Field(default=0.5, description="seconds between looks at the due index")
    operator: str = Field(default="", description="your handle, on what you ask for at the command line")
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    runtime: RuntimeSettings = RuntimeSettings()


def read_connections(settings: Settings) -> dict[Brand, Connections]:
    """Every brand's connections. Raises SettingsError naming file, path and expectation."""
    path = settings.connections
    if path is None:
        raise SettingsError(
            "LOCKSTEP_CONNECTIONS: expected the path of a TOML file with a table per brand, found nothing. "
            "See docs/operate/settings.md for an example."
        )
    try:
        text = path.read_text(encoding="utf-8-sig")
        tables = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except OSError as error:
        raise SettingsError(f"{path}: expected a readable file, found {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: expected text in UTF-8, found byte {error.start} of another kind") from error
    except (tomllib.TOMLDecodeError, json.JSONDecodeError) as error:
        raise SettingsError(f"{path}: expected TOML, or JSON in a .json file; found {error}") from error
    return {Brand(brand): _connections(path, brand, table) for brand, table in tables.items()}


def _connections(path: Path, brand: str, table: Any) -> Connections:
    try:
        return Connections.model_validate(_resolved(table, f"{path}: {brand}"))
    except ValidationError as wrong:
        said = mistakes(wrong, lambda where: f"{brand}.{dotted(where)}", secret=True)
        raise SettingsError(f"{path}: {'; '.join(said)}") from wrong


def _resolved(value: Any, where: str) -> Any:
    """Follow `env:NAME` and `file:PATH`; white space around what is there, a line break at its end, is not part of it.
    Raises SettingsError when there is nothing.
    """
    match value:
        case dict():
            return {key: _resolved(inner, f"{where}.{key}") for key, inner in value.items()}
        case list():
            return [_resolved(inner, where) for inner in value]
        case str() if value.startswith("env:"):
            name = value.removeprefix("env:")
            if name not in os.environ:
                raise SettingsError(f"{where}: expected the environment variable {name}, found none: set it")
            return os.environ[name].strip()
        case str() if value.startswith("file:"):
            try:
                return Path(value.removeprefix("file:")).read_text().strip()
            except OSError as error:
                raise SettingsError(f"{where}: expected the file of {value}, found {error.strerror}") from error
        case _:
            return value
