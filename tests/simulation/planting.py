"""Plants each known bug in a copy of the tree and lets the simulation look for it: `make planted`.

A planted bug that is not found within `MOST` histories is a hole in the simulation: exit code 1.
"""

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.paths import ROOT

PLANTED = ROOT / "tests/simulation/planted"
PACKAGES = ("schemas", "kernel", "streams", "connectors", "sandbox", "lockstep")
MOST = 500

HUNT = f"""
from lockstep.simulation.many import first_failure
count, failed = first_failure(range({MOST}), 200)
print(count)
print(failed.violations[0] if failed else "")
"""


HUNT_IN_SALES = f"""
import os
from concurrent.futures import ProcessPoolExecutor
from lockstep.simulation.many import quiet
from lockstep.simulation.sale import play_sale
from sandbox.faults import Faults

def oversold(seed):
    return play_sale(seed, buyers=60, units=30, window=30.0, faults=Faults.preset("many"), hands=8).oversold

with ProcessPoolExecutor(os.cpu_count(), initializer=quiet) as pool:
    for first in range(0, {MOST}, 10):
        found = list(pool.map(oversold, range(first, first + 10)))
        if any(found):
            seed = next(seed for seed, units in enumerate(found, start=first) if units)
            print(seed + 1)
            print(f"sale {{seed}}: {{found[seed - first]}} units sold that could not be shipped")
            break
    else:
        print({MOST})
"""
STOCK = frozenset({"06-read-clarus-before-shopify"})
"""What shows only where stock is kept: a sale is a history of its own there."""


def patches() -> list[Path]:
    return sorted(PLANTED.glob("*.patch"))


@contextmanager
def copy_with(patch: Path) -> Iterator[Path]:
    """A copy of the packages with this bug in it. Raises CalledProcessError when the patch does not fit any more."""
    with tempfile.TemporaryDirectory(prefix="lockstep-planted-") as name:
        folder = Path(name)
        for package in PACKAGES:
            shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
        subprocess.run(["git", "apply", str(patch)], cwd=folder, check=True, capture_output=True, text=True)
        yield folder


def hunted(patch: Path) -> tuple[int, str]:
    """How many histories were played, and the violation that showed it; '' when none did."""
    with copy_with(patch) as folder:
        ran = subprocess.run(
            [sys.executable, "-c", HUNT_IN_SALES if patch.stem in STOCK else HUNT],
            cwd=folder,
            env={"PYTHONPATH": str(folder), "PATH": "/usr/bin:/bin"},
            check=True,
            capture_output=True,
            text=True,
        )
    count, violation = ran.stdout.strip("\n").split("\n", 1) if "\n" in ran.stdout.strip("\n") else (ran.stdout, "")
    return int(count), violation


def main() -> None:
    """All of them, or those whose names begin with an argument."""
    missed, wanted = 0, tuple(sys.argv[1:])
    for patch in (one for one in patches() if not wanted or one.name.startswith(wanted)):
        began = time.monotonic()
        count, violation = hunted(patch)
        missed += not violation
        found = f"found in history {count}: {violation}" if violation else f"NOT FOUND in {count} histories"
        sys.stdout.write(f"{patch.stem}: {found} ({time.monotonic() - began:.0f} s)\n")
        sys.stdout.flush()
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
