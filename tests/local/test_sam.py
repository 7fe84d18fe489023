"""A build is left out only where it would give the same."""

import os
import re
import shutil
import subprocess
from importlib.metadata import requires
from pathlib import Path

import pytest

from local.client import sam
from local.environment import ROOT, Ports


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
