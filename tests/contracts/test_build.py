"""The tree that the functions read is made of the one that a person writes."""

import json
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from contracts import build
from contracts.document import ContractError

ROOT = build.ROOT
CLICKS = """description: Clicks
sql: true
files: [clicks/*.csv, clicks/*.txt]
stage_table: click_stage
header: [Id, "Page"]
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree with two datasets of one file each."""
    for name, text in (("log_data", ""), ("clicks", CLICKS)):
        folder = tmp_path / "sql" / "datasets" / name
        folder.mkdir(parents=True)
        text = text or (ROOT / "sql" / "datasets" / name / "dataset.yaml").read_text()
        (folder / "dataset.yaml").write_text(text)
        (folder / "copy.sql").write_text("COPY")
    return tmp_path


def test_a_dataset_of_sql_files_keeps_them_and_gets_what_the_functions_read(tree: Path) -> None:
    build.build(tree / "sql", tree / "made")
    made = {str(p.relative_to(tree / "made")) for p in (tree / "made").rglob("*") if p.is_file()}
    assert made == {
        f"datasets/{name}/{file}"
        for name in ("log_data", "clicks")
        for file in ("copy.sql", "dataset.json")
    }
    log, clicks = (
        json.loads((tree / "made" / "datasets" / name / "dataset.json").read_text())
        for name in ("log_data", "clicks")
    )
    assert log == {
        "description": "Sparkify activity log, one event a line",
        "stage_table": "event_stage",
        "prefix": "log_data/",
        "suffixes": [".json", ".json.gz", ".json.bz2", ".json.zst"],
        "fact_table": "songplays",
    }
    assert clicks["suffixes"] == [e + c for e in (".csv", ".txt") for c in ("", ".gz", ".bz2", ".zst")]  # fmt: skip
    assert clicks["header"] == ["Id", "Page"]
    assert "fact_table" not in clicks


def test_a_dataset_as_earlier_versions_had_it_is_taken_as_it_is(tree: Path) -> None:
    old = tree / "sql" / "datasets" / "clicks"
    (old / "dataset.yaml").unlink()
    (old / "dataset.json").write_text("{}")
    build.build(tree / "sql", tree / "made")
    assert (tree / "made" / "datasets" / "clicks" / "dataset.json").read_text() == "{}"


def test_a_folder_that_is_no_dataset_is_refused(tree: Path) -> None:
    (tree / "sql" / "datasets" / "clicks" / "dataset.yaml").unlink()
    with pytest.raises(ContractError, match=r"^sql/datasets/clicks/ has no dataset\.yaml"):
        build.build(tree / "sql", tree / "made")


def test_a_file_that_is_also_made_is_refused(tree: Path) -> None:
    (tree / "sql" / "datasets" / "clicks" / "dataset.json").write_text("{}")
    with pytest.raises(
        ContractError, match=r"^sql/datasets/clicks/dataset\.json exists, but it is"
    ):
        build.build(tree / "sql", tree / "made")


def test_it_is_made_once_for_the_same_files_and_anew_for_others(tree: Path) -> None:
    first = build.ready(tree)
    marked = first / "datasets" / "clicks" / "copy.sql"
    marked.write_text("made before")
    assert build.ready(tree) == first
    assert marked.read_text() == "made before"
    (tree / "sql" / "datasets" / "clicks" / "copy.sql").write_text("COPY again")
    second = build.ready(tree)
    assert second != first
    assert (second / "datasets" / "clicks" / "copy.sql").read_text() == "COPY again"
    assert first.is_dir()  # another process may still read it


def test_what_nobody_has_asked_for_since_yesterday_is_removed(tree: Path) -> None:
    first = build.ready(tree)
    other = tree / "build" / "recordings"
    other.mkdir()
    for old in (first, other):
        os.utime(old, (0, time.time() - 2 * build.DAY))
    (tree / "sql" / "datasets" / "clicks" / "copy.sql").write_text("COPY again")
    second = build.ready(tree)
    assert sorted((tree / "build").iterdir()) == sorted([other, second])


def test_a_build_that_fails_leaves_nothing(tree: Path) -> None:
    (tree / "sql" / "datasets" / "clicks" / "dataset.yaml").write_text("description: [")
    with pytest.raises(ContractError, match=r"^sql/datasets/clicks/dataset\.yaml:1: "):
        build.ready(tree)
    assert not list((tree / "build").iterdir())


def test_processes_that_build_at_once_have_one_tree(tree: Path) -> None:
    script = "import sys; from pathlib import Path; from contracts import build; print(build.ready(Path(sys.argv[1])))"

    def run(_: int) -> str:
        command = [sys.executable, "-c", script, str(tree)]
        return subprocess.check_output(command, cwd=ROOT, text=True).strip()

    with ThreadPoolExecutor(4) as pool:
        (made,) = set(pool.map(run, range(8)))
    assert [str(path) for path in (tree / "build").iterdir()] == [made]


def make(tree: Path, python: str = "") -> subprocess.CompletedProcess[str]:
    """What sam build runs for each function. ``python``: the first python3 of PATH, as a script."""
    for name in ("contracts", "functions"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, tree / name, ignore=ignored, dirs_exist_ok=True)
    (tree / "bin").mkdir()
    (tree / "bin" / "python3").write_text(python or f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    (tree / "bin" / "python3").chmod(0o755)
    (tree / "artifact").mkdir()
    return subprocess.run(
        ["make", "build-PlanFunction", f"ARTIFACTS_DIR={tree / 'artifact'}"],
        cwd=tree / "functions",
        env={**os.environ, "PATH": f"{tree / 'bin'}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_artifact_has_what_is_made_and_no_contract(tree: Path) -> None:
    ended = make(tree)
    assert ended.returncode == 0, ended.stderr
    names = {path.name for path in (tree / "artifact").rglob("*")}
    assert {"plan.py", "settings.py", "dataset.json", "copy.sql"} <= names
    assert not {"dataset.yaml", "contracts", "build.py"} & names


def test_a_contract_that_is_wrong_stops_the_build_with_its_line(tree: Path) -> None:
    path = tree / "sql" / "datasets" / "clicks" / "dataset.yaml"
    path.write_text(CLICKS.replace("stage_table", "stage_tabel"))
    ended = make(tree)
    assert ended.returncode != 0
    assert "sql/datasets/clicks/dataset.yaml:4: stage_tabel: " in ended.stderr
    assert "Traceback" not in ended.stderr


def test_without_the_packages_the_build_says_what_to_do(tree: Path) -> None:
    ended = make(tree, "#!/bin/sh\necho No module named yaml >&2\nexit 1\n")
    assert ended.returncode != 0
    assert "make up" in ended.stderr
    assert "pip install 'PyYAML" in ended.stderr


def test_functions_without_sql_say_where_it_comes_from() -> None:
    for named in ("", "/nowhere"):
        ended = subprocess.run(
            [sys.executable, "-c", "import loader.sql"],
            cwd=ROOT / "functions",
            env={**os.environ, "LOADER_SQL": named},
            capture_output=True,
            text=True,
            check=False,
        )
        assert "sam build" in ended.stderr, ended.stderr
        assert f"LOADER_SQL is {named!r}" in ended.stderr
