"""Every built page in a real browser: light and dark, on a desktop and on a phone.

Like test_html.py this needs _build/html: `make book` builds it, and `make test` does so before this file.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import yaml
from bs4 import BeautifulSoup
from matplotlib.figure import Figure
from PIL import Image

from gate import Visit, served
from links import broken_links
from lrlib.plots.two_widths import svg
from tools.light import figures

ROOT = Path(__file__).parents[2]
HTML = ROOT / "_build" / "html"
TOC = yaml.safe_load((ROOT / "_toc.yml").read_text())
CHAPTERS = [chapter["file"] for part in TOC["parts"] for chapter in part["chapters"]]
PAGES = [TOC["root"], *CHAPTERS, "search", "genindex", "404"]

MOST = 350_000  # bytes of the first load, not compressed; hosts send about a fourth of that
NARROW = ["book/index", "book/survey/drop_based", "book/reference/cheat_sheet"]


@pytest.mark.parametrize(("dark", "width"), [(False, 1280), (True, 375)], ids=["light-1280", "dark-375"])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_without_fault(browser, site, name, dark, width):
    visit = Visit(browser, f"{site}/{name}.html", dark=dark, width=width)
    with visit:
        assert visit.look(most=MOST) == []
        assert visit.in_the_other_scheme(dark=not dark) == []
        if width == 375:  # and turned to the narrowest phone
            visit.page.set_viewport_size({"width": 320, "height": 900})
            assert visit.look(axe=False) == []


@pytest.mark.parametrize("name", NARROW)
def test_on_the_narrowest_phone_nothing_scrolls_sideways(browser, site, name):
    visit = Visit(browser, f"{site}/{name}.html", dark=False, width=320)
    with visit:
        assert visit.look(axe=False) == []


@pytest.mark.parametrize("name", ["book/survey/introduction", "book/survey/polynomial"])
def test_a_formula_that_is_too_wide_shows_its_beginning(browser, site, name):
    page = browser.new_page(viewport={"width": 320, "height": 900})
    page.goto(f"{site}/{name}.html")
    starts = page.evaluate(
        "[...document.querySelectorAll('div.math')].filter(box => box.scrollWidth > box.clientWidth + 1)"
        ".map(box => box.querySelector('mi').getBoundingClientRect().left - box.getBoundingClientRect().left)"
    )
    page.close()
    assert starts
    assert min(starts) > -1


def test_a_light_drawing_looks_as_before(browser):
    rng = np.random.default_rng(0)
    axes = Figure(figsize=(5, 3)).add_subplot()
    axes.plot(rng.normal(size=400).cumsum(), color="#0072b2")
    for column, look in enumerate(({}, {"mec": "none"}, {"mec": "none", "alpha": 0.5}, {"mec": "k"})):
        axes.plot(rng.uniform(90 * column, 90 * column + 80, 99), rng.uniform(-9, 9, 99), "o", ms=6, **look)
    for x in range(20):  # alone, or so close that they lie in several layers
        axes.plot([20 * x + 3 * (x % 4) * step for step in range(5)], [14] * 5, "o", mew=0, alpha=0.5)
    shots, plain = [], f"<head></head><body>{svg(axes.figure)}</body>"
    for light in (False, True):
        soup = BeautifulSoup(plain, "html.parser")
        if light:
            figures.lighten_drawings(soup)
            assert len(str(soup)) < 0.6 * len(plain)
            assert len(soup.select("g > path[d*=h0]")) > 20  # dots, gathered
        page = browser.new_page()
        page.set_content(str(soup))
        shots.append(Image.open(BytesIO(page.locator("svg").screenshot())).convert("L"))
        page.close()
    before, after = (np.asarray(shot.reduce(2), dtype=float) for shot in shots)
    assert before.std() > 20
    assert np.abs(before - after).max() < 60  # of 255, at the edge of a line that is moved by 0.05 px
    assert np.abs(before - after).mean() < 0.5


# --- The gate itself: pages with one fault each ------------------------------------------------------------

PAGE = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>A page</title>
<link rel="icon" href="data:,"></head><body><main><h1>Head</h1>{}</main></body></html>"""
IMAGE = '<img src="data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA{}" alt="{}">'
GOOD = (
    "<p>Text</p>"
    + IMAGE.format("=", "A dot")
    + '<span class="math"><math><mi>x</mi><mo>=</mo><mn>1</mn></math></span>'
)


def faults(browser, folder: Path, body: str) -> list[str]:
    (folder / "page.html").write_text(PAGE.format(body), encoding="utf-8")
    with served(folder) as address:
        visit = Visit(browser, f"{address}/page.html", dark=False, width=375)
        with visit as page:
            page.wait_for_timeout(100)
            found = visit.look(most=5_000)
            return [*found, *visit.in_the_other_scheme(dark=True)]


def test_a_good_page_passes(browser, tmp_path):
    assert faults(browser, tmp_path, GOOD) == []


@pytest.mark.parametrize(
    ("link", "fault"),
    [
        ("gone.html", "leads nowhere"),
        ("#gone", "no such place"),
        ("page.html#gone", "no such place"),
        ("/page.html", "from the top"),
    ],
)
def test_a_link_that_leads_nowhere_is_found(tmp_path, link, fault):
    good = '<a href="page.html#here" id="here">a</a><a href="https://example.org">b</a>'
    for body, expected in ((good, 0), (good + f'<a href="{link}">c</a>', 1)):
        (tmp_path / "page.html").write_text(PAGE.format(body), encoding="utf-8")
        found, _ = broken_links(tmp_path, lambda path: BeautifulSoup(path.read_text(), "html.parser"))
        assert len(found) == expected
        assert all(fault in text for text in found)


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (
            "<style>@media (prefers-color-scheme: dark) { p { color: #ddd } }</style><p>pale</p>",
            "axe: color-contrast",
        ),
        ("<script>console.error('oh')</script>", "the console: oh"),
        ("<script>nothing.here()</script>", "an error of a script"),
        ('<img src="gone.png" alt="Gone">', "a request that failed"),
        ('<img src="http://other.invalid/x.png" alt="Outside">', "a request to another host"),
        ('<div style="width: 500px">wide</div>', "scrolls sideways"),
        (IMAGE.format("=", ""), "a figure without a text"),
        (IMAGE.format("=", "A dot") + IMAGE.format("A", "A dot"), "two figures have one text"),
        (r'<span class="math">\(x\)</span>', "a formula that is not set"),
        ('<p style="color: #ddd">pale</p>', "axe: color-contrast"),
        (
            "<table><tr><th></th><th>a</th></tr><tr><td>1</td><td>2</td></tr></table>",
            "axe: empty-table-header",
        ),
        ("<!-- " + "heavy " * 1000 + "-->", "too heavy"),
    ],
    ids=lambda value: value if value[:1] != "<" else "",
)
def test_a_planted_fault_is_found(browser, tmp_path, body, fault):
    assert any(text.startswith(fault) for text in faults(browser, tmp_path, body))
