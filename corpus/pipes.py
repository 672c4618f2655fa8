"""Pipelines that live as long as their process: begun at the first ask, asked again by who needs the same, ended with it."""

import atexit
import os
import re
import shutil
import threading
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from corpus.pipe import Pipe, Said

MOST = 8
"""Pipelines of a process that run at once, the others are ended: both ways of a pair are eight, of 110 to 285 MB together."""

_FILE = re.compile(r"'(/[^']+)'")
_PROGRAM = re.compile(r"(?:^|\|)\s*([^\s|]+)")

Stamps = tuple[tuple[int, int, int], ...]


class Pipes:
    """The pipelines of a process, by what they run and on which files, the least lately asked first."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._held: OrderedDict[tuple[str, Stamps], Pipe] = OrderedDict()

    def ask(self, command: str, texts: Sequence[str]) -> Said:
        """Ask the pipeline of a command, as `Pipe.ask` does. One whose programs or files changed since is not asked again."""
        key = command, _stamps(command)
        with self._lock:
            pipe = self._held.setdefault(key, Pipe(["/bin/bash", "-c", command]))
            self._held.move_to_end(key)
            others = [*self._held.values()][: -self._most]
        for other in others:
            other.end()
        return pipe.ask(texts)

    def end(self) -> None:
        """End all; who is asked again begins again."""
        for pipe in [*self._held.values()]:
            pipe.end()

    def forget(self) -> None:
        """Let go of all in a child of `fork`."""
        for pipe in self._held.values():
            pipe.forget()
        self._lock = threading.Lock()


def _stamps(command: str) -> Stamps:
    """Return what changes with the programs and the files that a command names: they are read once, at its beginning."""
    programs = [shutil.which(name) for name in _PROGRAM.findall(command)]
    found = []
    for file in [*filter(None, programs), *_FILE.findall(command)]:
        with suppress(OSError):
            status = Path(file).stat()
            found.append((status.st_ino, status.st_size, status.st_mtime_ns))
    return tuple(found)


KEPT = Pipes()
"""Those of this process. Where it is killed, or is a worker that ends without farewell, the system closes their ends."""

atexit.register(KEPT.end)
os.register_at_fork(after_in_child=KEPT.forget)
