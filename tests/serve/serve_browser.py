"""A headless Chromium, driven over its debugging protocol: real keys, real layout."""

import itertools
import json
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-sync",
    "--disable-component-update",
    "--remote-debugging-port=0",
)
KEYS = {"Enter": (13, "\r"), "Tab": (9, ""), "Escape": (27, "")}
SHIFT = 8


def chromium() -> str | None:
    """The program, if this machine has one."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


@contextmanager
def browsing(profile_dir: Path) -> Iterator["Browser"]:
    """A browser with one empty page; it ends with the block."""
    program = chromium()
    assert program is not None
    process = subprocess.Popen(
        [program, *FLAGS, f"--user-data-dir={profile_dir}", "about:blank"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        address = _page_address(profile_dir / "DevToolsActivePort")
        with connect(address, max_size=None) as socket:
            yield Browser(socket)
    finally:
        process.terminate()
        process.wait(timeout=30)


class Browser:
    """One page. `events` are what Chromium reported meanwhile."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self.events: list[dict[str, Any]] = []
        for domain in ("Page", "Runtime", "Log"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and wait for its result."""
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv(timeout=30))
            if message.get("id") == number:
                assert "error" not in message, message
                result: dict[str, Any] = message["result"]
                return result
            self.events.append(message)

    def run(self, script: str) -> Any:
        """Value of a JavaScript expression."""
        found = self.send("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def wait(self, condition: str) -> None:
        """Until a JavaScript condition holds, at most 15 seconds."""
        for _ in range(300):
            if self.run(f"Boolean({condition})"):
                return
            time.sleep(0.05)
        raise AssertionError(f"{condition} never held; {self.run('document.body.innerText')}")

    def open(self, url: str) -> None:
        """Load a page."""
        self.send("Page.navigate", url=url)
        self.wait("document.readyState === 'complete'")

    def press(self, key: str, *, shift: bool = False) -> None:
        """Press and release a key."""
        code, text = KEYS[key]
        keys = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        keys |= {"modifiers": SHIFT if shift else 0}
        down = keys | ({"text": text} if text else {})
        self.send("Input.dispatchKeyEvent", type="keyDown", **down)
        self.send("Input.dispatchKeyEvent", type="keyUp", **keys)

    def write(self, text: str) -> None:
        """Type into whatever has the focus."""
        self.send("Input.insertText", text=text)

    def problems(self) -> list[str]:
        """Uncaught exceptions, and what the console holds against the page."""
        kinds = ("Runtime.exceptionThrown", "Log.entryAdded")
        return [json.dumps(event) for event in self.events if event.get("method") in kinds]


def _page_address(port_path: Path) -> str:
    for _ in range(600):
        lines = port_path.read_text().splitlines() if port_path.exists() else []
        if len(lines) == 2:
            break
        time.sleep(0.05)
    with urllib.request.urlopen(f"http://127.0.0.1:{lines[0]}/json", timeout=10) as answer:
        pages = json.load(answer)
    return str(next(page["webSocketDebuggerUrl"] for page in pages if page["type"] == "page"))
