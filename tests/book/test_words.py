"""Chapters stay short enough to be read: words in the open, as `python -m tools.words` counts them."""

from __future__ import annotations

import nbformat
import pytest

from pages import BOOK
from tools.words import page_words, parts, words

#: From 1,000 to 1,400 words, without captions and what is folded.
SCHEDULES = (
    "introduction",
    "constant",
    "time_based",
    "drop_based",
    "linear",
    "polynomial",
    "triangle",
    "cosine",
)


@pytest.mark.parametrize("chapter", SCHEDULES)
def test_a_chapter_on_a_schedule_takes_minutes(chapter):
    assert 1_000 <= page_words(BOOK / "survey" / f"{chapter}.ipynb").open <= 1_400


def test_the_analysis_is_no_longer_than_it_must_be():
    assert page_words(BOOK / "survey" / "analysis.ipynb").open <= 1_600


@pytest.mark.parametrize(
    ("text", "n"),
    [
        ("# A title\n\n12 minutes to read · 20 seconds to run\n\nOne line.", 4),
        ("```python\nx = 1\n```\n\nAfter the code.", 3),
        ("$$f(t) = 1 - t/T$$\n\nis *linear*, with $T$ updates.", 5),
        ("[the plan](plan.md#a-b), `lr=0.1` and <b>bold</b> – no more", 7),
        ("| a | b |\n| --- | --- |\n| one | two |", 4),
        ("---\nkernel: python\n---\n\n(here)=\n% a note\nSeen.", 1),
    ],
)
def test_words_by_hand(text, n):
    assert words(text) == n


def test_folds_and_captions_are_counted_apart():
    fold = "<details>\n<summary>Think, then open</summary>\n\nIt is four.\n\n</details>"
    caption = "**Figure 1.1.** *Two\nlines.* [Data](data.md)"
    assert parts(f"{caption}\n\nBelow the figure.\n\n{fold}") == (3, 6, 5)


def test_a_page_has_its_prose_and_what_its_hidden_cells_say(tmp_path):
    def code(source: str, *tags: str) -> nbformat.NotebookNode:
        return nbformat.v4.new_code_cell(source, metadata={"tags": list(tags)})

    found = "from lrbook.finding import Finding"
    cells = [
        nbformat.v4.new_markdown_cell("One two three."),
        nbformat.v4.new_markdown_cell("An exercise.", metadata={"tags": ["exercise"]}),
        code("never_run()", "colab", "remove-cell"),
        code("shown = 1"),
        code(f"{found}\n\nFinding('A figure', {{}}, {{}})", "figure", "remove-input"),
        code("Finding('four five', {}, {})", "remove-input"),
        code("Finding(f'{mine} ran', {}, {})", "remove-input"),
        code("print('no text')", "remove-input"),
    ]
    page = tmp_path / "page.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), page)
    assert page_words(page) == (5, 0, 0)
