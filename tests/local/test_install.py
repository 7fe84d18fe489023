"""make installs two groups of packages. The demo runs with the first alone, and progress is told in packages."""

import importlib.metadata
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from local.environment import ROOT
from local.show.progress import Progress
from tools import install

GROUPS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]

# Imports every module of the commands, of the servers and of the functions, where nothing but the packages named on
# stdin can be imported.
IMPORTS = """
import importlib, json, os, pkgutil, sys
from pathlib import Path

refused = set(json.load(sys.stdin))

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in refused:
            raise ModuleNotFoundError(f"{name} is of the group dev alone", name=name)

sys.meta_path.insert(0, Refuse())
sys.path[:0] = [os.getcwd(), os.path.join(os.getcwd(), "functions")]
import ministack.app
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER
import ministack.services.kms, cryptography.hazmat.primitives.asymmetric.rsa, samtranslator.translator.transform
import samcli.cli.main, samcli.commands.build.command, samcli.commands.deploy.command
import fakeshift, local
names = [
    m.name
    for package in (local, fakeshift)
    for m in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    if not m.name.endswith("__main__")
]
names += ["local.__main__", "fakeshift.__main__", "verify.__main__"]
for name in names:
    importlib.import_module(name)
import aws_lambda_powertools.logging, aws_lambda_powertools.metrics, loader.keys, loader.dataapi
print(len(names))
"""


def closure(requirements: list[str]) -> set[str]:
    """The distributions that requirements bring along here, by canonical name."""
    found: set[str] = set()
    seen: set[tuple[str, frozenset[str]]] = set()
    to_do = [Requirement(each) for each in requirements]
    while to_do:
        one = to_do.pop()
        key = (canonicalize_name(one.name), frozenset(one.extras))
        if key in seen or (one.marker and not one.marker.evaluate({"extra": ""})):
            continue
        seen.add(key)
        found.add(key[0])
        for text in importlib.metadata.requires(one.name) or ():
            inner = Requirement(text)
            if inner.marker is None or any(
                inner.marker.evaluate({"extra": extra}) for extra in ("", *one.extras)
            ):
                inner.marker = None
                to_do.append(inner)
    return found


def test_what_the_demo_runs_imports_only_the_packages_of_its_group() -> None:
    demo = closure(install.requirements(GROUPS, "demo"))
    modules = importlib.metadata.packages_distributions()
    refused = [
        module
        for module, owners in modules.items()
        if not {canonicalize_name(owner) for owner in owners} & demo
        and module not in ("pip", "pkg_resources", "setuptools", "_distutils_hack")
    ]
    assert {"pytest", "moto", "mypy"} <= set(refused)
    ended = subprocess.run(
        [sys.executable, "-c", IMPORTS],
        cwd=ROOT,
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith("COV")},
            "AWS_DEFAULT_REGION": "us-west-2",
        },
        input=json.dumps(refused),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stderr
    assert int(ended.stdout.split()[-1]) > 100


def test_dev_has_all_that_demo_has() -> None:
    demo, dev = (install.requirements(GROUPS, name) for name in ("demo", "dev"))
    assert set(demo) < set(dev)
    assert install.included(GROUPS, "dev") == {"dev", "demo"}


def installed(packages: Path, name: str) -> None:
    folder = packages / f"{name}-1.0.dist-info"
    folder.mkdir()
    (folder / "RECORD").touch()


def test_progress_is_told_in_packages(tmp_path: Path) -> None:
    state = install.State(tmp_path)
    installed(tmp_path, "pip")
    for line in ("Collecting boto3==1", "  Using cached boto3", "Requirement already satisfied: x"):
        state.hear(line)
    assert state.told() == "2 looked up"
    state.hear("Downloading duckdb-2.0.0-cp311-cp311-manylinux.whl (20.1 MB)")
    assert state.told() == "2 looked up, downloading duckdb (20.1 MB)"
    state.hear("Installing collected packages: ruamel.yaml, aws_lambda_builders, Flask\n")
    assert state.told() == "0 of 3 installed, ruamel.yaml"
    installed(tmp_path, "ruamel_yaml")
    installed(tmp_path, "aws_lambda_builders")
    assert state.told() == "2 of 3 installed, Flask"
    installed(tmp_path, "flask")
    assert state.told() == "3 of 3 installed"


