"""The planted bugs still fit the code, so that `make planted` hunts what it says it hunts."""

import subprocess

import pytest

from tests.paths import ROOT
from tests.simulation.planting import patches


def test_there_are_ten() -> None:
    assert len(patches()) >= 10


@pytest.mark.parametrize("name", [patch.name for patch in patches()])
def test_a_planted_bug_still_fits(name: str) -> None:
    patch = ROOT / "tests/simulation/planted" / name
    checked = subprocess.run(
        ["git", "apply", "--check", str(patch)], cwd=ROOT, check=False, capture_output=True, text=True
    )

    assert checked.returncode == 0, checked.stderr
