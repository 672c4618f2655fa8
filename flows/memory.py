"""The peak memory of a command: the sum over its process tree, sampled."""

import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Self

import psutil

if TYPE_CHECKING:
    from flows.job import Job


class Peak(AbstractContextManager["Peak"]):
    """Samples the resident memory of a process and its children, twice a second, while it is entered."""

    def __init__(self, process: psutil.Process, every: float = 0.5) -> None:
        self._process, self._every = process, every
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._bytes = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _sample(self) -> None:
        while True:
            total = 0
            for process in [self._process, *self._process.children(recursive=True)]:
                try:
                    total += process.memory_info().rss
                except psutil.NoSuchProcess:
                    continue
            self._bytes = max(self._bytes, total)
            if self._stop.wait(self._every):
                return

    @property
    def megabytes(self) -> int:
        """The highest sum that was seen, in MiB."""
        return round(self._bytes / 2**20)


@contextmanager
def watched(job: "Job") -> Iterator[None]:
    """Write how long the work took and the memory it had at most to the run's folder, however it ends."""
    began = time.perf_counter()
    with Peak(psutil.Process()) as peak:
        try:
            yield
        finally:
            job.write(
                "watched.json",
                {"seconds": round(time.perf_counter() - began, 1), "peak_rss_mb": peak.megabytes},
            )
