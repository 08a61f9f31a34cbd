"""Lists of what calls others: automations, and Clarus' own integrations."""

from typing import Any

from sandbox.clarus import render
from sandbox.clarus.filters import Field
from sandbox.clarus.listing import Listing
from sandbox.clarus.records import Automation, Integration
from sandbox.clarus.world import ClarusWorld


def setup_listings(world: ClarusWorld) -> dict[str, Listing[Any]]:
    """By the name of the GraphQL root."""
    return {"automations": _automations(world), "integrations": _integrations(world)}


def _automations(world: ClarusWorld) -> Listing[Automation]:
    return Listing(
        lambda _: world.automations.values(),
        id=lambda it: it.id,
        visible=lambda user, it: it.tenant == user.tenant,
        fields={
            "name": Field(lambda it: it.name),
            "resource_name": Field(lambda it: it.resource),
            "event": Field(lambda it: it.event),
            "enabled": Field(lambda it: it.enabled, bool),
        },
        show=render.automation,
    )


def _integrations(world: ClarusWorld) -> Listing[Integration]:
    return Listing(
        lambda _: world.master.integrations.values(),
        id=lambda it: it.id,
        visible=lambda user, it: it.tenant == user.tenant,
        fields={
            "name": Field(lambda it: it.name),
            "integration_provider": Field(lambda it: it.provider),
            "enabled": Field(lambda it: it.enabled, bool),
        },
        show=render.integration,
    )
