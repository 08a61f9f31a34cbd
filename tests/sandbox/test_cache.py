"""The cache folder and its lock."""

import threading
from pathlib import Path

import pytest

from sandbox.cache import cache_root, locked


def test_the_folder_is_the_one_named_and_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCKSTEP_CACHE", str(tmp_path / "deep" / "down"))
    assert cache_root() == (tmp_path / "deep" / "down").resolve()
    assert cache_root().is_dir()


def test_unnamed_it_is_in_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOCKSTEP_CACHE", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_root() == (tmp_path / ".cache" / "lockstep").resolve()


def test_two_who_prepare_the_same_wait_for_one_another(tmp_path: Path) -> None:
    wanted = tmp_path / "made"
    made_by: list[str] = []

    def prepare(name: str) -> None:
        with locked(wanted):
            if not wanted.exists():
                made_by.append(name)
                wanted.touch()

    with locked(wanted):
        others = [threading.Thread(target=prepare, args=(name,)) for name in ("one", "two")]
        for other in others:
            other.start()
        assert not wanted.exists()
    for other in others:
        other.join()
    assert len(made_by) == 1


def test_a_lock_ends_with_an_error_inside(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), locked(tmp_path / "made"):
        raise RuntimeError("half way")
    with locked(tmp_path / "made"):
        pass
