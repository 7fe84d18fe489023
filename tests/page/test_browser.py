"""loads.html in a real browser: no error, each part works, both themes, a phone's width, a clock that goes on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from loader.page.commands import Commands
from loader.page.document import loads_html
from loader.page.model import Page

from tests.world import browser
from tests.world import histories as made
from tests.world.histories import EVIL_KEY, EVIL_REASON, NOW

pytestmark = [
    pytest.mark.skipif(
        browser.found() is None and not os.environ.get("NEEDS_BROWSER"),
        reason=f"there is none of {', '.join(browser.NAMES)}",
    ),
    pytest.mark.xdist_group("browser"),
]


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[browser.Tab]:
    with browser.opened(tmp_path_factory.mktemp("browser") / "profile") as tab:
        tab.at(NOW.timestamp() + 60)
        yield tab


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """250 loads of 500 files, and other people's texts."""
    loads = made.many(248, 500)
    loads.append(
        made.load(
            NOW - timedelta(hours=2), [(EVIL_KEY, "rejected")], number=0xE0, reason=EVIL_REASON
        )
    )
    loads.append(
        made.load(NOW - timedelta(hours=3), status="failed", number=0xE1, cause=EVIL_REASON)
    )
    path = tmp_path_factory.mktemp("page") / "loads.html"
    path.write_text(loads_html(Page(loads, made.sweep(), NOW), Commands()), encoding="utf-8")
    return path


@pytest.fixture(autouse=True)
def no_errors(tab: browser.Tab) -> Iterator[None]:
    tab.said.clear()
    yield
    assert tab.said == []


def test_nothing_of_others_runs(tab: browser.Tab, page: Path) -> None:
    tab.show(page)
    assert tab.run("document.images.length") == 0
    assert EVIL_KEY in tab.run("document.querySelector('.left-out').textContent")
    tab.run("document.querySelectorAll('.listed button')[1].click()")
    tab.until("document.querySelector('dialog').open")


def test_a_load_opens_by_click_by_key_and_by_its_link(tab: browser.Tab, page: Path) -> None:
    tab.show(page)
    name = tab.run("document.querySelectorAll('.listed button')[1].textContent")
    tab.run("document.querySelectorAll('.listed button')[1].focus()")
    tab.press("Enter")
    tab.until("document.querySelector('dialog').open")
    assert name in tab.run("document.querySelector('dialog h3').textContent")
    assert tab.run("document.querySelector('dialog .path').getBoundingClientRect().width") > 300
    tab.press("Escape")
    tab.until("!document.querySelector('dialog').open")
    assert tab.run("document.activeElement.textContent") == name
    tab.show(page, at=f"#load-{name}")
    tab.until("document.querySelector('dialog').open")
    assert name in tab.run("document.querySelector('dialog h3').textContent")


def test_an_older_load_opens_by_its_link(tab: browser.Tab, page: Path) -> None:
    old = made.load_id(NOW - timedelta(minutes=4) - 240 * (timedelta(days=30) / 248), 240)
    tab.show(page, at=f"#load-{old}")
    tab.until("document.querySelector('dialog').open")
    assert old in tab.run("document.querySelector('dialog h3').textContent")


def test_more_loads_are_shown(tab: browser.Tab, page: Path) -> None:
    tab.show(page)
    for shown in (200, 250):
        tab.run("document.querySelector('.more').click()")
        tab.until(f"document.querySelectorAll('.listed tr').length === {shown}")
    tab.until("document.querySelector('.more').hidden")
    ids = tab.run("[...document.querySelectorAll('.listed tr')].map(row => row.dataset.load)")
    assert ids == sorted(ids, reverse=True)


def test_only_the_bad_loads(tab: browser.Tab, page: Path) -> None:
    tab.show(page)
    tab.run("document.querySelector('#only-bad').click()")
    shown = "[...document.querySelectorAll('.listed tr')].filter(row => row.offsetHeight)"
    assert tab.run(f"{shown}.length") < 20
    assert tab.run(f"{shown}.every(row => 'bad' in row.dataset)")


