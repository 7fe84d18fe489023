"""Progress on the terminal: one line that rewrites itself, or a line now and then in a log."""

import sys
import time
from types import TracebackType
from typing import Self, TextIO

from local.show import terminal

QUIET_SECONDS = 5.0
"""How long nothing new is said where lines cannot be rewritten."""


class Progress:
    """The state of something long. ``show`` often; it decides what is worth a write."""

    def __init__(self, title: str, out: TextIO | None = None):
        self._title = title
        self._out = out or sys.stderr
        self._live = self._out.isatty()
        self._last = ""
        self._started = self._written = time.monotonic()

    def show(self, state: str) -> None:
        """Says how far it is."""
        text = f"{self._title}: {state}"
        now = time.monotonic()
        if text == self._last:
            return
        if self._live:
            # One column stays free: a line that fills the terminal would go on to the next.
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
            told = [terminal.painted(each, self._out) for each in folded.splitlines()]
            line = "\r\033[K" + "\n".join(told)
        self._out.write(f"{line}\n")
        self._out.flush()
        self._last = ""

    def end(self, result: str) -> None:
        """The last word, with the time it took."""
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
