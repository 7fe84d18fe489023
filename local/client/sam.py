"""sam build and sam deploy. Their output goes to a file; the terminal shows only progress."""

import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from local.client.stack import CONFIG_ENVIRONMENT
from local.environment import DATA, ROOT, Ports, isolated
from local.problem import Problem
from local.show.progress import Progress

SOURCES = ("contracts", "functions", "sql", "statemachine", "template.yaml", "samconfig.toml")
BUILT = ROOT / ".aws-sam" / "build" / "template.yaml"
FINGERPRINT = ROOT / ".aws-sam" / "built-from"
SHOWN_ERROR_LINES = 25


def build(at: Ports) -> None:
    """Builds the functions, unless none of their sources has changed."""
    now = fingerprint(ROOT)
    if BUILT.exists() and FINGERPRINT.exists() and FINGERPRINT.read_text() == now:
        print("building: nothing has changed")
        return
    with Progress("building") as progress:
        _sam(at, "build", progress, _built)
        FINGERPRINT.write_text(now)
        progress.end("done")


def deploy(at: Ports) -> None:
    """Deploys what is built; sam finds out what has changed."""
    with Progress("deploying") as progress:
        _sam(at, "deploy", progress, _Deployed().state)
        progress.end("done")


@dataclass(frozen=True)
class Environment:
    """An environment of samconfig.toml. ``region``: where it deploys, '' if it does not say."""

    name: str
    region: str


def environment_of(stack: str, samconfig: Path = ROOT / "samconfig.toml") -> Environment | None:
    """The environment of samconfig.toml that names this stack; None if none does.

    Source: docs.aws.amazon.com/serverless-application-model/latest/developerguide/serverless-sam-cli-config.html
    """
    try:
        settings = tomllib.loads(samconfig.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except tomllib.TOMLDecodeError as error:
        raise Problem(f"{samconfig} cannot be read: {error}") from error
    for name, commands in settings.items():
        if not isinstance(commands, Mapping):
            continue
        of_all, own = (
            commands.get(command, {}).get("parameters", {}) for command in ("global", "deploy")
        )
        said = {**of_all, **own}  # the command's own comes first
        if said.get("stack_name") == stack:
            return Environment(name, str(said.get("region") or ""))
    return None


def to_stack(environment: str, more: Sequence[str], own: Mapping[str, str]) -> None:
    """sam build and sam deploy as a person runs them: on this terminal, in their environment. Their output: stderr.

    more: options of sam deploy.
    """
    where = ["--config-env", environment]
    for words in (["build", *where], ["deploy", *where, "--no-fail-on-empty-changeset", *more]):
        print(f"+ sam {shlex.join(words)}", file=sys.stderr, flush=True)
        sam = shutil.which("sam", path=own.get("PATH")) or Path(sys.executable).parent / "sam"
        ended = subprocess.run(
            [sam, *words],
            cwd=ROOT,
            env={**own, "SAM_CLI_TELEMETRY": own.get("SAM_CLI_TELEMETRY", "0")},
            stdout=sys.stderr,
            check=False,
        )
        if ended.returncode:
            raise Problem(f"sam {words[0]} ended with {ended.returncode}. Its output says why.")
    FINGERPRINT.unlink(missing_ok=True)  # what is built now is of another environment


def fingerprint(root: Path) -> str:
    """A digest of every source file of a build and of the Python version that builds."""
    digest = hashlib.sha256(sys.version.encode())
    for source in SOURCES:
        top = root / source
        for path in sorted([top] if top.is_file() else top.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(path.relative_to(root).as_posix().encode() + b"\0")
                digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()


def environ(at: Ports, shell: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment of sam: the local AWS, polled more often than every 5 s, and our own Python first on PATH."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{shell.get('PATH', os.defpath)}"
    return {
        **isolated(shell, at),
        "PATH": path,
        "PYTHONUNBUFFERED": "1",
        "SAM_CLI_POLL_DELAY": "0.5",
    }


def _sam(at: Ports, command: str, progress: Progress, state: Callable[[str], str | None]) -> None:
    log = DATA / f"sam-{command}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    progress.show("starting")
    process = subprocess.Popen(
        [Path(sys.executable).parent / "sam", command, "--config-env", CONFIG_ENVIRONMENT],
        cwd=ROOT,
        env=environ(at),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    lines = []
    assert process.stdout is not None  # noqa: S101 - PIPE above
    with log.open("w", encoding="utf-8") as file:
        for line in process.stdout:
            file.write(line)
            lines.append(line.rstrip())
            if found := state(line):
                progress.show(found)
    if process.wait() != 0:
        said = [line for line in lines if line.strip()][-SHOWN_ERROR_LINES:]
        raise Problem(f"sam {command} failed. The last lines of {log}:\n" + "\n".join(said))


def _built(line: str) -> str | None:
    """What to show for a line of sam build: the function or layer that is being built."""
    found = re.match(r"(\w+): Running \w+:MakeBuild", line)
    return found[1] if found else None


class _Deployed:
    """Counts the stack's resources in sam's table of events."""

    def __init__(self) -> None:
        self._done = 0

    def state(self, line: str) -> str | None:
        """What to show for a line of sam deploy."""
        if re.match(r"(CREATE|UPDATE|DELETE)_COMPLETE\b", line):
            self._done += 1
            return f"{self._done} resources"
        if found := re.match(r"\s*Uploading to \S+\s+\d+ / \d+\s+\(([\d.]+%)\)", line):
            return f"uploading the functions, {found[1]}"
        if line.startswith(("Waiting for changeset", "Initiating")):
            return "preparing"
        return None
