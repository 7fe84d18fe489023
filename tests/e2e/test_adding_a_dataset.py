"""docs/adding-a-dataset.md word for word: each command of the page runs, and prints what the page shows.

Runs after the other tests of its stack, because it deploys another dataset.
"""

import re
import shutil

import pytest

from tests.world.deployed import ROOT, Project
from tools.install import write_command

PAGE = ROOT / "docs" / "adding-a-dataset.md"
# Lines of a log that say how far something is; how many there are depends on the machine.
PROGRESS = re.compile(
    r"(?m)^(?:(?:building|deploying|uploading|loading): (?!.*\(\d+\.\d s\)$).*|execution .*, \d+ s)\n"
)


def commands_of_the_page() -> dict[str, str]:
    """Command -> what the page shows that it prints; the commands are those of its blocks, in their order."""
    blocks = re.findall(r"```console\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    entries = re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", "".join(blocks), re.MULTILINE)
    found: dict[str, str] = {}
    for number, (command, shown) in enumerate(entries):
        found[command if command not in found else f"{command}  # {number}"] = shown
    return found


def pattern(shown: str) -> re.Pattern[str]:
    """What a shown text allows: … on a line of its own is any lines, and in a line any text; of times and ids only
    their form is compared.
    """
    lines = []
    for line in shown.splitlines():
        text = re.escape(line).replace("…", ".*")
        text = re.sub(r"\d+\\\.\d\\ s\b", r"\\d+\\.\\d s", text)
        text = re.sub(r"\d{8}\\-\d{6}\\-[0-9a-f]{8}", r"\\d{8}-\\d{6}-[0-9a-f]{8}", text)
        lines.append(r"(?:.*\n)*?" if line == "…" else rf"{text}\n")
    return re.compile("".join(lines))


@pytest.mark.timeout(600)  # two deployments: half a minute, or much more beside other work
def test_the_pages_commands_print_what_it_shows(warehouse: Project) -> None:
    shutil.copytree(PAGE.with_suffix(""), warehouse.folder / "docs" / PAGE.stem)
    write_command(warehouse.installed(), warehouse.folder)
    page = commands_of_the_page()
    used = {command.split()[1] for command in page if command.startswith(".venv/bin/loader")}
    assert used >= {"add", "try", "deploy", "upload", "sql", "evolve", "start", "show", "eject"}
    for (command, shown), printed in zip(
        page.items(), warehouse.typed([*page], seconds=500), strict=True
    ):
        if shown:
            said = PROGRESS.sub("", printed)
            assert pattern(shown).fullmatch(said), (
                f"$ {command}\n{shown}\nis shown, and this printed:\n{said}"
            )
