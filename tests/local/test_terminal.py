"""What a person sees on a terminal: lines that fit, nothing left over, color where it is wanted."""

import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from itertools import zip_longest

import pytest

from local.environment import ROOT
from local.show import terminal
from local.show.progress import Progress

SAYS = """
from local.show.progress import Progress
with Progress("loading") as progress:
    progress.show("1,234 objects in the queue, 12 loads running, 3 ended, 45 s")
    progress.show("1 object in the queue, 1 load running, 15 ended, 50 s, and some more words to make it long")
    progress.say("load 20261130-185500-1f2e3d4c  loaded, but 2 files rejected  80 files loaded  12.3 s")
    progress.show("the last state, which is longer than a narrow terminal, and which nothing must be left of")
"""


def in_terminal(command: list[str], columns: int, **variables: str) -> str:
    """What a command writes to a terminal of that width."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environ = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**environ, "TERM": "xterm", **variables},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    written = b""
    try:
        while more := os.read(ours, 65536):
            written += more
    except OSError:  # how Linux says that the other side is closed
        pass
    os.close(ours)
    assert process.wait() == 0, written.decode()
    return written.decode()


def screen(written: str, columns: int) -> list[str]:
    """The lines that a terminal shows after this, without color."""
    rows, row, column = [""], 0, 0
    for piece in re.findall(r"\033\[[\d;]*[A-Za-z]|.", written, re.DOTALL):
        if piece == "\r":
            column = 0
        elif piece == "\n":
            row, column = row + 1, 0
            rows += [""] * (row + 1 - len(rows))
        elif piece == "\033[K":
            rows[row] = rows[row][:column]
        elif len(piece) == 1:
            if column == columns:
                row, column = row + 1, 0
                rows += [""] * (row + 1 - len(rows))
            rows[row] = rows[row][:column].ljust(column) + piece + rows[row][column + 1 :]
            column += 1
    return [line.rstrip() for line in rows]


@pytest.mark.parametrize("columns", [40, 80])
def test_progress_folds_at_the_terminals_width_and_leaves_nothing(columns: int) -> None:
    written = in_terminal([sys.executable, "-c", SAYS], columns)
    shown = screen(written, columns)
    assert shown[-1] == ""
    text = " ".join(line.strip() for line in shown[:-1])
    assert re.sub(r"\s+", " ", text) == (
        "load 20261130-185500-1f2e3d4c loaded, but 2 files rejected 80 files loaded 12.3 s"
    )
    # Each state is one row of its own while it stands, also where it is longer than the terminal is wide.
    for state in written.split("\r\033[K")[1:]:
        if state.startswith("loading: "):
            assert terminal.width(state.split("\n")[0]) < columns


def test_rejected_files_are_red_on_a_terminal() -> None:
    written = in_terminal([sys.executable, "-c", SAYS], 80)
    assert "\033[31m2 files rejected\033[0m" in written


@pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_no_color_where_none_is_wanted(variables: dict[str, str]) -> None:
    written = in_terminal([sys.executable, "-c", SAYS], 80, **variables)
    assert "2 files rejected" in written
    assert "\033[3" not in written
    assert "\033[0m" not in written


def test_an_empty_no_color_asks_for_nothing() -> None:
    """https://no-color.org: "when present and not an empty string"."""
    assert "\033[31m" in in_terminal([sys.executable, "-c", SAYS], 80, NO_COLOR="")


def test_what_is_piped_has_no_color_and_no_folds() -> None:
    out = io.StringIO()
    with Progress("loading", out) as progress:
        progress.say("load l-1  loaded, but 2 files rejected" + "  and so on" * 20)
    assert out.getvalue() == "load l-1  loaded, but 2 files rejected" + "  and so on" * 20 + "\n"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("line", "red"),
    [
        ("rejected  log_data/x.json: no digit", ["rejected"]),
        ("load  l-1  loaded, but 1 file rejected, 1,002 files unreadable", 2),
        ("files     14 listed, 14 known, 0 loaded, 0 rejected, 0 failed", []),
        ("load l-1  failed  no grants", ["failed"]),
        ("check     FAILED rows_copied on staged: 7, expected 0", ["FAILED"]),
        ("files     81 listed, 100 rejected", ["100 rejected"]),
    ],
)
def test_red_is_what_went_wrong(
    line: str, red: list[str] | int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    painted = terminal.painted(line, Terminal())
    found = re.findall(r"\033\[31m(.*?)\033\[0m", painted)
    assert (len(found) if isinstance(red, int) else found) == red
    assert re.sub(r"\033\[\d+m", "", painted) == line


def test_wide_letters_take_two_columns_when_a_line_is_cut() -> None:
    assert terminal.cut("読み込み中", 10) == "読み込み中"
    assert terminal.cut("読み込み中です", 10) == "読み込み…"
    assert terminal.cut("short", 10) == "short"


def test_control_characters_of_a_key_are_written_out() -> None:
    assert terminal.visible("a\n\x1b[31mb\x7f") == "a\\n\\x1b[31mb\\x7f"


@pytest.mark.parametrize("columns", [40, 80])
def test_a_command_in_a_terminal(columns: int, tmp_path: object) -> None:
    sizes = ("--songs", "30", "--users", "2", "--days", "2", "--events", "400")
    command = [sys.executable, "-m", "local", "generate", "--out", f"{tmp_path}/d", *sizes]
    shown = screen(in_terminal(command, columns, LOCAL_AWS_PORT="59821"), columns)
    lines = [line for line in shown if line]
    assert lines[0].startswith("generating: 30 songs")
    for first, following in zip_longest(lines, lines[1:], fillvalue="    "):
        assert len(first) <= columns
        assert following.startswith("    ")  # folded parts of the one line that stays
