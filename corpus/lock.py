"""Locks on files, which the system takes back from a process that ends, however it ends."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(path: Path, how: int = fcntl.LOCK_EX) -> Iterator[None]:
    """Hold a file's lock, waiting for whoever has it; with `LOCK_NB` in `how` raises `BlockingIOError` instead.

    The file is made where it is not there; raises `OSError` where it cannot be.
    """
    with path.open("a") as file:
        fcntl.flock(file, how)
        yield
