"""Clarus, for all brands."""

from collections.abc import Mapping

from connectors.clarus.port import ClarusPort
from connectors.clarus.settings import ClarusTenant
from connectors.runtime.port import ConfigOf
from kernel.clock import Clock
from lockstep.ports import Transport
from lockstep.settings import Connections
from schemas.base import Brand


def clarus_port(
    brands: Mapping[Brand, Connections], config_of: ConfigOf, clock: Clock, transport: Transport = None
) -> ClarusPort:
    tenants = [
        ClarusTenant(
            brand=brand,
            base_url=one.clarus.base_url,
            subdomain=one.clarus.subdomain,
            client_id=one.clarus.client_id,
            client_secret=one.clarus.client_secret,
            longest_request=one.clarus.longest_request,
            per_second=one.clarus.per_second,
            at_once=one.clarus.at_once,
        )
        for brand, one in brands.items()
    ]
    transports = {} if transport is None else dict.fromkeys(brands, transport)
    return ClarusPort(tenants, config_of, clock, transports)
