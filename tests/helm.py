"""Helm, for the tests of the chart: the machine's own, or one that `python -m tests.helm` builds with Go."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from sandbox.cache import cache_root, locked

VERSION = "3.22.0"
PACKAGE = f"helm.sh/helm/v3/cmd/helm@v{VERSION}"


def built() -> Path:
    return cache_root() / "helm" / VERSION / "helm"


def found() -> str | None:
    """Path of a helm; None where there is none."""
    return shutil.which("helm") or (str(built()) if built().exists() else None)


def build() -> str:
    """Minutes, the first time. Raises SystemExit where there is no Go, or it cannot be built."""
    if there := found():
        return there
    go = shutil.which("go")
    if go is None:
        sys.exit("expected helm, or Go to build it with, found neither: install one of them")
    with locked(built()):
        print(f"building helm {VERSION} with Go: some minutes …", flush=True)  # noqa: T201 - whoever waits looks at this
        made = subprocess.run([go, "install", PACKAGE], env={**os.environ, "GOBIN": str(built().parent)}, check=False)
    return found() or sys.exit(f"go install {PACKAGE}: exit code {made.returncode}")


if __name__ == "__main__":
    build()
