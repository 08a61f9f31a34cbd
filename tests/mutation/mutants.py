"""Every mutant of the rules, with a name that outlives edits elsewhere in its module."""

import ast
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from tests.mutation.operators import changes
from tests.paths import ROOT

RULES = ROOT / "streams/rules"


class Mutant(NamedTuple):
    """One change of one module. `tree` is the module's; once `apply` was called it is spent, so fork before."""

    name: str
    module: str
    path: Path
    scope: str
    at_import: bool
    lines: range
    tree: ast.Module
    apply: Callable[[], None]

    def code(self) -> bytes:
        """The changed module's source. Spends the tree."""
        self.apply()
        return ast.unparse(self.tree).encode()


def module_of(path: Path) -> str:
    """'orders.release' of streams/rules/orders/release.py."""
    parts = path.relative_to(RULES).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def rules() -> list[Path]:
    return sorted(path for path in RULES.rglob("*.py") if path.read_text().strip())


def mutants_of(path: Path) -> Iterator[Mutant]:
    """Names: module, function, change; where a function has the same change twice, the second says so."""
    module, tree = module_of(path), ast.parse(path.read_text(), filename=str(path))
    seen: Counter[str] = Counter()
    for change in changes(tree):
        name = f"{module} {change.scope or '(module)'}: {change.what}"
        seen[name] += 1
        if seen[name] > 1:
            name = f"{name} ({seen[name]})"
        yield Mutant(name, module, path, change.scope, change.at_import, change.lines, tree, change.apply)


def all_mutants() -> list[Mutant]:
    return [mutant for path in rules() for mutant in mutants_of(path)]
