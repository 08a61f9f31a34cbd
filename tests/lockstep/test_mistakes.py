"""Wrong values are told in our words: where, what was expected, what was found; secrets are not."""

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from lockstep.mistakes import mistakes
from lockstep.simulation.history import History
from tests.lockstep.test_main import said

GOOD = {"seed": 1, "orders": 2, "rate": 1.0}


@pytest.mark.parametrize(
    ("written", "told"),
    [
        pytest.param({"orders": 2, "rate": 1.0}, "seed: expected a value, found none", id="missing"),
        pytest.param({**GOOD, "oders": 2}, "oders: expected a known name, found 'oders'", id="unknown"),
        pytest.param({**GOOD, "rate": "[x]"}, "rate: expected a valid number, found '[x]'", id="no number"),
        pytest.param({**GOOD, "orders": 0}, "orders: expected a number greater than or equal to 1, found 0", id="low"),
        pytest.param({**GOOD, "faults": 3}, "faults: expected a table of names and values, found 3", id="no table"),
        pytest.param(
            {**GOOD, "mishaps": [{"kind": "rain"}]}, "mishaps.0.at: expected a value, found none", id="deep inside"
        ),
    ],
)
def test_a_history_that_is_none_is_told_by_place(
    written: object, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(written))

    code, message = said(monkeypatch, capsys, "simulate", "--replay", path)

    assert code == 2
    assert message.startswith(f"lockstep simulate: {path}: no history: ")
    assert told in message
    assert "pydantic" not in message


@pytest.mark.parametrize("written", [b"not JSON", b"\xff\xfe", b""], ids=["text", "no text", "nothing"])
def test_what_is_no_json_is_told_without_being_repeated(
    written: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(written)

    code, message = said(monkeypatch, capsys, "simulate", "--replay", path)

    assert code == 2
    assert message.startswith(f"lockstep simulate: {path}: no history: expected JSON, found none: ")
    assert "not JSON" not in message


def test_a_secret_is_not_repeated() -> None:
    with pytest.raises(ValidationError) as wrong:
        History.model_validate({**GOOD, "rate": "s3cret"})

    assert mistakes(wrong.value, secret=True) == ["rate: expected a valid number"]


def test_a_choice_that_is_none_is_told_without_the_librarys_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, message = said(monkeypatch, capsys, "case", "list", "--owner", "foo")

    assert code == 2
    assert "Invalid value for '--owner': 'foo' is not one of 'operations'" in message
