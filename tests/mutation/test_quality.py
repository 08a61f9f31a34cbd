"""docs/quality.md lists survivors once each, under a reason; whether they live, `make mutation` tries."""

import ast

import pytest

from tests.mutation.mutants import module_of, rules
from tests.mutation.quality import BEGIN, END, PAGE, doubles, survivors_of, with_figures, without

LISTED = """
## Survivors

### Only wording

Nobody decides by it.

* `orders.release strange: ', ' → ''`

## Elsewhere

* not an entry
"""


def test_entries_stand_under_their_reasons() -> None:
    assert survivors_of(LISTED) == {"Only wording": ["orders.release strange: ', ' → ''"]}


@pytest.mark.parametrize("entry", ["* orders.release strange: ', ' → ''", "* `something else`"])
def test_what_names_no_mutant_is_refused(entry: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        survivors_of(f"\n## Survivors\n\n### Only wording\n{entry}\n")


def test_figures_stand_between_their_marks() -> None:
    assert with_figures(f"a {BEGIN} old {END} b", "new") == f"a {BEGIN}\n\nnew\n\n{END} b"
    with pytest.raises(ValueError, match="marks"):
        with_figures("a page without them", "new")


def test_a_survivor_that_was_killed_is_taken_out_and_its_reason_with_the_last() -> None:
    page = "\n## Survivors\n\nWhy.\n\n### One\n\nSo.\n\n* `a b: c`\n* `a b: d`\n\n### Two\n\nSo.\n\n* `a b: e`\n"
    assert survivors_of(without(page, ["a b: c"])) == {"One": ["a b: d"], "Two": ["a b: e"]}
    assert survivors_of(without(page, ["a b: e", "a b: c"])) == {"One": ["a b: d"]}
    assert without(page, []) == page


def functions() -> set[str]:
    """'orders.release strange' of every function and class of the rules, '(module)' for what stands outside."""
    found = set()
    for path in rules():
        module, tree = module_of(path), ast.parse(path.read_text())
        found.add(f"{module} (module)")
        for node in tree.body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                found.add(f"{module} {node.name}")
            if isinstance(node, ast.ClassDef):
                found |= {f"{module} {node.name}.{one.name}" for one in node.body if isinstance(one, ast.FunctionDef)}
    return found


def test_the_page_lists_each_survivor_once_with_a_reason_and_none_of_what_is_gone() -> None:
    page = PAGE.read_text()
    survivors = survivors_of(page)
    assert doubles(survivors) == []
    assert all(survivors.values()), "a reason without survivors"
    named = {name.partition(": ")[0] for names in survivors.values() for name in names}
    assert named - functions() == set()
    for reason in survivors:
        said = page.partition(f"\n### {reason}\n")[2].lstrip().partition("\n")[0]
        assert said, reason
        assert not said.startswith("* "), f"{reason}: expected a sentence that says why"


def test_the_figures_add_up() -> None:
    figures = PAGE.read_text().partition(BEGIN)[2].partition(END)[0]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in figures.splitlines() if line.startswith("| ")]
    assert rows[0] == ["module", "mutants", "killed", "survived", "share"]
    assert rows[-1][0] == "all"
    counted = [[int(cell) for cell in row[1:4]] for row in rows[1:]]
    assert [sum(column) for column in zip(*counted[:-1], strict=True)] == counted[-1]
    assert all(mutants == killed + survived for mutants, killed, survived in counted)
