"""The survey's figures 1.1 to 1.12 and its table 1.1 are in the built pages, found by their captions.

Like test_html.py this needs _build/html: `make book` builds it, and `make test` does so before this file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from bs4 import BeautifulSoup, Tag

from lrlib.runs.published import published
from lrlib.schedules.recipes import SURVEY

HTML = Path(__file__).parents[2] / "_build" / "html"
FIGURES = [f"Figure 1.{number}" for number in range(1, 13)]
CAPTION = re.compile(r"((?:Figure|Table) \d+\.\d+[a-z]?)\. (.*)", re.S)


def captions(html: str) -> Iterator[tuple[str, str, Tag | None]]:
    """Each caption of a page: its number, its text, and the cell output that it stands under."""
    for paragraph in BeautifulSoup(html, "html.parser").select("p.book-caption"):
        number, text = CAPTION.match(paragraph.get_text(" ", strip=True).replace(" .", ".")).groups()
        before = paragraph.find_previous_sibling()
        cell = before if before is not None and "cell" in before.get("class", []) else None
        yield number, text, cell.select_one(".cell_output") if cell is not None else None


@pytest.fixture(scope="module")
def found() -> dict[str, list[tuple[Path, str, Tag | None]]]:
    """Number -> (page, text, output), over all pages."""
    pages = sorted((HTML / "book").rglob("*.html")) if HTML.is_dir() else []
    if not pages:
        pytest.fail("There is no built book in _build/html: run `make book` first.", pytrace=False)
    numbers: dict[str, list[tuple[Path, str, Tag | None]]] = {}
    for page in pages:
        for number, text, output in captions(page.read_text(encoding="utf-8")):
            numbers.setdefault(number, []).append((page, text, output))
    return numbers


@pytest.mark.parametrize("number", FIGURES)
def test_a_figure_of_the_survey_is_there(found, number):
    said = f"(survey: {number.lower()})"
    places = [place for places in found.values() for place in places if place[1].startswith(said)]
    assert len(places) == 1, f"one caption must begin with {said}, got {[page.stem for page, *_ in places]}"
    ((page, text, output),) = places
    assert output is not None, f"{page.stem}: the caption of {number} does not stand under a cell"
    two_widths = output.select_one(".lr-figure")
    if two_widths is not None:
        assert len(two_widths.get("aria-label", "")) >= 60
        assert len(two_widths.find_all("svg")) == 2
        assert all(form.find("path") for form in two_widths.find_all("svg"))
        return
    images = output.find_all("img")
    assert len(images) == 1, f"{page.stem}: {number} must have one image, got {len(images)}"
    assert len(images[0].get("alt", "")) >= 60, (
        f"{page.stem}: {number} has no alt text that says what is seen"
    )
    assert len(text) > 20, f"{page.stem}: the caption of {number} says nothing"
    source = images[0]["src"]
    file = (page.parent / source).resolve()
    assert file.is_file(), f"{page.stem}: {source} is not there"
    assert file.suffix == ".svg"
    assert "<path" in file.read_text(encoding="utf-8")


def test_every_caption_is_used_once_in_the_whole_book(found):
    twice = {
        number: [page.stem for page, *_ in places] for number, places in found.items() if len(places) > 1
    }
    assert not twice


def test_table_1_1_is_there_five_times_over(found):
    ((page, text, output),) = found["Table 7.1"]
    assert page.stem == "analysis"
    assert text.startswith("(survey: table 1.1)")
    tables = output.find_all("table")
    parts = [part.get_text()[0] for part in output.select("caption, p")]
    assert parts == list("abcde")
    assert len(tables) == 5
    for table in tables:
        heads = [row.th.get_text(" ").split(" n = ")[0] for row in table.select("tbody tr")]
        assert [name for head in heads for name in head.strip().split(", ")] == list(SURVEY)


def test_table_1_1_holds_what_the_survey_prints(found):
    ((_, _, output),) = found["Table 7.1"]
    rows = {row.th.get_text(): row.get_text(" ") for row in output.find("table").select("tbody tr")}
    for row in published().survey.rows:
        assert f"{row.accuracy:.2f}" in rows[row.schedule]
        assert f"{row.loss:.4f}" in rows[row.schedule]


def test_captions_are_found_by_what_stands_above_them():
    page = """
    <div class="cell"><div class="cell_output"><img alt="a" src="a.svg"></div></div>
    <p class="book-caption"><strong>Figure 1.8.</strong> <em>Linear decay.</em></p>
    <p>Text.</p>
    <p class="book-caption"><strong>Table 1.1b.</strong> <em>Astray.</em></p>
    <p class="book-caption"><strong>Figure 4.1.</strong> <em>(survey: figure 1.5) Drops.</em></p>
    """
    first, second, third = captions(page)
    assert third[0] == "Figure 4.1"
    assert third[1].startswith("(survey: figure 1.5)")
    assert first[:2] == ("Figure 1.8", "Linear decay.")
    assert first[2].img["alt"] == "a"
    assert second == ("Table 1.1b", "Astray.", None)
