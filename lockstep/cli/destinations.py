"""Where a command writes files: looked at before the work, so that none is done for nothing."""

import os
from pathlib import Path

import typer

from lockstep.settings import SettingsError


def file_to_write(param: typer.CallbackParam, path: Path | None) -> Path | None:
    """Callback of an option or argument. Raises SettingsError where no file can be written."""
    if path is not None:
        _expect(param, path, "a file to write", _against_file(path))
    return path


def folder_to_write(param: typer.CallbackParam, path: Path) -> Path:
    """The same of a folder, which is made when something is written there."""
    there = next(one for one in (path, *path.absolute().parents) if one.exists())
    _expect(param, path, "a folder to write to", _against_folder(there))
    return path


def _expect(param: typer.CallbackParam, path: Path, expected: str, found: str) -> None:
    if found:
        raise SettingsError(f"{param.opts[0]} {path}: expected {expected}, found {found}: name another place")


def _against_file(path: Path) -> str:
    """What stands in the way, if anything."""
    if path.is_dir():
        return "a folder"
    if path.exists():
        return "" if os.access(path, os.W_OK) else "one that may not be written"
    return _against_folder(path.absolute().parent)


def _against_folder(folder: Path) -> str:
    if not folder.exists():
        return f"no folder {folder}"
    if not folder.is_dir():
        return f"{folder} to be no folder"
    return "" if os.access(folder, os.W_OK | os.X_OK) else f"that nothing may be written in {folder}"
