"""Parts as tasks of a Ray cluster that is there already: the same tasks, the same answers, on other machines.

A task that is lost with its worker is done again by another; what it keeps in the store is written whole or not at all.
The store, and files that sources name by a path, must be on a disk that every node sees.
"""

import logging
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, TypeVar

from corpus.schema import UserError

Task = TypeVar("Task")
Result = TypeVar("Result")

ADDRESS = "RAY_ADDRESS"
"""The variable that says where the cluster is; the one that runs on this machine where it is not set."""
RETRIES = 20
"""How often a task is begun anew whose worker died."""
AHEAD = 4
"""Tasks for each core of the cluster that are begun before the first of them is answered."""


class Ray(AbstractContextManager["Ray"]):
    """Tasks on the cluster at `address` (as `ray start` prints it); `workers` None uses every core of it.

    Raises `UserError` where Ray is not installed, or no cluster answers.
    """

    def __init__(self, workers: int | None = None, address: str | None = None) -> None:
        try:
            import ray
        except ImportError as error:
            raise UserError(
                "--engine ray needs Ray, which is not installed; pip install 'winnow[ray]'"
            ) from error
        self._ray: Any = ray
        where = address or os.environ.get(ADDRESS) or "auto"
        try:
            ray.init(
                address=where, log_to_driver=False, logging_level=logging.ERROR, ignore_reinit_error=True
            )
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise UserError(
                f"no Ray cluster answers at {where!r}; start one with `ray start --head`, or set {ADDRESS} to its address"
            ) from error
        self._workers = workers or int(self._ray.cluster_resources().get("CPU", 1))

    def expect(self, rows: int = 0, size: int = 0) -> None:
        """Do nothing: workers are the cluster's."""

    def map(
        self, function: Callable[[Task], Result], tasks: Sequence[Task], rows: int, *, heavy: bool = False
    ) -> Iterator[Result]:
        """Yield the answers in the order of the tasks."""
        yield from self._bounded(function, tasks)

    def stream(
        self, function: Callable[[Task], Result], tasks: Iterable[Task], size: int
    ) -> Iterator[Result]:
        """Yield the answers in the order of the tasks."""
        yield from self._bounded(function, tasks)

    def _bounded(self, function: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[Result]:
        ray = self._ray

        def work(task: Task) -> Result:
            return function(task)

        remote = ray.remote(num_cpus=1, max_retries=RETRIES)(work)
        waiting: deque[Any] = deque()
        for task in tasks:
            waiting.append(remote.remote(task))
            while len(waiting) > AHEAD * self._workers:
                yield self._answer(waiting.popleft())
        while waiting:
            yield self._answer(waiting.popleft())

    def _answer(self, reference: Any) -> Any:
        """Wait for an answer; what the task raised is raised here as it was."""
        try:
            return self._ray.get(reference)
        except self._ray.exceptions.RayTaskError as error:
            cause = error.cause
            raise (cause if isinstance(cause, BaseException) else error) from None

    def __exit__(self, *_: object) -> None:
        """Stay connected: the next segment asks the same cluster, and the process's end lets go of it."""
