"""The book as one PDF: names of pages do not meet, links lead within, bookmarks have the headings' words."""

from __future__ import annotations

import pytest
import yaml
from bs4 import BeautifulSoup
from pypdf import PdfReader

from tools import pdf

HEAD = '<head><link rel="stylesheet" href="../_static/a.css?v=1"><style>.d0{fill:red}</style></head>'
ONE = """<article><section id="one"><h1>One<a class="headerlink">#</a></h1><p>See
<a href="two.html#part">two</a>, <a href="gone.html">gone</a>, <a href="#here">here</a> and <a href="https://example.org">out</a>.</p>
<section id="here"><h2>A heading that is long enough to need two lines of a page, as it goes on and on</h2>
<svg><clippath id="i0"></clippath><path class="d0" clip-path="url(#i0)" d="M0 0"/></svg>
<details><summary>Q</summary>Answer</details><div class="cell"><details class="hide">code</details></div>
</section></section></article>"""
TWO = (
    '<article><section id="two"><h1>Two</h1><section id="part"><h2>Part</h2>{}</section></section></article>'
)


@pytest.fixture
def site(tmp_path):
    (tmp_path / "book").mkdir()
    (tmp_path / "_static").mkdir()
    (tmp_path / "_static/a.css").write_text("body { color: black }")
    (tmp_path / "book/one.html").write_text(f"<html>{HEAD}<body><main>{ONE}</main></body></html>")
    two = TWO.format("<p>text</p>" * 200)
    (tmp_path / "book/two.html").write_text(f"<html>{HEAD}<body><main>{two}</main></body></html>")
    return tmp_path


NAMES = ["book/one", "book/two"]


def test_links_lead_within_and_names_are_the_pages_own(site):
    page = BeautifulSoup(pdf.one_page(site, NAMES, title="T & U", numbers={}), "html.parser")
    links = {link.get_text(): link.get("href") for link in page.select("main a")}
    assert links == {
        "two": "#book-two--part",
        "gone": None,
        "here": "#book-one--here",
        "out": "https://example.org",
    }
    names = [tag["id"] for tag in page.select("[id]")]
    assert len(names) == len(set(names))
    assert all(page.find(id=link["href"][1:]) for link in page.select("a[href^='#']"))
    assert page.select_one("path")["clip-path"] == "url(#book-one--i0)"
    assert "#book-one{.d0{fill:red}}" in str(page)
    assert page.select_one("#title").get_text() == "T & U"
    assert page.select_one("main details").has_attr("open")
    assert len(page.select("main details")) == 1
    assert not page.select(".headerlink")


def test_the_contents_have_the_pages_and_the_bookmarks_the_words(site):
    out = site / "out/book.pdf"
    pages = pdf.print_book(site, NAMES, out, title="T")
    reader = PdfReader(out)
    assert len(reader.pages) == pages > 4

    def titles(items):
        found = (titles(item) if isinstance(item, list) else [item.title] for item in items)
        return [words for some in found for words in some]

    heads = ["Contents", "One", BeautifulSoup(ONE, "html.parser").h2.get_text(), "Two", "Part"]
    assert titles(reader.outline) == heads
    contents = reader.pages[1].extract_text()
    places = pdf.places(out)
    assert set(places) >= {"book-one", "book-one--here", "book-two", "book-two--part"}
    for place, head in (("book-one", "One"), ("book-two", "Two")):
        assert head in reader.pages[places[place] - 1].extract_text()
        assert str(places[place]) in contents
    again = site / "again.pdf"
    pdf.print_book(site, NAMES, again, title="T")
    assert PdfReader(again).metadata == reader.metadata


def test_the_pages_are_those_of_the_table_of_contents(tmp_path):
    parts = [{"chapters": [{"file": "b"}, {"file": "c"}]}, {"caption": "x", "chapters": [{"file": "d"}]}]
    (tmp_path / "_toc.yml").write_text(yaml.safe_dump({"root": "a", "parts": parts}))
    assert pdf.names_of(tmp_path / "_toc.yml") == ["a", "b", "c", "d"]


def test_a_bookmark_that_is_no_heading_is_an_error(site):
    out = site / "book.pdf"
    pdf.print_book(site, NAMES, out, title="T")
    with pytest.raises(RuntimeError, match="a bookmark that is no heading: 'Contents', not \\['Other'\\]"):
        pdf.name_bookmarks(out, ["Other"], title="T")
