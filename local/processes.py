"""Background processes of our own: started detached, known by a pid file, stopped by pid.

A pid file may outlive its process, and the number may belong to another one by now. So a process
counts as ours only while its command line holds the words that it was started with.
"""

import contextlib
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from local.environment import HOST, ROOT
from local.problem import Problem

STOP_SECONDS = 10.0


@dataclass(frozen=True)
class Service:
    """One background process.

    ``folder`` holds its pid file, its log and what it stores; ``command`` is what it runs, and
    ``health`` answers 200 once it serves.
    """

    name: str
    folder: Path
    command: Sequence[str]
    port: int
    health: str

    @property
    def log(self) -> Path:
        """What the process writes to stdout and stderr."""
        return self.folder / "server.log"

    @property
    def pid_file(self) -> Path:
        """Holds the process id while the service runs."""
        return self.folder / "server.pid"


def running(service: Service) -> int | None:
    """The process id of the service if it runs."""
    try:
        pid = int(service.pid_file.read_text())
    except (FileNotFoundError, ValueError):
        return None
    return pid if _is_ours(pid, service.command) else None


def start(service: Service, environ: Mapping[str, str]) -> int:
    """Starts the service in a session of its own; raises Problem if its port is taken."""
    if answers(service.port):
        raise Problem(
            f"Port {service.port} is in use by something else, so {service.name} cannot start. Stop"
            f" that, or choose other ports with LOCAL_AWS_PORT and LOCAL_REDSHIFT_PORT."
        )
    service.folder.mkdir(parents=True, exist_ok=True)
    with service.log.open("wb") as log:
        process = subprocess.Popen(
            list(service.command),
            cwd=ROOT,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    service.pid_file.write_text(str(process.pid))
    return process.pid


def wait_until_healthy(service: Service, seconds: float = 60) -> None:
    """Returns once the service serves; raises Problem with the end of its log if it does not."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if healthy(service):
            return
        if running(service) is None:
            break
        time.sleep(0.1)
    tail = "\n".join(service.log.read_text(errors="replace").splitlines()[-15:])
    raise Problem(f"{service.name} did not start. The end of {service.log}:\n{tail}")


def healthy(service: Service) -> bool:
    """Whether the service answers its health check."""
    try:
        with urllib.request.urlopen(service.health, timeout=5) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def stop(service: Service) -> bool:
    """Stops the service and all that it started, and waits for their end; False if it was down."""
    pid = running(service)
    if pid is not None:
        _signal_group(pid, signal.SIGTERM)
        if not _gone(pid, STOP_SECONDS):
            _signal_group(pid, signal.SIGKILL)
            _gone(pid, STOP_SECONDS)
        # Its children are of its process group, which lives on for as long as one of them does.
        _signal_group(pid, signal.SIGKILL)
    service.pid_file.unlink(missing_ok=True)
    return pid is not None


def end_leftovers(folder: Path) -> int:
    """Ends processes that run a program from ``folder``, which only our own do; how many."""
    marker = f"{folder}{os.sep}"
    found = [pid for pid, command in _commands().items() if marker in command]
    for pid in found:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
    return len(found)


def answers(port: int) -> bool:
    """Whether something listens on a port of this machine."""
    import socket

    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0


def _is_ours(pid: int, command: Sequence[str]) -> bool:
    return " ".join(command[1:]) in _command_line(pid)


def _command_line(pid: int) -> str:
    """The command line of a process, or nothing if there is none (a zombie has none either)."""
    proc = Path("/proc")
    if (proc / "self" / "cmdline").exists():
        try:
            raw = (proc / str(pid) / "cmdline").read_bytes()
        except OSError:
            return ""
        return raw.replace(b"\0", b" ").decode(errors="replace").strip()
    shown = subprocess.run(
        ["ps", "-p", str(pid), "-o", "command="], capture_output=True, text=True, check=False
    )
    return shown.stdout.strip()


def _commands() -> dict[int, str]:
    """The command line of every process that may be looked at."""
    proc = Path("/proc")
    if (proc / "self" / "cmdline").exists():
        pids = [int(entry.name) for entry in proc.iterdir() if entry.name.isdigit()]
        return {pid: _command_line(pid) for pid in pids}
    shown = subprocess.run(
        ["ps", "-A", "-o", "pid=,command="], capture_output=True, text=True, check=False
    )
    split = (line.strip().partition(" ") for line in shown.stdout.splitlines())
    return {int(pid): command for pid, _, command in split if pid.isdigit()}


def _signal_group(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def _gone(pid: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
        if not _command_line(pid):
            return True
        time.sleep(0.05)
    return False
