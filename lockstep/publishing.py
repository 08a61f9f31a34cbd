"""Publishing a brand's configuration: the next version follows the newest one in the log."""

from collections.abc import Callable

from kernel.log import Log
from lockstep.reading import newest_configs
from schemas.base import Brand
from schemas.config import BrandConfig
from schemas.topics import CONFIG


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
