"""The page of loads with many loads and files: the time to write it, its size, and the time that a browser needs.

The browser is a headless Chromium: from the navigation to the page's own word that its script has run; then from a word
in the search box to the files that have it.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.world import browser
from tests.world.histories import NOW, many, sweep

ROOT = Path(__file__).resolve().parents[1]
SHOWN, FOUND = 2.0, 1.0
"""Seconds at most."""
TIMES = 5
_SEARCH = """(() => {
  const box = document.querySelector('#find');
  box.value = 'part-00';
  box.dispatchEvent(new Event('input'));
})()"""


def measure(loads: int, files: int) -> dict[str, Any]:
    """The figures. Without a browser those of the browser are missing, and nothing holds."""
    sys.path.append(str(ROOT / "functions"))
    from loader.page.commands import Commands
    from loader.page.document import loads_html
    from loader.page.model import Page

    documents = many(loads, files)
    began = time.perf_counter()
    html = loads_html(Page(documents, sweep(), NOW), Commands())
    found: dict[str, Any] = {
        "loads": loads,
        "files": files,
        "bounds": {"shown_seconds": SHOWN, "found_seconds": FOUND},
        "written_seconds": round(time.perf_counter() - began, 2),
        "megabytes": round(len(html.encode()) / 1e6, 2),
    }
    if browser.found() is None:
        return {**found, "browser": None, "holds": False}
    with tempfile.TemporaryDirectory(prefix="page-") as name:
        path = Path(name) / "loads.html"
        path.write_text(html, encoding="utf-8")
        with browser.opened(Path(name) / "profile") as tab:
            seconds = [_once(tab, path) for _ in range(TIMES)]
    shown, searched = (round(statistics.median(each), 3) for each in zip(*seconds, strict=True))
    return {
        **found,
        "shown_seconds": shown,
        "found_seconds": searched,
        "holds": shown <= SHOWN and searched <= FOUND,
    }


def _once(tab: browser.Tab, path: Path) -> tuple[float, float]:
    began = time.perf_counter()
    tab.show(path)
    shown = time.perf_counter()
    tab.run(_SEARCH)
    tab.until("document.querySelectorAll('.found tr').length")
    return shown - began, time.perf_counter() - shown
