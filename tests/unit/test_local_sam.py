"""A build is left out only where it would give the same."""

import os
from pathlib import Path

import pytest

from local import sam
from local.environment import Ports


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("functions/plan.py", "sql/publish/x.sql", "statemachine/load.asl.json"):
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


@pytest.mark.parametrize("name", ["functions/plan.py", "sql/publish/x.sql", "template.yaml"])
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
