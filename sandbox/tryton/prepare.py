"""Makes Tryton ready once, so that every later start is the copy of one file.

Three things are kept in the cache, each under a fingerprint of what it was made from, each made by one process while
others wait: the virtual environment, an empty database with the modules activated, the database of a set-up.
"""

import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path

from sandbox.cache import cache_root, locked
from sandbox.tryton.company import DATABASE, Company, programs_fingerprint, this_year
from sandbox.tryton.process import TrytonFailedError, TrytonProcess, database_file, settle, write_configuration

Progress = Callable[[str], None]

MODULES = ("sale", "stock", "account_invoice_stock", "web_shop")
ADMINISTRATOR = "admin@tryton.example"


@dataclass(frozen=True, slots=True)
class Prepared:
    """`programs`: the virtual environment's `bin`. `database`: the file to copy. `key`: opens its REST interface."""

    programs: Path
    database: Path
    key: str


def silent(line: str) -> None:
    """Progress for nobody."""


def prepare(company: Company, progress: Progress = silent) -> Prepared:
    """Make what is not there yet; blocks: about a minute the first time, milliseconds when all is there.

    Raises TrytonFailedError with what the failing step printed.
    """
    programs = _programs(progress)
    folder = cache_root() / "tryton" / f"prepared-{company.fingerprint(this_year())}"
    access = folder / "access.json"
    with locked(folder):
        if not access.exists():
            _make_prepared(company, programs, folder, access, progress)
    return Prepared(programs, database_file(folder), json.loads(access.read_text(encoding="utf-8"))["key"])


def _programs(progress: Progress) -> Path:
    """The `bin` of Tryton's own virtual environment."""
    environment = cache_root() / "tryton" / f"programs-{programs_fingerprint()}"
    ready = environment / "ready"
    with locked(environment):
        if not ready.exists():
            shutil.rmtree(environment, ignore_errors=True)
            progress("Tryton: making its virtual environment and installing it there (about 20 s)")
            _run([sys.executable, "-m", "venv", str(environment)])
            requirements = files("sandbox.tryton").joinpath("requirements.txt")
            install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r"]
            _run([str(environment / "bin" / "python"), *install, str(requirements)])
            ready.touch()
    return environment / "bin"


def _empty_database(programs: Path, progress: Progress) -> tuple[Path, str]:
    """A database with the modules activated and nothing in it, and its administrator's password."""
    folder = cache_root() / "tryton" / f"empty-{programs_fingerprint()}"
    password_file = folder / "password"
    with locked(folder):
        if not password_file.exists():
            progress("Tryton: making an empty database with sale, stock, invoice and web shop modules (about 40 s)")
            with _half_done(folder) as part:
                database_file(part).touch()  # it must exist before the first run (measured, series 8.0)
                password = part / "password"
                _write_secret(password, secrets.token_urlsafe(24))
                activate = ["-d", DATABASE, "-u", *MODULES, "--activate-dependencies", "--email", ADMINISTRATOR]
                _run(
                    [str(programs / "trytond-admin"), "-c", str(write_configuration(part, 0)), *activate],
                    {"TRYTONPASSFILE": str(password)},
                )
                settle(database_file(part))
    return database_file(folder), password_file.read_text(encoding="utf-8")


def _make_prepared(company: Company, programs: Path, folder: Path, access: Path, progress: Progress) -> None:
    empty, password = _empty_database(programs, progress)
    with _half_done(folder) as part:
        shutil.copyfile(empty, database_file(part))
        progress(f"Tryton: entering base data and {len(company.catalogue)} products (about 10 s)")
        server = TrytonProcess(programs, part)
        try:
            server.wait_until_it_answers()
            key = secrets.token_hex(32)
            description = part / "description.json"
            described = {**asdict(company), "url": f"{server.url}/rpc/", "password": password, "key": key}
            _write_secret(description, json.dumps(described))
            script = files("sandbox.tryton").joinpath("prepare_base.py")
            _run([str(programs / "python"), str(script), str(description)])
            description.unlink()
        finally:
            server.stop()
        settle(database_file(part))
        _write_secret(part / access.name, json.dumps({"key": key}))


@contextmanager
def _half_done(whole: Path) -> Iterator[Path]:
    """A folder beside `whole` that becomes `whole` when the block ends well, and vanishes otherwise."""
    part = Path(tempfile.mkdtemp(prefix=f"{whole.name}.", dir=whole.parent))
    try:
        yield part
        shutil.rmtree(whole, ignore_errors=True)
        part.rename(whole)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _write_secret(file: Path, text: str) -> None:
    file.touch(mode=0o600)
    file.write_text(text, encoding="utf-8")


def _run(command: Sequence[str], extra_environment: Mapping[str, str] | None = None) -> None:
    """Run to the end. Raises TrytonFailedError with the end of what it printed."""
    environment = {**os.environ, **(extra_environment or {})}
    # What our own environment says about Python's paths must not reach another one's.
    for name in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__"):
        environment.pop(name, None)
    ended = subprocess.run(  # noqa: S603 - the command is built above from our own files
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if ended.returncode != 0:
        printed = ended.stdout.decode(errors="replace").splitlines()[-30:]
        raise TrytonFailedError(f"{command[0]} ended with {ended.returncode}:\n" + "\n".join(printed))