def test_a_file_is_found_and_its_load_opens(tab: browser.Tab, page: Path) -> None:
    tab.show(page)
    search = """(text) => {
        const box = document.querySelector('#find');
        box.value = text;
        box.dispatchEvent(new Event('input'));
    }"""
    tab.run(f"({search})('ONERROR')")
    tab.until("document.querySelectorAll('.found tr').length === 1")
    assert tab.run("document.querySelector('.found code').textContent") == EVIL_KEY
    assert tab.run("document.querySelector('.hits').textContent") == "1 found"
    tab.run("document.querySelector('.found button').click()")
    tab.until("document.querySelector('dialog').open")
    tab.press("Escape")
    tab.run(f"({search})('jsonl')")
    tab.until("document.querySelectorAll('.found tr').length === 100")
    assert tab.run("document.querySelector('.hits').textContent").endswith("found, the first 100")


def test_a_page_that_is_looked_at_later_says_so(tab: browser.Tab, tmp_path: Path) -> None:
    """Written when all was well: green for two sweeps, then amber, then red, without anybody writing it again."""
    path = tmp_path / "loads.html"
    path.write_text(loads_html(Page(made.well(), made.sweep(), NOW), Commands()), encoding="utf-8")
    seen = []
    for hours in (-5, 0, 1.8, 2.1, 26):
        tab.at((NOW + timedelta(hours=hours)).timestamp())
        tab.show(path)
        seen.append(
            (
                tab.run("document.querySelector('.state').dataset.level"),
                tab.run("document.querySelector('h1').textContent"),
            )
        )
    tab.at(NOW.timestamp() + 60)
    assert [level for level, _ in seen] == ["green", "green", "green", "amber", "red"]
    assert "was written on 1 Dec 2026, 14:00 UTC and does not change by itself" in seen[3][1]
    assert "no sweep has looked at the bucket since 1 Dec 2026, 13:50 UTC" in seen[3][1]
    assert seen[4][1].startswith("Not well: ")


def test_ages_are_those_of_now(tab: browser.Tab, page: Path) -> None:
    tab.show(page)
    ages = tab.run("[...document.querySelectorAll('dd time')].map(each => each.dataset.age)")
    assert ages == ["11 min ago", "4 min ago"]


CONTRAST = """
(() => {
  const parts = (color) => color.match(/[\\d.]+/g).map(Number);
  const light = (color) => parts(color).slice(0, 3).map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }).reduce((sum, value, at) => sum + value * [0.2126, 0.7152, 0.0722][at], 0);
  const behind = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const color = getComputedStyle(each).backgroundColor;
      if ((parts(color)[3] ?? 1) === 1) return color;
    }
    return "rgb(255, 255, 255)";
  };
  const low = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own || !element.offsetHeight || element.closest(".sr, script, style, svg")) continue;
    const [a, b] = [light(getComputedStyle(element).color), light(behind(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) low.push(`${element.className} ${element.textContent.slice(0, 20)} ${ratio.toFixed(2)}`);
  }
  return low;
})()
"""
"""The texts with less contrast than WCAG 2.2 asks for (AA, 1.4.3)."""


@pytest.mark.parametrize("dark", [False, True])
def test_texts_have_contrast(tab: browser.Tab, page: Path, dark: bool) -> None:
    tab.show(page, dark=dark)
    assert tab.run(CONTRAST) == []
    name = tab.run("document.querySelectorAll('.listed button')[1].textContent")
    tab.show(page, dark=dark, at=f"#load-{name}")
    tab.until("document.querySelector('dialog').open")
    assert tab.run(CONTRAST) == []
    background = tab.run("getComputedStyle(document.querySelector('.page')).backgroundColor")
    assert background == ("rgb(15, 20, 26)" if dark else "rgb(255, 255, 255)")


def test_a_phone_shows_all_without_scrolling_sideways(tab: browser.Tab, page: Path) -> None:
    tab.show(page, width=390, height=800)
    assert tab.run("document.documentElement.scrollWidth") <= 390
    assert tab.run("document.querySelectorAll('td.day')[29].getBoundingClientRect().right") <= 390
    name = tab.run("document.querySelectorAll('.listed button')[1].textContent")
    tab.show(page, width=390, height=800, at=f"#load-{name}")
    tab.until("document.querySelector('dialog').open")
    assert tab.run("document.querySelector('dialog').scrollWidth") <= 390
