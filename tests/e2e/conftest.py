"""The product as a user has it: a copy of the tree, its own local AWS on free ports, deployed by sam.

One local AWS for each of pytest's workers, whose tests use it one after another; ``warehouse`` gives each an empty one.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.project import Project, deployed

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """These first, for they mostly wait; of these last what looks back on the others."""
    items.sort(key=lambda item: (item.path.parent != HERE, item.path.name == "test_statements.py"))


@pytest.fixture(scope="package")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """The deployed stack in a copy of the tree, with a KMS key of the user's; stopped when these tests have ended."""
    with deployed(tmp_path_factory.mktemp("project"), encrypted=True) as found:
        yield found


@pytest.fixture
def warehouse(project: Project) -> Project:
    """The project with an empty bucket and empty tables."""
    project.local("reset")
    return project
