"""Publishing a brand's configuration: the next version follows the newest one in the log."""

from collections.abc import Callable
from typing import NamedTuple

from kernel.log import Log
from lockstep.reading import newest_configs
from schemas.base import Brand
from schemas.config import BrandConfig
from schemas.topics import CONFIG


class Published(NamedTuple):
    """A brand's newest version until now, None for a new one, and the one that holds; the same where none was made."""

    before: BrandConfig | None
    config: BrandConfig


async def apply(log: Log, config: BrandConfig) -> BrandConfig:
    """Append this configuration as the brand's next version, whatever version it names."""
    return (await publish(log, config.brand, lambda before: following(config, before))).config


def following(config: BrandConfig, before: BrandConfig | None) -> BrandConfig:
    """The version after `before`. What stands still goes on standing still unless the configuration names `paused`: a
    pause is made in the course of a day, and a file that says nothing of it was not written to end it.
    """
    if before is None:
        return config.model_copy(update={"version": 1})
    paused = config.paused if "paused" in config.model_fields_set else before.paused
    return config.model_copy(update={"version": before.version + 1, "paused": paused})


async def publish(log: Log, brand: Brand, change: Callable[[BrandConfig | None], BrandConfig]) -> Published:
    """Append what `change` makes of the brand's newest version; returns when the broker has it. Nothing is written
    where it changes nothing.
    """
    before = (await newest_configs(log)).get(brand)
    config = change(before)
    if config == before:
        return Published(before, before)
    producer = log.producer()
    await producer.start()
    try:
        await (
            await producer.send(CONFIG.name, key=brand.encode(), value=config.model_dump_json().encode(), headers={})
        )
    finally:
        await producer.stop()
    return Published(before, config)
