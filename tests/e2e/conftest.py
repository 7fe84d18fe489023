"""The product as a user has it: a copy of the tree, its own local AWS on free ports, deployed by sam.

The tests are in two groups, each with a local AWS of its own, which they use one after another; ``warehouse`` gives
each an empty one. They mostly wait, so that a third worker has the processor meanwhile.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.world.deployed import Project, deployed

HERE = Path(__file__).parent
# About as long as all the others together; test_statements looks back on what these have sent.
FIRST_GROUP = (
    *("test_verify", "test_checks", "test_loads", "test_use", "test_interruptions"),
    "test_statements",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """These first; of these last what leaves a dataset behind, and what looks back on the others."""
    last = ("test_adding_a_dataset", "test_statements")
    items.sort(
        key=lambda item: (item.path.parent != HERE, *(item.path.stem == n for n in last[::-1]))
    )
    for item in items:
        if item.path.parent == HERE:
            group = "first" if item.path.stem in FIRST_GROUP else "second"
            item.add_marker(pytest.mark.xdist_group(f"local AWS, {group}"))


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
