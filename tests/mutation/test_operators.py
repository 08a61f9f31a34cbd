"""What is changed in a rule, by literal sources; and that a changed rule really answers in place of the other."""

import ast
import os
from typing import Any

import pytest

from schemas.base import LineId
from streams.rules.orders.per_line import PerLine
from tests.mutation.mutants import RULES, all_mutants, mutants_of
from tests.mutation.operators import changes
from tests.mutation.session import loaded_functions, put_in_place


def changed(source: str) -> dict[str, str]:
    """The whole source after each change, by its name."""
    count = len(changes(ast.parse(source)))
    found = {}
    for at in range(count):
        tree = ast.parse(source)
        change = changes(tree)[at]
        change.apply()
        found[f"{change.scope}: {change.what}" if change.scope else change.what] = ast.unparse(tree)
    return found


def in_function(line: str) -> dict[str, str]:
    """Changes of one statement within `f`, by name, as the statement is after it."""
    whole = changed(f"def f(a, b, c):\n    {line}\n    done()")
    return {
        name.removeprefix("f: "): "\n".join(text.split("\n")[1:-1]).strip()
        for name, text in whole.items()
        if "done" not in name
    }


@pytest.mark.parametrize(
    ("line", "after"),
    [
        ("x = a < b", {"< → <= in a < b": "x = a <= b"}),
        ("x = a == b", {"== → != in a == b": "x = a != b"}),
        ("x = a is not b", {"is not → is in a is not b": "x = a is b"}),
        ("x = a or b or c", {f"or without {one}": f"x = {' or '.join(sorted({*'abc'} - {one}))}" for one in "abc"}),
        ("x = not a", {"not a → a": "x = a"}),
        ("x = a - b", {"- → + in a - b": "x = a + b"}),
        ("x = a + 'b'", {"'b' → ''": "x = a + ''"}),
        ("x = a + 1", {"+ → - in a + 1": "x = a - 1", "1 → 2": "x = a + 2"}),
        ("x = True", {"True → False": "x = False"}),
        ("x = ''", {"'' → 'other'": "x = 'other'"}),
        ("x = f'{a} of {b}'", {"f'{a} of {b}' → ''": "x = ''"}),
        ("x = b if a else c", {"a → not a": "x = b if not a else c"}),
        ("x = any(a)", {"any(a) → all(a)": "x = all(a)"}),
        ("x = sorted(a)", {"sorted(a) → list(a)": "x = list(a)"}),
        ("x = f(a, key=b)", {"without key=b in f": "x = f(a)"}),
        ("x = {a: b}", {"without a: b": "x = {}"}),
        ("x = [one for one in a if b]", {
            "b → not b": "x = [one for one in a if not b]",
            "without if b": "x = [one for one in a if True]",
        }),
        ("a = b(a)", {"without a = b(a)": "if False:\n        a = b(a)\n    else:\n        pass"}),
        ("a = b(c)", {}),
        ("x = (a, b)", {}),
        ("assert a < 1, 'for readers'", {}),
        ("x: int | None = a", {}),
    ],
)  # fmt: skip
def test_what_is_changed_in_a_statement(line: str, after: dict[str, str]) -> None:
    assert in_function(line) == after


def test_a_generator_that_says_nothing_is_still_one() -> None:
    [text] = [text for name, text in changed("def f(a):\n    yield a").items() if name == "f: without yield a"]
    names: dict[str, Any] = {}
    exec(text, names)
    assert list(names["f"](1)) == []


def test_an_early_return_is_passed_by_and_the_last_is_not() -> None:
    names = changed("def f(a):\n    if a:\n        return a\n    return g(a)")
    assert set(names) == {"f: a → not a", "f: without return a"}


def test_a_case_is_left_out_unless_it_cannot_be() -> None:
    names = changed("def f(a):\n match a:\n  case A():\n   g()\n  case B():\n   pass\n  case _:\n   assert_never(a)")
    assert set(names) == {"f: without g()", "f: without case A()", "f: without case B()"}


def test_tables_defaults_and_properties_are_changed_too() -> None:
    names = changed(
        "RULES = (held, release)\n"
        "class Known:\n    seen: int = 0\n    @property\n    def gone(self):\n        return self.seen > 0\n"
        "def f(a=1):\n    pass"
    )
    assert set(names) == {
        "without held in (held, release)", "without release in (held, release)", "Known: 0 → 1",
        "Known.gone: > → >= in self.seen > 0", "Known.gone: 0 → 1", "1 → 2",
    }  # fmt: skip


def test_every_mutant_of_the_rules_has_a_name_of_its_own_and_can_be_compiled() -> None:
    names = [mutant.name for mutant in all_mutants()]
    assert len(names) > 3000
    assert len(set(names)) == len(names)
    path = RULES / "orders/per_line.py"
    for at in range(len(list(mutants_of(path)))):
        mutant = list(mutants_of(path))[at]
        mutant.apply()
        compile(mutant.tree, str(mutant.path), "exec")


def test_a_mutant_answers_in_place_of_the_loaded_rule() -> None:
    """In a fork, as in a run: this process keeps its rules."""
    one_line, another = PerLine({LineId("901"): 1}), PerLine({LineId("902"): 1})
    name = "orders.per_line PerLine.__and__: min(quantity, also(line, 0)) → max(quantity, also(line, 0))"
    [mutant] = [one for one in mutants_of(RULES / "orders/per_line.py") if one.name == name]
    child = os.fork()
    if child == 0:
        placed = put_in_place(mutant, loaded_functions())
        os._exit(7 if placed and one_line & another == one_line else 1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 7
    assert one_line & another == PerLine()
