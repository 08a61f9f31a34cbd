"""A shop, a warehouse and an ERP in miniature, for one order: they carry out what the rules send and keep books.

What a system says waits in a queue of its own until it is `delivered`: within a system in order, across systems in any.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from connectors.shopify.look import Done, Mutation, TellingWish
from schemas.base import CommandId, FulfilmentId, FulfilmentOrderId, LineId, Sku, System
from schemas.commands import (
    AmendProduct,
    CancelGoodsOut,
    Command,
    CreateFulfilment,
    CreateGoodsOut,
    CreateProduct,
    PostFulfilment,
    SetOnHand,
    UpdateTracking,
    UpsertErpOrder,
    Withdraw,
    system_of,
)
from schemas.erp import ErpOrderState, FulfilmentState
from schemas.goods_outs import GoodsOutLine, GoodsOutStatus, Package
from schemas.mapping import Bundle, Component
from schemas.orders import Fulfilment, FulfilmentOrder, FulfilmentOrderStatus
from schemas.outcomes import OutcomeKind
from tests.builders import NOON, ErpBuilder, GoodsOutBuilder, OrderBuilder, a_brand, a_goods_out, an_erp_order, an_order
from tests.story import Story

BOUGHT = {"901": 3, "902": 1}
BARE = an_order().with_line("MUG", 3).with_line("HAT", 1)
STARTS = {
    "whole": BARE.routed("71"),
    "half on hold": BARE.routed("71", L901=2).routed("72", L901=1, L902=1).on_hold("72"),
    "two places": BARE.routed("71", L901=1, L902=1).routed("72", to="12", L901=2),
    "half at a place nobody mapped": BARE.routed("71", L901=1).routed("72", to="99", L901=2, L902=1),
}
KIT = Bundle(sku=Sku("MUG"), components=(Component(sku=Sku("CUP")), Component(sku=Sku("SAUCER"), quantity=2)))
"""The mug as a bundle: in the shop and in the ERP one line, in the warehouse two products."""
Said = Callable[[], object]


def a_world(start: str, *, kits: bool = False) -> World:
    """From one of `STARTS`. `kits`: the mug is a bundle."""
    return World(story=Story(a_brand(bundles=(KIT,)) if kits else None), order=STARTS[start])


@dataclass
class World:
    """The three systems and the log between them. Each action is one thing that may happen; it may change nothing."""

    story: Story = field(default_factory=Story)
    order: OrderBuilder = STARTS["whole"]
    goods_outs: dict[str, GoodsOutBuilder] = field(default_factory=dict)
    erp: ErpBuilder | None = None
    queues: dict[System, deque[Said]] = field(default_factory=lambda: {system: deque() for system in System})
    commands: dict[System, list[Command]] = field(default_factory=lambda: {system: [] for system in System})
    made_of: dict[str, Counter[str]] = field(default_factory=dict)
    """Units per line of every goods-out ever made, less what is free again."""
    told_of: dict[str, Counter[str]] = field(default_factory=dict)
    """Units per line ever told for a goods-out, by whoever carried it out."""
    executed: int = 0
    _taken: int = 0
    _read: int = 0
    _number: int = 100

    def number(self) -> str:
        self._number += 1
        return str(self._number)

    # --- the log between them

    def deliver(self, system: System) -> None:
        """The next thing that a system said reaches the rules."""
        if self.queues[system]:
            self.queues[system].popleft()()
        self.collect()

    def collect(self) -> None:
        """Commands and reads that were emitted go to their systems."""
        for command in self.story.commands[self._taken :]:
            self.commands[system_of(command)].append(command)
        self._taken = len(self.story.commands)
        asked, self._read = self.story.reads[self._read :], len(self.story.reads)
        for system in dict.fromkeys(asked):
            self.say(system)

    def say(self, system: System) -> None:
        """The system is read as it is now."""
        match system:
            case System.SHOPIFY:
                order = self.order
                self.queues[system].append(lambda: self.story.shopify(order))
            case System.CLARUS:
                shown = tuple(self.goods_outs.values())
                self.queues[system].append(lambda: self.story.clarus(*shown))
            case System.ERP:
                erp = self.erp
                self.queues[system].append(lambda: self.story.erp(erp))

    def execute(self, system: System, *, dies: bool = False) -> None:
        """The connector carries out its next command. `dies`: before its outcome is told; its successor tries again."""
        waiting = self.commands[system]
        newest = {command.object: index for index, command in enumerate(waiting)}
        for index, command in enumerate(waiting):
            if newest[command.object] > index and not isinstance(command, Withdraw):
                self._ended(command, OutcomeKind.SUPERSEDED)
        waiting[:] = [command for index, command in enumerate(waiting) if newest[command.object] == index]
        while waiting and isinstance(waiting[0], Withdraw):
            waiting.pop(0)
        if not waiting:
            return
        self.executed += 1
        kind, said = self._carried_out(waiting[0])
        if dies:
            return
        command = waiting.pop(0)
        self.say(system)
        self._ended(command, kind, said)

    def _ended(self, command: Command, kind: OutcomeKind, said: dict[str, str] | None = None) -> None:
        self.queues[system_of(command)].append(lambda: self.story.ended(command, kind, **dict[str, Any](said or {})))

    def _carried_out(self, command: Command) -> tuple[OutcomeKind, dict[str, str]]:
        match command:
            case CreateGoodsOut():
                return self._create(command)
            case CancelGoodsOut():
                return self._cancel(command)
            case UpsertErpOrder():
                if self.erp is None or self.erp.order.state is ErpOrderState.DRAFT:
                    self.erp = an_erp_order().draft()
                    for line in command.lines:
                        self.erp = self.erp.with_line(line.line, line.sku, line.quantity)
                return OutcomeKind.APPLIED, {"external_id": "77"}
            case PostFulfilment():
                self._enter(command)
                return OutcomeKind.APPLIED, {"external_id": f"{command.goods_out}#1"}
            case CreateFulfilment():
                return self._tell(command)
            case UpdateTracking():
                return self._track(command)
            case Withdraw() | SetOnHand() | CreateProduct() | AmendProduct():
                raise AssertionError(CommandId(command.id))

    # --- the warehouse

    def _create(self, command: CreateGoodsOut) -> tuple[OutcomeKind, dict[str, str]]:
        if command.reference in self.goods_outs:
            return OutcomeKind.ALREADY_APPLIED, {"external_id": self.goods_outs[command.reference].goods_out.id}
        for reference in self.goods_outs:
            if reference not in command.known_goods_outs:
                return OutcomeKind.REJECTED, {"code": "unknown_goods_out", "field": "reference", "text": reference}
        made = a_goods_out(command.reference, self.number(), warehouse=command.warehouse)
        for unit in command.lines:
            if unit.each:
                made = made.with_part(unit.line, unit.sku, unit.quantity, each=unit.each)
            else:
                made = made.with_line(unit.line, unit.sku, unit.quantity)
        self.goods_outs[command.reference] = made
        self.made_of[command.reference] = whole_kits_in(made)
        return OutcomeKind.APPLIED, {"external_id": made.goods_out.id}

    def _cancel(self, command: CancelGoodsOut) -> tuple[OutcomeKind, dict[str, str]]:
        found = self.goods_outs.get(command.reference)
        if found is None or found.goods_out.status is GoodsOutStatus.CANCELLED:
            if found is None:
                self.made_of.pop(command.reference, None)  # gone as we wished, whoever did it
            return OutcomeKind.ALREADY_APPLIED, {"external_id": command.goods_out}
        if found.goods_out.status not in command.only_if:
            return OutcomeKind.REJECTED, {"code": "state_not_allowed", "text": found.goods_out.status}
        del self.goods_outs[command.reference], self.made_of[command.reference]
        return OutcomeKind.APPLIED, {"external_id": command.goods_out}

    def at_work(self, pick: int) -> str | None:
        """One of the goods-outs that have not ended."""
        open_ = [reference for reference, one in self.goods_outs.items() if not one.goods_out.status.ended]
        return open_[pick % len(open_)] if open_ else None

    def pick(self, pick: int) -> None:
        if (reference := self.at_work(pick)) is not None:
            self.goods_outs[reference] = self.goods_outs[reference].picking()
            self.say(System.CLARUS)

    def despatch(self, pick: int, *, tracked: bool = True, whole: bool = False, torn: bool = False) -> None:
        """One more unit leaves in a parcel of its own, or all that is left; `whole` closes the goods-out. Of a bundle
        it is a whole one or, `torn`, one piece of a component without the others.
        """
        if (reference := self.at_work(pick)) is None:
            return
        goods_out = self.goods_outs[reference].goods_out
        owing = [line for line in goods_out.lines if line.despatched < line.ordered]
        leaving: Counter[str] = Counter()
        if owing:
            first = owing[pick % len(owing)]
            kit = [line for line in owing if line.line == first.line] if first.each and not torn else [first]
            leaving.update({line.id: line.each if len(kit) > 1 else 1 for line in kit})
        lines = tuple(
            line.model_copy(update={"despatched": min(line.ordered, line.despatched + leaving[line.id])})
            for line in goods_out.lines
        )
        done = whole or all(line.despatched == line.ordered for line in lines)
        package = Package(id=self.number(), tracking_number=f"T{self.number()}" if tracked else "", shipment="S1")
        changed = {
            "lines": lines,
            "packages": (*goods_out.packages, package),
            "status": GoodsOutStatus.COMPLETED if done else GoodsOutStatus.PICK,
            "despatched_at": NOON,
        }
        self.goods_outs[reference] = GoodsOutBuilder(goods_out.model_copy(update=changed))
        self.say(System.CLARUS)

    def track(self, pick: int) -> None:
        """Every parcel has its tracking by now."""
        for reference, one in self.goods_outs.items():
            packages = tuple(
                box.model_copy(update={"tracking_number": box.tracking_number or f"T{self.number()}"})
                for box in one.goods_out.packages
            )
            self.goods_outs[reference] = GoodsOutBuilder(one.goods_out.model_copy(update={"packages": packages}))
        self.say(System.CLARUS)

    def delete(self, pick: int) -> None:
        """A person deletes a goods-out nobody began; its units stay counted: nobody said they may go again."""
        reference = self.at_work(pick)
        if reference is not None and self.goods_outs[reference].goods_out.status.untouched:
            del self.goods_outs[reference]
            self.say(System.CLARUS)

    def stop(self, pick: int) -> None:
        """The warehouse cancels what it has not begun to pick: free again but for what left."""
        if (reference := self.at_work(pick)) is not None:
            one = self.goods_outs[reference]
            self.goods_outs[reference] = one.status(GoodsOutStatus.CANCELLED)
            self.made_of[reference] = _kits(one, lambda line: line.despatched, begun=True)  # a torn one is not free
            self.say(System.CLARUS)

    def despatched_of(self, reference: str) -> Counter[str]:
        if reference not in self.goods_outs:
            return Counter()
        return _kits(self.goods_outs[reference], lambda line: line.despatched)

    # --- the ERP

    def commit(self, _pick: int) -> None:
        if self.erp is not None:
            self.erp = ErpBuilder(self.erp.order.model_copy(update={"state": ErpOrderState.COMMITTED}))
            self.say(System.ERP)

    def post(self, _pick: int) -> None:
        if self.erp is not None:
            posted = tuple(
                one.model_copy(update={"state": FulfilmentState.POSTED}) for one in self.erp.order.fulfilments
            )
            self.erp = ErpBuilder(self.erp.order.model_copy(update={"fulfilments": posted}))
            self.say(System.ERP)

    def _enter(self, command: PostFulfilment) -> None:
        """In all these units: what is posted stays, the rest is one part not posted yet."""
        assert self.erp is not None
        posted = [one for one in self.erp.order.fulfilments if one.state is FulfilmentState.POSTED]
        number = 1 + sum(one.goods_out == command.goods_out for one in posted)
        rest = Counter[str]({unit.line: unit.quantity for unit in command.target}) - self.posted_of(command.goods_out)
        if rest:
            units = {f"L{line}": quantity for line, quantity in rest.items()}
            self.erp = self.erp.fulfilment(command.goods_out, number, FulfilmentState.OPEN, **units)

    def posted_of(self, reference: str) -> Counter[str]:
        total: Counter[str] = Counter()
        for one in () if self.erp is None else self.erp.order.fulfilments:
            if one.goods_out == reference and one.state is FulfilmentState.POSTED:
                total.update({unit.line: unit.quantity for unit in one.lines})
        return total

    # --- the shop

    def _tell(self, command: CreateFulfilment) -> tuple[OutcomeKind, dict[str, str]]:
        """As the connector does: by its own look, then one call per location."""
        wish, wrote = TellingWish(command), False
        while True:
            match wish.judge(self.order.order):
                case Done(fulfilment=found):
                    return OutcomeKind.APPLIED if wrote else OutcomeKind.ALREADY_APPLIED, {"external_id": found}
                case Mutation(told=units) as mutation:
                    made = FulfilmentId(self.number())
                    for unit in units:
                        self._fulfil(made, unit.fulfilment_order, {unit.line: unit.quantity}, command.tracking.numbers)
                    told = Counter({unit.line: 0 for unit in units})
                    for unit in units:
                        told[unit.line] += unit.quantity
                    self.told_of.setdefault(command.goods_out, Counter()).update(told)
                    wish.wrote(mutation, made)
                    wrote = True
                case refused:
                    if wish.done is not None:
                        return OutcomeKind.APPLIED, {"external_id": wish.done}
                    return OutcomeKind.REJECTED, {"code": refused.code, "field": refused.field, "text": refused.text}

    def _fulfil(
        self, id_: FulfilmentId, of: FulfilmentOrderId, units: dict[LineId, int], numbers: tuple[str, ...]
    ) -> None:
        earlier = next((one.lines for one in self.order.order.fulfilments if one.id == id_), ())
        self.order = self.order.fulfilled(id_, of=of, numbers=numbers, **_lines(units))
        if earlier:
            self._fulfilment(id_, lines=(*earlier, *next(o.lines for o in self.order.order.fulfilments if o.id == id_)))

    def _fulfilment(self, id_: str, **changes: object) -> None:
        changed = tuple(
            one.model_copy(update=changes) if one.id == id_ else one for one in self.order.order.fulfilments
        )
        self.order = OrderBuilder(self.order.order.model_copy(update={"fulfilments": changed}))

    def _track(self, command: UpdateTracking) -> tuple[OutcomeKind, dict[str, str]]:
        found = next((one for one in self.order.order.fulfilments if one.id == command.fulfilment), None)
        if found is None or found.cancelled:
            return OutcomeKind.REJECTED, {"code": "fulfilment_cancelled", "text": "it was cancelled"}
        self._fulfilment(found.id, tracking_numbers=command.tracking.numbers)
        return OutcomeKind.APPLIED, {"external_id": found.id}

    def _open(self, pick: int) -> str | None:
        ids = [one.id for one in self.order.order.fulfilment_orders if not one.status.ended]
        return ids[pick % len(ids)] if ids else None

    def hold(self, pick: int) -> None:
        """On hold, or released when it is."""
        if (id_ := self._open(pick)) is not None:
            held = self._fo(id_).status is FulfilmentOrderStatus.ON_HOLD
            self.order = (
                self.order.fulfilment_order(id_, status=FulfilmentOrderStatus.OPEN, holds=(), can_fulfil=True)
                if held
                else self.order.on_hold(id_)
            )
            self.say(System.SHOPIFY)

    def split(self, pick: int) -> None:
        """One unit of a fulfilment order becomes a new one, at the other place."""
        if (id_ := self._open(pick)) is None:
            return
        one = self._fo(id_)
        line = one.lines[pick % len(one.lines)]
        if line.remaining > 0 and sum(other.remaining for other in one.lines) > 1:
            fewer = tuple(
                other.model_copy(update={"remaining": other.remaining - (other.id == line.id)}) for other in one.lines
            )
            self.order = self.order.fulfilment_order(id_, lines=fewer)
            self.order = self.order.routed(self.number(), to=("11", "12")[pick % 2], **{f"L{line.line}": 1})
            self.say(System.SHOPIFY)

    def move(self, pick: int) -> None:
        """Closed at one place, open at another under a new id."""
        if (id_ := self._open(pick)) is not None:
            units = {f"L{line.line}": line.remaining for line in self._fo(id_).lines if line.remaining}
            if units:
                self.order = self.order.closed(id_).routed(self.number(), to=("12", "11")[pick % 2], **units)
                self.say(System.SHOPIFY)

    def refund(self, pick: int) -> None:
        if (id_ := self._open(pick)) is not None:
            line = self._fo(id_).lines[pick % len(self._fo(id_).lines)]
            if line.remaining > 0:
                self.order = self.order.refunded(**{f"L{line.line}": 1})
                self.say(System.SHOPIFY)

    def cancel(self, _pick: int) -> None:
        self.order = self.order.cancelled()
        self.say(System.SHOPIFY)

    def fulfil_by_hand(self, pick: int) -> None:
        if (id_ := self._open(pick)) is not None and self._fo(id_).can_fulfil:
            line = self._fo(id_).lines[pick % len(self._fo(id_).lines)]
            if line.remaining > 0:
                self._fulfil(FulfilmentId(self.number()), FulfilmentOrderId(id_), {line.line: 1}, ("BY-HAND",))
                self.say(System.SHOPIFY)

    def take_back(self, pick: int) -> None:
        """A fulfilment is cancelled by hand: its units are open again on a new fulfilment order."""
        told = [one for one in self.order.order.fulfilments if not one.cancelled]
        if told and self.order.order.cancelled_at is None:
            one: Fulfilment = told[pick % len(told)]
            self._fulfilment(one.id, cancelled=True)
            units = _lines({unit.line: unit.quantity for unit in one.lines})
            self.order = self.order.routed(self.number(), **units)
            self.say(System.SHOPIFY)

    def _fo(self, id_: str) -> FulfilmentOrder:
        return next(one for one in self.order.order.fulfilment_orders if one.id == id_)


def whole_kits_in(made: GoodsOutBuilder) -> Counter[str]:
    """Units per order line that a goods-out asks for. Raises AssertionError for half a kit, or one without a part."""
    asked = _kits(made, lambda line: line.ordered)
    for line in asked:
        parts = {one.sku: one.ordered for one in made.goods_out.lines if one.line == line and one.each}
        recipe = {part.sku: part.quantity * asked[line] for part in KIT.components}
        assert parts in ({}, recipe), f"of {asked[line]} kits {parts} were asked for"
    return asked


def _kits(one: GoodsOutBuilder, figure: Callable[[GoodsOutLine], int], *, begun: bool = False) -> Counter[str]:
    """A figure of a goods-out's lines in units of the order's: of a bundle whole ones, or with `begun` each begun."""
    units: Counter[str] = Counter()
    kits: dict[str, list[int]] = {}
    for line in one.goods_out.lines:
        if line.each:
            count = -(-figure(line) // line.each) if begun else figure(line) // line.each
            kits.setdefault(line.line, []).append(count)
        else:
            units[line.line] += figure(line)
    return units + Counter({line: max(counts) if begun else min(counts) for line, counts in kits.items()})


def _lines(units: dict[LineId, int]) -> dict[str, Any]:
    """As the builders take them: `L901=2`."""
    return {f"L{line}": quantity for line, quantity in units.items()}
