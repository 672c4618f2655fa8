"""Processes that run beside this one and end with it, with all that they started."""

import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

import psutil

_PATIENCE = 30
"""Seconds in which a process that is terminated may end before it is killed."""


def run_beside(commands: Sequence[Sequence[str]], environment: Mapping[str, str]) -> None:
    """Run commands until one of them ends. Ctrl-C or SIGTERM to this process, or the end of one, terminates the others.

    The last one ends first, and the end of each is waited for. This process must be in its main thread; from here on
    SIGTERM interrupts it, as Ctrl-C does.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    begun: list[subprocess.Popen[bytes]] = []
    try:
        with suppress(KeyboardInterrupt):
            for command in commands:
                begun.append(subprocess.Popen(command, env=environment))  # noqa: S603, PERF401  # our own words; each is known at once
            while all(one.poll() is None for one in begun):
                time.sleep(0.2)
    finally:
        for one in reversed(begun):
            _end(one)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Terminate a process and what it started, and wait; what does not end is killed."""
    begun = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
    process.terminate()
    try:
        process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for one in begun:
        with suppress(psutil.NoSuchProcess):
            one.terminate()
    for one in psutil.wait_procs(begun, _PATIENCE)[1]:
        one.kill()
