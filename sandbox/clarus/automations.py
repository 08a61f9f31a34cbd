"""Automations: the full record of what happened, posted to a URL. Unsigned, at least once, in no promised order."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from sandbox.clarus import render
from sandbox.clarus.office import Event
from sandbox.clarus.records import Automation, Condition
from sandbox.clarus.stock import Movement
from sandbox.clarus.world import ClarusWorld
from sandbox.faults import Chance, Faults

OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "eq": lambda found, wanted: found == wanted,
    "neq": lambda found, wanted: found != wanted,
    "in": lambda found, wanted: found in wanted.split(","),
    "notin": lambda found, wanted: found not in wanted.split(","),
    "starts_with": lambda found, wanted: found.startswith(wanted),
}

STOCK_EVENTS = {
    "RCV": "received", "PICK": "picked", "DISP": "dispatched", "UNDISP": "undispatched", "ADJUP": "positively_adjusted",
    "ADJDOWN": "negatively_adjusted", "HOLD": "placed_on_hold", "OFFHOLD": "released_from_hold",
    "ACCTRAN": "account_transferred",
}  # fmt: skip
"""Of the resource `stock`, by the transaction that makes it happen (Clarus' list of automation events)."""


@dataclass(frozen=True, slots=True)
class DeliverySettings:
    """`tries`: in all, until an answer below 300; how often the real one tries is not documented."""

    domain: str = "https://{tenant}.clarus.example.test"
    api_domain: str = "https://clarus.example.test"
    tries: int = 3
    between_tries: float = 5.0
    timeout: float = 10.0


class Deliveries:
    """Listens to the world from its creation on. Deliveries run as the world's errands, on its clock."""

    def __init__(
        self,
        world: ClarusWorld,
        client: httpx.AsyncClient,
        faults: Callable[[], Faults] = Faults,
        chance: Chance | None = None,
        settings: DeliverySettings | None = None,
    ) -> None:
        """`faults` is asked at each delivery, so that they can be changed in the middle of a run."""
        self._world = world
        self._client = client
        self._faults = faults
        self._chance = chance or Chance(0)
        self._settings = settings or DeliverySettings()
        self.lost = 0
        """Deliveries that chance took."""
        self.given_up = 0
        """Deliveries nobody answered well, after all tries."""
        world.listen(self._on)
        world.stock.listen(self._on_stock)

    def _on(self, event: Event) -> None:
        concerned = [
            each
            for each in self._world.automations.values()
            if each.enabled
            and each.tenant == event.goods_out.tenant
            and (each.resource, each.event) == ("goods_out", event.name)
        ]
        if not concerned:
            return
        payload = {"data": render.goods_out_whole(event.goods_out)}
        for automation in concerned:
            if all(_holds(condition, payload) for condition in automation.conditions):
                self._send(automation, payload, "automations")

    def _on_stock(self, movement: Movement) -> None:
        """A balance changed; what moved it may have automations of its own."""
        tenant, made = movement.balance.account.tenant, movement.transaction
        for automation in list(self._world.automations.values()):
            if not automation.enabled or automation.tenant != tenant:
                continue
            match automation.resource, automation.event:
                case "stock_balance", "updated":
                    payload = {"data": render.balance_whole(movement.balance)}
                case "stock", event if made is not None and STOCK_EVENTS.get(made.subtype) == event:
                    payload = {"data": render.transaction_whole(made)}
                case _:
                    continue
            if all(_holds(condition, payload) for condition in automation.conditions):
                self._send(automation, payload, f"automations/{automation.resource}")

    def _send(self, automation: Automation, payload: dict[str, Any], name: str) -> None:
        """`name` is of the streams of chance: what stock draws does not move what goods-outs do."""
        faults = self._faults()
        if self._chance.happens(f"{name}/lost", faults.webhook_lost):
            self.lost += 1
            return
        for _ in range(2 if self._chance.happens(f"{name}/doubled", faults.webhook_doubled) else 1):
            delay = self._chance.of(f"{name}/delay").uniform(0, faults.webhook_delay)
            self._world.errands.start(self._deliver(automation, payload, delay))

    async def _deliver(self, automation: Automation, payload: dict[str, Any], delay: float) -> None:
        await self._world.clock.sleep(delay)
        for attempt in range(self._settings.tries):
            if attempt:
                await self._world.clock.sleep(self._settings.between_tries)
            if await self._posted(automation, payload):
                return
        self.given_up += 1

    async def _posted(self, automation: Automation, payload: dict[str, Any]) -> bool:
        headers = {
            "X-ClarusWMS-Domain": self._settings.domain.format(tenant=automation.tenant),
            "X-ClarusWMS-API-Domain": self._settings.api_domain,
            "X-ClarusWMS-Subdomain": automation.tenant,
            "X-ClarusWMS-Automation-ID": str(automation.id),
        }
        try:
            answer = await self._client.post(
                automation.webhook_url, json=payload, headers=headers, timeout=self._settings.timeout
            )
        except httpx.HTTPError:
            return False
        return answer.is_success


def _holds(condition: Condition, payload: Mapping[str, Any]) -> bool:
    """A path that leads nowhere holds for no condition."""
    found: Any = payload
    for step in condition.source_path.split("."):
        found = found.get(step) if isinstance(found, Mapping) else None
    return found is not None and OPERATORS[condition.operator](str(found), condition.value)
