"""Processes that are given work by another one, and must not outlive it."""

import multiprocessing
import os
from threading import Thread


def end_with_parent() -> None:
    """For a process of a pool, which waits for work for ever, also when whoever gives it work was killed without a
    word: from now on it ends with that one. Nothing happens in a process that nobody gives work.
    """
    if multiprocessing.parent_process() is not None:
        Thread(target=_wait, daemon=True).start()


def _wait() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
