"""The slides of the lesson, as they are made of the page that is written by hand."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup

from lrlib import Constant, LinearDecay, Valley
from run_page import value_of
from tools.teach import chapters, exit_question, lesson

ROOT = Path(__file__).parents[2]
SOURCE = (ROOT / lesson.PAGE).read_text(encoding="utf-8")
SHEET = (ROOT / "book/teach/lesson.md").read_text(encoding="utf-8")
QUESTION = exit_question.exit_question(0).question()
# What may stand on a slide with a number: names, and the code that students type.
NAMES = re.compile(r"Figure \d\.\d of this book|CIFAR-10|95% interval|90 minutes|two schedules|same two runs")
NUMBER = re.compile(r"\d|\b(?:two|three|four|five|six|seven|nine|ten|eleven|twelve|thirty)\b", re.I)


def text_of(fragments) -> str:
    return " ".join(BeautifulSoup("".join(fragments), "html.parser").get_text(" ").split())


def run(page):
    """The page with the outputs of its cells, run in this process."""
    names: dict = {}
    for cell in page.cells:
        if cell.cell_type == "code":
            value = value_of(cell.source, names)
            kinds = {"text/html": "_repr_html_", "text/markdown": "_repr_markdown_"}
            data = {kind: getattr(value, way)() for kind, way in kinds.items() if hasattr(value, way)}
            cell.outputs = [nbformat.v4.new_output("execute_result", data=data)] if data else []
    return page


@pytest.fixture(scope="module")
def page():
    return run(chapters.source(lesson.PAGE))


@pytest.fixture(scope="module")
def slides(page):
    return lesson.slides(page, exit_question=QUESTION)


@pytest.fixture(scope="module")
def html(page):
    return BeautifulSoup(lesson.deck(page, exit_question=QUESTION), "html.parser")


def minutes(slide) -> tuple[int, int]:
    first, last = re.match(r"Minute (\d+) to (\d+)\.", text_of(slide.notes)).groups()
    return int(first), int(last)


def test_some_25_slides_follow_the_minute_sheet(slides):
    title, *others = slides
    assert 22 <= len(others) <= 28
    assert title.kind == "title"
    assert text_of(title.notes).startswith("Before the lesson.")
    spans = [minutes(slide) for slide in others]
    assert spans[0][0] == 0
    assert spans[-1][1] == 90
    assert all(before[1] == after[0] for before, after in pairwise(spans))
    assert all(first < last for first, last in spans)
    parts = re.findall(r"^\| (\d+) \| \*\*([^*]+)\*\* \|", SHEET, re.M)
    begun = {}
    for slide, (first, _) in zip(others, spans, strict=True):
        begun.setdefault(slide.part, first)
    assert list(begun.items()) == [(name, int(minute)) for minute, name in parts]
    assert re.findall(r"^## (.+)$", SOURCE, re.M) == re.findall(r"^## (\d+: .+)$", SHEET, re.M)


def test_every_part_has_the_slides_that_it_needs(slides):
    headings = {slide.heading: slide.kind for slide in slides}
    assert headings["Draw the rate"] == "figure"
    assert headings["Eight shapes: which of them is on the board?"] == "figure"
    assert sum(slide.kind == "figure" for slide in slides if slide.part == "Luck") == 4
    assert "One run finds the big gaps. It cannot tell which gaps are big" in headings
    last = slides[-1]
    assert (last.part, last.heading) == ("Exit question", "Exit question")
    assert "Which rate does the last update have" in text_of(last.shown)
    assert "Somebody writes" in text_of(last.shown)


def test_every_question_is_answered_on_the_next_figure_by_a_further_key(slides):
    asked = [number for number, slide in enumerate(slides) if slide.kind == "question"]
    assert [slides[number].heading.startswith("Predict: ") for number in asked] == [True] * 5
    for number in asked:
        answer = next(slide for slide in slides[number + 1 :] if slide.kind == "figure")
        assert answer.steps, slides[number].heading
        assert answer.part == slides[number].part


def test_no_number_is_typed_on_a_slide():
    for cell in chapters.source(lesson.PAGE).cells:
        if cell.cell_type != "markdown":
            continue
        shown = re.sub(r"^>.*$|^## .*$|^ *\d\. |`[^`]+`", "", cell.source, flags=re.M)
        assert not NUMBER.search(NAMES.sub("", " ".join(shown.split()))), shown


def test_no_result_is_typed_into_a_note():
    notes = " ".join(re.findall(r"^> ?(.*)$", SOURCE, re.M))
    assert "Minute 0 to 5" in notes
    assert not re.findall(r"\d+\.\d+|\d+ ?%|\bpoints?\b", notes)


def test_nobody_takes_our_figures_for_others(slides):
    """Each figure of results says whose it is, and no slide names the survey."""
    for slide in slides:
        assert "survey" not in text_of([slide.heading, *slide.shown, *slide.steps]).lower(), slide.heading
        captions = [part for part in slide.shown if 'class="caption"' in part]
        if slide.kind == "figure" and slide.part != "Draw":
            (caption,) = map(text_of, captions)
            own = r"Figure \d\.\d of this book|Computed for this lesson|Our own|The same|Dots: seeds"
            assert re.match(own, caption), slide.heading


def test_the_numbers_of_figures_are_those_of_the_chapters():
    """A call of the deck and its caption's number stand together in a chapter too."""
    named = re.findall(r"^(\w+)\.(\w+_figure)\(\)\n```\n\n\*Figure (\d\.\d) of this book", SOURCE, re.M)
    assert len(named) >= 5
    for chapter, function, number in named:
        cells = chapters.source(f"book/survey/{chapter}.ipynb").cells
        (place,) = [i for i, cell in enumerate(cells) if f"chapter.{function}(" in cell.source]
        assert cells[place + 1].source.startswith(f"**Figure {number}.**")


