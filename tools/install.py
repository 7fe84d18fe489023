"""python -m tools.install GROUP: installs a dependency group of pyproject.toml into .venv, with progress; and the
command loader.

tools/make-venv.sh runs it with the Python of a .venv that may still be empty: the standard library only.
"""

import importlib.metadata
import os
import re
import shlex
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from local.show.progress import Progress

ROOT = Path(__file__).resolve().parent.parent
SHOWN_LOG_LINES = 15
LOOK_SECONDS = 0.3
OLDEST_PIP = 26
"""An older pip takes twice as long to resolve versions, so it is upgraded first."""
OPTIONS = (
    *("--disable-pip-version-check", "--no-input", "--progress-bar", "off"),
    # Python compiles modules when they are imported, which is a small part of what is installed.
    "--no-compile",
)
# A first line has no room for a Python in a long path or one with blanks. The shell runs the second line; for Python it
# is a text.
COMMAND = """#!/bin/sh
'''exec' {python} "$0" "$@"
' '''
# python -m local, from any folder. Written by tools/install.py.
import sys

sys.path.insert(0, {root!r})
from local.__main__ import main

sys.exit(main())
"""
COMPILED = ("dev",)
"""Groups after which everything is compiled: the tests start many processes, and some write no compiled files."""


def requirements(groups: dict[str, list[str | dict[str, str]]], name: str) -> list[str]:
    """The requirements of a group and of the groups it includes (PEP 735)."""
    found: list[str] = []
    for entry in groups[name]:
        found += [entry] if isinstance(entry, str) else requirements(groups, entry["include-group"])
    return found


def included(groups: dict[str, list[str | dict[str, str]]], name: str) -> set[str]:
    """The names of the group and of all groups that it includes."""
    inner = [entry["include-group"] for entry in groups[name] if not isinstance(entry, str)]
    return {name}.union(*(included(groups, each) for each in inner))


def sources(project: dict[str, Any], root: Path) -> dict[str, Path]:
    """Package -> its folder in this repository, by tool.uv.sources.

    Source: docs.astral.sh/uv/concepts/projects/dependencies
    """
    given = project.get("tool", {}).get("uv", {}).get("sources", {})
    return {name: root / source["path"] for name, source in given.items()}


def listing(
    groups: dict[str, list[str | dict[str, str]]], name: str, folders: Mapping[str, Path]
) -> str:
    """A group as a requirements file; packages of this repository are installed editable, with their requirements.

    Their pyproject.toml is part of the text: when it changes, the group is installed again.
    """
    lines = []
    for wanted in requirements(groups, name):
        folder = folders.get(wanted)
        if folder is None:
            lines.append(wanted)
            continue
        with (folder / "pyproject.toml").open("rb") as file:
            inner = tomllib.load(file)["project"]["dependencies"]
        lines += [f"-e {folder}", *inner]
    return "\n".join(lines) + "\n"


class State:
    """pip's progress, from the lines that it writes and from what is already in site-packages."""

    def __init__(self, packages: Path) -> None:
        self._packages = packages
        self._looked_up = 0
        self._fetching = ""
        self._installing: list[str] = []
        self._since = 0.0

    def hear(self, line: str) -> None:
        """A line of pip's output."""
        if re.match(r"(Collecting|Requirement already satisfied:) ", line):
            self._looked_up += 1
            self._fetching = ""
        elif found := re.match(r"\s*Downloading (?:\S+/)?([\w.]+?)-\S+ (\([\d.]+ [kMG]?B\))", line):
            self._fetching = f", downloading {found[1]} {found[2]}"
        elif line.startswith("Installing collected packages: "):
            self._since = time.time()
            self._installing = line.partition(": ")[2].strip().split(", ")

    def told(self) -> str:
        """What to show."""
        if not self._installing:
            return f"{self._looked_up} looked up{self._fetching}"
        done, total = self._installed(), len(self._installing)
        return f"{done} of {total} installed" + (
            f", {self._installing[done]}" if done < total else ""
        )

    def _installed(self) -> int:
        """How many of the packages are installed: pip writes RECORD of each last."""
        wanted = {_plain(name) for name in self._installing}
        there = (
            _plain(record.parent.name.partition("-")[0])
            for record in self._packages.glob("*.dist-info/RECORD")
            if record.stat().st_mtime >= self._since - 1
        )
        return len(wanted.intersection(there))


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def run(command: list[str], packages: Path, log: Path, progress: Progress) -> int:
    """Runs pip and appends its output to the log; returns its exit code."""
    state = State(packages)
    with log.open("a", encoding="utf-8") as file:
        pip = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        lines: Iterable[str] = pip.stdout or ()

        def read() -> None:
            for line in lines:
                file.write(line)
                state.hear(line)

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        try:
            while reader.is_alive():
                progress.show(state.told())
                reader.join(LOOK_SECONDS)
            return pip.wait()
        finally:
            pip.kill()
            pip.wait()


