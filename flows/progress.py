"""Long work shows how far it is, on a terminal; elsewhere it is silent."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from corpus.runner import Progress, silent

current: ContextVar[Progress] = ContextVar("current", default=silent)
"""Whom a task tells: tasks are given names and numbers only, so the listener comes by context."""


@contextmanager
def shown(quiet: bool) -> Iterator[Progress]:
    """Lend a listener that draws bars on standard error; it also becomes `current`."""
    if quiet or not sys.stderr.isatty():
        yield silent
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
    )
    from rich.progress import (
        Progress as Bars,
    )

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        known = {}

        def told(what: str, done: int, total: int) -> None:
            if what not in known:
                known[what] = bars.add_task(what, total=total or None)
            bars.update(known[what], completed=done, total=total or None)

        token = current.set(told)
        try:
            yield told
        finally:
            current.reset(token)
