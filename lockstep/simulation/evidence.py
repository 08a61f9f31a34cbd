"""What the oracle reads, order by order: the outside systems' books laid side by side, and nothing of ours."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from lockstep.demo.judge import Books
from lockstep.demo.parts import Recipes, in_order_lines, order_line, recipes_of
from lockstep.demo.scenario import BRANDS, MARK
from schemas.base import Brand, OrderId
from schemas.references import read_reference

Body = Mapping[str, Any]
Units = Counter[str]
"""Order line id → units."""
Parts = Counter[tuple[str, str]]
"""(order line id, product) → units."""

PACKING_NOTES_MOST = 255
"""Characters that Clarus takes."""
LATE = timedelta(minutes=5)
"""After it what a shopper chose is known, whatever was lost or away meanwhile, and nothing decided before is sent."""


@dataclass(slots=True)
class GoodsOutStory:
    """One goods-out of ours through the warehouse's book. `left`: units that stand despatched."""

    number: int
    reference: str
    arrived_at: str
    asked: Units
    recipes: Recipes = field(default_factory=dict)
    parts: Parts = field(default_factory=Counter)
    most_parts: Parts = field(default_factory=Counter)
    short: bool = False
    ended: str = ""
    ended_by: str = ""

    @property
    def left(self) -> Units:
        return self._units(self.parts)

    @property
    def most_left(self) -> Units:
        return self._units(self.most_parts)

    def _units(self, parts: Parts) -> Units:
        """Of bundles, whole ones."""
        flat = ((line, product, quantity) for (line, product), quantity in parts.items())
        return in_order_lines(flat, self.recipes, begun=False)

    @property
    def covers(self) -> Units:
        """Units nobody may ask for again while no person has decided. What we took back ourselves is free; what left
        beyond what was asked is not of this order.
        """
        taken_back = self.ended and self.ended_by == "api"
        return self.left & self.asked if taken_back else self.asked

    @property
    def deleted(self) -> bool:
        """By a person."""
        return self.ended == "deleted" and self.ended_by == "hand"

    @property
    def working(self) -> bool:
        return not self.ended and not self.short and bool(self.asked - self.left)


@dataclass(slots=True)
class OrderStory:
    """One order through all books. `doubled_by`: goods-outs at whose arrival units were asked for twice, and when."""

    brand: Brand
    id: OrderId
    book: Body
    wanted: Units
    goods_outs: dict[int, GoodsOutStory] = field(default_factory=dict)
    doubled_by: list[tuple[str, str]] = field(default_factory=list)
    sales: list[Body] = field(default_factory=list)
    postings: list[Body] = field(default_factory=list)
    tellings: list[Body] = field(default_factory=list)

    @property
    def key(self) -> tuple[Brand, OrderId]:
        return self.brand, self.id

    @property
    def sold_lines(self) -> Sequence[Body]:
        """What the ERP is to hold: also what the shopper fetches."""
        return [*self.book["lines"], *self.book["fetched"]]

    @property
    def left(self) -> Units:
        return _sum(one.left & one.asked for one in self.goods_outs.values())

    @property
    def most_left(self) -> Units:
        return _sum(one.most_left & one.asked for one in self.goods_outs.values())

    @property
    def posted(self) -> Units:
        return _sum(lines_of(one) for one in self.postings if one["state"] == "posted")

    @property
    def entered(self) -> Units:
        return _sum(lines_of(one) for one in self.postings)

    def told(self, *, standing: bool, by_hand: frozenset[str] = frozenset()) -> Units:
        """`standing`: without what was taken back. Fulfilments in `by_hand` do not count."""
        return _sum(
            lines_of(one) for one in self.tellings if one["id"] not in by_hand and not (standing and one["cancelled"])
        )


@dataclass(slots=True)
class Evidence:
    """`strange`: goods-outs by our hand for no order there is."""

    orders: dict[tuple[Brand, OrderId], OrderStory]
    strange: list[str]


Told = Callable[[int, str], bool]
"""Whether the log showed a goods-out before that moment."""


def read(books: Books, told: Told = lambda _number, _at: True) -> Evidence:
    """One that a person deleted before anybody could tell us of it does not count: nobody could know."""
    orders = {}
    for book in books.shopify["orders"]:
        brand = books.shops[book["shop"]]
        wanted: Units = Counter({line["id"]: line["quantity"] for line in book["lines"]})
        story = OrderStory(brand, OrderId(book["id"]), book, wanted)
        orders[story.key] = story
    strange = list(_warehouse(books, orders, told))
    for sale in books.erp["sales_orders"]:
        key = Brand(sale["shop"]), OrderId(sale["key"])
        if key in orders:
            orders[key].sales.append(sale)
        else:
            strange.append(f"sales order {sale['key']} of {sale['shop']}: no shopper placed it")
    for posting in books.erp["fulfilments"]:
        orders[Brand(posting["shop"]), OrderId(posting["order"])].postings.append(posting)
    for telling in books.shopify["fulfillments"]:
        orders[books.shops[telling["shop"]], OrderId(telling["order"])].tellings.append(telling)
    return Evidence(orders, strange)


