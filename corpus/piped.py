"""Bytes through a shell pipeline, watched: what falls silent or never stops talking is ended, with all that it started."""

import os
import selectors
import signal
import subprocess
import threading
import time
from contextlib import suppress
from typing import IO

from corpus.piecewise import BrokenError

SILENCE = 60.0
"""Seconds without a byte after which a pipeline hangs: answers come text by text, and the longest takes one or two."""
_MOST = (64, 2**20)
"""Bytes that may come: so many times those that went, and so many more."""


def piped(command: str, fed: bytes) -> tuple[bytes, bytes]:
    """Send bytes through a pipeline of bash and return what it said on standard output and on standard error.

    Raises `BrokenError` where a part of it fails, where nothing comes for `SILENCE` seconds, and where too much comes.
    """
    running = subprocess.Popen(  # noqa: S603 - the command is an installed pair's own pipeline
        ["/bin/bash", "-o", "pipefail", "-c", command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
        start_new_session=True,  # a group of its own, so that it can be ended whole
    )
    with running:
        assert running.stdin is not None
        feeder = threading.Thread(target=_feed, args=(running.stdin, fed), daemon=True)
        feeder.start()
        try:
            said, told = _heard(running, len(fed))
            running.wait(SILENCE)
        except BaseException as error:
            os.killpg(running.pid, signal.SIGKILL)
            if isinstance(error, subprocess.TimeoutExpired):
                raise BrokenError(
                    f"a translator closed its output and did not end: {command[:60]}"
                ) from error
            raise
        finally:
            feeder.join()
    if running.returncode:
        raise BrokenError(
            f"a translator failed ({running.returncode}): {told.decode(errors='replace').strip()[-200:]}"
        )
    return said, told


def _feed(pipe: IO[bytes], fed: bytes) -> None:
    with suppress(BrokenPipeError):  # who died early is heard of by its exit status
        try:
            pipe.write(fed)
        finally:
            pipe.close()


def _heard(running: "subprocess.Popen[bytes]", fed: int) -> tuple[bytes, bytes]:
    """Collect what comes until both pipes are closed."""
    heard: dict[int, list[bytes]] = {}
    count, most = 0, _MOST[0] * fed + _MOST[1]
    with selectors.DefaultSelector() as open_pipes:
        for pipe in (running.stdout, running.stderr):
            assert pipe is not None
            heard[pipe.fileno()] = []
            open_pipes.register(pipe, selectors.EVENT_READ)
        until = time.monotonic() + SILENCE
        while open_pipes.get_map():
            ready = open_pipes.select(max(until - time.monotonic(), 0))
            if not ready:
                raise BrokenError(f"a translator said nothing for {SILENCE:g} seconds")
            for key, _ in ready:
                piece = os.read(key.fd, 2**16)
                if not piece:
                    open_pipes.unregister(key.fileobj)
                heard[key.fd].append(piece)
                count += len(piece)
            if count > most:
                raise BrokenError(f"a translator said {count} bytes for {fed}, and did not stop")
            until = time.monotonic() + SILENCE
    said, told = (b"".join(pieces) for pieces in heard.values())
    return said, told
