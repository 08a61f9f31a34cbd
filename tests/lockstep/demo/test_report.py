"""The report for people shows every figure of the verdict, and marks those that must be zero."""

from collections.abc import Iterator

from lockstep.demo.report import (
    Cases,
    Clarus,
    Erp,
    Held,
    Latency,
    Orders,
    Percentiles,
    Report,
    Shopify,
    latencies,
    rows,
)
from tests.lockstep.demo.pages import MUST_BE_ZERO

LATENCY = Latency(
    webhook_to_goods_out=Percentiles(n=1),
    webhook_to_goods_out_lost_webhook=Percentiles(n=2),
    despatch_to_tracking=Percentiles(n=3),
)


def numbered() -> Report:
    """Every count another number."""
    number: Iterator[int] = iter(range(101, 200))

    def part(model: type[Orders | Clarus | Erp | Shopify]) -> dict[str, int]:
        return {name: next(number) for name in model.model_fields}

    return Report(
        in_step=False,
        seconds=1.0,
        orders=Orders(**part(Orders)),
        held=Held(
            **{name: next(number) for name in Held.model_fields if not name.endswith("by_reason")},
            by_reason={"unmapped_shipping_line": 5},
            still_by_reason={"unknown_sku": 7},
        ),
        clarus=Clarus(**part(Clarus)),
        erp=Erp(**part(Erp)),
        shopify=Shopify(**part(Shopify)),
        latency_ms=LATENCY,
        dead_letters=next(number),
        cases=Cases(opened=next(number), open=next(number), by_code={"not_told": 2, "address_incomplete": 1}),
    )


def test_every_figure_has_exactly_one_row() -> None:
    report = numbered()
    figures = [
        *(value for part in (report.orders, report.clarus, report.erp, report.shopify) for _, value in part),
        *(value for name, value in report.held if not name.endswith("by_reason")),
        report.dead_letters,
        report.cases.opened,
        report.cases.open,
    ]

    assert sorted(number for _, number, _, _ in rows(report)) == sorted(str(figure) for figure in figures)


def test_the_rows_that_must_be_zero_are_those_the_verdict_asks_for() -> None:
    report = numbered()
    asked = {str(getattr(getattr(report, name.split(".")[0]), name.split(".")[1])) for name in MUST_BE_ZERO}

    assert {number for _, number, _, zero in rows(report) if zero} == asked


def test_every_row_is_a_sentence_under_a_system() -> None:
    shown = list(rows(numbered()))

    assert shown[0][0] == "Shopify"
    assert {where for where, _, _, _ in shown} == {"Shopify", "", "Clarus", "ERP", "Lockstep"}
    assert all(len(says.split()) > 3 for _, _, says, _ in shown)
    assert len({says for _, _, says, _ in shown}) == len(shown)


def test_open_cases_are_named_by_code() -> None:
    assert next(says for _, _, says, _ in rows(numbered()) if "open now" in says).endswith(
        "address_incomplete 1, not_told 2"
    )
    nothing = numbered().model_copy(update={"cases": Cases()})
    assert next(says for _, _, says, _ in rows(nothing) if "open now" in says).endswith("none")


def test_held_orders_are_named_by_reason() -> None:
    said = [says for _, _, says, _ in rows(numbered()) if "held" in says]

    assert any(says.endswith(": unmapped_shipping_line 5") for says in said)
    assert any(says.endswith(": unknown_sku 7") for says in said)


def test_every_latency_is_shown() -> None:
    assert [one.n for _, one in latencies(numbered())] == [1, 2, 3]
    assert len(list(latencies(numbered()))) == len(Latency.model_fields)


def test_the_report_as_json_can_be_read_back() -> None:
    report = numbered()

    assert Report.model_validate_json(report.model_dump_json()) == report
