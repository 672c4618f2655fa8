"""Prefect's server: in this process for a run, or beside it with its pages for those who watch."""

import functools
import json
import os
import sys
import threading
import time
import urllib.request
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.error import URLError

import psutil

from corpus.engine import preload
from corpus.schema import UserError
from corpus.store import Store
from flows.beside import run_beside
from flows.job import Options
from flows.progress import shown
from flows.recipe import Recipe
from flows.standstill import standstill

API = "http://127.0.0.1:{port}/api"
PORT = 4200
REPORTS_PORT = 4201
_RELEASES = "import sys; from flows.release_flow import serve_beside; serve_beside(*sys.argv[1:])"


def settle(store: Path) -> None:
    """Tell Prefect, before it is imported, where its database is and whom it must not call.

    A server that `winnow serve` started on this machine is used; else one runs in this process.
    """
    os.environ.setdefault("PREFECT_HOME", str(store.resolve() / "prefect"))
    os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
    os.environ.setdefault("DO_NOT_TRACK", "1")
    os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")
    os.environ.setdefault("PREFECT_SERVER_LOGGING_LEVEL", "ERROR")
    os.environ.setdefault("PREFECT_API_REQUEST_TIMEOUT", "120")
    os.environ.setdefault("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "120")
    if "PREFECT_API_URL" not in os.environ and _answers(API.format(port=PORT)):
        os.environ["PREFECT_API_URL"] = API.format(port=PORT)


def run_flow(recipe: Recipe, options: Options, *, quiet: bool) -> dict[str, Any]:
    """Run a recipe as a Prefect flow; return the run's summary. Raises `UserError` for a store that cannot be written."""
    store = Path(options.store)
    _try_to_write(store)
    settle(store)
    watched = "PREFECT_API_URL" in os.environ
    summary = (None if watched else standstill(recipe, options)) or _run(recipe, options, quiet=quiet)
    summary["seconds"] = round(time.time() - psutil.Process().create_time(), 1)  # with Prefect's own start
    Store(store).write_file(
        store / "runs" / summary["run"] / "summary.json", json.dumps(summary, indent=1, default=str)
    )
    return summary


def _run(recipe: Recipe, options: Options, *, quiet: bool) -> dict[str, Any]:
    # what stages and audit need anyway is imported while Prefect is waited for
    threading.Thread(
        target=preload, args=(("corpus.set_kernels", "pandas", "fairlearn.metrics"),), daemon=True
    ).start()
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

    from flows.pipeline import run

    with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}), shown(quiet):
        return run(recipe, options)


def serve(store: Path, port: int, reports_port: int) -> None:
    """Start the server with its UI, the deployment `release`, and the reports of the store, on 127.0.0.1.

    All end with this process, whether Ctrl-C or SIGTERM ends it.
    """
    _try_to_write(store)
    settle(store)
    if _answers(API.format(port=port)):
        raise UserError(
            f"a Prefect server answers on port {port} already; stop it or name another with --port"
        )
    page = functools.partial(_Reports, directory=str(store.resolve()))
    try:
        reports = ThreadingHTTPServer(("127.0.0.1", reports_port), page)
    except OSError as error:
        raise UserError(
            f"port {reports_port} cannot be used ({error.strerror}); name another with --reports-port"
        ) from error
    threading.Thread(target=reports.serve_forever, daemon=True).start()
    environment = {
        **os.environ,
        "PREFECT_API_URL": API.format(port=port),
        "PREFECT_UI_API_URL": API.format(port=port),
    }
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    # its runner does not await its own end when it is terminated, and warns of that (Prefect 3.8.8)
    quiet = ["-W", "ignore::RuntimeWarning"]
    releases = [sys.executable, *quiet, "-c", _RELEASES, str(store.resolve()), API.format(port=port)]
    sys.stderr.write(
        f"runs     http://127.0.0.1:{port}/v2/\nreports  http://127.0.0.1:{reports_port}/runs/\n"
    )
    try:
        run_beside([command, releases], environment)
    finally:
        reports.shutdown()


def wait_for(api: str, seconds: float) -> None:
    """Wait until a server answers; raises `UserError` where it does not so long."""
    latest = time.monotonic() + seconds
    while not _answers(api):
        if time.monotonic() > latest:
            raise UserError(
                f"no Prefect server answers at {api} within {seconds:g} s; start one with `winnow serve`"
            )
        time.sleep(0.5)


def _try_to_write(store: Path) -> None:
    """Make a folder in the store and remove it; raise `UserError` where that cannot be done."""
    with Store(store).aside():
        pass


class _Reports(SimpleHTTPRequestHandler):
    """Serves a store's files to this machine alone, without a log line a request."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the name that http.server gives it
        """Say nothing."""

    def end_headers(self) -> None:
        """Tell browsers never to run what users' rows may hold."""
        self.send_header("Content-Security-Policy", "script-src 'none'; object-src 'none'")
        self.send_header("X-Content-Type-Options", "nosniff")
        super().end_headers()


def _answers(api: str) -> bool:
    try:
        with urllib.request.urlopen(f"{api}/health", timeout=2) as answer:  # noqa: S310  # http on this machine
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False
