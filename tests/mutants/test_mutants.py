"""Every mutant fits the tree as it is: `make mutants` runs them."""

from __future__ import annotations

import ast
import json
from functools import cache
from pathlib import Path

import pytest

from tests.mutants.catalogue import MUTANTS, Edit, Mutant, Stale

ROOT = Path(__file__).resolve().parents[2]


@cache
def functions_of(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name.replace(" ", "-"))
def test_it_can_be_applied_and_its_test_is_there(mutant: Mutant) -> None:
    for path, text in mutant.applied(ROOT).items():
        assert text != (ROOT / path).read_text(encoding="utf-8")
        if path.endswith(".py"):
            compile(text, path, "exec")
        if path.endswith(".json"):
            json.loads(text)
    path, _, test = mutant.test.partition("::")
    assert test.partition("[")[0] in functions_of(path)


def test_no_two_have_one_name() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)


@pytest.mark.parametrize(
    ("text", "edit"),
    [
        ("a b", Edit("x", "c", "d")),
        ("a b a", Edit("x", "a", "d")),
        ("a b", Edit("x", "a", "d", after="b")),
        ("b a b a", Edit("x", "a", "d", after="b")),
    ],
)
def test_text_that_is_not_there_once_is_stale(text: str, edit: Edit) -> None:
    with pytest.raises(Stale):
        edit.applied(text)


def test_what_comes_after_a_text_is_replaced_once() -> None:
    assert Edit("x", "a", "d", after="b").applied("a b a a") == "a b d a"
