"""A browser for tests: Debian's chromium without a window, driven over a pipe with the standard library alone."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import pytest

CHROMIUM: Final = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)

REQUIRED: Final = bool(os.environ.get("CI"))
"""Where everything is checked, nothing is skipped for want of a program: what needs one fails and says which."""


def needs(program: str | None, package: str) -> pytest.MarkDecorator:
    """Skip a test where a program is not installed, unless everything is checked."""
    return pytest.mark.skipif(
        program is None and not REQUIRED, reason=f"not installed here: apt-get install {package}"
    )


needs_chromium = needs(CHROMIUM, "chromium")

_OPTIONS: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--hide-scrollbars",
    "--force-device-scale-factor=1",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--remote-debugging-pipe",
)
_PLUMBING: Final = """
import fcntl, os, sys
ends = [fcntl.fcntl(int(end), fcntl.F_DUPFD, 10) for end in sys.argv[1:3]]
for end, wanted in zip(ends, (3, 4)):
    os.dup2(end, wanted)
os.execv(sys.argv[3], sys.argv[3:])
"""
"""Makes two pipes the file descriptors 3 and 4, which the browser listens and speaks on."""

_KEYS: Final = {
    "Tab": 9,
    "Enter": 13,
    " ": 32,
    "Escape": 27,
    "ArrowLeft": 37,
    "ArrowRight": 39,
    "Home": 36,
    "End": 35,
}


class Browser:
    """One page of a browser, in the words of the DevTools protocol.

    Messages go through two pipes, each ended by a zero byte. What the page says without being asked (events) is kept
    in `events`.
    """

    def __init__(self, profile: Path) -> None:
        if CHROMIUM is None:
            raise FileNotFoundError("no chromium here: apt-get install chromium")
        to_browser, self._write = os.pipe()
        self._read, from_browser = os.pipe()
        command = [CHROMIUM, *_OPTIONS, f"--user-data-dir={profile}", "about:blank"]
        self._process = subprocess.Popen(
            [sys.executable, "-c", _PLUMBING, str(to_browser), str(from_browser), *command],
            pass_fds=(to_browser, from_browser),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_browser)
        os.close(from_browser)
        self._buffer = b""
        self._number = 0
        self._session = ""
        self.events: list[dict[str, Any]] = []
        pages = [info for info in self.call("Target.getTargets")["targetInfos"] if info["type"] == "page"]
        attached = self.call("Target.attachToTarget", targetId=pages[0]["targetId"], flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setFocusEmulationEnabled", enabled=True)

    def __enter__(self) -> Browser:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._read)
        os.close(self._write)

    def call(self, method: str, **params: Any) -> Any:
        """Ask for something and wait for the answer."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        content = memoryview(json.dumps(message).encode() + b"\0")
        while content:
            content = content[os.write(self._write, content) :]
        while True:
            answer = self._next()
            if answer.get("id") != self._number:
                self.events.append(answer)
            elif "error" in answer:
                raise RuntimeError(f"{method}: {answer['error']}")
            else:
                return answer["result"]

    def run(self, script: str) -> Any:
        """Run a script in the page and give what it comes to; a promise is waited for."""
        done = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in done:
            raise RuntimeError(done["exceptionDetails"].get("exception", {}).get("description", str(done)))
        return done["result"].get("value")

    def open(self, page: Path, *, width: int = 1400, height: int = 900) -> None:
        """Open a page in a window of a size, and wait until it stands."""
        self.resize(width, height)
        # A page that is open already would not be loaded again.
        self._go("about:blank")
        self._go(page.as_uri())
        self.run("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def show(self, page: Path) -> None:
        """Open a page in a window that runs no script."""
        self.call("Emulation.setScriptExecutionDisabled", value=True)
        self._go(page.as_uri())

    def resize(self, width: int, height: int = 900) -> None:
        """Give the window a size."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )

    def press(self, key: str, *, shift: bool = False) -> None:
        """Press a key."""
        code = {"key": key, "code": "Space" if key == " " else key, "windowsVirtualKeyCode": _KEYS[key]}
        text = {"Enter": "\r", " ": " "}.get(key)
        more = {"text": text} if text else {}
        held = 8 if shift else 0
        self.call("Input.dispatchKeyEvent", type="keyDown", modifiers=held, **code, **more)
        self.call("Input.dispatchKeyEvent", type="keyUp", modifiers=held, **code)

    def type(self, text: str) -> None:
        """Type a text where the keyboard's focus is."""
        self.call("Input.insertText", text=text)

    def wait(self, event: str, seconds: float = 30.0) -> None:
        """Wait until the page says something."""
        end = time.monotonic() + seconds
        while not any(one.get("method") == event for one in self.events):
            if time.monotonic() > end:
                raise TimeoutError(event)
            self.events.append(self._next())

    def said(self, *methods: str) -> list[dict[str, Any]]:
        """Give what the page said of some kinds since it was opened."""
        return [event["params"] for event in self.events if event.get("method") in methods]

    def _go(self, url: str) -> None:
        self.events.clear()
        self.call("Page.navigate", url=url)
        self.wait("Page.loadEventFired")

    def _next(self, seconds: float = 120.0) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._read], [], [], seconds)
            if not ready:
                raise TimeoutError("the browser does not answer")
            self._buffer += os.read(self._read, 1 << 20)
        message, _, self._buffer = self._buffer.partition(b"\0")
        return dict(json.loads(message))
