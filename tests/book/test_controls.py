"""Every control of a built page, used in a real browser; each use fails where the control is dead."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from gate import Visit

CHAPTER = "book/survey/drop_based.html"
CONTENTS = ":is(.bd-sidebar-primary, #pst-primary-sidebar-modal) a.reference.internal:visible"
HERE = ":is(.bd-sidebar-secondary, #pst-secondary-sidebar-modal) a[href^='#']:visible"

# What is pale on white paper, or turned over, of the text, pictures and drawings of a page.
INK = """() => [...document.querySelectorAll("main p, main img, main svg text")].filter((tag) => {
  const style = getComputedStyle(tag), [r, g, b] = style.color.match(/[\\d.]+/g).map(Number);
  return style.filter !== "none" || (tag.checkVisibility() && 0.3 * r + 0.6 * g + 0.1 * b > 140);
}).map((tag) => tag.outerHTML.slice(0, 80))"""

PATIENCE = 3  # seconds: what opens and closes slides for a while
expect.set_options(timeout=1_000 * PATIENCE)


def scheme(page: Page) -> str:
    return page.evaluate("document.documentElement.dataset.theme")


def background(page: Page) -> str:
    return page.evaluate("getComputedStyle(document.body).backgroundColor")


def reachable(page: Page, links: str) -> int:
    """How many links lie in the window, not covered: what a finger could touch."""
    return page.locator(links).evaluate_all(
        """(links) => links.filter((link) => {
          const box = link.getBoundingClientRect();
          const x = box.left + Math.min(box.width / 2, 20), y = box.top + box.height / 2;
          const top = document.elementFromPoint(x, y);
          return box.width && top && (link.contains(top) || top.contains(link));
        }).length"""
    )


def come_to(page: Page, links: str, least: int, most: int = 1000) -> None:
    """Wait until as many links can be reached."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if least <= reachable(page, links) <= most:
            return
        page.wait_for_timeout(150)
    raise AssertionError(f"{reachable(page, links)} links can be reached, expected {least} to {most}")


def contents_on_a_phone(page: Page) -> None:
    come_to(page, CONTENTS, 0, 0)  # the page has the whole width
    button = page.locator(".primary-toggle:visible").first
    button.click()
    expect(page.locator("#pst-primary-sidebar-modal[open]")).to_have_count(1)
    come_to(page, CONTENTS, 5)
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)
    expect(button).to_be_focused()  # closed again, the keyboard is where it was
    come_to(page, CONTENTS, 0, 0)
    button.click()
    page.locator(CONTENTS, has_text="Linear decay").first.click()
    page.wait_for_url("**/linear.html")


def on_this_page_on_a_phone(page: Page) -> None:
    come_to(page, HERE, 0, 0)
    page.locator(".secondary-toggle:visible").first.click()
    expect(page.locator("#pst-secondary-sidebar-modal[open]")).to_have_count(1)
    come_to(page, HERE, 3)
    page.locator(HERE).nth(1).click()
    assert "#" in page.url


def contents_on_a_desktop(page: Page) -> None:
    come_to(page, CONTENTS, 5)
    page.locator(".primary-toggle:visible").first.click()
    expect(page.locator("#pst-primary-sidebar")).to_have_class(re.compile("pst-sidebar-hidden"))
    come_to(page, CONTENTS, 0, 0)
    page.locator(".primary-toggle:visible").first.click()
    come_to(page, CONTENTS, 5)


def search(page: Page) -> None:
    page.keyboard.press("Control+k")
    field = page.locator("input[name=q]:visible").first
    field.fill("momentum")
    field.press("Enter")
    page.wait_for_url("**/search.html?q=momentum*")
    results = page.locator("#search-results li a")
    expect(results.nth(1)).to_be_visible()
    results.first.click()
    page.wait_for_url(re.compile(r"/book/.*\.html"))


def theme(page: Page) -> None:
    assert scheme(page) == "light"
    light = background(page)
    button = page.locator(".theme-switch-button:visible").first
    seen = set()
    for _ in range(3):
        button.click()
        seen.add(page.evaluate("document.documentElement.dataset.mode"))
    assert seen == {"auto", "light", "dark"}
    while scheme(page) != "dark":
        button.click()
    assert background(page) != light
    page.goto(page.url.replace("drop_based", "linear"))
    assert scheme(page) == "dark"  # kept, and there before the first paint


