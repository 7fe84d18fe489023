"""pytest-xdist keeps the tests of a group on one worker; else each worker deploys a stack, and makes each world."""

import pytest


@pytest.mark.xdist_group("alone")
def test_a_group_is_known_to_the_workers(request: pytest.FixtureRequest) -> None:
    """It is by the name of the test: xdist/remote.py."""
    if not request.config.getoption("loadgroup", default=False):
        pytest.skip("the tests are not spread over workers by groups")
    assert request.node.nodeid.endswith("@alone")
