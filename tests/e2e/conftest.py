"""The product as a user has it: a copy of the tree, its own local AWS on free ports, deployed by sam.

One local AWS for all tests of the folder; ``warehouse`` gives each test an empty one.
"""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.e2e.project import ROOT, Project

COPIED = (
    "functions",
    "local",
    "sql",
    "statemachine",
    "template.yaml",
    "samconfig.toml",
    "pyproject.toml",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What looks back on the other tests runs after them."""
    items.sort(key=lambda item: item.path.name == "test_statements.py")


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """The deployed stack in a copy of the tree; stopped at the end."""
    folder = tmp_path_factory.mktemp("project")
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", ".aws-sam")
            shutil.copytree(source, folder / name, ignore=ignored)
        else:
            shutil.copy(source, folder / name)
    found = Project(folder, *_free_ports(2))
    try:
        found.local("up")
        found.local("deploy")
        yield found
    finally:
        subprocess.run(
            [sys.executable, "-m", "local", "down"],
            cwd=folder,
            env={**os.environ, **found.variables},
            check=False,
            capture_output=True,
        )


@pytest.fixture
def warehouse(project: Project) -> Project:
    """The project with an empty bucket and empty tables."""
    project.local("reset")
    return project


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
