"""Where the local AWS is, and that nothing of the user's own AWS gets near it."""

import os
import shlex
import stat
import subprocess
from pathlib import Path

import pytest
from awscli.customizations.overridesslcommonname import SSL_COMMON_NAMES

from local.aws.services import environ
from local.environment import ROOT, Ports, aws_variables, export_lines, isolated, ports, remember
from local.problem import Problem, Usage

AT = Ports(aws=4566, redshift=4567)


NOWHERE = Path("/no/such/ports.json")


def test_ports_have_defaults_and_variables() -> None:
    assert ports({}, NOWHERE) == Ports(4566, 4567)
    given = {"LOCAL_AWS_PORT": "5000", "LOCAL_REDSHIFT_PORT": "5001"}
    assert ports(given, NOWHERE) == Ports(5000, 5001)
    assert ports({"LOCAL_AWS_PORT": ""}, NOWHERE) == Ports(4566, 4567)
    assert ports({"LOCAL_PG_PORT": "5002"}, NOWHERE) == Ports(4566, 4567, 5002)


def test_another_terminal_finds_the_ports_of_the_last_start(tmp_path: Path) -> None:
    file = tmp_path / ".local" / "ports.json"
    remember(Ports(5000, 5001), file)
    assert ports({}, file) == Ports(5000, 5001)
    assert ports({"LOCAL_REDSHIFT_PORT": "5002"}, file) == Ports(5000, 5002)
    remember(Ports(6000, 6001, 6002), file)
    assert ports({}, file) == Ports(6000, 6001, 6002)
    file.write_text('{"aws": 7000, "redshift": 7001}')  # of an older version
    assert ports({}, file) == Ports(7000, 7001, 5439)


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"aws": "x", "redshift": 1}', "{"])
def test_a_broken_memory_of_the_ports_is_said(tmp_path: Path, content: str) -> None:
    file = tmp_path / "ports.json"
    file.write_text(content)
    with pytest.raises(Problem, match=r"ports\.json, which holds the ports, cannot be read"):
        ports({}, file)


@pytest.mark.parametrize("value", ["x", "80", "65536", "-1", "4566.0"])
def test_what_is_no_port_is_refused_by_name(value: str) -> None:
    with pytest.raises(Usage, match="LOCAL_AWS_PORT="):
        ports({"LOCAL_AWS_PORT": value}, NOWHERE)


def test_the_ports_must_differ() -> None:
    with pytest.raises(Usage, match="both 4567"):
        ports({"LOCAL_AWS_PORT": "4567"}, NOWHERE)
    with pytest.raises(Usage, match="LOCAL_PG_PORT and another port are both 4567"):
        ports({"LOCAL_PG_PORT": "4567"}, NOWHERE)


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


def test_a_shell_that_was_pointed_elsewhere_by_service_is_pointed_here() -> None:
    lines = export_lines(AT, ["AWS_ENDPOINT_URL_SQS", "AWS_ENDPOINT_URL_REDSHIFT_DATA", "HOME"])
    (unset,) = [line for line in lines if line.startswith("unset ")]
    assert "AWS_ENDPOINT_URL_SQS" in unset.split()
    assert "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS" in unset.split()
    assert "AWS_ENDPOINT_URL_REDSHIFT_DATA" not in unset.split()


def aws(folder: Path, *words: str, **variables: str) -> list[str]:
    """What the aws on PATH is given when a shell with the export lines runs ``aws words``; it only says its words."""
    folder.mkdir(exist_ok=True)
    program = folder / "aws"
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    shell = "\n".join(export_lines(AT))
    shell = shell.replace(str(ROOT / ".venv" / "bin"), str(folder))
    ended = subprocess.run(
        ["/bin/sh", "-c", f'{shell}\naws "$@"', "sh", *words],
        env={"PATH": os.defpath, **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    return ended.stdout.splitlines()


# What version 1 sends to the real AWS in some region, whatever AWS_ENDPOINT_URL says, and some others.
@pytest.mark.parametrize("service", [*SSL_COMMON_NAMES, "s3", "stepfunctions", "logs"])
def test_no_service_of_the_cli_leaves_this_machine(tmp_path: Path, service: str) -> None:
    given = aws(tmp_path / "bin", "--region", "us-west-2", service, "list-them")
    assert given == [
        *("--endpoint-url", "http://127.0.0.1:4566"),
        *("--region", "us-west-2", service, "list-them"),
    ]


def test_the_data_api_has_an_endpoint_of_its_own(tmp_path: Path) -> None:
    words = ("--output", "text", "redshift-data", "list-statements", "--status", "ALL")
    assert aws(tmp_path / "bin", *words) == ["--endpoint-url", "http://127.0.0.1:4567", *words]
    named = ("s3", "cp", "redshift-data", "s3://b/a key")
    assert aws(tmp_path / "bin", *named) == ["--endpoint-url", "http://127.0.0.1:4566", *named]


def test_an_endpoint_that_is_asked_for_is_kept(tmp_path: Path) -> None:
    words = ("sqs", "list-queues", "--endpoint-url", "http://127.0.0.1:1")
    assert aws(tmp_path / "bin", *words) == list(words)


def test_the_installed_cli_asks_the_local_aws_for_its_queues() -> None:
    """Of the CLI itself: without our own in front of it, it asks us-west-2.queue.amazonaws.com."""
    lines = "\n".join(export_lines(Ports(9, 10)))
    for command, endpoint in (("sqs list-queues", 9), ("redshift-data list-statements", 10)):
        ended = subprocess.run(
            ["/bin/sh", "-c", f"{lines}\naws {command}"],
            env={"PATH": os.defpath, "AWS_MAX_ATTEMPTS": "1", "AWS_CONFIG_FILE": os.devnull},
            capture_output=True,
            text=True,
            check=False,
        )
        assert f'endpoint URL: "http://127.0.0.1:{endpoint}/"' in ended.stderr
