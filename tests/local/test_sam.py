"""A build is left out only where it would give the same."""

import json
import os
import re
import shutil
import subprocess
from importlib.metadata import requires
from pathlib import Path

import pytest

from local.__main__ import main
from local.client import sam
from local.client.sam import Environment
from local.environment import ROOT, Ports
from local.problem import Problem


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in (
        *("contracts/build.py", "functions/plan.py"),
        *("sql/publish/x.sql", "statemachine/load.asl.json"),
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    (tmp_path / "template.yaml").write_text("Resources: {}")
    return tmp_path


def test_the_same_tree_has_the_same_fingerprint(tree: Path) -> None:
    before = sam.fingerprint(tree)
    (tree / "functions" / "__pycache__").mkdir()
    (tree / "functions" / "__pycache__" / "plan.pyc").write_bytes(b"x")
    (tree / "README.md").write_text("not built")
    assert sam.fingerprint(tree) == before


@pytest.mark.parametrize(
    "name", ["functions/plan.py", "sql/publish/x.sql", "contracts/build.py", "template.yaml"]
)
def test_any_change_of_a_source_changes_it(tree: Path, name: str) -> None:
    before = sam.fingerprint(tree)
    (tree / name).write_text("changed")
    assert sam.fingerprint(tree) != before


def test_a_renamed_and_a_new_file_change_it(tree: Path) -> None:
    before = sam.fingerprint(tree)
    (tree / "functions" / "plan.py").rename(tree / "functions" / "plans.py")
    renamed = sam.fingerprint(tree)
    (tree / "sql" / "new.sql").write_text("")
    assert len({before, renamed, sam.fingerprint(tree)}) == 3


def test_sam_speaks_to_the_local_aws_with_our_python_first() -> None:
    shell = {"PATH": "/usr/bin", "AWS_PROFILE": "production"}
    seen = sam.environ(Ports(4566, 4567), shell)
    assert seen["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4566"
    assert "AWS_PROFILE" not in seen
    assert seen["PATH"].split(os.pathsep)[-1] == "/usr/bin"
    assert (Path(seen["PATH"].split(os.pathsep)[0]) / "python").exists()


def test_the_progress_of_sam_is_read_from_its_output() -> None:
    deployed = sam._Deployed()
    states = [
        deployed.state(line)
        for line in (
            "\tUploading to 0f/x.template  7483 / 7483  (100.00%)\n",
            "CREATE_IN_PROGRESS       AWS::SQS::Queue          Queue\n",
            "CREATE_COMPLETE          AWS::SQS::Queue          Queue\n",
            "UPDATE_COMPLETE          AWS::S3::Bucket          Data\n",
        )
    ]
    assert states == ["uploading the functions, 100.00%", None, "1 resources", "2 resources"]
    assert sam._built("PlanFunction: Running CustomMakeBuilder:MakeBuild\n") == "PlanFunction"
    assert sam._built("Build Succeeded\n") is None


LAYER = ROOT / "functions" / "dependencies"


def named(requirement: str) -> str:
    """The package that a requirement is for, as pip compares names."""
    found = re.match(r"[\w.-]+", requirement)
    assert found
    return re.sub(r"[-_.]+", "-", found[0]).lower()


def test_the_layer_pins_all_that_it_holds() -> None:
    """Or two builds of one commit may differ."""
    lines = (LAYER / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pinned = {named(line) for line in lines if re.fullmatch(r"[\w.-]+==[\w.]+", line)}
    assert len(pinned) == sum(not line.startswith("#") for line in lines)
    needed = {
        named(requirement)
        for package in pinned
        for requirement in requires(package) or ()
        if "extra ==" not in requirement
    }
    assert len(needed) >= 6
    assert needed <= pinned


@pytest.mark.parametrize("has_venv", [True, False])
def test_the_layer_is_built_by_a_python_that_has_pip(tmp_path: Path, has_venv: bool) -> None:
    """The system's may have none; that of .venv has."""
    folder = tmp_path / "functions" / "dependencies"
    folder.mkdir(parents=True)
    shutil.copy(LAYER / "Makefile", folder)
    if has_venv:
        (tmp_path / ".venv" / "bin").mkdir(parents=True)
        (tmp_path / ".venv" / "bin" / "python").touch()
    shown = subprocess.run(
        ["make", "--dry-run", "build-Dependencies", "ARTIFACTS_DIR=/nowhere"],
        cwd=folder,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout
    python = "../../.venv/bin/python" if has_venv else "python3"
    assert shown.startswith(f"{python} -m pip install ")


# ---------------------------------------------------------------- a stack of one's own
CONFIG = """version = 0.1
[default.global.parameters]
stack_name = "mine"
[prod.global.parameters]
stack_name = "of all commands"
region = "us-east-2"
[prod.deploy.parameters]
stack_name = "mine-prod"
region = "eu-west-1"
[local.global.parameters]
stack_name = "here"
"""


@pytest.mark.parametrize(
    ("stack", "environment"),
    [
        ("mine", Environment("default", "")),
        ("mine-prod", Environment("prod", "eu-west-1")),
        ("here", Environment("local", "")),
        ("of all commands", None),
        ("none", None),
    ],
)
def test_a_stack_has_the_environment_that_deploys_it(
    stack: str, environment: Environment | None, tmp_path: Path
) -> None:
    file = tmp_path / "samconfig.toml"
    assert sam.environment_of(stack, file) is None
    file.write_text(CONFIG)
    assert sam.environment_of(stack, file) == environment
    file.write_text("[")
    with pytest.raises(Problem, match=r"samconfig\.toml cannot be read"):
        sam.environment_of(stack, file)


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A sam that only writes down how it was called, first on PATH, and no AWS."""
    program = tmp_path / "bin" / "sam"
    program.parent.mkdir()
    log = tmp_path / "calls"
    program.write_text(f'#!/bin/sh\necho "$AWS_PROFILE $*" >> {log}\necho noise\nexit $EXIT\n')
    program.chmod(0o755)
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    config = tmp_path / "config"
    config.write_text("[profile lab]\nregion = us-west-2\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("EXIT", "0")
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(sam, "FINGERPRINT", tmp_path / "built-from")
    monkeypatch.setattr("local.commands.deploy.clients", lambda _: None)
    monkeypatch.setattr("local.client.stack.name_of", lambda _: "s3-redshift-loader-prod")
    monkeypatch.setattr("local.client.stack.outputs", lambda *_: {"DataBucketName": "b"})
    monkeypatch.setattr("local.client.versions.advice", lambda _: "The tables are older")
    return log


def test_deploy_to_a_stack_runs_sam_with_the_persons_configuration(
    calls: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    words = ["deploy", "--stack", "s3-redshift-loader-prod", "--profile", "lab", "--json"]
    assert main([*words, "--region", "us-east-1"]) == 0
    assert calls.read_text().splitlines() == [
        "lab build --config-env prod",
        "lab deploy --config-env prod --no-fail-on-empty-changeset --region us-east-1 --profile lab",
    ]
    printed = capfd.readouterr()
    assert json.loads(printed.out) == {"outputs": {"DataBucketName": "b"}}
    for told in ("+ sam build --config-env prod", "noise", "The tables are older"):
        assert told in printed.err


def test_a_build_that_fails_is_not_deployed(calls: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXIT", "1")
    assert main(["deploy", "--stack", "s3-redshift-loader-prod", "--region", "us-east-1"]) == 1
    assert len(calls.read_text().splitlines()) == 1


@pytest.mark.parametrize(
    ("stack", "said"),
    [
        ("unknown", "sam build && sam deploy --guided --stack-name unknown --region us-east-1"),
        ("s3-redshift-loader-local --region us-west-2", "is the stack of the local AWS: leave out"),
        (
            "s3-redshift-loader-local",
            "to us-west-2, and your region is us-east-1. Pass --region us-west-2",
        ),
    ],
)
def test_a_stack_of_other_parameters_or_another_region_is_not_deployed(
    stack: str, said: str, calls: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["deploy", "--region", "us-east-1", "--stack", *stack.split()]) == 2
    assert said in capsys.readouterr().err
    assert not calls.exists()
