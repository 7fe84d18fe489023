"""Services are started once, recognized as ours, and stopped with all that they started."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.aws import processes
from local.aws.processes import Service
from local.problem import Problem


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    port = free_port()
    made = Service(
        name="the fake",
        folder=tmp_path / "fake",
        module="tests.local.fake_service",
        port=port,
        health=f"http://127.0.0.1:{port}/health",
    )
    yield made
    processes.stop(made)
    processes.end_leftovers(made.folder)


def alive(pid: int) -> bool:
    return bool(processes._command(pid))


def test_start_and_stop_leave_nothing_running(service: Service) -> None:
    assert processes.running(service) is None
    pid = processes.start(service, os.environ)
    processes.wait_until_healthy(service)
    assert processes.running(service) == pid
    assert processes.port_of(pid) == service.port
    worker = int((service.folder / "data" / "worker.pid").read_text())
    assert alive(worker)

    assert processes.stop(service)
    assert processes.running(service) is None
    assert not alive(pid)
    assert not alive(worker)
    assert not service.pid_file.exists()
    assert not processes.stop(service)


def test_workers_of_a_killed_service_are_ended(service: Service) -> None:
    pid = processes.start(service, os.environ)
    processes.wait_until_healthy(service)
    worker = int((service.folder / "data" / "worker.pid").read_text())
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    assert processes.running(service) is None
    assert alive(worker)
    assert processes.end_leftovers(service.folder) == 1
    for _ in range(100):
        if not alive(worker):
            break
        time.sleep(0.05)
    assert not alive(worker)


def test_a_process_that_only_names_the_folder_is_left_alone(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    log.write_text("")
    reader = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", str(log)])
    try:
        assert processes.end_leftovers(tmp_path) == 0
        assert reader.poll() is None
    finally:
        reader.kill()
        reader.wait()


def test_a_pid_that_belongs_to_another_process_is_not_ours(service: Service) -> None:
    service.folder.mkdir(parents=True)
    service.pid_file.write_text(str(os.getpid()))
    assert processes.running(service) is None
    assert not processes.stop(service)


@pytest.mark.parametrize("content", ["", "not a number", "999999999"])
def test_a_broken_pid_file_is_no_process(service: Service, content: str) -> None:
    service.folder.mkdir(parents=True)
    service.pid_file.write_text(content)
    assert processes.running(service) is None


def test_a_port_in_use_is_said(service: Service) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", service.port))
        other.listen()
        with pytest.raises(Problem, match=f"Port {service.port} is in use .* LOCAL_AWS_PORT"):
            processes.start(service, os.environ)


def test_a_service_that_dies_shows_the_end_of_its_log(service: Service) -> None:
    broken = Service(service.name, service.folder, "no.such.module", service.port, service.health)
    processes.start(broken, os.environ)
    with pytest.raises(Problem, match=r"(?s)the fake did not start\..*No module named 'no'"):
        processes.wait_until_healthy(broken)
