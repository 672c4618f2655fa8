"""A real browser, driven by its own protocol (Chrome DevTools), for what only a browser can say of a page."""

import base64
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from urllib.request import urlopen

from websockets.sync.client import ClientConnection, connect

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--remote-debugging-port=0", "--remote-allow-origins=*",
)  # fmt: skip


class Page:
    """A page that is open in the browser; what it logs and what it asks the network for is kept."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket, self.numbers, self.said, self.asked = socket, count(1), [], []
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")

    def send(self, method, **params):
        """Call a method of the protocol and return its result; events that come meanwhile are kept."""
        number = next(self.numbers)
        self.socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            message = json.loads(self.socket.recv(timeout=60))
            if message.get("id") == number:
                assert "error" not in message, message
                return message["result"]
            self._keep(message)

    def _keep(self, message):
        params = message.get("params", {})
        match message["method"]:
            case "Log.entryAdded":
                self.said.append(params["entry"]["text"])
            case "Runtime.exceptionThrown":
                self.said.append(params["exceptionDetails"]["text"])
            case "Page.javascriptDialogOpening":
                self.said.append("a dialogue")
            case "Network.requestWillBeSent":
                self.asked.append(params["request"]["url"])

    def open(self, file: Path, width: int, height: int = 900):
        """Show a file at a size of the window."""
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)  # fmt: skip
        self.send("Page.navigate", url=file.as_uri())
        deadline = time.monotonic() + 30
        while self.run("document.readyState") != "complete" and time.monotonic() < deadline:
            time.sleep(0.05)

    def run(self, code: str):
        """Return what an expression is worth in the page."""
        told = self.send("Runtime.evaluate", expression=code, returnByValue=True)
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    def printed(self) -> bytes:
        """Return the page as a PDF."""
        return base64.b64decode(self.send("Page.printToPDF", printBackground=True)["data"])

    def picture(self) -> bytes:
        """Return what the window shows, as a PNG."""
        return base64.b64decode(self.send("Page.captureScreenshot")["data"])


@contextmanager
def browser() -> Iterator[Page]:
    """Lend a page of a browser of its own, which ends with it."""
    assert CHROMIUM is not None
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        run = subprocess.Popen(
            [CHROMIUM, *_FLAGS, f"--user-data-dir={profile}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            port = Path(profile) / "DevToolsActivePort"
            deadline = time.monotonic() + 60
            while not (port.exists() and port.read_text().strip()) and time.monotonic() < deadline:
                time.sleep(0.05)
            with urlopen(f"http://127.0.0.1:{port.read_text().splitlines()[0]}/json/list") as answer:
                where = next(one for one in json.load(answer) if one["type"] == "page")[
                    "webSocketDebuggerUrl"
                ]
            with connect(where, max_size=None) as socket:
                yield Page(socket)
        finally:
            run.terminate()
            run.wait(timeout=30)
