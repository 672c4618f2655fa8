"""A pipeline that is begun once and asked often, watched: whose answers go astray is ended, with all that it started."""

import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import IO

from corpus.frames import framed, marks, unframed
from corpus.piecewise import BrokenError

SILENCE = 60.0
"""Seconds without a byte after which a pipeline hangs: answers come text by text, and the longest takes one or two."""
LONGEST = (60.0, 1.0)
"""Seconds that a batch may take, whatever comes: so many, and so many more for each KiB sent, of which some 50 are answered in one."""
_MOST = (64, 2**20)
"""Bytes that may come for a batch: so many times those that went, and so many more."""
_GRACE = 1.0
"""Seconds in which a pipeline that is told that nothing more comes may end by itself."""
_PIECE = 2**16


@dataclass(frozen=True)
class Said:
    """What a pipeline said of a batch: an answer for each text, and all that came on standard error."""

    answers: list[str]
    told: str


class Pipe:
    """A program, or a pipeline of them, by its words: begun when it is asked, and anew when it is asked after it ended.

    Threads take turns. A child of `fork` has to `forget` it: what runs is its parent's.
    """

    def __init__(self, words: Sequence[str]) -> None:
        self._words = words
        self._lock = threading.Lock()
        self._running: subprocess.Popen[bytes] | None = None
        self._sent = 0

    def ask(self, texts: Sequence[str]) -> Said:
        """Return what the pipeline says of texts, which hold no NUL and no bare bracket.

        Raises `BrokenError`, and ends the pipeline, where a part of it fails, where answers do not come in the frames of their
        texts, where nothing comes for `SILENCE` seconds, where what comes takes longer than `LONGEST` allows, and where too much comes.
        """
        if not texts:
            return Said([], "")
        with self._lock:
            if self._running is not None and not _rests(self._running):
                self._killed(self._running)
            running = self._running = self._running or _begun(self._words)
            marked = marks(self._sent, len(texts))  # no mark is used twice: a late answer is nobody's
            self._sent += len(marked)
            try:
                said, told = _exchanged(running, framed(texts, marked), f"{marked[-1]}\0".encode())
                return Said(unframed(said, marked), told.decode(errors="replace"))
            except BaseException:
                self._killed(running)
                raise

    def end(self) -> None:
        """End the pipeline, if it runs, by telling it that nothing more comes; what does not heed that is killed."""
        with self._lock:
            if self._running is not None:
                _opened(self._running.stdin).close()
                with suppress(subprocess.TimeoutExpired):
                    self._running.wait(_GRACE)
                self._killed(self._running)

    def forget(self) -> None:
        """Let go of the parent's pipeline in a child of `fork`, which neither writes to it nor holds it open."""
        if self._running is not None:
            _close(self._running)
            self._running.returncode = 0  # whom only the parent can wait for
        self._running, self._lock = None, threading.Lock()

    def kill(self) -> None:
        """End the pipeline at once, if it runs: soonest for one program, of several some are left to be waited for by init."""
        with self._lock:
            if self._running is not None:
                self._killed(self._running)

    def _killed(self, running: "subprocess.Popen[bytes]") -> None:
        if running.returncode is None:  # not waited for, so that the group's number is still its own
            with suppress(ProcessLookupError):
                os.killpg(running.pid, signal.SIGKILL)
            running.wait()
        _close(running)
        self._running = None


def _begun(words: Sequence[str]) -> "subprocess.Popen[bytes]":
    running = subprocess.Popen(  # noqa: S603 - the words are an installed pair's own
        words,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
        start_new_session=True,  # a group of its own, so that it can be ended whole
    )
    for pipe in _pipes(running):
        os.set_blocking(pipe.fileno(), False)
    return running


def _rests(running: "subprocess.Popen[bytes]") -> bool:
    """Say whether a pipeline is alive and has nothing to say that nobody asked for; what it complained of is thrown away."""
    _drained(_opened(running.stderr))
    try:
        os.read(_opened(running.stdout).fileno(), 1)
    except BlockingIOError:
        return True
    return False


def _exchanged(running: "subprocess.Popen[bytes]", fed: bytes, last: bytes) -> tuple[bytes, bytes]:
    """Send a batch and collect what comes up to its last answer, and what was said of it on standard error until then."""
    said, told = bytearray(), bytearray()
    left, most = memoryview(fed), _MOST[0] * len(fed) + _MOST[1]
    into, out, err = _pipes(running)
    with selectors.DefaultSelector() as waiting:
        waiting.register(into, selectors.EVENT_WRITE)
        for pipe, heard in ((out, said), (err, told)):
            waiting.register(pipe, selectors.EVENT_READ, heard)
        end = time.monotonic() + LONGEST[0] + LONGEST[1] * len(fed) / 2**10
        until = time.monotonic() + SILENCE
        while said.find(last, -_PIECE - len(last)) < 0:
            for key in _ready(waiting, until, end):
                if key.fileobj is into:
                    left = left[_written(into, left) :]
                    if not left:
                        waiting.unregister(into)
                    continue
                piece = os.read(key.fd, _PIECE)
                if not piece:
                    waiting.unregister(key.fileobj)
                key.data.extend(piece)
                until = time.monotonic() + SILENCE
            if out.fileno() not in waiting.get_map():
                raise BrokenError(f"a translator ended in the middle: {told.decode(errors='replace')[-200:]}")
            if len(said) + len(told) > most:
                raise BrokenError(f"a translator said {len(said)} bytes for {len(fed)}, and did not stop")
    return bytes(said), bytes(told) + _drained(err)


def _ready(
    waiting: selectors.BaseSelector, until: float, end: float
) -> list[selectors.SelectorKey]:  # fmt: skip
    """Return what can be read from or written to. Raises `BrokenError` where nothing can `until` then, and at the batch's `end`."""
    ready = [key for key, _ in waiting.select(max(min(until, end) - time.monotonic(), 0))]
    if time.monotonic() >= end:
        raise BrokenError("a translator did not come to the end of a batch in time")
    if not ready:
        raise BrokenError(f"a translator said nothing for {SILENCE:g} seconds")
    return ready


def _written(pipe: IO[bytes], left: memoryview) -> int:
    """Write what goes; all is as good as written to who died, which is heard of by the end of what it says."""
    try:
        return os.write(pipe.fileno(), left[:_PIECE])
    except BrokenPipeError:
        return len(left)


def _drained(pipe: IO[bytes]) -> bytes:
    """Read what waits in a pipe."""
    pieces: list[bytes] = []
    with suppress(BlockingIOError):
        while piece := os.read(pipe.fileno(), _PIECE):
            pieces.append(piece)
    return b"".join(pieces)


def _pipes(running: "subprocess.Popen[bytes]") -> tuple[IO[bytes], IO[bytes], IO[bytes]]:
    return _opened(running.stdin), _opened(running.stdout), _opened(running.stderr)


def _opened(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None
    return pipe


def _close(running: "subprocess.Popen[bytes]") -> None:
    for pipe in _pipes(running):
        pipe.close()
