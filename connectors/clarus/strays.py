"""What Clarus holds that is of no order: goods-outs under our prefix that no order can be read from, lost packages."""

from collections.abc import Iterable, Iterator

from connectors.clarus.lists import Node, text
from schemas.cases import CaseCode
from schemas.config import BrandConfig
from schemas.references import read_reference
from schemas.sweep import Stray

NO_SHIPMENT = {"shipment_id": {"filled": False}}
"""Ids can be asked for by whether there is one (Clarus' lists, API description 1.0.0)."""


def stray_goods_outs(config: BrandConfig, headers: Iterable[Node]) -> Iterator[Stray]:
    """Those whose reference begins as ours do and names no order. Others of the account are other channels'."""
    for node in headers:
        reference = text(node, "reference")
        if reference.startswith(f"{config.reference_prefix}-") and read_reference(reference) is None:
            status = text(node, "goods_out_status", "code")
            yield Stray(
                code=CaseCode.ORPHAN_GOODS_OUT,
                object=f"goods-out {text(node, 'id')}",
                detail=f"{status}, reference {reference}",
            )


def stray_packages(packages: Iterable[Node]) -> Iterator[Stray]:
    """Of the whole tenant: a package without a shipment shows no account either."""
    for node in packages:
        if node.get("shipment") is None:
            number = str(node.get("tracking_number") or "none")
            yield Stray(
                code=CaseCode.PACKAGE_ASTRAY,
                object=f"package {text(node, 'id')}",
                detail=f"tracking number {number}, in no shipment",
            )
