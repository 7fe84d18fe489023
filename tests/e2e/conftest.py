"""The product as a user has it: a copy of the tree, its own local AWS on free ports, deployed by sam.

One local AWS for all tests of the folder, which one of pytest's workers runs one after another;
``warehouse`` gives each test an empty one.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.project import Project, deployed


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One worker for the folder; what looks back on the other tests runs after them."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.xdist_group("e2e"))
    items.sort(key=lambda item: item.path.name == "test_statements.py")


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """The deployed stack in a copy of the tree, with a KMS key of the user's; stopped at the end."""
    with deployed(tmp_path_factory.mktemp("project"), encrypted=True) as found:
        yield found


@pytest.fixture
def warehouse(project: Project) -> Project:
    """The project with an empty bucket and empty tables."""
    project.local("reset")
    return project
