"""Rules that Sphinx holds over every page while the book is built; `make book` runs with warnings as errors.

- An image has alt text, whether it stands in Markdown, in raw HTML or in the output of a cell. For a cell the
  text is in its metadata: ``"mystnb": {"image": {"alt": "..."}}``.
- A paragraph that begins with a bold "Figure 1.8." or "Table 2.1." is a caption, with a class for book.css; a
  block quote that begins with "What we found" or "Beside the survey" is a box with a class of its own.
- Kernels print no progress bars.
- No page names a script on another host.
- The badge that opens a notebook on Colab is the pages' own picture; where the page is no notebook that Colab
  could open, there is no launch button.
- Links such as ``glossary.md#noise-floor`` find the terms of the glossary.
- The cheat sheet is there as a PDF too, beside its page.
- The site's first page is a small page with a language and a title, and not a bare redirect.
"""

from __future__ import annotations

import html
import os
import re
from html.parser import HTMLParser
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.osutil import relative_uri

logger = logging.getLogger(__name__)

# In a notebook the badge comes from Colab itself, as readers know it.
BADGE = "https://colab.research.google.com/assets/colab-badge.svg"
OWN_BADGE = "_static/colab.svg"

CAPTION = re.compile(r"(Figure|Table) [0-9]+(\.[0-9]+)*[a-z]?\.")

FIRST_PAGE = """<!DOCTYPE html>
<html lang="{lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<meta name="description" content="{title}">
<link rel="icon" href="_static/favicon.svg">
<meta http-equiv="refresh" content="0; url={page}">
</head>
<body><p><a href="{page}">{title}</a></p></body>
</html>
"""


class _Images(HTMLParser):
    """The attributes of every <img> of a piece of HTML."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.found: list[dict[str, str | None]] = []
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            self.found.append(dict(attrs))


def check_images(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Warn at each image without alt text; cell outputs are images by now."""
    pictures = [(node, node.get("alt"), node["uri"]) for node in doctree.findall(nodes.image)]
    for node in doctree.findall(nodes.raw):
        if "html" in node.get("format", ""):
            pictures += [(node, image.get("alt"), image.get("src")) for image in _Images(node.astext()).found]
    for node, alt, source in pictures:
        if not (alt or "").strip():
            logger.warning(
                "image without alt text: %s (for the output of a cell, set its metadata "
                '"mystnb": {"image": {"alt": "what is seen"}})',
                str(source)[:80],
                location=node if node.line else docname,
                type="book",
                subtype="alt",
            )


def mark_captions(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Give paragraphs such as "**Figure 1.8.** The rate ..." the class ``book-caption``."""
    for paragraph in doctree.findall(nodes.paragraph):
        first = next((child for child in paragraph.children if child.astext()), None)
        if isinstance(first, nodes.strong) and CAPTION.match(paragraph.astext()):
            paragraph["classes"].append("book-caption")


BOXES = {"What we found": "book-found", "Beside the survey": "book-survey"}


def mark_boxes(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Give block quotes that begin with the words of a box its class; Colab shows plain block quotes."""
    for quote in doctree.findall(nodes.block_quote):
        for words, name in BOXES.items():
            if quote.astext().startswith(words):
                quote["classes"].append(name)


def glossary_anchors(app: Sphinx, doctree: nodes.document) -> None:
    """Make a glossary's terms known as anchors of its page, which MyST takes for those of headings alone."""
    slugs = app.env.metadata[app.env.docname].setdefault("myst_slugs", {})
    for term in doctree.findall(nodes.term):
        for name in term["ids"]:
            if name.startswith("term-"):
                slugs[name.removeprefix("term-").lower()] = (term.line, name, term.astext())


def own_badge(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Show Colab's badge from the pages' own folder."""
    for node in doctree.findall(nodes.image):
        if node["uri"] == BADGE:
            node["uri"] = relative_uri(app.builder.get_target_uri(docname), OWN_BADGE)
            node["classes"].append("colab-badge")


def drop_launch(app: Sphinx, page: str, template: str, context: dict, doctree: nodes.document | None) -> None:
    """Leave out the launch button of a page whose source is no .ipynb: Colab opens nothing else."""
    if not app.env.doc2path(page).endswith(".ipynb"):
        context["header_buttons"] = [
            button for button in context.get("header_buttons", []) if button.get("label") != "launch-buttons"
        ]


def drop_thebe(app: Sphinx, page: str, template: str, context: dict, doctree: nodes.document | None) -> None:
    """Leave out the live-code scripts that the theme adds twice and loads from a CDN; no page uses them."""
    context["script_files"] = [
        script
        for script in context["script_files"]
        if "thebe" not in f"{script.filename} {script.attributes.get('body')}".lower()
    ]


def write_cheat_sheet(app: Sphinx, exception: Exception | None) -> None:
    """Write the cheat sheet as a PDF beside its page, which offers it."""
    page = "book/reference/cheat_sheet"
    if exception is None and app.builder.format == "html" and page in app.env.found_docs:
        from lrbook.chapters import cheat_sheet

        cheat_sheet.write_pdf(Path(app.outdir, page).with_suffix(".pdf"))


def write_first_page(app: Sphinx, exception: Exception | None) -> None:
    """Write index.html, which leads to the root page; the toc extension leaves an existing one alone."""
    if exception is None and app.builder.format == "html" and app.config.root_doc != "index":
        page = FIRST_PAGE.format(
            lang=app.config.language,
            title=html.escape(app.config.html_title),
            page=app.builder.get_target_uri(app.config.root_doc),
        )
        (Path(app.outdir) / "index.html").write_text(page, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, object]:
    """Join the rules to the build."""
    os.environ["LRLIB_PROGRESS"] = "off"
    app.connect("doctree-read", glossary_anchors)
    app.connect("doctree-resolved", check_images)
    app.connect("doctree-resolved", mark_captions)
    app.connect("doctree-resolved", mark_boxes)
    app.connect("doctree-resolved", own_badge)
    app.connect("html-page-context", drop_thebe, priority=900)
    app.connect("html-page-context", drop_launch, priority=900)
    app.connect("build-finished", write_first_page, priority=100)
    app.connect("build-finished", write_cheat_sheet)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
