"""python -m tools.docs_lint [ROOT]: every relative link in the Markdown files leads to an existing file and heading.

Checks *.md in the repository's root and in docs/. Web links are not followed: lint needs no network.
"""

import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import unquote

ROOT = Path(__file__).resolve().parent.parent

_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,}).*?(?:^ {0,3}\1[`~]*[ \t]*$|\Z)", re.M | re.S)
_CODE = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)", re.S)
_COMMENT = re.compile(r"<!--.*?-->", re.S)
# [text](target "title"), the text with one level of brackets in it; [name]: target
_INLINE = re.compile(
    r"\[(?:[^\[\]]|\[[^\[\]]*\])*\]\(\s*<?([^()\s<>]*(?:\([^()\s]*\))?[^()\s<>]*)>?[^()]*\)"
)
_REFERENCE = re.compile(r"^ {0,3}\[[^\]]+\]:\s*<?([^\s<>]+)", re.M)
_HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]+(.+?)(?:[ \t]+#+)?[ \t]*$", re.M)
_ANCHOR = re.compile(r"<a\s+(?:id|name)=[\"']([^\"']+)[\"']")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.I)


def documents(root: Path) -> list[Path]:
    """The Markdown files in the root and in docs/."""
    return sorted([*root.glob("*.md"), *root.glob("docs/**/*.md")])


def problems_of(path: Path, root: Path) -> Iterator[str]:
    """A line for each broken link of the file: 'docs/a.md:12: b.md does not exist'."""
    text = path.read_text(encoding="utf-8")
    plain = _without(_CODE, _without(_COMMENT, _without(_FENCE, text)))
    for pattern in (_INLINE, _REFERENCE):
        for link in pattern.finditer(plain):
            if problem := _problem(unquote(link[1]), path, root):
                line = plain.count("\n", 0, link.start()) + 1
                yield f"{path.relative_to(root)}:{line}: {problem}"


def _problem(target: str, path: Path, root: Path) -> str:
    if _SCHEME.match(target) or target.startswith("//"):
        return ""
    name, _, anchor = target.partition("#")
    file = (path.parent / name).resolve() if name else path
    if target.startswith("/") or not file.is_relative_to(root.resolve()):
        return f"{target} leaves the repository"
    if not file.exists():
        return f"{target}: {name} does not exist"
    if anchor and file.suffix == ".md" and anchor not in anchors_of(file):
        return f"{target}: {file.relative_to(root.resolve())} has no heading #{anchor}"
    return ""


@cache
def anchors_of(path: Path) -> frozenset[str]:
    """The anchors of a file's headings, as GitHub creates them, and its own <a id=…>.

    In lower case, without punctuation, blanks as hyphens; the second of a name is name-1.
    """
    text = _without(_FENCE, path.read_text(encoding="utf-8"))
    anchors = set(_ANCHOR.findall(text))
    seen: dict[str, int] = {}
    for heading in _HEADING.findall(text):
        shown = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        shown = re.sub(r"[*`]", "", shown)
        slug = re.sub(r"[^\w\- ]", "", shown.strip().lower()).replace(" ", "-")
        number = seen.get(slug, 0)
        seen[slug] = number + 1
        anchors.add(f"{slug}-{number}" if number else slug)
    return frozenset(anchors)


def _without(pattern: re.Pattern[str], text: str) -> str:
    """The text with what matches blanked out; lines keep their numbers."""
    return pattern.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)


def main(arguments: list[str]) -> int:
    """Prints the problems of all documents; returns 1 if there are any, or no documents."""
    root = Path(arguments[0]).resolve() if arguments else ROOT
    found = documents(root)
    if not found:
        print(f"docs_lint: no Markdown file in {root}")
        return 1
    problems = [problem for path in found for problem in problems_of(path, root)]
    for problem in problems:
        print(problem)
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
