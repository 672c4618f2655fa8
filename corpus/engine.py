"""How work is spread: one task a part, in processes on this machine."""

import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import AbstractContextManager
from importlib import import_module
from multiprocessing import connection, forkserver
from typing import Protocol, TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")

SPREAD_ROWS = 10_000
"""Fewer rows are measured sooner in this process than workers are born and answer."""
SPREAD_BYTES = 16 * 2**20
"""Fewer bytes are read sooner in this process."""
AHEAD = 4
"""Tasks for each worker that are begun before the first of them is answered."""


class Engine(Protocol):
    """Where tasks run. What a task answers must not depend on it."""

    def map(
        self, function: Callable[[Task], Result], tasks: Sequence[Task], rows: int, *, heavy: bool = False
    ) -> Iterator[Result]:
        """Yield the answers in the order of the tasks; `rows` is their size, `heavy` that they ask a model."""

    def stream(
        self, function: Callable[[Task], Result], tasks: Iterable[Task], size: int
    ) -> Iterator[Result]:
        """Yield the answers in the order of the tasks, which are made as they can be worked on; `size` is their bytes."""

    def expect(self, rows: int = 0, size: int = 0) -> None:
        """Be told that at least `rows` rows will come to be measured, or as much as `size` bytes to be read."""


class Local(AbstractContextManager["Local"]):
    """Processes on this machine, forked by a server of their own: a fork is unsafe beside threads.

    `workers` None uses every core, and only for work that is worth it; a number is taken at its word.
    Where much is expected, the server imports `modules`, which takes seconds, while others still read;
    this process does so while it waits for workers and answers.
    """

    def __init__(self, workers: int | None = None, modules: Sequence[str] = ()) -> None:
        self._asked = workers
        self._workers = workers or os.cpu_count() or 1
        self._modules = [*modules]
        self._pool: ProcessPoolExecutor | None = None

    def expect(self, rows: int = 0, size: int = 0) -> None:
        """Start the fork server, once for this process, if so many rows or bytes are worth it."""
        worth = rows >= SPREAD_ROWS or size >= SPREAD_BYTES
        if self._workers > 1 and (worth or self._asked is not None):
            multiprocessing.set_forkserver_preload([*self._modules, "corpus.frozen"])
            forkserver.ensure_running()

    def map(
        self, function: Callable[[Task], Result], tasks: Sequence[Task], rows: int, *, heavy: bool = False
    ) -> Iterator[Result]:
        """Yield the answers in the order of the tasks."""
        worth = heavy or rows >= SPREAD_ROWS or self._asked is not None
        if self._workers == 1 or len(tasks) < 2 or not worth:
            yield from map(function, tasks)
            return
        pool = self._started()
        yield from self._bounded(pool.submit(function, task) for task in tasks)

    def stream(
        self, function: Callable[[Task], Result], tasks: Iterable[Task], size: int
    ) -> Iterator[Result]:
        """Yield the answers in the order of the tasks; until the workers are born, this process works."""
        if self._workers == 1 or (size < SPREAD_BYTES and self._asked is None):
            yield from map(function, tasks)
            return
        self.expect(size=size)
        pool = self._started()
        with ThreadPoolExecutor(1) as beside:
            born = beside.submit(
                lambda: pool.submit(int).result()
            )  # it waits until the server has its modules
            yield from self._bounded(
                pool.submit(function, task) if born.done() else _done(function, task) for task in tasks
            )

    def _bounded(self, begun: Iterable[Future[Result]]) -> Iterator[Result]:
        """Yield the answers; only so much is begun that all have work and no answers pile up."""
        waiting: deque[Future[Result]] = deque()
        for future in begun:
            waiting.append(future)
            while len(waiting) > AHEAD * self._workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

    def _started(self) -> ProcessPoolExecutor:
        if self._pool is None:
            self._pool = processes(self._workers)
            threading.Thread(target=preload, args=(self._modules,), daemon=True).start()
        return self._pool

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)


def processes(workers: int) -> ProcessPoolExecutor:
    """Return a pool of processes that end with this one, however it ends.

    Those of the standard library outlive a process that is killed: a worker waits for ever on a queue that it holds open itself.
    """
    return ProcessPoolExecutor(
        workers, multiprocessing.get_context("forkserver"), initializer=_end_with_parent
    )


def _end_with_parent() -> None:
    """Have a thread of this worker wait for the end of the process that asked for it; its fork server then ends too."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def wait() -> None:
        connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def _done(function: Callable[[Task], Result], task: Task) -> Future[Result]:
    future: Future[Result] = Future()
    future.set_result(function(task))
    return future


def preload(modules: Sequence[str]) -> None:
    """Import modules, so that whoever asks for them later need not wait."""
    for module in modules:
        import_module(module)
