"""An answer is the same whether values are picked at once or field by field; also where something is wrong with it."""

from typing import Any

import pytest
from graphql import ExecutionContext, build_schema, execute_sync, parse

from lockstep.simulation.history import draw
from lockstep.simulation.play import play
from sandbox.projection import Lazily, Projecting

SCHEMA = build_schema("""
interface Kept { id: ID! }
type Shelf implements Kept { id: ID! label: String units(of: String = "all"): Int boxes: [Box!]! first: Box }
type Box implements Kept { id: ID! weight: Float heavy: Boolean kind: Kind maker: Maker! }
type Maker { name: String! }
enum Kind { OPEN CLOSED }
type Query { shelf: Shelf kept: [Kept] count: Int! }
""")

BOX = {"__typename": "Box", "id": 7, "weight": 2, "heavy": True, "kind": "OPEN", "maker": {"name": "Wood & Co"}}
SHELF = {
    "__typename": "Shelf",
    "id": "s1",
    "label": None,
    "boxes": [BOX, {**BOX, "id": "8", "kind": None}],
    "first": Lazily(lambda: BOX),
    "units": lambda _, of: 3 if of == "all" else 1,
}


@pytest.mark.parametrize(
    ("query", "root"),
    [
        ("{ shelf { id label boxes { id weight heavy kind maker { name } } } }", {"shelf": SHELF}),
        ("{ shelf { name: id boxes { it: id ...all } } } fragment all on Box { kind weight }", {"shelf": SHELF}),
        ("{ shelf { __typename first { __typename id } } }", {"shelf": SHELF}),
        ("{ shelf { units some: units(of: \"some\") boxes { id } } }", {"shelf": SHELF}),
        ("{ shelf { boxes { id @skip(if: true) kind } } }", {"shelf": SHELF}),
        ("query ($no: Boolean!) { shelf { boxes { id @include(if: $no) kind } } }", {"shelf": SHELF}),
        ("{ shelf { boxes { id } boxes { kind } } }", {"shelf": SHELF}),
        ("{ kept { id ... on Box { weight } ... on Shelf { boxes { id } } } }", {"kept": [SHELF, BOX, None]}),
        ("{ kept { id } }", {"kept": [{"__typename": "Lorry", "id": "1"}]}),
        ("{ shelf { boxes { maker { name } } } }", {"shelf": {**SHELF, "boxes": [{**BOX, "maker": None}]}}),
        ("{ shelf { boxes { kind weight } } }", {"shelf": {**SHELF, "boxes": [{**BOX, "kind": "AJAR"}]}}),
        ("{ shelf { boxes { weight } } }", {"shelf": {**SHELF, "boxes": [{**BOX, "weight": "much"}]}}),
        ("{ shelf { boxes { id } } }", {"shelf": {**SHELF, "boxes": "none"}}),
        ("{ shelf { id } }", {"shelf": None}),
        ("{ count }", {"count": None}),
        ("{ count }", {"count": ValueError("cannot count")}),
        ("{ shelf { id } }", {"shelf": lambda _: SHELF}),
    ],
)  # fmt: skip
def test_an_answer_is_the_librarys(query: str, root: dict[str, Any]) -> None:
    document = parse(query)
    picked, resolved = (
        execute_sync(
            SCHEMA,
            document,
            root_value=root,
            variable_values={"no": False},
            type_resolver=lambda value, *_: value["__typename"],
            execution_context_class=context,
        )
        for context in (Projecting, ExecutionContext)
    )
    assert picked.data == resolved.data
    assert [error.formatted for error in picked.errors or ()] == [error.formatted for error in resolved.errors or ()]


def test_a_resolver_is_called_once_also_when_what_it_gives_is_refused() -> None:
    calls: list[str] = []

    def shelf(_: object) -> dict[str, Any]:
        calls.append("shelf")
        return {"__typename": "Shelf", "id": None}

    result = execute_sync(
        SCHEMA, parse("{ shelf { id } }"), root_value={"shelf": shelf}, execution_context_class=Projecting
    )
    assert result.data == {"shelf": None}
    assert [error.path for error in result.errors or ()] == [["shelf", "id"]]
    assert calls == ["shelf"]


def test_a_whole_history_is_the_same_to_the_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    picked = play(draw(5, events=60)).digest
    monkeypatch.setattr(Projecting, "execute_field", ExecutionContext.execute_field)
    monkeypatch.setattr(Projecting, "complete_value", ExecutionContext.complete_value)
    assert play(draw(5, events=60)).digest == picked
