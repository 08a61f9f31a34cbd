"""What people do to stock: the warehouse's receive, hold, count and sell to others; the shop's type figures over."""

from lockstep.simulation.history import Kind, Mishap
from lockstep.simulation.stocked import OTHER_OWNER, Stocked
from sandbox.clarus.storekeeper import Storekeeper
from sandbox.shopify.inventory import Inventory
from sandbox.stock.ledger import Spot
from sandbox.stock.traffic import put_back
from schemas.base import Brand


def happens(stocked: Stocked, inventory: Inventory, mishap: Mishap) -> bool:
    """Whether it was done; False: this was not the moment. `inventory` is the brand's shop's."""
    try:
        if mishap.kind is Kind.PUT_BACK:
            put_back(next(keeper for (brand, _), keeper in stocked.keepers.items() if brand == mishap.whom))
            return True
        spot = stocked.spot(mishap.whom, mishap.point)
        _done(mishap, spot, stocked.keepers[Brand(spot.tenant), spot.location], inventory)
    except ValueError:
        return False  # too little lies there, or no totes wait
    return True


def _done(mishap: Mishap, spot: Spot, keeper: Storekeeper, inventory: Inventory) -> None:
    """Raises ValueError, and then nothing was changed."""
    units, offered = mishap.units, inventory.available(spot.sku, spot.location)
    match mishap.kind:
        case Kind.RECEIVED:
            keeper.receive(spot.product, units)
        case Kind.RECEIVED_HELD:
            keeper.receive(spot.product, units, held=True)
        case Kind.HELD:
            keeper.hold(spot.product, units)
        case Kind.FOUND:
            keeper.adjust(spot.product, units)
        case Kind.LOST:
            if keeper.balance(spot.product).available < units:
                raise ValueError(f"expected {units} free units of {spot.product} to lose")
            keeper.adjust(spot.product, -units)
        case Kind.TRANSFERRED:
            keeper.transfer(spot.product, units, OTHER_OWNER)
        case Kind.WHOLESALE:
            keeper.wholesale(f"WHOLESALE-{mishap.at}", {spot.product: units})
        case Kind.RAISED:
            inventory.set_by_hand(spot.sku, spot.location, available=offered + units)
        case _:
            inventory.set_by_hand(spot.sku, spot.location, available=max(0, offered - units))


def ends(stocked: Stocked, mishap: Mishap) -> None:
    """What was on hold is released, unless it is gone."""
    spot = stocked.spot(mishap.whom, mishap.point)
    keeper = stocked.keepers[Brand(spot.tenant), spot.location]
    free = min(mishap.units, int(keeper.balance(spot.product).held))
    if free:
        keeper.release(spot.product, free)
