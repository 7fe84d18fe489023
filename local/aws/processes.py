"""Background processes: started detached, recognized by a pid file, stopped by pid.

A pid file may outlive its process, and the pid may have been reused. So a process counts as ours
only while its command line names the folder that our service stores its data in.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from local.environment import HOST, ROOT
from local.problem import Problem

STOP_SECONDS = 10.0
GROUP_SECONDS = 2.0


@dataclass(frozen=True)
class Service:
    """One background process.

    ``module`` is what runs, as ``python -m module --port PORT --data FOLDER/data``; ``folder``
    holds its pid file and its log as well; ``health`` answers 200 once it serves. ``other_ports`` are
    those that ``options`` name.
    """

    name: str
    folder: Path
    module: str
    port: int
    health: str
    options: tuple[str, ...] = ()
    other_ports: tuple[int, ...] = ()

    @property
    def command(self) -> list[str]:
        """What is run."""
        return [
            sys.executable,
            "-m",
            self.module,
            "--port",
            str(self.port),
            *self.data_option,
            *self.options,
        ]

    @property
    def data_option(self) -> tuple[str, str]:
        """Where it stores its data; also identifies its process."""
        return "--data", str(self.folder / "data")

    @property
    def log(self) -> Path:
        """What the process writes to stdout and stderr."""
        return self.folder / "server.log"

    @property
    def pid_file(self) -> Path:
        """Holds the process id while the service is running."""
        return self.folder / "server.pid"


def running(service: Service) -> int | None:
    """The process id of the service if it is running."""
    try:
        pid = int(service.pid_file.read_text())
    except (FileNotFoundError, ValueError):
        return None
    return pid if " ".join(service.data_option) in " ".join(_command(pid)) else None


def port_of(pid: int) -> int | None:
    """The port that one of our services was started on."""
    words = _command(pid)
    return int(words[words.index("--port") + 1]) if "--port" in words else None


def start(service: Service, environ: Mapping[str, str]) -> int:
    """Starts the service in its own session; raises Problem if a port of it is in use."""
    for port in (service.port, *service.other_ports):
        if answers(port):
            raise Problem(
                f"Port {port} is in use by another process, so {service.name} cannot start. Stop that process, or"
                f" choose other ports with LOCAL_AWS_PORT, LOCAL_REDSHIFT_PORT and LOCAL_PG_PORT."
            )
    service.folder.mkdir(parents=True, exist_ok=True)
    with service.log.open("wb") as log:
        process = subprocess.Popen(
            service.command,
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
    absent = 0  # checks in a row; a process that is about to start has no command line yet
    while time.monotonic() < deadline and absent < 5:
        if healthy(service):
            return
        absent = absent + 1 if running(service) is None else 0
        time.sleep(0.1)
    tail = "\n".join(service.log.read_text(errors="replace").splitlines()[-15:])
    raise Problem(f"{service.name} did not start. The last lines of {service.log}:\n{tail}")


def healthy(service: Service) -> bool:
    """Whether the service answers its health check."""
    try:
        with urllib.request.urlopen(service.health, timeout=5) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def stop(service: Service) -> bool:
    """Stops the service and all processes that it started, and waits for them; False if it was not running."""
    pid = running(service)
    if pid is not None:
        _signal_group(pid, signal.SIGTERM)
        if not _gone(pid, STOP_SECONDS):
            _signal_group(pid, signal.SIGKILL)
            _gone(pid, STOP_SECONDS)
        # Its children are in its process group, which exists as long as one of them does.
        deadline = time.monotonic() + GROUP_SECONDS
        while _in_group(pid) and time.monotonic() < deadline:
            _signal_group(pid, signal.SIGKILL)
            time.sleep(0.02)
    service.pid_file.unlink(missing_ok=True)
    return pid is not None


def programs(folder: Path) -> dict[int, str]:
    """Process id -> path of its program within ``folder``, for all processes whose program is in it."""
    inside = f"{folder}{os.sep}"
    return {
        pid: words[1].removeprefix(inside)
        for pid, words in _commands().items()
        if len(words) > 1 and words[1].startswith(inside)
    }


def end_leftovers(folder: Path) -> int:
    """Kills processes whose program is in ``folder``, which only ours are; returns how many."""
    found = programs(folder)
    for pid in found:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
    return len(found)


def answers(port: int) -> bool:
    """Whether something listens on a port of this machine."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0


def _command(pid: int) -> list[str]:
    """The words of a process's command line; none if there is no such process, or only a zombie."""
    try:
        return psutil.Process(pid).cmdline()
    except psutil.Error:
        return []


def _commands() -> dict[int, list[str]]:
    """The words of the command line of every process that this user may inspect."""
    return {each.pid: each.info["cmdline"] or [] for each in psutil.process_iter(["cmdline"])}


def _signal_group(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _in_group(group: int) -> bool:
    """Whether a process of the group is alive; a zombie is not."""
    for pid, words in _commands().items():
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if words and os.getpgid(pid) == group:
                return True
    return False


def _gone(pid: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
        if not _command(pid):
            return True
        time.sleep(0.05)
    return False
