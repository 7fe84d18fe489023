"""Progress on the terminal: one line that is rewritten, or a new line every few seconds in a log."""

import sys
import time
from types import TracebackType
from typing import Self, TextIO

from local.show import terminal

QUIET_SECONDS = 5.0
"""The least time between two lines where lines cannot be rewritten."""


class Progress:
    """The progress of a long operation. Call ``show`` often; it decides what is worth writing."""

    def __init__(self, title: str, out: TextIO | None = None):
        self._title = title
        self._out = out or sys.stderr
        self._live = self._out.isatty()
        self._last = ""
        self._started = self._written = time.monotonic()

    def show(self, state: str) -> None:
        """Shows the current state."""
        text = f"{self._title}: {state}"
        now = time.monotonic()
        if text == self._last:
            return
        if self._live:
            # One column stays free: a line that fills the terminal would wrap.
            self._out.write(f"\r\033[K{terminal.cut(text, terminal.columns(self._out) - 1)}")
        elif now - self._written < QUIET_SECONDS:
            return
        else:
            self._out.write(f"{text}\n")
        self._out.flush()
        self._last, self._written = text, now

    def say(self, line: str) -> None:
        """Writes a line that stays."""
        if self._live:
            folded = terminal.fold(line, terminal.columns(self._out))
            painted = [terminal.painted(each, self._out) for each in folded.splitlines()]
            line = "\r\033[K" + "\n".join(painted)
        self._out.write(f"{line}\n")
        self._out.flush()
        self._last = ""

    def end(self, result: str) -> None:
        """Writes the result and how long it took."""
        self.say(f"{self._title}: {result} ({self.seconds:.1f} s)")

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self._started

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live:
            self._out.write("\r\033[K")
            self._out.flush()
