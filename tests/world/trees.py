"""Copies of the product with other datasets."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from contracts import reading
from contracts.model import Contract
from tests.world.simulator import ROOT

OF_THE_PRODUCT = ("functions", "sql", "statemachine", "template.yaml", "pyproject.toml")


def with_contracts(folder: Path, contracts: Mapping[str, str]) -> Path:
    """Makes ``folder`` a copy of the product that has these datasets beside its own: name -> dataset.yaml."""
    ignored = shutil.ignore_patterns("__pycache__")
    for name in OF_THE_PRODUCT:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=ignored)
        else:
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    for name, text in contracts.items():
        place = folder / "sql" / "datasets" / name
        place.mkdir()
        (place / "dataset.yaml").write_text(text, encoding="utf-8")
    return folder


def contract_of(name: str, text: str) -> Contract:
    """The contract that a dataset.yaml says."""
    found = reading.parse(text, name, Path(name) / "dataset.yaml")
    assert isinstance(found, Contract)
    return found
