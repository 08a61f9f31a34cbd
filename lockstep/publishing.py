"""Publishing a brand's configuration: the next version follows the newest one in the log."""

from collections.abc import Callable

from kernel.log import Log
from lockstep.reading import newest_configs
from schemas.base import Brand
from schemas.config import BrandConfig
from schemas.topics import CONFIG


async def apply(log: Log, config: BrandConfig) -> BrandConfig:
    """Append this configuration as the brand's next version, whatever version it names."""
    return await publish(log, config.brand, lambda before: _next(config, before))


def _next(config: BrandConfig, before: BrandConfig | None) -> BrandConfig:
    return config.model_copy(update={"version": (0 if before is None else before.version) + 1})


async def publish(log: Log, brand: Brand, change: Callable[[BrandConfig | None], BrandConfig]) -> BrandConfig:
    """Append the brand's next version; returns when the broker has it."""
    config = change((await newest_configs(log)).get(brand))
    producer = log.producer()
    await producer.start()
    try:
        await (
            await producer.send(CONFIG.name, key=brand.encode(), value=config.model_dump_json().encode(), headers={})
        )
    finally:
        await producer.stop()
    return config
