"""What became of each mutant, line by line in a file, so that a run goes on where the last one stopped.

A kill holds as long as neither the mutated module nor the test file that killed it has changed. A survivor holds
against every test file that has not changed since; only the others are tried on it. What the rules' other modules or
the tests' builders do is part of neither: `--fresh` forgets all.
"""

import json
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Literal, NamedTuple

from tests.mutation.mutants import Mutant
from tests.paths import ROOT

End = Literal["killed", "hung", "survived", "unreached", "reload", "broken"]
"""`hung`: its time was up, which counts as killed. `unreached`: a survivor that no test even carries out. `reload`: it
cannot be put in place of the loaded function, and must be imported anew."""

KILLED: frozenset[End] = frozenset({"killed", "hung"})


class Result(NamedTuple):
    """`source`: hash of the mutated module. `by`: the test that killed it. `against`: hash by test file it survived."""

    name: str
    end: End
    source: str
    by: str = ""
    against: Mapping[str, str] = {}


def hash_of(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()[:12]


def hash_of_test(file: str) -> str:
    path = ROOT / file
    return hash_of(path) if path.is_file() else ""


def source_of(mutant: Mutant) -> str:
    return hash_of(mutant.path)


def file_of(test: str) -> str:
    """The file of a test's id."""
    return test.partition("::")[0]


def still_holds(result: Result) -> bool:
    return result.end not in KILLED or (not result.by) or hash_of_test(file_of(result.by)) == result.against.get("by")


class Results:
    """The newest result of each mutant; `add` writes it down at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._newest: dict[str, Result] = {}
        if path.is_file():
            for line in path.read_text().splitlines():
                result = Result(**json.loads(line))
                self._newest[result.name] = result

    def of(self, mutant: Mutant) -> Result | None:
        """What is known of it and is not out of date."""
        known = self._newest.get(mutant.name)
        return known if known is not None and known.source == source_of(mutant) and still_holds(known) else None

    def add(self, result: Result) -> None:
        self._newest[result.name] = result
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a") as file:
            file.write(json.dumps(result._asdict(), ensure_ascii=False) + "\n")

    def tidy(self, names: Iterable[str]) -> None:
        """Keep one line for each of these."""
        kept = [self._newest[name] for name in names if name in self._newest]
        lines = (json.dumps(one._asdict(), ensure_ascii=False) + "\n" for one in kept)
        beside = self._path.with_suffix(".new")
        self._path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text("".join(lines))
        beside.replace(self._path)
