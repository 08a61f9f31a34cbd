"""One try of one command: whether it may be tried at all, and what each way it can go is told as."""

import asyncio
from datetime import datetime, timedelta
from typing import NamedTuple

import structlog

from connectors.runtime.config_view import ConfigView
from connectors.runtime.connections import Connections
from connectors.runtime.errors import ConnectorError, RateLimited, Unauthorised
from connectors.runtime.failing import Failing
from connectors.runtime.outcomes import ended
from connectors.runtime.port import Execution, Port
from connectors.runtime.settings import RuntimeSettings
from kernel.clock import Clock
from schemas.base import OrderKey
from schemas.commands import Command
from schemas.outcomes import Outcome, OutcomeKind

_log = structlog.get_logger(__name__)

REMEMBERED_MOST = 10_000
"""Wishes that failed last and were not carried out since; some never are."""

Wish = tuple[OrderKey, str]
"""The order and the object of a command: the same again, whenever it is decided."""


def _wish(command: Command) -> Wish:
    return command.key, command.object


class Tried(NamedTuple):
    """How it ended. `perhaps_until`: the system may still be carrying it out until then, though nobody waits for it."""

    execution: Execution
    perhaps_until: datetime | None = None


class Attempts:
    """Raises nothing of the system's: every command ends as an outcome."""

    def __init__(
        self, port: Port, configs: ConfigView, connections: Connections, clock: Clock, settings: RuntimeSettings
    ) -> None:
        self._port, self._configs, self._connections = port, configs, connections
        self._clock, self._settings = clock, settings
        self._failing: dict[Wish, Failing] = {}

    async def attempt(self, command: Command) -> Tried:
        refused = self._refused(command)
        if refused is not None:
            return Tried(Execution(refused))
        try:
            async with asyncio.timeout(self._settings.held_most):
                execution = await self._port.execute(command)
        except TimeoutError:
            text = f"no end after {self._settings.held_most:.0f} s; looked at again later"
            outcome = self._later(command, "held_too_long", text, self._port.longest_request)
            return Tried(Execution(outcome), outcome.until)
        except ConnectorError as error:
            wait = await self._failed(command, error)
            return Tried(Execution(self._later(command, type(error).__name__.lower(), str(error), wait)))
        self._failing.pop(_wish(command), None)
        await self._connections.believed(command.brand, execution.readings)
        return Tried(execution)

    async def _failed(self, command: Command, error: ConnectorError) -> float:
        """Seconds until it is decided again. What one wish fails for, again and while others are answered, is no sign
        of the connection: it waits longer each time.
        """
        brand, wish = command.brand, _wish(command)
        if isinstance(error, RateLimited):
            await self._connections.failed(brand, error)
            return error.retry_after
        answers = self._connections.answers(brand)
        failing = self._failing.pop(wish, None) or Failing(answers, self._connections.shown(brand))
        failing.failed(answers, certain=True, same_again=False)
        self._failing[wish] = failing  # the newest last
        if len(self._failing) > REMEMBERED_MOST:
            del self._failing[next(iter(self._failing))]
        if isinstance(error, Unauthorised) or not failing.own:
            await self._connections.failed(brand, error)
            return self._settings.delay
        wait = max(self._settings.delay, failing.wait(self._clock.now()))
        _log.warning(
            "connector.one_fails",
            system=self._port.system,
            key=command.key,
            object=command.object,
            times=failing.times,
            again_in=wait,
            error=f"{type(error).__name__}: {error}",
        )
        return wait

    def _refused(self, command: Command) -> Outcome | None:
        """Why it is not tried now."""
        system = self._port.system
        if self._clock.now() - command.decided_at > timedelta(seconds=self._settings.expires_after):
            return ended(command, OutcomeKind.EXPIRED)
        breaker = self._connections.of(command.brand)
        if breaker is None:
            return ended(command, OutcomeKind.REJECTED, code="not_connected", text=f"no {system} connection")
        why_not = self._configs.why_not(command.brand, system)
        if why_not is not None:
            return self._later(command, "stopped", why_not)
        if breaker.open and self._connections.closed_until(command.brand) is not None:
            return self._later(command, breaker.state, breaker.text)
        return None

    def _later(self, command: Command, code: str, text: str, seconds: float | None = None) -> Outcome:
        until = self._clock.now() + timedelta(seconds=self._settings.delay if seconds is None else seconds)
        return ended(command, OutcomeKind.DELAYED, code=code, text=text, until=until)