def _warehouse(books: Books, orders: dict[tuple[Brand, OrderId], OrderStory], told: Told) -> Iterator[str]:
    """Go through the warehouse's entries as they came."""
    stories: dict[int, tuple[OrderStory, GoodsOutStory, dict[int, tuple[str, str]]]] = {}
    for entry in books.clarus["entries"]:
        number = entry["goods_out"]
        if entry["kind"] == "created" and entry["by"] == "api":
            head, ordered = entry["head"], entry["ordered"]
            brand, place = Brand(head["tenant"]), read_reference(head["reference"])
            order = orders.get((brand, place[1])) if place and place[0] == books.prefixes[brand] else None
            if order is None:
                yield f"goods-out {number} under {head['reference']}: no order of that reference"
                continue
            lines = {line["line"]: (order_line(line["external_reference"]), line["sku"]) for line in ordered}
            recipes = recipes_of(order.book)
            yield from _wrong_products(number, order.book, lines.values())
            yield from _wrong_head(number, order.book, head, entry["at"])
            flat = ((*lines[line["line"]], line["units"]) for line in ordered)
            asked = in_order_lines(flat, recipes, begun=True)
            made = GoodsOutStory(number, head["reference"], entry["at"], asked, recipes)
            order.goods_outs[number] = made
            stories[number] = order, made, lines
            known = (one for one in order.goods_outs.values() if not one.deleted or told(one.number, entry["at"]))
            beyond = _sum(one.covers for one in known) - order.wanted
            if beyond:
                says = f"goods-out {number} ({made.reference}) asks for {dict(beyond)} more than owed"
                order.doubled_by.append((made.arrived_at, says))
        elif number in stories:
            _happened(entry, stories[number][1], stories[number][2])


def _wrong_products(number: int, book: Body, asked: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Of a line another product than was bought, a zero less, or not all components of a bundle."""
    products: dict[str, set[str]] = {}
    for line, product in asked:
        products.setdefault(line, set()).add(product)
    for bought in book["lines"]:
        right = set(bought["kit"]) or {str(bought["sku"]).replace(MARK, "")}
        found = products.get(bought["id"], right)
        if found != right:
            yield f"goods-out {number} asks for {sorted(found)}, bought was {bought['sku']}"


def _wrong_head(number: int, book: Body, head: Body, at: str) -> Iterator[str]:
    """Not the service that the shopper chose, or not the shopper's words in letters that the packing desk has."""
    brand = next(one for one in BRANDS if one.brand == head["tenant"])
    services = {code: service for (_, code), (_, service) in (*brand.shipping.items(), *brand.new_lines.items())}
    chosen = {book.get("shipping", ""), *_chosen_lately(book, at)}
    meant = {services.get(code, "") for code in chosen}
    if "service" in head and head["service"] not in meant:
        yield f"goods-out {number} goes by {head['service']!r}, chosen was {' or '.join(map(repr, sorted(chosen)))}"
    words = head.get("packing_notes", "")
    said = [book.get("note", ""), *(name for name, value in book.get("attributes", {}).items() if value)]
    printable = len(words) <= PACKING_NOTES_MOST and all(ord(letter) < 256 for letter in words)
    if "packing_notes" in head and not (printable and bool(words) == any(said) and all(one in words for one in said)):
        yield f"goods-out {number}: of {said} the packing desk reads {words!r}"


def _chosen_lately(book: Body, at: str) -> Iterator[str]:
    """Shipping lines that the order had until a moment ago, or still had."""
    for one in book.get("chosen_before", ()):
        if datetime.fromisoformat(at) - datetime.fromisoformat(one["until"]) < LATE:
            yield one["code"]


def _happened(entry: Body, story: GoodsOutStory, lines: Mapping[int, tuple[str, str]]) -> None:
    match entry["kind"]:
        case "despatched":
            for line in entry["lines"]:
                story.parts[lines[line["line"]]] += line["units"]
            story.most_parts |= story.parts
        case "undespatched":
            story.parts = Counter()
        case "closed_short":
            story.short = True
        case "cancelled" | "deleted":
            story.ended, story.ended_by = entry["kind"], entry["by"]


def lines_of(body: Body) -> Units:
    units: Units = Counter()
    for line in body["lines"]:
        units[line["line"]] += line["quantity"]
    return units


def _sum(parts: Iterator[Units]) -> Units:
    total: Units = Counter()
    for part in parts:
        total.update(part)
    return total
