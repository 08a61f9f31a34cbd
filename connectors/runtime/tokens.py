"""Access tokens: fixed ones, and ones asked for by client credentials, shared by all tasks of a connection."""

import asyncio
from typing import Protocol

import httpx

from connectors.runtime.errors import Incompatible, Unauthorised
from connectors.runtime.http import send
from kernel.clock import Clock

REFRESH_AT = 0.8
"""Of its lifetime, a token is renewed."""

LIFETIME_SECONDS = 600.0
"""Assumed where the answer does not say; Clarus documents no lifetime."""


class Tokens(Protocol):
    async def get(self) -> str:
        """The token to send. Raises ConnectorError."""
        ...

    def forget(self, token: str) -> None:
        """It was refused: the next `get` asks for a new one, once for all who were refused with it."""
        ...


class FixedToken:
    """A token from the settings."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def get(self) -> str:
        return self._token

    def forget(self, token: str) -> None:
        """There is no other."""


class ClientCredentials:
    """OAuth 2.0 client credentials: `POST` a form, get `access_token` and `expires_in` seconds."""

    def __init__(self, client: httpx.AsyncClient, path: str, client_id: str, secret: str, clock: Clock) -> None:
        self._client, self._path, self._clock = client, path, clock
        self._form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
        self._token: str | None = None
        self._until = 0.0
        self._asking = asyncio.Lock()

    async def get(self) -> str:
        async with self._asking:
            if self._token is None or self._clock.monotonic() >= self._until:
                self._token = await self._ask()
            return self._token

    def forget(self, token: str) -> None:
        if token == self._token:
            self._token = None

    async def _ask(self) -> str:
        request = self._client.build_request("POST", self._path, data=self._form)
        response = await send(self._client, request, writing=False)
        if response.status_code >= 400:
            raise Unauthorised(f"POST {self._path}: answered {response.status_code}; check client id and secret")
        try:
            answer = response.json()
            token = str(answer["access_token"])
            seconds = float(answer.get("expires_in", LIFETIME_SECONDS))
        except (ValueError, KeyError, TypeError) as error:
            raise Incompatible(f"POST {self._path}: expected access_token and expires_in") from error
        self._until = self._clock.monotonic() + REFRESH_AT * seconds
        return token
