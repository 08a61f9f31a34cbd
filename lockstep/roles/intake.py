"""Webhooks and automations in, hints out."""

from connectors.intake.app import create_intake
from connectors.intake.settings import IntakeBrand
from connectors.runtime.config_view import ConfigView
from kernel.log import Log
from lockstep.roles.process import Process, doors
from lockstep.serving import Health, serve_on
from lockstep.settings import Connections
from schemas.base import Brand


async def play(process: Process, log: Log) -> None:
    producer = log.producer()
    await producer.start()
    try:
        async with ConfigView(log, process.clock) as configs:
            app = create_intake(
                producer=producer,
                brands={brand: intake_brand(brand, one) for brand, one in process.brands.items()},
                clock=process.clock,
                metrics=process.metrics,
                prefix_of=configs.reference_prefix,
            )

            async def open_door() -> None:
                host, port = process.settings.intake_host, process.settings.intake_port
                await serve_on(await doors("INTAKE", host, port), app)

            await process.with_health(open_door, Health(ready=lambda: True))
    finally:
        await producer.stop()


def intake_brand(brand: Brand, one: Connections) -> IntakeBrand:
    return IntakeBrand(
        brand=brand,
        shop_domain=one.shopify.shop_domain,
        shopify_secrets=one.shopify.webhook_secrets,
        clarus_token=one.clarus.path_token,
        clarus_subdomain=one.clarus.subdomain,
    )
