"""Markdown of chapters and outputs of their cells as HTML that needs nothing from outside."""

from __future__ import annotations

import base64
import html
import re
from importlib.metadata import distribution
from pathlib import Path

from bs4 import BeautifulSoup
from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.dollarmath import dollarmath_plugin
from nbformat import NotebookNode


def _math(content: str, options: dict) -> str:
    # MathJax looks for \( \) and \[ \]; the rest of the page may hold as many dollars as it likes.
    left, right = (r"\[", r"\]") if options["display_mode"] else (r"\(", r"\)")
    return html.escape(f"{left}{content}{right}")


PARSER = MarkdownIt("commonmark").enable("table").use(dollarmath_plugin, renderer=_math, allow_labels=False)


def markdown(text: str) -> str:
    """Render Markdown; links within the book become plain text, and badges, which are on other hosts, go."""
    page = BeautifulSoup(PARSER.render(text), "html.parser")
    for image in page.find_all("img", src=re.compile("^https?:")):
        (image.find_parent("a") or image).decompose()
    for link in page.find_all("a"):
        if not str(link.get("href", "")).startswith(("https://", "http://")):
            link.unwrap()
    return str(page)


def blocks(text: str) -> list[tuple[Token, str]]:
    """Split Markdown into its outermost blocks: the opening token and the source of each."""
    lines = text.split("\n")
    return [
        (token, "\n".join(lines[slice(*token.map)]))
        for token in PARSER.parse(text)
        if token.level == 0 and token.map and token.nesting >= 0
    ]


def figure(cell: NotebookNode) -> str:
    """Return the picture that a figure cell drew, as an image within the page; "" if it drew none.

    Of a figure in two widths a slide takes the wide one, as it stands in the page.
    """
    alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
    for data in _outputs(cell):
        drawn = BeautifulSoup(data.get("text/html", ""), "html.parser").select_one(".lr-figure")
        if drawn is not None:
            label = html.escape(drawn["aria-label"], quote=True)
            wide = drawn.select_one(".lr-wide").svg
            return f'<div class="figure" role="img" aria-label="{label}">{wide}</div>'
        for kind in ("image/svg+xml", "image/png"):
            if kind in data:
                picture = data[kind]
                if kind == "image/svg+xml":
                    picture = base64.b64encode(picture.encode()).decode()
                return (
                    f'<img alt="{html.escape(alt, quote=True)}" src="data:{kind};base64,{picture.strip()}">'
                )
    return ""


def sentences(cell: NotebookNode) -> str:
    """Return the text that a cell made of its data, as HTML; "" if it made none."""
    parts = []
    for data in _outputs(cell):
        if "text/markdown" in data:
            parts.append(markdown(data["text/markdown"]))
        elif "text/html" in data and "lr-figure" not in data["text/html"]:
            parts.append(data["text/html"])
    return "".join(parts)


def _outputs(cell: NotebookNode) -> list[dict]:
    return [output.data for output in cell.get("outputs", []) if "data" in output]


# The minified file names neither license nor origin, and the wheel that it comes from has no license file.
NOTICE = "/*! MathJax 3.2.2, Apache License 2.0, https://www.mathjax.org. Text: LICENSE-Apache-2.0.txt */\n"


def mathjax() -> str:
    """Return the script that sets formulas, whole, to be put into a page: it loads no other file."""
    (file,) = [
        path
        for path in distribution("sphinx-mathjax-offline").files or ()
        if path.as_posix().endswith("static/mathjax/tex-svg.js")
    ]
    return NOTICE + Path(file.locate()).read_text(encoding="utf-8").replace("</script", r"<\/script")


def page(template: str, parts: dict[str, str]) -> str:
    """Fill the places `<!--name-->` of a template of this folder: the parts, a style, scripts and MathJax."""
    here = Path(__file__).parent
    files = {"settings": "mathjax_settings.js", "style": f"{template}.css", "script": f"{template}.js"}
    found = {name: here / file for name, file in files.items()}
    texts = {name: path.read_text(encoding="utf-8") for name, path in found.items() if path.is_file()}
    text = (here / f"{template}.html").read_text(encoding="utf-8")
    return re.sub(r"<!--(\w+)-->", lambda place: {**texts, **parts, "mathjax": mathjax()}[place[1]], text)
