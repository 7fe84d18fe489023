"""Where requests go: without --stack only to 127.0.0.1, with it where the person's own settings say."""

import json
import os
import shlex
import socket
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from local import __main__ as command_line
from local.client import target
from local.client.clients import Clients
from local.client.target import Warehouse, warehouse_of
from local.environment import Ports, isolated
from local.problem import Usage

AT = Ports(59831, 59832)
HOSTILE = {
    "AWS_ENDPOINT_URL": "https://elsewhere.example.com",
    "AWS_ENDPOINT_URL_S3": "https://s3.example.com",
    "AWS_ENDPOINT_URL_REDSHIFT_DATA": "https://data.example.com",
    "AWS_PROFILE": "production",
    "AWS_ACCESS_KEY_ID": "AKIAREAL",
    "AWS_SECRET_ACCESS_KEY": "real",
    "AWS_SESSION_TOKEN": "real",
    "AWS_REGION": "eu-central-1",
    "HTTPS_PROXY": "http://proxy.example.com:3128",
    "HTTP_PROXY": "http://proxy.example.com:3128",
    "https_proxy": "http://proxy.example.com:3128",
    "http_proxy": "http://proxy.example.com:3128",
    "NO_PROXY": "",
    "LOCAL_AWS_PORT": str(AT.aws),
    "LOCAL_REDSHIFT_PORT": str(AT.redshift),
}
LOOPBACK = {"127.0.0.1"}


@pytest.fixture(autouse=True)
def _own_environment() -> Iterator[None]:
    """A command makes the environment its own; what runs after it in this process must not have it."""
    with mock.patch.dict(os.environ):
        yield
    target.forget()


def of(**more: Any) -> Namespace:
    return Namespace(**{"stack": "s", "profile": None, "region": None, **more})


# ---------------------------------------------------------------- without --stack
@pytest.fixture
def hosts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The hosts that this process looks up or connects to; nothing leaves it."""
    found: list[str] = []

    def connect(_: socket.socket, address: Any) -> None:
        found.append(str(address[0]))
        raise ConnectionRefusedError(f"a test connects to nothing: {address}")

    def look_up(host: Any, port: Any, *_: Any, **__: Any) -> list[Any]:
        found.append(str(host))
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (str(host), int(port or 0)))]

    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket.socket, "connect_ex", connect)
    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setattr("time.sleep", lambda _: None)
    for name, value in HOSTILE.items():
        monkeypatch.setenv(name, value)
    return found


ASKING = {
    "up": [],
    "deploy": [],
    "upload": ["{tmp}"],
    "start": [],
    "status": [],
    "where": ["log_data/a.json"],
    "rejected": [],
    "undo": ["20261123-220615-40a6feca", "--dry-run"],
    "redo": ["20261123-220615-40a6feca"],
    "reload": ["20261123-220615-40a6feca"],
    "show": ["20261123-220615-40a6feca"],
    "sql": ["SELECT 1"],
    "add": ["orders", "s3://b/orders/", "--into", "{tmp}"],
    "try": ["log_data", "s3://b/log_data/a.json"],
    "report": ["--out", "{tmp}/loads.html"],
    "evolve": ["orders", "--from", "s3://b/orders/"],
    "demo": [],
    "reset": [],
    "verify": ["--yes"],
}
"""Commands that send requests, with words that make them do it."""
SILENT = {"dbt-sources", "down", "eject", "generate", "inbox"}


def test_each_command_is_tried_below() -> None:
    assert set(command_line.COMMANDS) == {*ASKING, *SILENT}


@pytest.mark.parametrize("command", sorted(ASKING))
def test_without_a_stack_no_request_leaves_this_machine(
    command: str, hosts: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whatever the shell says: endpoints, credentials, a proxy, a profile."""
    (tmp_path / "log_data").mkdir()
    (tmp_path / "log_data" / "a.json").write_text("{}")
    contract = tmp_path / "sql" / "datasets" / "orders" / "dataset.yaml"
    contract.parent.mkdir(parents=True)
    contract.write_text("description: d\nfiles: orders/*.jsonl\ncolumns:\n  id: bigint\n")
    monkeypatch.setattr("local.commands.evolve.ROOT", tmp_path)
    # The servers count as up, so that the commands go on to send requests; sam and other programs are not started.
    monkeypatch.setattr("local.client.clients.healthy", lambda _: True)
    monkeypatch.setattr("local.aws.processes.running", lambda _: 7)
    monkeypatch.setattr("local.aws.processes.port_of", lambda _: AT.redshift)
    monkeypatch.setattr("local.commands.up.begin", lambda _: {"the local AWS"})
    monkeypatch.setattr("local.aws.processes.wait_until_healthy", lambda _: None)
    started: list[dict[str, str]] = []

    def run(words: list[str], env: dict[str, str], **_: Any) -> Any:
        started.append(env)
        return mock.Mock(returncode=1)

    monkeypatch.setattr("local.commands.verify.subprocess.run", run)
    monkeypatch.setattr("local.client.sam.build", lambda _: None)
    monkeypatch.setattr(
        "local.client.sam.deploy", lambda at: started.append(isolated(os.environ, at))
    )
    words = [word.replace("{tmp}", str(tmp_path)) for word in ASKING[command]]
    code = command_line.main([command, *words])
    assert code != 0
    assert set(hosts) <= LOOPBACK
    assert hosts or started, "it sent no request at all, so this shows nothing"
    for environ in started:
        urls = [value for name, value in environ.items() if name.startswith("AWS_ENDPOINT_URL")]
        assert sorted(urls) == [AT.aws_url, AT.redshift_url]
        assert "AWS_PROFILE" not in environ
        assert environ["AWS_ACCESS_KEY_ID"] == "test"


