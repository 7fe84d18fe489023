"""What a terminal can show: its width, lines that fit it, and color where it helps.

The standard library only: tools/install.py shows progress before any package is installed.
"""

import os
import re
import textwrap
import unicodedata
from collections.abc import Mapping
from typing import TextIO

RED, GREEN, YELLOW = 31, 32, 33
USUAL_WIDTH = 80
NAMED = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}


def columns(out: TextIO) -> int:
    """The number of columns of the terminal now; it may have been resized."""
    try:
        return os.get_terminal_size(out.fileno()).columns or USUAL_WIDTH
    except (OSError, ValueError):  # no terminal, or no file at all
        return USUAL_WIDTH


def width(text: str) -> int:
    """How many columns a text takes: wide letters two, combining marks none."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def visible(text: str) -> str:
    """The text with its control characters written out: a key may contain any, and a terminal obeys them."""
    return "".join(
        (NAMED.get(c) or f"\\x{ord(c):02x}") if unicodedata.category(c) == "Cc" else c for c in text
    )


def cut(text: str, room: int) -> str:
    """The text in at most ``room`` columns, with an ellipsis if it was longer."""
    if width(text) <= room:
        return text
    kept = ""
    for letter in text:
        if width(kept + letter) >= room:
            break
        kept += letter
    return f"{kept}…"


def fold(text: str, room: int) -> str:
    """The text on as many lines as it needs at ``room`` columns, all but the first indented."""
    return "\n".join(
        textwrap.fill(
            line,
            max(room, 10),
            subsequent_indent="    ",
            break_on_hyphens=False,
            replace_whitespace=False,
        )
        for line in text.splitlines()
    )


def colored(out: TextIO, environ: Mapping[str, str] = os.environ) -> bool:
    """Whether to write color: to a terminal, unless NO_COLOR says not to (https://no-color.org)."""
    return out.isatty() and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"


def paint(text: str, color: int, out: TextIO) -> str:
    """The text in a color, if ``out`` shows colors."""
    return f"\033[{color}m{text}\033[0m" if colored(out) else text


BAD = re.compile(
    r"^(?:rejected|unreadable|cause|FAILED)\b|\bFAILED\b"
    r"|(?<![\d,.])[1-9][\d,]*(?: files?)? (?:rejected|unreadable|failed)\b"
    r"|(?<=  )failed\b"
)
ASKS = re.compile(
    r"^waiting\b|\bFIX\b|(?<![\d,.])[1-9][\d,]*(?: files?)? (?:waiting|not taken|not loaded)\b"
)


def painted(line: str, out: TextIO) -> str:
    """A line of a report: red for what went wrong, yellow for what needs attention."""
    if not colored(out):
        return line
    return ASKS.sub(
        lambda found: paint(found[0], YELLOW, out),
        BAD.sub(lambda found: paint(found[0], RED, out), line),
    )
