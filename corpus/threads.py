"""Computing with one thread, whatever the process is given: sums over several depend on how many there are."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def one_thread() -> Iterator[Callable[[], None]]:
    """Compute with one thread, as every worker does, and give the process its threads back; lend what a new thread must call."""
    import torch

    def alone() -> None:
        torch.set_num_threads(1)

    threads = torch.get_num_threads()
    alone()
    try:
        yield alone
    finally:
        torch.set_num_threads(threads)
