"""A headless Chromium, driven by the DevTools protocol over two pipes, so that no further package is needed.

Source: chromedevtools.github.io/devtools-protocol; content/browser/devtools/devtools_pipe_handler.cc of Chromium: file
descriptor 3 is read, 4 is written, and each message ends with a NUL.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SECONDS = 60


def found() -> str | None:
    """The browser of this machine."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Tab:
    """A tab. ``said``: what the console, and uncaught errors, said."""

    def __init__(self, reads: int, writes: int) -> None:
        self._in, self._out = os.fdopen(reads, "rb"), os.fdopen(writes, "wb")
        self._number = 0
        self._session = ""
        self.said: list[str] = []
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)[
            "sessionId"
        ]
        for domain in ("Page", "Runtime", "Log"):
            self._call(f"{domain}.enable")

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        self._out.write(json.dumps(message).encode() + b"\0")
        self._out.flush()
        while True:
            answer = self._read()
            if answer.get("id") == self._number:
                assert "error" not in answer, (method, answer)
                result: dict[str, Any] = answer["result"]
                return result

    def _read(self) -> dict[str, Any]:
        text = bytearray()
        while (byte := self._in.read(1)) != b"\0":
            assert byte, "the browser has ended"
            text += byte
        found: dict[str, Any] = json.loads(text)
        method, told = found.get("method", ""), found.get("params", {})
        if method == "Runtime.exceptionThrown":
            self.said.append(json.dumps(told["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled":
            self.said.append(json.dumps(told["args"]))
        elif method == "Log.entryAdded":
            self.said.append(told["entry"]["text"])
        return found

    def show(
        self, path: Path, *, width: int = 1280, height: int = 900, dark: bool = False, at: str = ""
    ) -> None:
        """Opens a file and waits until its script has run."""
        self._call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._call("Emulation.setEmulatedMedia", features=[scheme])
        self._call("Page.navigate", url="about:blank")
        self._call("Page.navigate", url=path.as_uri() + at)
        self.until("document.documentElement?.dataset.ready === 'yes'")

    def run(self, script: str) -> Any:
        """The value of an expression of JavaScript; a promise is awaited."""
        found = self._call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def until(self, script: str) -> None:
        """Waits for an expression to be true."""
        end = time.monotonic() + SECONDS
        while not self.run(f"!!({script})"):
            assert time.monotonic() < end, script
            time.sleep(0.02)

    def at(self, seconds: float) -> None:
        """From the next page on, the clock stands at this time (seconds since 1970)."""
        self._call(
            "Page.addScriptToEvaluateOnNewDocument", source=f"Date.now = () => {seconds * 1000};"
        )

    def press(self, key: str) -> None:
        for kind in ("keyDown", "keyUp"):
            text = "\r" if key == "Enter" and kind == "keyDown" else ""
            codes = {"Enter": 13, "Escape": 27, "Tab": 9}
            self._call(
                "Input.dispatchKeyEvent", type=kind, key=key, code=key, text=text,
                windowsVirtualKeyCode=codes[key],
            )  # fmt: skip

    def picture(self, path: Path) -> None:
        """A screenshot of what is seen, as PNG."""
        found = self._call("Page.captureScreenshot", format="png")
        path.write_bytes(base64.b64decode(found["data"]))


@contextmanager
def opened(folder: Path) -> Iterator[Tab]:
    """A tab of a browser of its own, whose profile is in ``folder``."""
    program = found()
    assert program
    reads_theirs, writes_ours = os.pipe()
    reads_ours, low = os.pipe()
    writes_theirs = fcntl.fcntl(low, fcntl.F_DUPFD, 100)
    os.close(low)
    words = [
        program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
        "--no-first-run", f"--user-data-dir={folder}", "--remote-debugging-pipe", "about:blank",
    ]  # fmt: skip

    def descriptors() -> None:
        for theirs, wanted in ((high, 3), (writes_theirs, 4)):
            os.dup2(theirs, wanted)

    # Neither end may be the descriptor that the other one becomes.
    high = fcntl.fcntl(reads_theirs, fcntl.F_DUPFD, 100)
    with (folder.parent / "browser.log").open("wb") as log:
        process = subprocess.Popen(
            words, preexec_fn=descriptors, pass_fds=(3, 4), stdout=log, stderr=log
        )
    os.close(high)
    os.close(reads_theirs)
    os.close(writes_theirs)
    try:
        yield Tab(reads_ours, writes_ours)
    finally:
        process.terminate()
        process.wait(SECONDS)
