"""The `lockstep` command line: one file per subject, put together in `app`."""

import sys

STOPPED = 130
"""What a shell expects of a program that Ctrl-C ended."""


def main() -> None:
    """Load the commands and run one. Ctrl-C ends it without a stack trace, while they are loaded too."""
    try:
        from lockstep.cli.app import run_app  # noqa: PLC0415 - takes a moment, in which somebody may think better of it

        run_app()
    except KeyboardInterrupt:
        sys.exit(STOPPED)
