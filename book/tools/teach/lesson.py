"""The slides of the 90-minute lesson, from the page that is written by hand, book/teach/lesson_deck.md.

Its title and its third-level headings begin slides, the second-level ones are the parts of the minute sheet.
Block quotes are the speaker's notes, with the minutes. A figure is followed by its caption, a paragraph in
emphasis; what a cell says of records waits for a key where a figure is shown.
"""

from __future__ import annotations

import html
import re

from bs4 import BeautifulSoup
from nbformat import NotebookNode

from tools.teach import render
from tools.teach.slides import Slide, document

PAGE = "book/teach/lesson_deck.md"
TITLE = "Big steps, small steps: the lesson"
EXIT = "<!--exit question-->"


def slides(page: NotebookNode, *, exit_question: str) -> list[Slide]:
    """Return the slides of the lesson from its page, which has been run; the question is Markdown.

    Raises ValueError if a cell of the page shows nothing: a deck with holes would be found in the lesson.
    """
    deck: list[Slide] = []
    part = ""
    for cell in page.cells:
        if cell.cell_type == "markdown":
            for token, block in render.blocks(cell.source):
                if token.type == "heading_open" and token.tag == "h2":
                    part = block.lstrip("# ")
                elif token.type == "heading_open":
                    kind = "title" if token.tag == "h1" else "text"
                    deck.append(Slide(block.lstrip("# "), kind=kind, part=_part(part)))
                elif token.type == "blockquote_open":
                    said = re.sub(r"^> ?", "", block, flags=re.M)
                    deck[-1].notes.append(render.markdown(said))
                else:
                    deck[-1].shown.append(_shown(block, deck[-1], exit_question))
        elif cell.metadata.get("tags"):
            _add_output(deck[-1], cell)
        else:  # a cell for the students, who run it themselves
            deck[-1].shown.append(f"<pre>{html.escape(cell.source)}</pre>")
    for slide in deck:
        if slide.kind == "text":
            slide.kind = "question" if slide.heading.startswith("Predict: ") else "say"
    return deck


def deck(page: NotebookNode, *, exit_question: str) -> str:
    """Return the lesson's slides as one page of HTML."""
    found = slides(page, exit_question=exit_question)
    return document([(f"slide-{number}", slide) for number, slide in enumerate(found, 1)], title=TITLE)


def _part(heading: str) -> str:
    """Return "Draw" of the heading "0: draw (15 minutes)"."""
    return heading.partition(": ")[2].partition(" (")[0].capitalize()


def _shown(block: str, slide: Slide, exit_question: str) -> str:
    if block.strip() == EXIT:
        return render.markdown(exit_question)
    if slide.kind == "figure" and re.fullmatch(r"\*[^*].*[^*]\*", block, re.S):
        return f'<div class="caption">{render.markdown(block)}</div>'
    return render.markdown(block)


def _add_output(slide: Slide, cell: NotebookNode) -> None:
    tags = cell.metadata["tags"]
    if "remove-cell" in tags:
        return
    picture, said = render.figure(cell), render.sentences(cell)
    if "figure" in tags:
        if not (picture or said):
            raise ValueError(f"a figure without a picture: {cell.source[:60]!r}; run the page first")
        slide.kind = "figure"
        slide.shown.append(picture or f'<div class="figure">{_without_links(said)}</div>')
    elif said:
        (slide.steps if slide.kind == "figure" else slide.shown).append(said)
    else:
        raise ValueError(f"a cell that shows nothing: {cell.source[:60]!r}; run the page first")


def _without_links(code: str) -> str:
    """Take the addresses out of links: the pages that they lead to are not beside the slides."""
    page = BeautifulSoup(code, "html.parser")
    for link in page.find_all("a"):
        del link["href"]
    return str(page)
