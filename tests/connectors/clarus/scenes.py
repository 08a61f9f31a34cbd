"""What the warehouse is like when a story of the contract begins, and what happens in it meanwhile."""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal

from connectors.runtime.http import READ_TRIES
from sandbox.clarus import ClarusWorld, Tenant, create_app, seed
from sandbox.clarus.access import ApiUser
from sandbox.clarus.office import Header, LineWish
from sandbox.clarus.records import GoodsOut
from sandbox.clock import LoopClock
from sandbox.faults import Chance, Fault, FaultPlan, Faults
from tests.connectors.clarus.commands import BOWL, KETTLE, LAMP, RUG

TENANT = Tenant(
    subdomain="acme",
    client_id="connector",
    client_secret="open sesame",
    accounts={"ACME": (LAMP, RUG), "BOREALIS": (KETTLE,)},
    warehouses=("LDS1", "MAN1"),
    carriers={"ROYALMAIL": ("TRACKED48",), "DPD": ("NEXTDAY", "SATURDAY")},
)
Moves = Mapping[str, Callable[[], object]]


class Floor:
    """The sandbox, and the hands that set it to a scene."""

    def __init__(self, start: datetime) -> None:
        self.world = ClarusWorld(LoopClock(start))
        self.faults = FaultPlan(Faults(), Chance(1), "clarus")
        self.app = create_app(self.world, self.faults)
        seed(self.world, TENANT)

    def goods_out(self, reference: str, account: str = "ACME", **units: int) -> GoodsOut:
        """Two lamps for line 1, or `lamp=` units for line 1 and `rug=` for line 2; by DPD from LDS1."""
        master = self.world.master
        owner, warehouse = master.account("acme", account), master.warehouse("acme", "LDS1")
        carrier = master.carrier("acme", "DPD")
        assert owner is not None
        assert carrier is not None
        lines = {"lamp": (LAMP, "1"), "rug": (RUG, "2")}
        wishes = []
        for name, quantity in (units or {"lamp": 2}).items():
            sku, line = lines[name]
            product = master.product("acme", sku)
            assert product is not None
            mark = {"external_system_reference1": f"gid://shopify/LineItem/{line}", "alt_product_code": sku}
            wishes.append(LineWish(product, Decimal(quantity), mark))
        header = Header(owner, reference, warehouse, carrier, master.default_service(carrier))
        return self.world.create_goods_out(header, wishes)

    def line(self, goods_out: GoodsOut, sku: str) -> int:
        return next(line.id for line in goods_out.lines.values() if line.product.code == sku)

    def sees_warehouses(self, *codes: str) -> None:
        self.world.access.add(ApiUser("acme", "connector", "open sesame", warehouses=frozenset(codes)))


def nothing(_floor: Floor) -> None: ...


def whole_order(floor: Floor) -> None:
    """Order 5012: one in two parcels, the second still without its number, one not begun; another order beside it."""
    first = floor.goods_out("ACME-5012-71-1", lamp=2, rug=1)
    floor.world.despatch(first.id, {floor.line(first, LAMP): 2}, ["15501234567890"])
    floor.world.despatch(first.id, None, [""])
    floor.goods_out("ACME-5012-72-1", lamp=1)
    floor.goods_out("ACME-50123-71-1", rug=4)


def picked_in_part(floor: Floor) -> None:
    """Closed short: two of three lamps left, no rug."""
    goods_out = floor.goods_out("ACME-5012-71-1", lamp=3, rug=1)
    floor.world.despatch(goods_out.id, {floor.line(goods_out, LAMP): 2}, ["15501234567890"])
    floor.world.close_short(goods_out.id)


def five_goods_outs(floor: Floor) -> None:
    for generation in range(1, 6):
        floor.goods_out(f"ACME-5012-71-{generation}", lamp=1, rug=1)


def two_orders(floor: Floor) -> None:
    floor.goods_out("ACME-5012-71-1")
    floor.goods_out("ACME-5013-74-1", rug=1)


def no_rights(floor: Floor) -> None:
    floor.goods_out("ACME-5012-71-1")
    floor.world.lose_rights()


def one_warehouse_hidden(floor: Floor) -> None:
    floor.goods_out("ACME-5012-71-1")
    floor.sees_warehouses("LDS1")


def already_there(floor: Floor) -> None:
    floor.goods_out("ACME-5012-71-1")


def unknown_goods_out(floor: Floor) -> None:
    floor.goods_out("ACME-5012-71-2", lamp=1)


def create_answer_lost(floor: Floor) -> None:
    floor.faults.force("create_goods_out", Fault.ANSWER_LOST)