def write_command(venv: Path, root: Path) -> Path:
    """Writes the command ``loader`` into the environment; where it is."""
    command = venv / "bin" / "loader"
    command.parent.mkdir(exist_ok=True)
    text = COMMAND.format(python=shlex.quote(sys.executable), root=str(root))
    command.write_text(text, encoding="utf-8")
    command.chmod(0o755)
    return command


def install(group: str, root: Path = ROOT) -> int:
    """Installs a group, unless it is installed as pyproject.toml lists it now; returns the exit code."""
    venv = root / ".venv"
    write_command(venv, root)
    with (root / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)
    groups, folders = project["dependency-groups"], sources(project, root)
    wanted = listing(groups, group, folders)
    listed, stamp = venv / f"requirements-{group}.txt", venv / f".installed-{group}"
    if stamp.exists() and listed.exists() and listed.read_text(encoding="utf-8") == wanted:
        stamp.touch()  # another part of pyproject.toml has changed
        return 0
    stamp.unlink(missing_ok=True)
    listed.write_text(wanted, encoding="utf-8")
    log = venv / "install.log"
    log.unlink(missing_ok=True)
    packages = Path(importlib.metadata.distribution("pip").locate_file(""))  # type: ignore[arg-type]
    pip = [sys.executable, "-m", "pip", "install", *OPTIONS]
    version = sys.version.split()[0]
    print(
        f"Installing the packages of the group {group} into .venv with Python {version}", flush=True
    )
    with Progress("packages") as progress:
        if int(importlib.metadata.version("pip").partition(".")[0]) < OLDEST_PIP:
            run(
                [*pip, "--upgrade", "pip"], packages, log, progress
            )  # if it fails, the old one will do
        failed = run([*pip, "-r", str(listed)], packages, log, progress)
        if not failed and group in COMPILED:
            progress.show("compiling")
            compile_all = [sys.executable, "-m", "compileall", "-q", "-j", "0", str(packages)]
            # Its exit code says that some file is no Python of this version, as templates are; nothing imports them.
            subprocess.run(compile_all, capture_output=True, check=False)
        if not failed:
            count = len(list(packages.glob("*.dist-info")))
            progress.end(f"{count} installed")
    if failed:
        return _failed(log)
    for name in included(groups, group):
        text = listing(groups, name, folders)
        (venv / f"requirements-{name}.txt").write_text(text, encoding="utf-8")
        (venv / f".installed-{name}").touch()
    return 0


def _failed(log: Path) -> int:
    lines = log.read_text(encoding="utf-8").splitlines()
    said = [line for line in lines if "is ignored" not in line][-SHOWN_LOG_LINES:]
    print("\n".join(said), file=sys.stderr)
    print(
        f"The packages were not installed. The full log is {log}. Fix the cause (a proxy? no network?),"
        " then run make again.",
        file=sys.stderr,
    )
    return 1


if __name__ == "__main__":
    try:
        sys.exit(install(sys.argv[1]))
    except KeyboardInterrupt:
        sys.exit(130)