def copy(page: Page) -> None:
    page.mouse.move(200, 200)  # the buttons come with the first sign of a reader
    block = page.locator("div.highlight:has(button.copybtn):visible").first
    block.hover()
    block.locator("button.copybtn").click()
    expect(block.locator("button.copybtn")).to_have_class(re.compile("success"))
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.strip() == block.locator("pre").inner_text().strip()


def download(page: Page) -> None:
    page.locator(".dropdown-download-buttons > button").click()
    menu = page.locator(".dropdown-download-buttons .dropdown-menu.show")
    expect(menu).to_have_count(1)
    with page.expect_download() as given:
        menu.locator("a, button", has_text=".ipynb").first.click()
    assert given.value.suggested_filename == "drop_based.ipynb"


def fullscreen(page: Page) -> None:
    button = page.locator(".btn-fullscreen-button:visible")
    for wanted in (True, False):
        button.click()
        page.wait_for_function("(wanted) => Boolean(document.fullscreenElement) === wanted", arg=wanted)


def print_view(page: Page) -> None:
    page.emulate_media(color_scheme="dark", media="screen")
    page.reload()
    assert scheme(page) == "dark"
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert background(page) == "rgb(255, 255, 255)"
    assert page.locator("main details").count() > 2
    assert page.locator("main details:not([open])").count() == 0
    # Ink: text, and whatever a drawing is made of, in the light theme's colors and turned over by no filter.
    assert page.evaluate(INK) == []
    for part in ("#pst-primary-sidebar", "#pst-secondary-sidebar", ".bd-header-article"):
        expect(page.locator(part)).to_be_hidden()
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert scheme(page) == "dark"
    assert page.locator("main details:not([open])").count() > 2


USES: list[tuple[Callable[[Page], None], int]] = [
    (contents_on_a_phone, 375),
    (on_this_page_on_a_phone, 375),
    (contents_on_a_desktop, 1280),
    (search, 1280),
    (theme, 1280),
    (copy, 1280),
    (download, 1280),
    (fullscreen, 1280),
    (print_view, 1280),
]
each_use = pytest.mark.parametrize(("use", "width"), USES, ids=[use.__name__ for use, _ in USES])


@each_use
def test_a_control_works(browser, site, use, width):
    visit = Visit(browser, f"{site}/{CHAPTER}", dark=False, width=width)
    with visit as page:
        use(page)
        assert visit.faults == []


@pytest.fixture
def impatient(monkeypatch):
    """Wait a second only, for what will not come."""
    monkeypatch.setitem(globals(), "PATIENCE", 1)
    expect.set_options(timeout=1_000)
    yield
    monkeypatch.undo()
    expect.set_options(timeout=1_000 * PATIENCE)


@each_use
def test_its_use_fails_where_the_scripts_are_gone(browser, site, use, width, impatient):
    visit = Visit(browser, f"{site}/{CHAPTER}", dark=False, width=width)
    with visit as page:
        page.route("**/book-all.js*", lambda route: route.fulfill(body="", content_type="text/javascript"))
        page.reload()
        page.set_default_timeout(1_000)
        with pytest.raises(Exception, match=r"assert|Timeout|expected|Locator"):
            use(page)


def test_the_first_page_opens_its_contents_on_a_phone(browser, site):
    with Visit(browser, f"{site}/book/index.html", dark=False, width=375) as page:
        contents_on_a_phone(page)


def test_a_fold_opens(browser, site):
    with Visit(browser, f"{site}/{CHAPTER}", dark=False, width=375) as page:
        fold = page.locator("main details").first
        assert not fold.evaluate("(fold) => fold.open")
        fold.locator("summary").first.click()
        assert fold.evaluate("(fold) => fold.open")


def test_without_scripts_there_are_text_figures_and_formulas(browser, site):
    with Visit(browser, f"{site}/{CHAPTER}", dark=True, width=1280, java_script_enabled=False) as page:
        expect(page.locator("article h1").first).to_be_visible()
        assert page.locator("math").count() > 5
        assert page.locator(".lr-figure svg:visible").count() > 2


def test_each_icon_is_drawn(browser, site):
    with Visit(browser, f"{site}/{CHAPTER}", dark=False, width=1280) as page:
        icons = page.locator("i[class*='fa-']:visible").evaluate_all(
            """(icons) => icons.map((icon) => {
              const style = getComputedStyle(icon, "::before");
              return [style.content, style.fontFamily, icon.getBoundingClientRect().width];
            })"""
        )
        assert len(icons) > 4
        for content, family, width in icons:
            assert content not in ("none", "normal")
            assert "Awesome" in family
            assert width > 3
