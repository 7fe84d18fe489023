"""tools/docs_lint.py: a link that leads nowhere is named with its file and line."""

from pathlib import Path

import pytest

from tools import docs_lint


@pytest.fixture(autouse=True)
def _fresh() -> None:
    docs_lint.anchors_of.cache_clear()


def problems(root: Path, text: str) -> list[str]:
    (root / "docs").mkdir(exist_ok=True)
    (root / "README.md").write_text(
        "# Read me\n\n## What it costs, `now`\n\n## Twice\n\n## Twice\n"
    )
    page = root / "docs" / "page.md"
    page.write_text(text)
    return list(docs_lint.problems_of(page, root))


@pytest.mark.parametrize(
    "text",
    [
        "[a](../README.md)",
        "[a](../README.md#what-it-costs-now)",
        "[a](../README.md#twice-1)",
        "[a [b]](../README.md 'a title')",
        "![a](../docs/page.md)",
        "[a](.)",
        "# Own\n\n[a](#own)",
        "<a id='here'></a> [a](#here)",
        "[a]\n\n[a]: ../README.md#twice",
        "[a](https://example.com/nothing#x) [b](mailto:a@example.com)",
        "`[a](nothing.md)` and\n\n```\n[a](nothing.md)\n```\n",
        "<!-- [a](nothing.md) -->",
    ],
)
def test_a_good_link_is_no_problem(tmp_path: Path, text: str) -> None:
    assert problems(tmp_path, text) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("x\n\n[a](nothing.md)", "docs/page.md:3: nothing.md: nothing.md does not exist"),
        ("[a](../README.md#nothing)", "README.md has no heading #nothing"),
        ("[a](../README.md#twice-2)", "README.md has no heading #twice-2"),
        ("# Own\n[a](#other)", "docs/page.md:2: #other: docs/page.md has no heading #other"),
        ("[a](../../elsewhere.md)", "../../elsewhere.md leaves the repository"),
        ("[a](/README.md)", "/README.md leaves the repository"),
        ("[a]: nothing.md", "nothing.md does not exist"),
        ("![picture](nothing.png)", "nothing.png does not exist"),
        ("```\n# Not a heading\n```\n[a](#not-a-heading)", "has no heading #not-a-heading"),
    ],
)
def test_a_broken_link_is_named(tmp_path: Path, text: str, problem: str) -> None:
    (found,) = problems(tmp_path, text)
    assert problem in found


def test_the_exit_code_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    problems(tmp_path, "[a](nothing.md)")
    assert docs_lint.main([str(tmp_path)]) == 1
    assert capsys.readouterr().out == "docs/page.md:1: nothing.md: nothing.md does not exist\n"
    problems(tmp_path, "[a](../README.md)")
    assert docs_lint.main([str(tmp_path)]) == 0


def test_a_tree_without_documents_is_no_success(tmp_path: Path) -> None:
    assert docs_lint.main([str(tmp_path)]) == 1


def test_this_repository_is_clean(capsys: pytest.CaptureFixture[str]) -> None:
    assert docs_lint.main([]) == 0, capsys.readouterr().out