def test_pips_output_goes_to_the_log_and_its_code_back(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "print('Collecting a'); print('no such package'); exit(3)"]
    log = tmp_path / "log"
    with Progress("installing", io.StringIO()) as progress:
        assert install.run(command, tmp_path, log, progress) == 3
    assert log.read_text(encoding="utf-8") == "Collecting a\nno such package\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of two groups, and a pip that only writes down what it is asked for."""
    (tmp_path / ".venv").mkdir()
    (tmp_path / "pyproject.toml").write_text(
        '[dependency-groups]\ndemo = ["a"]\ndev = [{include-group = "demo"}, "b"]\n'
    )

    def run(command: list[str], _: Path, log: Path, __: Progress) -> int:
        log.write_text("no matching distribution\n")
        listed = Path(command[-1])
        if listed.is_file():
            with (tmp_path / "asked").open("a") as asked:
                asked.write(" ".join(listed.read_text().split()) + "\n")
        return int("c" in listed.read_text().split())

    monkeypatch.setattr(install, "run", run)
    monkeypatch.setattr(
        "tools.install.subprocess.run",
        lambda command, **_: (tmp_path / "compiled").write_text(command[2]),
    )
    monkeypatch.setattr(install, "OLDEST_PIP", 0)
    return tmp_path


def asked(project: Path) -> list[str]:
    return (project / "asked").read_text().splitlines()


def test_a_group_is_installed_once_and_again_when_it_changes(project: Path) -> None:
    assert install.install("demo", project) == 0
    assert install.install("demo", project) == 0
    assert asked(project) == ["a"]
    assert not (project / "compiled").exists()
    assert install.install("dev", project) == 0
    assert install.install("demo", project) == 0  # dev has brought it
    assert asked(project) == ["a", "a b"]
    assert (project / "compiled").read_text() == "compileall"
    file = project / "pyproject.toml"
    file.write_text(file.read_text().replace('"b"', '"b2"'))
    assert install.install("demo", project) == 0
    assert asked(project) == ["a", "a b"]
    assert install.install("dev", project) == 0
    assert asked(project) == ["a", "a b", "a b2"]


def test_a_failed_install_says_so_and_is_tried_again(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = project / "pyproject.toml"
    file.write_text(file.read_text().replace('"a"', '"c"'))
    assert install.install("demo", project) == 1
    said = capsys.readouterr().err
    assert "no matching distribution" in said
    assert "The packages were not installed" in said
    assert not (project / ".venv" / ".installed-demo").exists()
    assert install.install("demo", project) == 1
    assert asked(project) == ["c", "c"]


def test_make_installs_what_a_target_needs_and_no_more() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    groups = dict(re.findall(r"^(\w+): \.venv/\.installed-(\w+)", makefile, re.MULTILINE))
    assert {name for name, group in groups.items() if group == "demo"} == {
        *("demo", "up", "down", "verify")
    }
    assert {"test", "lint", "faults", "mutants", "soak", "bench", "format"} <= groups.keys()


def test_the_command_runs_from_any_folder_and_calls_itself_by_its_name(tmp_path: Path) -> None:
    """Also if the environment is in a folder with blanks, which a first line of a script cannot have."""
    venv = tmp_path / "my project's" / ".venv"
    (venv / "bin").mkdir(parents=True)
    command = install.write_command(venv, ROOT)
    (tmp_path / "local.py").write_text("raise SystemExit('the wrong one')")

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [command, *words], cwd=tmp_path, capture_output=True, text=True, check=False
        )

    helped, wrong = run("--help"), run("generate")
    assert helped.returncode == 0, helped.stderr
    assert helped.stdout.startswith("usage: loader ")
    assert (wrong.returncode, wrong.stderr.splitlines()[0][:22]) == (2, "usage: loader generate")
    module = subprocess.run(
        [sys.executable, "-m", "local", "--help"], cwd=ROOT, capture_output=True, text=True
    )
    assert helped.stdout == module.stdout


def test_installing_writes_the_command_even_if_the_packages_are_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    monkeypatch.setattr(install, "listing", lambda *_: "")
    for name in ("requirements-demo.txt", ".installed-demo"):
        (tmp_path / ".venv" / name).touch()
    assert install.install("demo", tmp_path) == 0
    assert os.access(tmp_path / ".venv" / "bin" / "loader", os.X_OK)