def test_each_figure_is_large_and_has_a_text_in_its_place(html):
    figures = html.select("section.figure .body > .figure")
    assert len(figures) == len(html.select("section.figure"))
    for figure in figures:
        assert figure.select("svg")
        assert figure.get("aria-label", "").endswith(".") or figure.select("[aria-label]")
        assert not figure.select("a[href]"), "the pages that links lead to are not beside the slides"


def test_the_licence_stands_on_every_slide_and_captions_can_be_read(html):
    (line,) = html.select("body > .licence")
    assert "CC BY 4.0" in line.text
    style = html.find("style").text
    assert re.search(r"html\.deck \.licence \{ position: fixed", style), "it would stand below the last one"
    # the base is the smaller of 2.5 vw and 3.9 vh: on 1280 by 720 pixels
    assert "font-size: clamp(15px, min(2.5vw, 3.9vh), 40px)" in style
    (caption,) = re.findall(r"\.caption \{ font-size: ([\d.]+)em", style)
    assert float(caption) * min(0.025 * 1280, 0.039 * 720) >= 18


def test_the_slides_load_nothing(html):
    assert not html.find_all(["link", "iframe", "object", "embed", "img"])
    assert not html.find_all("script", src=True)
    own = [script.text for script in html.find_all("script") if len(script.text) < 20_000]
    assert not re.findall(r"https?://\S+", " ".join(own))


def test_what_students_type_is_on_the_slide_and_runs(slides, capsys):
    cells = [cell for cell in chapters.source(lesson.PAGE).cells if cell.cell_type == "code"]
    (code,) = [cell.source for cell in cells if not cell.metadata.get("tags")]
    (slide,) = [slide for slide in slides if "<pre>" in "".join(slide.shown)]
    assert code in BeautifulSoup("".join(slide.shown), "html.parser").pre.text
    value_of(code, {})
    expected = Valley().trajectory(Constant(), steps=300, peak_lr=1.0).loss[-1]
    assert float(capsys.readouterr().out) == expected
    other = code.replace("plan = Constant()", "plan = LinearDecay(total_steps=300)")
    assert "plan = LinearDecay(total_steps=300)" in text_of(slide.shown)
    expected = Valley().trajectory(LinearDecay(total_steps=300), steps=300, peak_lr=1.0).loss[-1]
    value_of(other, {})
    assert float(capsys.readouterr().out) == expected


def test_a_cell_that_shows_nothing_stops_the_deck():
    for tags in (["figure", "remove-input"], ["remove-input"]):
        cell = nbformat.v4.new_code_cell("plot()", metadata={"tags": tags})
        empty = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# A"), cell])
        with pytest.raises(ValueError, match=r"'plot\(\)'; run the page first"):
            lesson.slides(empty, exit_question="")