@pytest.mark.parametrize("option", ["--profile", "--region"])
def test_a_profile_or_region_without_a_stack_is_wrong(
    option: str, hosts: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command_line.main(["status", option, "x"]) == 2
    assert f"{option} goes with --stack NAME" in capsys.readouterr().err
    assert not hosts


@pytest.mark.parametrize(
    "words",
    [
        ["up"],
        ["down"],
        ["demo"],
        ["reset"],
        ["inbox"],
        ["generate", "--out", "/tmp/none"],
        ["eject", "orders"],
    ],
)
def test_what_makes_sense_only_here_refuses_a_stack_with_the_reason(
    words: list[str], hosts: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command_line.main([*words, "--stack", "production"]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"{words[0]}: It has no --stack: ")
    assert len(said) > 60
    assert not hosts


# ---------------------------------------------------------------- with --stack
def test_a_stack_is_asked_where_the_shell_points(
    hosts: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_PROFILE", "HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"):
        monkeypatch.delenv(name)
    assert command_line.main(["status", "--stack", "mine"]) == 1
    assert set(hosts) == {"elsewhere.example.com"}
    printed = capsys.readouterr()
    assert "AWS_ENDPOINT_URL=https://elsewhere.example.com" in printed.err
    assert "AWS_ENDPOINT_URL_S3=https://s3.example.com" in printed.err
    assert printed.out == ""


def test_a_stack_is_asked_at_aws_with_the_region(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    found = Clients(target.of(of()))
    assert found.s3.meta.endpoint_url == "https://s3.eu-central-1.amazonaws.com"
    given = Clients(target.of(of(region="us-east-2")))
    assert given.redshift.meta.endpoint_url == "https://redshift-data.us-east-2.amazonaws.com"
    assert given.target.suffix == " --stack s --region us-east-2"
    assert target.prepare(of(), os.environ) == []
    monkeypatch.delenv("AWS_REGION")
    with pytest.raises(Usage, match="No region is known"):
        target.of(of())


def test_an_endpoint_of_the_profile_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "config"
    file.write_text("[profile lab]\nregion = us-west-2\nendpoint_url = http://lab:4566\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(file))
    assert target.endpoints("lab", {}) == ["endpoint_url = http://lab:4566"]
    ignored = {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}
    assert target.endpoints("lab", ignored) == []
    for region in ({}, {"AWS_REGION": "us-west-2", "AWS_DEFAULT_REGION": "us-west-2"}):
        with mock.patch.dict(os.environ, region), pytest.raises(Usage, match="list-profiles"):
            target.of(of(profile="none"))


def test_a_program_of_a_named_profile_does_not_get_the_shells_keys(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "another")
    own = target.own_environment(of(profile="lab", region="eu-west-1"))
    assert "AWS_ACCESS_KEY_ID" not in own
    assert (own["AWS_PROFILE"], own["AWS_REGION"]) == ("lab", "eu-west-1")
    assert target.own_environment(of())["AWS_ACCESS_KEY_ID"] == "another"


@pytest.mark.parametrize(
    ("parameters", "where"),
    [
        ({"WorkgroupName": "w"}, {"WorkgroupName": "w"}),
        (
            {"WorkgroupName": "w", "SecretArn": "arn:s"},
            {"WorkgroupName": "w", "SecretArn": "arn:s"},
        ),
        (
            {"CreateWarehouse": "true", "WorkgroupName": "", "NewWorkgroupName": "n"},
            {"WorkgroupName": "n"},
        ),
        (
            {"CreateWarehouse": "false", "WorkgroupName": "w", "NewWorkgroupName": "n"},
            {"WorkgroupName": "w"},
        ),
        ({"ClusterIdentifier": "c"}, {"ClusterIdentifier": "c"}),
        ({"ClusterIdentifier": "c", "DbUser": "u"}, {"ClusterIdentifier": "c", "DbUser": "u"}),
        (
            {"ClusterIdentifier": "c", "DbUser": "u", "SecretArn": "arn:s"},
            {"ClusterIdentifier": "c", "SecretArn": "arn:s"},
        ),
    ],
)
def test_the_warehouse_is_that_of_the_stacks_parameters(
    parameters: dict[str, str], where: dict[str, str]
) -> None:
    found = warehouse_of({**parameters, "DatabaseName": "d", "SchemaName": "music"})
    assert found == Warehouse(where, "d", "music")


def test_verify_gets_the_stack_and_its_own_options(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def run(words: list[str], **more: Any) -> Any:
        asked.append((words[1:], more["env"].get("AWS_PROFILE")))
        return mock.Mock(returncode=1)

    monkeypatch.setattr("local.commands.verify.subprocess.run", run)
    monkeypatch.setenv("AWS_REGION", "us-west-2")
    words = ["verify", "--stack", "mine", "--only", "preflight", "probes", "--minutes", "9"]
    assert command_line.main(words) == 1
    assert asked == [
        (["-m", "verify", "--stack=mine", "--only", "preflight", "probes", "--minutes", "9"], None)
    ]
    with pytest.raises(SystemExit):
        command_line.main(["status", "--only", "preflight"])


# ---------------------------------------------------------------- every command
@pytest.mark.parametrize("name", sorted(command_line.COMMANDS))
def test_each_command_has_examples_that_its_parser_takes(name: str) -> None:
    module = command_line.COMMANDS[name]
    assert module.EXAMPLES
    for line in module.EXAMPLES:
        for part in line.replace('eval "$(.venv/bin/loader up)"', "loader up").split(" | "):
            words = shlex.split(part.partition(" > ")[0])
            assert words[0] == "loader"
            arguments, rest = command_line.parser().parse_known_args(words[1:])
            assert not rest or name == "verify"
            if arguments.command == "start" and arguments.input != "-":
                json.loads(arguments.input)


def test_the_local_target_has_fixed_endpoints() -> None:
    found = Clients(AT)
    assert found.s3.meta.endpoint_url == AT.aws_url
    assert found.redshift.meta.endpoint_url == AT.redshift_url
    assert found.target.suffix == ""
