"""Who may call, and what they see."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count

from sandbox.clarus.records import Account, Warehouse
from sandbox.clock import Clock


class Unauthorised(Exception):
    """Answered as 401 `{"error": …}`."""


@dataclass(frozen=True, slots=True)
class ApiUser:
    """A client of one tenant. `accounts` and `warehouses` are codes; None sees all of its tenant."""

    tenant: str
    client_id: str
    client_secret: str
    accounts: frozenset[str] | None = None
    warehouses: frozenset[str] | None = None

    def sees(self, account: Account, warehouse: Warehouse | None = None) -> bool:
        return (
            account.tenant == self.tenant
            and (self.accounts is None or account.code in self.accounts)
            and (warehouse is None or self.sees_warehouse(warehouse))
        )

    def sees_warehouse(self, warehouse: Warehouse) -> bool:
        return warehouse.tenant == self.tenant and (self.warehouses is None or warehouse.code in self.warehouses)


class Access:
    """Users, tokens and rights."""

    def __init__(self, clock: Clock, token_seconds: float) -> None:
        self.token_seconds = token_seconds
        self._clock = clock
        self._users: dict[str, ApiUser] = {}
        self._tokens: dict[str, tuple[ApiUser, datetime]] = {}
        self._numbers = count(1)
        self._blind: set[str] = set()

    def add(self, user: ApiUser) -> None:
        self._users[user.client_id] = user

    def issue(self, client_id: str, client_secret: str) -> str:
        """A new token; older ones stay good. Raises Unauthorised."""
        user = self._users.get(client_id)
        if user is None or user.client_secret != client_secret:
            raise Unauthorised("invalid_client")
        token = f"{client_id}.{next(self._numbers)}"
        self._tokens[token] = (user, self._clock.now() + timedelta(seconds=self.token_seconds))
        return token

    def user(self, authorization: str, subdomain: str) -> ApiUser:
        """Whose call this is, by its two headers. Raises Unauthorised."""
        scheme, _, token = authorization.partition(" ")
        held = self._tokens.get(token)
        if scheme.lower() != "bearer" or held is None or held[1] <= self._clock.now():
            raise Unauthorised("The access token is missing, unknown or expired")
        if held[0].tenant != subdomain:
            raise Unauthorised("X-Clarus-Subdomain does not name the tenant of this token")
        return held[0]

    def revoke_tokens(self) -> None:
        """As an edit of a user's role does: everyone has to fetch a new token."""
        self._tokens.clear()

    def blind(self, client_ids: Iterable[str] | None = None) -> None:
        """These users, or all, see no account and no warehouse, and so nothing at all."""
        self._blind |= set(self._users if client_ids is None else client_ids)

    def unblind(self) -> None:
        self._blind.clear()

    def is_blind(self, user: ApiUser) -> bool:
        return user.client_id in self._blind
