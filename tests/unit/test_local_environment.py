"""Where the local AWS is, and that nothing of the user's own AWS gets near it."""

import shlex

import pytest

from local.environment import Ports, aws_variables, export_lines, isolated, ports
from local.problem import Problem
from local.services import environ

AT = Ports(aws=4566, redshift=4567)


def test_ports_have_defaults_and_variables() -> None:
    assert ports({}) == Ports(4566, 4567)
    assert ports({"LOCAL_AWS_PORT": "5000", "LOCAL_REDSHIFT_PORT": "5001"}) == Ports(5000, 5001)
    assert ports({"LOCAL_AWS_PORT": ""}) == Ports(4566, 4567)


@pytest.mark.parametrize("value", ["x", "80", "65536", "-1", "4566.0"])
def test_what_is_no_port_is_refused_by_name(value: str) -> None:
    with pytest.raises(Problem, match="LOCAL_AWS_PORT="):
        ports({"LOCAL_AWS_PORT": value})


def test_the_two_ports_must_differ() -> None:
    with pytest.raises(Problem, match="both 4567"):
        ports({"LOCAL_AWS_PORT": "4567"})


def test_isolated_replaces_all_of_the_users_aws() -> None:
    own = isolated(
        {
            "AWS_PROFILE": "production",
            "AWS_ACCESS_KEY_ID": "AKIAREAL",
            "AWS_SESSION_TOKEN": "real",
            "AWS_ENDPOINT_URL_S3": "https://real",
            "HOME": "/home/me",
        },
        AT,
    )
    assert "AWS_PROFILE" not in own
    assert "AWS_SESSION_TOKEN" not in own
    assert "AWS_ENDPOINT_URL_S3" not in own
    assert own["AWS_ACCESS_KEY_ID"] == "test"
    assert own["AWS_CONFIG_FILE"] == "/dev/null"
    assert own["HOME"] == "/home/me"


def test_the_processes_see_little_of_the_shell() -> None:
    seen = environ(AT, {"PATH": "/bin", "AWS_PROFILE": "p", "HTTP_PROXY": "http://p", "HOME": "/h"})
    assert seen["PATH"] == "/bin"
    assert "AWS_PROFILE" not in seen
    assert "HTTP_PROXY" not in seen
    assert seen["AWS_ENDPOINT_URL_REDSHIFT_DATA"] == "http://127.0.0.1:4567"


def test_export_lines_are_shell_that_sets_every_variable() -> None:
    lines = export_lines(AT)
    for name, value in aws_variables(AT).items():
        assert f"export {name}={value}" in lines
    assert all(shlex.split(line)[0] in ("export", "unset") for line in lines)
    assert lines[-1].endswith('/.venv/bin:"$PATH"')
