"""Finds what no automation told: open goods-outs that are new, that moved on, or that are no longer open."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

import orjson
import structlog

from connectors.clarus.catalogue import Catalogue
from connectors.clarus.lists import Filter, Node, text
from connectors.clarus.read import ClarusReader, warehouses_of
from connectors.clarus.strays import NO_SHIPMENT, stray_goods_outs, stray_packages
from connectors.runtime.errors import Incompatible, Rejected, Unavailable
from connectors.runtime.port import Changes, Found
from schemas.base import OrderId
from schemas.config import BrandConfig
from schemas.references import read_reference

OPEN = ("DRAFT", "PENDING", "PART_ALLOCATED", "ALLOCATED", "PICK", "PART")
"""Statuses the poll looks at. Clarus' lists have no changed-since filter (its API description 1.0.0)."""
ENDED = ("COMPLETED", "CANCELLED")

_log = structlog.get_logger(__name__)


class _Seen(NamedTuple):
    """What a header shows of a goods-out's progress."""

    order: OrderId
    status: str
    despatched_at: str


class OpenGoodsOuts:
    """Of one tenant. A change that no header shows, such as a late tracking number, is not found by it."""

    def __init__(self, reader: ClarusReader, catalogue: Catalogue) -> None:
        self._reader, self._catalogue = reader, catalogue

    async def changes(self, config: BrandConfig, cursor: str) -> Changes:
        """Orders whose open goods-outs look different than at the cursor; with none, of every open goods-out.

        One list of headers a poll, however many are open. The cursor is ours: what was seen, per goods-out. Raises
        Blind when the list cannot be believed: then nothing would seem to be open any more.
        """
        before = _read_cursor(cursor)
        listed = await self._headers(config, {"goods_out_status_code": {"in": list(OPEN)}})
        now = {
            text(node, "id"): _Seen(order, text(node, "goods_out_status", "code"), _despatched_at(node))
            for node in listed
            if (order := ours(config, node)) is not None
        }
        moved = [id_ for id_ in sorted(before.keys() | now.keys()) if before.get(id_) != now.get(id_)]
        orders = dict.fromkeys((now.get(id_) or before[id_]).order for id_ in moved)
        seen = orjson.dumps({id_: [*one] for id_, one in now.items()}).decode()
        return Changes(tuple(orders), seen, proven=True)

    async def listed(self, config: BrandConfig, since: datetime) -> tuple[OrderId, ...]:
        """Orders with an open goods-out, or with one that ended and was to leave after the moment. Raises Blind."""
        return _orders(config, await self._open_or_ended(config, since))

    async def swept(self, config: BrandConfig, since: datetime) -> Found:
        """The same, with what is of no order."""
        nodes = await self._open_or_ended(config, since)
        strays = (*stray_goods_outs(config, nodes), *stray_packages(await self._packages_astray(config)))
        return Found(_orders(config, nodes), strays)

    async def _packages_astray(self, config: BrandConfig) -> list[Node]:
        """None when the tenant does not take the filter: the orders are swept all the same."""
        try:
            look = await self._reader.look(config, packages=NO_SHIPMENT)
        except (Incompatible, Rejected) as refused:
            _log.warning("clarus.packages_not_listed", brand=config.brand, error=str(refused))
            return []
        look.rights.must_be_complete()
        return look.lists["packages"]

    async def _open_or_ended(self, config: BrandConfig, since: datetime) -> list[Node]:
        """Lists cannot be asked for when a goods-out ended; ours are to leave within a day of being made."""
        ended = {
            "goods_out_status_code": {"in": list(ENDED)},
            "expected_date_of_dispatch": {"from": since.astimezone(UTC).isoformat()},
        }
        return [
            *await self._headers(config, {"goods_out_status_code": {"in": list(OPEN)}}),
            *await self._headers(config, ended),
        ]

    async def _headers(self, config: BrandConfig, filter_: Filter) -> list[Node]:
        """Of our account, by its id as remembered; beside the list the answer shows whether it is still that one.

        Raises Blind when we do not see all that is ours.
        """
        account = await self._catalogue.own_account(config.account, warehouses_of(config))
        look = await self._reader.goods_outs(config, {**filter_, "account_id": {"eq": account}})
        look.rights.must_be_complete()
        if look.rights.account != account:
            raise Unavailable("the account has another id than we remembered; the next time it is asked by that one")
        return look.lists["goods_outs"]


def _orders(config: BrandConfig, nodes: Iterable[Node]) -> tuple[OrderId, ...]:
    return tuple(dict.fromkeys(order for node in nodes if (order := ours(config, node)) is not None))


def ours(config: BrandConfig, node: Node) -> OrderId | None:
    """The order a goods-out is for, by its reference; None when it is not one of this shop's."""
    read = read_reference(text(node, "reference"))
    return read[1] if read is not None and read[0] == config.reference_prefix else None


def _despatched_at(node: Node) -> str:
    return str(node.get("actual_date_of_dispatch") or "")


def _read_cursor(cursor: str) -> Mapping[str, _Seen]:
    if not cursor:
        return {}
    try:
        return {id_: _Seen(*seen) for id_, seen in orjson.loads(cursor).items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise Incompatible("expected the cursor of the last poll, found another text") from error
