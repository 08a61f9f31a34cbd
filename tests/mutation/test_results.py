"""What an earlier run found holds as long as what it was found with has not changed."""

from pathlib import Path
from typing import Any

import pytest

from tests.mutation.mutants import RULES, mutants_of
from tests.mutation.results import End, Result, Results, hash_of_test, source_of

TEST = "tests/mutation/test_results.py"
MUTANT = next(mutants_of(RULES / "orders/per_line.py"))


def result(end: End = "killed", **changes: Any) -> Result:
    plain = Result(MUTANT.name, end, source_of(MUTANT), f"{TEST}::one", {"by": hash_of_test(TEST)})
    return plain._replace(**changes)


def found(folder: Path, *results: Result) -> Result | None:
    """As a later run finds it."""
    for one in results:
        Results(folder / "results.jsonl").add(one)
    return Results(folder / "results.jsonl").of(MUTANT)


@pytest.mark.parametrize(
    ("case", "kept", "holds"),
    [
        ("nothing has changed", result(), True),
        ("the rule has changed", result(source="other"), False),
        ("the test that killed it has changed", result(against={"by": "other"}), False),
        ("its time was up", result("hung", by="", against={}), True),
        ("it survived", result("survived", by="", against={TEST: "whatever"}), True),
    ],
)
def test_what_holds(tmp_path: Path, case: str, kept: Result, holds: bool) -> None:
    assert found(tmp_path, kept) == (kept if holds else None), case


def test_the_newest_counts_and_tidied_there_is_one(tmp_path: Path) -> None:
    assert found(tmp_path, result("survived"), result()) == result()
    results = Results(tmp_path / "results.jsonl")
    results.add(result(name="of a rule that is gone"))
    results.tidy([MUTANT.name])
    assert (tmp_path / "results.jsonl").read_text().count("\n") == 1
    assert found(tmp_path) == result()


def test_of_a_mutant_never_tried_nothing_is_known(tmp_path: Path) -> None:
    assert found(tmp_path) is None
