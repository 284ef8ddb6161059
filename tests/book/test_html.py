"""Rules for the built pages in _build/html: `make book` builds them, `make test` does so before this file."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from bs4 import BeautifulSoup, Tag

from links import broken_links
from tools.light.head import configured_address

ROOT = Path(__file__).parents[2]
HTML = ROOT / "_build" / "html"
CHAPTERS = [
    chapter["file"]
    for part in yaml.safe_load((ROOT / "_toc.yml").read_text())["parts"]
    for chapter in part["chapters"]
]

SITE = configured_address(ROOT / "_config.yml")

# What a browser loads by itself when it shows a page; a plain link is not among them.
LOADED = {
    "script": ("src",),
    "img": ("src", "srcset"),
    "iframe": ("src",),
    "video": ("src", "poster"),
    "audio": ("src",),
    "source": ("src", "srcset"),
    "embed": ("src",),
    "object": ("data",),
    "link": ("href",),
}
# Names and licences in comments and namespaces are no requests.
IN_CSS = re.compile(r"""(?:url\(\s*|@import\s+)["']?((?:https?:)?//[^"')\s]+)""")


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    if not (HTML / "index.html").is_file():
        pytest.fail(
            f"There is no built book in {HTML.relative_to(ROOT)}: run `make book` first.", pytrace=False
        )


@functools.cache
def page(path: Path) -> BeautifulSoup:
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


def pages() -> list[Path]:
    # _static holds fragments of the theme, no pages.
    return sorted(path for path in HTML.rglob("*.html") if "_static" not in path.relative_to(HTML).parts)


def addresses(path: Path) -> Iterator[tuple[Tag, str]]:
    for tag in page(path).find_all(True):
        for name in ("href", "src", "srcset", "data", "poster"):
            if tag.get(name) and (name in ("href", "src") or tag.name in LOADED):
                yield tag, tag[name]


def is_external(address: str) -> bool:
    return bool(urlsplit(address).netloc)


def test_all_pages_are_there():
    assert {f"{name}.html" for name in [*CHAPTERS, "book/index"]} <= {
        path.relative_to(HTML).as_posix() for path in pages()
    }


def test_nothing_but_the_book_is_published():
    strangers = {path.relative_to(HTML).parts[0] for path in pages() if len(path.relative_to(HTML).parts) > 1}
    assert strangers == {"book"}


def test_each_page_has_a_title_and_a_language():
    for path in pages():
        assert page(path).html.get("lang") == "en", path
        assert page(path).title.get_text(strip=True), path


def test_each_image_has_alt_text():
    images = [(path, image) for path in pages() for image in page(path).find_all("img")]
    assert images
    for path, image in images:
        assert image.get("alt", "").strip(), f"{path.name}: {image}"


def test_nothing_is_loaded_from_other_hosts():
    found = [
        f"{path.relative_to(HTML)}: {tag.name} {address}"
        for path in pages()
        for tag, address in addresses(path)
        if tag.name in LOADED and is_external(address) and tag.get("rel") != ["canonical"]
    ]
    for path in pages():
        scripts = page(path).find_all("script", src=None)
        found += [
            f"{path.name}: {line}" for tag in scripts for line in re.findall(r"https?://[^\"'\s]+", tag.text)
        ]
        styles = [tag.text for tag in page(path).find_all("style")]
        styles += [tag["style"] for tag in page(path).find_all(style=True)]
        found += [f"{path.name}: {line}" for text in styles for line in IN_CSS.findall(text)]
    for path in HTML.rglob("*.css"):
        found += [f"{path.name}: {line}" for line in IN_CSS.findall(path.read_text(encoding="utf-8"))]
    assert not found


def test_internal_links_and_assets_resolve():
    broken, seen = broken_links(HTML, page, site=SITE)
    assert seen > 50
    assert not broken


def test_the_formulas_are_mathml_and_no_tex_is_left():
    seen = 0
    for path in pages():
        for formula in page(path).select(".math"):
            seen += 1
            assert formula.find("math"), f"{path.name}: {formula}"
        texts = page(path).body.find_all(string=re.compile(r"\\[(\[]|\\(frac|eta|lambda)\b"))
        left = [text for text in texts if not text.find_parent(["code", "pre", "script"])]
        assert not left, f"{path.name}: {left}"
    assert seen > 100


def test_each_figure_is_followed_by_its_caption():
    figures = [image for path in pages() for image in page(path).select(".cell_output img")]
    assert figures
    for image in figures:
        following = image.find_parent(class_="cell").find_next_sibling()
        assert following is not None, image["alt"]
        assert "book-caption" in following.get("class", []), f"no caption after the figure: {image['alt']}"
        assert re.match(r"Figure \d+\.\d+[a-z]?\. ", following.get_text()), following


@pytest.mark.parametrize("name", [*CHAPTERS, "book/index"])
def test_no_cell_failed_or_wrote_to_stderr(name):
    assert not page(HTML / f"{name}.html").select(".output.stderr, .output.traceback")


def test_the_first_page_leads_to_the_book():
    refresh = page(HTML / "index.html").find("meta", attrs={"http-equiv": "refresh"})
    assert refresh["content"] == "0; url=book/index.html"


def test_exercises_that_nobody_has_answered_print_nothing():
    said = {path.name for path in pages() if "is still that of the starter code" in page(path).text}
    assert not said
