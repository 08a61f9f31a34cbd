"""What the house keeps to: arrows go down only, the rules and translators are pure, every exception has its reason."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.paths import ROOT

BANNED_MODULES = {
    "aiohttp", "aiokafka", "asyncio", "faust", "httpx", "io", "locale", "mode", "os", "pathlib", "random", "requests",
    "secrets", "shutil", "socket", "subprocess", "sys", "tempfile", "threading", "time", "urllib", "uuid",
}  # fmt: skip
"""Clock, chance, environment and I/O: none of it may be imported where decisions are made."""

BANNED_CALLS = {"open", "input", "print", "eval", "exec", "__import__", "id", "hash"}
"""`hash` and `id` differ between processes: what they decide could not be replayed."""

BANNED_ATTRIBUTES = {"now", "today", "utcnow", "urandom", "environ", "getenv", "read_text", "read_bytes", "write_text"}
"""Of a class or a module; `state.now`, the time of the log, is not one."""

CLASSES = {"datetime", "date", "os", "time", "Path"}

INDEX_HOSTS = re.compile(r"pypi\.org|pythonhosted\.org|--(?:extra-)?index-url[ =]https?:|repo1\.maven\.org")


def pure_files() -> list[Path]:
    return sorted([*(ROOT / "streams/rules").rglob("*.py"), *(ROOT / "connectors").rglob("translate.py")])


def impurities(source: str) -> Iterator[str]:
    """What a pure module may not do, with its line."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                for name in names:
                    if name.name.partition(".")[0] in BANNED_MODULES:
                        yield f"line {node.lineno}: imports {name.name}"
            case ast.ImportFrom(module=str(module)) if module.partition(".")[0] in BANNED_MODULES:
                yield f"line {node.lineno}: imports from {module}"
            case ast.Call(func=ast.Name(id=name)) if name in BANNED_CALLS:
                yield f"line {node.lineno}: calls {name}()"
            case ast.Attribute(value=ast.Name(id=owner), attr=name) if name in BANNED_ATTRIBUTES and owner in CLASSES:
                yield f"line {node.lineno}: uses {owner}.{name}"
            case ast.AsyncFunctionDef() | ast.Await():
                yield f"line {node.lineno}: waits"
            case _:
                pass


@pytest.mark.parametrize("file", pure_files(), ids=lambda file: str(file.relative_to(ROOT)))
def test_rules_and_translators_are_pure(file: Path) -> None:
    assert list(impurities(file.read_text())) == []


def test_there_are_rules_and_translators_to_look_at() -> None:
    names = {str(file.relative_to(ROOT)) for file in pure_files()}

    assert {
        "streams/rules/orders/plan.py",
        "streams/rules/orders/absorb.py",
        "connectors/shopify/translate.py",
        "connectors/clarus/translate.py",
        "connectors/erp/tryton/translate.py",
        "connectors/erp/sandbox/translate.py",
    } <= names


@pytest.mark.parametrize(
    "line",
    [
        "import random",
        "from uuid import uuid4",
        "import os.path",
        "from datetime import datetime\nnow = datetime.now()",
        "from datetime import date\nday = date.today()",
        "text = open('x')",
        "key = hash('x')",
        "async def rule(): ...",
    ],
)
def test_the_linter_finds_what_it_looks_for(line: str) -> None:
    assert list(impurities(line))


def test_the_time_of_the_log_is_no_clock() -> None:
    assert list(impurities("until = state.now if wake is None else self.now()")) == []


def test_arrows_between_packages_go_down_only() -> None:
    checked = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert checked.returncode == 0, checked.stdout + checked.stderr


def python_files() -> list[Path]:
    folders = ("schemas", "kernel", "streams", "connectors", "console", "sandbox", "lockstep", "tests", "benchmarks")
    return sorted(file for folder in folders for file in (ROOT / folder).rglob("*.py"))


SILENCED = re.compile(r"#\s*(?:noqa|type:\s*ignore)\b(?P<rest>.*)$")
WITH_REASON = re.compile(
    r"""^(?: : \s* [A-Z]+[0-9]+ (?:\s*,\s*[A-Z]+[0-9]+)* | \[ [a-z-]+ (?:\s*,\s*[a-z-]+)* \] )  # which rule
        (?P<reason>.*)$""",
    re.VERBOSE,
)


def silenced_without_reason(lines: list[str]) -> Iterator[str]:
    """A rule may be silenced by name and with a reason: beside it, or on an earlier line of the file for the same one.

    The first time explains; repeating a sentence on every line would explain nothing more.
    """
    explained: set[str] = set()
    for number, line in enumerate(lines, start=1):
        found = SILENCED.search(line)
        if found is None or _in_text(line, found.start()):
            continue
        named = WITH_REASON.match(found["rest"])
        if named is None:
            yield f"line {number}: names no rule: {line.strip()}"
            continue
        rule = found["rest"][: named.start("reason")].strip(" :[]")
        if re.search(r"[a-z]{2}", named["reason"]):
            explained.add(rule)
        elif rule not in explained:
            yield f"line {number}: gives no reason: {line.strip()}"


def _in_text(line: str, at: int) -> bool:
    """Whether an odd number of quotes stands before: the words are in a string, not in a comment."""
    return line[:at].count('"') % 2 == 1


def test_what_is_silenced_has_its_reason() -> None:
    said = [
        f"{file.relative_to(ROOT)}: {line}"
        for file in python_files()
        for line in silenced_without_reason(file.read_text().splitlines())
    ]

    assert not said, "\n".join(said)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("x = 1  # noqa", "names no rule"),
        ("x = 1  # noqa: S105", "gives no reason"),
        ("x = 1  # type: ignore", "names no rule"),
        ("x = 1  # type: ignore[misc]", "gives no reason"),
    ],
)
def test_silence_without_reason_is_found(line: str, said: str) -> None:
    (found,) = silenced_without_reason([line])

    assert said in found


def test_a_reason_once_is_enough_for_its_file() -> None:
    assert list(silenced_without_reason(["a = 1  # noqa: S105 - of a sandbox", "b = 2  # noqa: S105"])) == []


def tracked_files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    if listed.returncode != 0:
        return [file for folder in ("docs", "schemas", "lockstep") for file in (ROOT / folder).rglob("*.*")]
    return [ROOT / name for name in listed.stdout.split("\0") if name]


def test_no_file_names_a_package_index() -> None:
    """Whoever installs decides where packages come from; hashes say that they are the right ones."""
    named = [
        f"{file.relative_to(ROOT)}:{number}"
        for file in tracked_files()
        if file.is_file() and file != Path(__file__)
        for number, line in enumerate(file.read_text(errors="replace").splitlines(), start=1)
        if INDEX_HOSTS.search(line)
    ]

    assert named == []


def test_every_requirement_is_pinned_by_hash() -> None:
    for name in ("requirements.txt", "requirements-dev.txt", "sandbox/tryton/requirements.txt"):
        text = re.sub(r"\\\n", "", (ROOT / name).read_text())
        lines = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
        assert lines
        assert [line for line in lines if "==" not in line or "--hash=sha256:" not in line] == [], name


def test_production_installs_what_the_tests_ran_with() -> None:
    def pins(name: str) -> set[str]:
        return set(re.findall(r"^([\w.-]+==\S+)", (ROOT / name).read_text(), re.MULTILINE))

    assert pins("requirements.txt") <= pins("requirements-dev.txt")
