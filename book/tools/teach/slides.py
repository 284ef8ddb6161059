"""Slides made from the chapters: one file, offline, with the chapters' prose as the presenter's notes.

On a slide stands what a chapter shows: goals, formulas, tables, lists, figures, questions, what to remember.
What it says around them is in the notes, as are sentences about the survey's figures. Answers, and sentences
that a cell made of records, wait for a key.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bs4 import BeautifulSoup
from nbformat import NotebookNode

from tools.teach import render

BOOK_CSS = Path(__file__).parents[2] / "_static" / "book.css"
#: Elements of one slide; what is more goes to the next one, under the same heading.
MOST = 2
KEYS = (
    "Arrow keys, space or a clicker go on and back; what waits behind a question or a figure comes with the "
    "next key. **N** shows these notes below the slide, **S** opens them in a window of their own, {}, "
    "**D** turns dark, **F** fills the screen. Printed, every slide has its notes."
)
LEAD = '<p class="lead">'
QUESTION, CAPTION = "**Predict first.**", re.compile(r"\*\*(?:Figure|Table) \d+\.\d+[a-z]?\.\*\*")


@dataclass
class Slide:
    """One slide: heading, what is shown at once, what a further key shows, and the notes, each as HTML.

    `part` is the part of a lesson, to stand above the heading.
    """

    heading: str
    shown: list[str] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    kind: str = "text"
    part: str = ""


def slides(chapter: NotebookNode) -> list[Slide]:
    """Make the slides of one chapter from its notebook, which has been run.

    Raises ValueError if a figure cell shows nothing: a deck with holes would be found in the lesson. (A cell
    whose runs are not recorded yet says so, and that stands on the slide.)
    """
    deck: list[Slide] = []
    for cell in chapter.cells:
        tags = cell.metadata.get("tags", [])
        if "exercise" in tags or (deck and deck[-1].kind == "exercises" and not _ends_exercises(cell)):
            continue
        if cell.cell_type == "markdown":
            _add_markdown(deck, cell.source)
        elif "figure" in tags:
            picture, said = render.figure(cell), render.sentences(cell)
            if not (picture or said):
                raise ValueError(f"a figure without a picture: {cell.source[:60]!r}; run the chapter first")
            _fresh(deck, "figure").shown.insert(0, picture or said)
            if picture:
                _add_said(deck, said)
        else:
            _add_said(deck, render.sentences(cell))
    filled = [slide for slide in deck if slide.kind == "title" or slide.shown or slide.steps or slide.notes]
    return [slide for slide in filled if slide.kind != "exercises"]


def _ends_exercises(cell: NotebookNode) -> bool:
    return cell.cell_type == "markdown" and bool(re.match(r"##? ", cell.source))


def _fresh(deck: list[Slide], kind: str) -> Slide:
    """Return a slide for something large: the last one if it has nothing but a sentence, or a new one."""
    last = deck[-1]
    if last.kind == "text" and not last.steps and all(part.startswith(LEAD) for part in last.shown):
        last.kind = kind
        # Next to our figure, a sentence about the survey's would be read as its caption; the notes have it.
        last.shown = [part for part in last.shown if "survey" not in part]
    else:
        deck.append(Slide(_section(deck), kind=kind))
    return deck[-1]


def _add_said(deck: list[Slide], said: str) -> None:
    """Add what a cell made of records: text waits for a key, a table has a slide, origins go to the notes."""
    page = BeautifulSoup(said, "html.parser")
    tables = [table.extract() for table in page.find_all("table")]
    for line in page.find_all(["p", "li"]):
        only = [part for part in line.contents if str(part).strip()]
        if len(only) == 1 and only[0].name == "em":
            deck[-1].notes.append(f"<p>{line.extract().decode_contents()}</p>")
    if page.get_text(strip=True):
        # what has nothing to wait behind is shown at once
        (deck[-1].steps if deck[-1].shown else deck[-1].shown).append(str(page))
    for table in tables:
        _fresh(deck, "table").shown.append(str(table))


def _add_markdown(deck: list[Slide], text: str) -> None:
    answer: list[str] | None = None
    place: list[str] = []
    before = ""
    for token, block in render.blocks(text):
        if token.type == "html_block" and "<details" in block:
            # On the page needs and goals are folded; on slides they stand under the chapter's title.
            place = deck[0].shown if "What you need" in block else deck[-1].steps
            answer = []
        elif token.type == "html_block" and "</details" in block:
            place.append(render.markdown("\n\n".join(answer or [])))
            answer = None
        elif answer is not None:
            answer.append(block)
        elif token.type == "heading_open":
            heading = block.lstrip("# ").strip()
            kind = "title" if token.tag == "h1" else "exercises" if "Exercise" in heading else "text"
            deck.append(Slide(heading, kind=kind))
        elif block.startswith(QUESTION):
            shown = render.markdown(block.removeprefix(QUESTION).strip())
            deck.append(Slide("Predict first", [shown], kind="question"))
        elif CAPTION.match(block) and deck[-1].kind in ("figure", "table"):
            deck[-1].shown.append(f'<div class="caption">{render.markdown(own_caption(block))}</div>')
        elif token.type == "blockquote_open":
            text = re.sub(r"^> ?", "", block, flags=re.M).replace("**Beside the survey.**", "")
            deck.append(Slide("Beside the survey", [render.markdown(text)], kind="aside"))
        elif token.type in ("math_block", "table_open", "bullet_list_open", "ordered_list_open"):
            _add_element(deck, render.markdown(block), before)
        else:
            _add_prose(deck, block)
        before = block if token.type == "paragraph_open" else ""


def own_caption(text: str) -> str:
    """Say that a figure is ours where its caption names the survey's, and leave out the link to the data.

    >>> own_caption("**Figure 4.1.** *(survey: figure 1.5) Drops.* [Data](../data.md)")
    "**Figure 4.1.** *(our own; compare the survey's figure 1.5) Drops.*"
    """
    text = re.sub(r"\s*\[Data\]\([^)]*\)", "", text)
    return re.sub(r"\(survey: (figures? [^)]*)\)", r"(our own; compare the survey's \1)", text)


def _add_element(deck: list[Slide], element: str, before: str) -> None:
    """Put a formula, table or list on the last slide or a new one, with the sentence that leads up to it."""
    last = deck[-1]
    elements = sum(not part.startswith(LEAD) for part in last.shown)
    if last.kind not in ("text", "title") or elements >= MOST:
        deck.append(Slide(_section(deck)))
    sentence = _sentences(before)[-1] if before.endswith(":") else ""
    if sentence and (not deck[-1].shown or len(_sentences(before)) > 1 or elements):
        deck[-1].shown.append(render.markdown(sentence).replace("<p>", LEAD, 1))
    deck[-1].shown.append(element)


def _add_prose(deck: list[Slide], block: str) -> None:
    last = deck[-1]
    if last.kind == "text" and not last.shown and not last.notes:
        last.shown.append(_lead(block))
    last.notes.append(render.markdown(block))


def _section(deck: Sequence[Slide]) -> str:
    """Return the heading of the section that goes on after a question or an aside."""
    return next(slide.heading for slide in reversed(deck) if slide.kind not in ("question", "aside"))


def _lead(text: str) -> str:
    """Return the first sentence of a text, to stand large on a slide."""
    return render.markdown(_sentences(text)[0]).replace("<p>", LEAD, 1)


def _sentences(text: str) -> list[str]:
    return re.split(r"(?<=[.?!])\s+(?=[A-Z*`$])", text.strip())


def deck(parts: Sequence[tuple[str, Sequence[Slide]]], *, title: str) -> str:
    """Return all chapters' slides as one page of HTML: `parts` are pairs of an anchor and slides."""
    listed = "".join(
        f'<li><a href="#{anchor}">{render.PARSER.renderInline(part[0].heading)}</a></li>'
        for anchor, part in parts
    )
    keys = render.markdown(KEYS.format("**C** goes to the contents"))
    first = Slide(title, [f"<ol>{listed}</ol>"], notes=[keys], kind="contents")
    pages = [("contents", first)] + [
        (f"{anchor}-{number}" if number else anchor, slide)
        for anchor, part in parts
        for number, slide in enumerate(part)
    ]
    return document(pages, title=title)


def document(pages: Sequence[tuple[str, Slide]], *, title: str) -> str:
    """Return slides as one page of HTML that needs nothing from outside: pairs of an anchor and a slide."""
    filled = "".join(_page(slide, anchor=anchor) for anchor, slide in pages)
    # The figures' colors on a dark ground are the book's.
    colors = " ".join(re.findall(r"--lr-\w+: #\w+;", BOOK_CSS.read_text(encoding="utf-8")))
    return render.page("deck", {"title": html.escape(title), "slides": filled, "colors": colors})


def _page(slide: Slide, *, anchor: str) -> str:
    level = "h1" if slide.kind in ("title", "contents") else "h2"
    part = f'<p class="part">{html.escape(slide.part)}</p>\n' if slide.part else ""
    steps = "".join(f'<div class="step">{step}</div>' for step in slide.steps)
    notes = f'<aside class="notes">{"".join(slide.notes)}</aside>' if slide.notes else ""
    return (
        f'<section class="slide {slide.kind}" id="{anchor}">\n'
        f"{part}<{level}>{render.PARSER.renderInline(slide.heading)}</{level}>\n"
        f'<div class="body">{"".join(slide.shown)}{steps}</div>\n{notes}</section>\n'
    )
