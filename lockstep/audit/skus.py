"""SKUs: what the shop sells and ships, beside Clarus' products and the ERP's items. Text to the last zero."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from connectors.shopify.setup import Variant
from lockstep.audit.catalogue import Finding
from lockstep.audit.codes import Code
from lockstep.audit.mapping import collisions, product_codes
from lockstep.audit.seen import Seen
from schemas.config import BrandConfig
from schemas.items import trade_number

T = TypeVar("T")


def sold(variants: Iterable[Variant]) -> list[Variant]:
    """Those whose orders reach a warehouse under their own SKU."""
    return [one for one in variants if one.active and one.ships and not one.bundle]


def codes_of(config: BrandConfig, variants: Iterable[Variant]) -> dict[str, Variant]:
    """Product code → the first sold variant that has it."""
    found: dict[str, Variant] = {}
    for one in sold(variants):
        if one.sku:
            for code in product_codes(config, one.sku):
                found.setdefault(code, one)
    return found


def check_skus(seen: Seen) -> Iterator[Finding]:
    if seen.shop.variants is None:
        return
    variants = sold(seen.shop.variants)
    yield Finding.of(Code.SKU_MISSING, [f"variant {one.id}" for one in variants if not one.sku])
    yield Finding.of(
        Code.SKU_TWICE,
        [f"{sku!r}: variants {', '.join(one.id for one in same)}" for sku, same in _alike(variants, lambda v: v.sku)],
    )
    codes = codes_of(seen.config, seen.shop.variants)
    yield Finding.of(
        Code.SKUS_COLLIDE,
        [
            *collisions(seen.config, (one.sku for one in variants if one.sku)),
            *(" and ".join(repr(one) for one in same) for _, same in _alike(sorted(codes), bare)),
        ],
    )
    yield from _unknown(seen, codes)
    yield from _barcodes(seen, codes)


def _unknown(seen: Seen, codes: Mapping[str, Variant]) -> Iterator[Finding]:
    clarus = None if seen.clarus.products is None else [one.code for one in seen.clarus.products]
    erp = None if seen.erp.items is None else [one.code for one in seen.erp.items]
    zeros: list[str] = []
    spelled: list[str] = []
    for system, there, code in (
        ("Clarus", clarus, Code.SKU_UNKNOWN_TO_CLARUS),
        ("the ERP", erp, Code.SKU_UNKNOWN_TO_ERP),
    ):
        if there is None:
            continue
        known = set(there)
        others = [one for one in there if one not in codes]  # what the shop does sell is nobody's misspelling
        by_loose = {loose(one): one for one in others}
        by_bare = {bare(one): one for one in others}
        missing = [sku for sku in codes if sku not in known]
        of_others = [sku for sku in missing if there is clarus and sku in seen.clarus.elsewhere]
        plain: list[str] = []
        for sku in missing:
            if sku in of_others:
                continue
            if loose(sku) in by_loose:
                spelled.append(f"{sku!r} is {by_loose[loose(sku)]!r} in {system}")
            elif bare(sku) in by_bare:
                zeros.append(f"{sku!r} is {by_bare[bare(sku)]!r} in {system}")
            else:
                plain.append(sku)
        yield Finding.of(code, plain)
        yield Finding.of(Code.SKU_OF_ANOTHER_ACCOUNT, of_others)
    yield Finding.of(Code.SKU_ZEROS_LOST, zeros)
    yield Finding.of(Code.SKU_SPELLED_OTHERWISE, spelled)
    if seen.clarus.stopped is not None:
        yield Finding.of(Code.PRODUCT_STOPPED, [sku for sku in codes if sku in seen.clarus.stopped])


def _barcodes(seen: Seen, codes: Mapping[str, Variant]) -> Iterator[Finding]:
    others: list[tuple[str, dict[str, tuple[str, ...]]]] = [
        ("Clarus", {one.code: (one.barcode,) for one in seen.clarus.products or () if one.barcode}),
        ("the ERP", {one.code: one.barcodes for one in seen.erp.items or () if one.barcodes}),
    ]
    yield Finding.of(
        Code.BARCODE_DIFFERS,
        [
            f"{sku!r}: {one.barcode} in Shopify, {', '.join(there[sku])} in {system}"
            for system, there in others
            for sku, one in codes.items()
            if one.barcode
            and sku in there
            and trade_number(one.barcode) not in {trade_number(code) for code in there[sku]}
        ],
    )
    with_barcode = [(trade_number(one.barcode), sku) for sku, one in codes.items() if one.barcode]
    yield Finding.of(
        Code.BARCODE_TWICE,
        [
            f"{barcode}: {', '.join(repr(sku) for _, sku in same)}"
            for barcode, same in _alike(with_barcode, lambda pair: pair[0])
        ],
    )


def loose(sku: str) -> str:
    """Without what people overlook: capitals and spaces."""
    return "".join(sku.split()).casefold()


def bare(sku: str) -> str:
    """And without leading zeros."""
    return loose(sku).lstrip("0")


def _alike(found: Iterable[T], key: Callable[[T], str]) -> list[tuple[str, Sequence[T]]]:
    """Groups of two or more under one key; what has no key is alone."""
    groups: dict[str, list[T]] = defaultdict(list)
    for one in found:
        if key(one):
            groups[key(one)].append(one)
    return [(name, same) for name, same in groups.items() if len(same) > 1]
