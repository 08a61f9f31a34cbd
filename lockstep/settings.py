"""Every setting of a Lockstep process: typed, from `LOCKSTEP_…` variables or a file, printed by `lockstep config show`.

Addresses and credentials of the outside systems stand in one TOML or JSON file, `LOCKSTEP_CONNECTIONS`, a table per
brand. A value may be `env:NAME` or `file:PATH`, so that secrets stay where the platform keeps them.
"""

import json
import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from connectors.runtime.settings import RuntimeSettings
from schemas.base import Brand, Frozen


class SettingsError(Exception):
    """A setting is missing or wrong: where, what was expected, what to do."""


class ShopifyConnection(Frozen):
    """One shop. Give a fixed `token`, or `client_id` and `client_secret` for the client credentials grant."""

    base_url: str
    shop_domain: str
    api_version: str = "2026-10"
    token: SecretStr | None = None
    client_id: str = ""
    client_secret: SecretStr | None = None
    poll_lookback: float = 4 * 3600.0
    """Seconds the first poll after a start looks back."""
    webhook_secrets: tuple[SecretStr, ...] = Field(min_length=1)
    """Old and new while a secret is being rotated."""
    longest_request: float = 30.0


class ClarusConnection(Frozen):
    base_url: str = "https://clarus-api.com"
    subdomain: str
    client_id: str
    client_secret: SecretStr
    path_token: SecretStr
    """The unguessable part of the address Clarus' automations call; they carry no signature."""
    longest_request: float = 30.0
    per_second: float = 5.0
    """Requests; Clarus documents no limit, this one is ours."""
    at_once: int = 4


class TrytonConnection(Frozen):
    kind: Literal["tryton"] = "tryton"
    base_url: str
    """Down to the database: `http://127.0.0.1:8420/erp/rest/`."""
    key: SecretStr
    web_shop: str
    customer: str
    """Code of the party the shop's orders are booked to."""
    posts_itself: bool = False
    """False: we ship, the ERP's people or jobs post. True: we post too."""


class SandboxErpConnection(Frozen):
    kind: Literal["sandbox"] = "sandbox"
    base_url: str
    key: SecretStr


ErpConnection = Annotated[TrytonConnection | SandboxErpConnection, Field(discriminator="kind")]


class Connections(Frozen):
    """The outside systems of one brand."""

    shopify: ShopifyConnection
    clarus: ClarusConnection
    erp: ErpConnection


class Settings(BaseSettings):
    """Read once at start."""

    model_config = SettingsConfigDict(env_prefix="LOCKSTEP_", env_nested_delimiter="__", extra="ignore")

    kafka_bootstrap: str = Field(default="127.0.0.1:9092", description="host:port of one or more brokers")
    partitions: int = Field(default=6, ge=1, description="of every keyed topic; cannot be changed later")
    replication: int = Field(default=3, ge=1, description="copies of every record; 1 only on a laptop")
    connections: Path | None = Field(default=None, description="TOML (or .json) file with a table per brand")
    intake_host: str = Field(default="127.0.0.1", description="address the intake listens on")
    intake_port: int = Field(default=8080, description="port the intake listens on")
    health_host: str = Field(default="127.0.0.1", description="address of /health and /metrics")
    health_port: int = Field(default=0, description="port of /health and /metrics of other roles; 0: none")
    session_timeout: float = Field(default=30.0, description="seconds after which a silent worker loses its partitions")
    tick_every: float = Field(default=0.5, description="seconds between looks at the due index")
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
        tables = json.loads(path.read_text()) if path.suffix == ".json" else tomllib.loads(path.read_text())
    except OSError as error:
        raise SettingsError(f"{path}: expected a readable file, found {error.strerror}") from error
    except (tomllib.TOMLDecodeError, json.JSONDecodeError) as error:
        raise SettingsError(f"{path}: expected TOML, or JSON in a .json file; found {error}") from error
    return {Brand(brand): _connections(path, brand, table) for brand, table in tables.items()}


def _connections(path: Path, brand: str, table: Any) -> Connections:
    try:
        return Connections.model_validate(_resolved(table, f"{path}: {brand}"))
    except ValidationError as wrong:
        said = "; ".join(
            f"{brand}.{'.'.join(str(part) for part in error['loc'])}: {error['msg']}"
            for error in wrong.errors(include_input=False, include_url=False)
        )
        raise SettingsError(f"{path}: {said}") from wrong


def _resolved(value: Any, where: str) -> Any:
    """Follow `env:NAME` and `file:PATH`. Raises SettingsError when there is nothing."""
    match value:
        case dict():
            return {key: _resolved(inner, f"{where}.{key}") for key, inner in value.items()}
        case list():
            return [_resolved(inner, where) for inner in value]
        case str() if value.startswith("env:"):
            name = value.removeprefix("env:")
            if name not in os.environ:
                raise SettingsError(f"{where}: expected the environment variable {name}, found none: set it")
            return os.environ[name]
        case str() if value.startswith("file:"):
            try:
                return Path(value.removeprefix("file:")).read_text().strip()
            except OSError as error:
                raise SettingsError(f"{where}: expected the file of {value}, found {error.strerror}") from error
        case _:
            return value
