"""The `lockstep` command line: one file per subject, put together in `main`."""

from lockstep.cli.app import main

__all__ = ["main"]