def create_not_done(floor: Floor) -> None:
    floor.faults.force("create_goods_out", Fault.SERVER_ERROR)


def create_throttled(floor: Floor) -> None:
    floor.faults.force("create_goods_out", Fault.THROTTLED)


def product_of_another(_floor: Floor) -> None:
    """KETTLE is known to Clarus and not assigned to our account."""


def allocated(floor: Floor) -> None:
    goods_out = floor.goods_out("ACME-5012-71-1")
    floor.world.allocate(goods_out.id)


def being_picked(floor: Floor) -> None:
    goods_out = floor.goods_out("ACME-5012-71-1")
    floor.world.pick(goods_out.id)


def cancelled(floor: Floor) -> None:
    goods_out = floor.goods_out("ACME-5012-71-1")
    floor.world.allocate(goods_out.id)
    floor.world.cancel_by_hand(goods_out.id)


def cancel_answer_lost(floor: Floor) -> None:
    floor.goods_out("ACME-5012-71-1")
    floor.faults.force("cancel_goods_out", Fault.ANSWER_LOST)


def cancel_not_done(floor: Floor) -> None:
    floor.goods_out("ACME-5012-71-1")
    floor.faults.force("cancel_goods_out", Fault.SERVER_ERROR)


def ours_and_theirs(floor: Floor) -> None:
    floor.goods_out("ACME-5012-71-1")
    floor.goods_out("WHOLESALE 17")
    floor.goods_out("OTHER-5012-71-1")


def day_at_the_warehouse(floor: Floor) -> Moves:
    """Of all statuses, with one of a wholesaler and one of another account; then the day goes on."""
    one, two, three = (floor.goods_out(f"ACME-{order}-71-1") for order in (5012, 5013, 5014))
    gone = floor.goods_out("ACME-5015-71-1")
    floor.world.pick(two.id)
    floor.world.despatch(three.id)
    floor.goods_out("WHOLESALE 17")
    floor.goods_out("ACME-5016-71-1", account="BOREALIS")

    def goes_on() -> None:
        floor.world.allocate(one.id)
        floor.world.despatch(two.id)
        floor.world.cancel_by_hand(gone.id)
        floor.goods_out("ACME-5017-71-1")

    return {"goes on": goes_on}


def token_revoked(floor: Floor) -> Moves:
    floor.goods_out("ACME-5012-71-1")
    return {"role edited": floor.world.access.revoke_tokens}


def reads_throttled(floor: Floor) -> None:
    floor.faults.force("graphql", Fault.THROTTLED)


def one_read_broken(floor: Floor) -> None:
    floor.goods_out("ACME-5012-71-1")
    floor.faults.force("graphql", Fault.SERVER_ERROR)


def reads_broken(floor: Floor) -> None:
    """For as long as a read is tried."""
    floor.faults.force("graphql", Fault.SERVER_ERROR, times=READ_TRIES)


def product_answer_lost(floor: Floor) -> None:
    floor.faults.force("create_product", Fault.ANSWER_LOST)


def cut_short(floor: Floor) -> None:
    """A product of ours that nobody has assigned yet."""
    made = floor.world.master.add_product("acme", BOWL, "Bowl")
    made.attributes["external_system_reference1"] = "erp-item:31"


def barcode_of_the_rug(floor: Floor) -> None:
    rug = floor.world.master.product("acme", RUG)
    kettle = floor.world.master.product("acme", KETTLE)
    assert rug is not None
    assert kettle is not None
    rug.attributes["barcode"] = kettle.attributes["barcode"] = "0501"


def product_made_meanwhile(floor: Floor) -> Moves:
    account = floor.world.master.account("acme", "ACME")
    assert account is not None
    return {"made": lambda: floor.world.master.add_product("acme", BOWL, "By hand", [account])}


def lamp_shared(floor: Floor) -> None:
    lamp, other = floor.world.master.product("acme", LAMP), floor.world.master.account("acme", "BOREALIS")
    assert lamp is not None
    assert other is not None
    lamp.accounts.add(other.id)


SCENES: Mapping[str, Callable[[Floor], Moves | None]] = {
    scene.__name__: scene
    for scene in (
        nothing, whole_order, picked_in_part, five_goods_outs, two_orders, no_rights, one_warehouse_hidden,
        already_there, unknown_goods_out, create_answer_lost, create_not_done, create_throttled, product_of_another,
        allocated, being_picked, cancelled, cancel_answer_lost, cancel_not_done, ours_and_theirs,
        day_at_the_warehouse, token_revoked, reads_throttled, one_read_broken, reads_broken,
        product_answer_lost, cut_short, barcode_of_the_rug, product_made_meanwhile, lamp_shared,
    )
}  # fmt: skip
