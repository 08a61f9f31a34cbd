"""A Clarus WMS for laptops and tests: REST for writing, GraphQL for reading, automations, and people on the floor.

`ClarusWorld` keeps the records, `create_app` serves them, `Pickers` work at them, `Deliveries` carry automations out,
and the world's `books` say what was really ordered and what really left. It holds nothing of Lockstep.
"""

from sandbox.clarus.app import create_app
from sandbox.clarus.automations import Deliveries, DeliverySettings
from sandbox.clarus.gateway import GatewaySettings
from sandbox.clarus.pickers import Pickers, PickerSettings
from sandbox.clarus.records import GoodsOut, Status
from sandbox.clarus.refusals import Refused, Symbol
from sandbox.clarus.seed import Tenant, seed
from sandbox.clarus.storekeeper import Storekeeper
from sandbox.clarus.world import ClarusWorld, WorldSettings

__all__ = [
    "ClarusWorld",
    "Deliveries",
    "DeliverySettings",
    "GatewaySettings",
    "GoodsOut",
    "PickerSettings",
    "Pickers",
    "Refused",
    "Status",
    "Storekeeper",
    "Symbol",
    "Tenant",
    "WorldSettings",
    "create_app",
    "seed",
]
