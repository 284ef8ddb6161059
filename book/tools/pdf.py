"""The whole book as one PDF, printed from the built pages by Chromium: `make pdf`.

All pages become one: names of one page do not meet those of another, links between pages become links within,
folds that hold answers are open, folded code is left out, and what moves is replaced by its words. It is
printed at least twice: the first print tells on which page each heading stands, and the next has that in its
contents.
"""

from __future__ import annotations

import argparse
import html
import posixpath
import re
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import yaml
from bs4 import BeautifulSoup, Tag
from pypdf import PdfReader, PdfWriter
from pypdf.generic import NameObject, TextStringObject

from lrbook.chapters import explorer
from tools.teach.handout import BROWSERS, print_pdf
from tools.teach.offline import without_dates

ROOT = Path(__file__).parents[2]
SHEET = Path(__file__).with_name("pdf.css")
PRINTS = 4  # the numbers of the contents stand after two, or after three where they moved a line
# What has no use on paper: marks beside headings, code that is folded on the page, badges.
LEFT_OUT = ".headerlink, script, .colab-badge, .copybtn, div.cell details.hide, .lrx"
# Attributes that name another element of the page; the last one as "url(#name)".
NAMES = ("for", "aria-labelledby", "aria-describedby", "headers", "clip-path")
HEADINGS = "h1, h2, h3, h4, h5, h6"
ALIKE = 12  # characters by which a bookmark is known for its heading
UNKNOWN = "000"  # as wide as a number


class Part(NamedTuple):
    """A page of the site as a part of the one page: its rows of the contents, its rules and its text."""

    rows: str
    style: str
    text: str


def names_of(toc: Path) -> list[str]:
    """Return the pages of a table of contents, in order, without their ending."""
    settings = yaml.safe_load(toc.read_text(encoding="utf-8"))
    return [settings["root"], *(page["file"] for part in settings["parts"] for page in part["chapters"])]


def key(name: str) -> str:
    """Return what a page's names begin with.

    >>> key("book/survey/linear")
    'book-survey-linear'
    """
    return name.replace("/", "-")


def one_page(root: Path, names: list[str], *, title: str, numbers: dict[str, int]) -> str:
    """Return the HTML of all pages; ``numbers`` are the pages in the PDF of what the contents name."""
    trees = {
        name: BeautifulSoup((root / f"{name}.html").read_text(encoding="utf-8"), "html.parser")
        for name in names
    }
    sheets = dict.fromkeys(
        (root / name).parent.joinpath(link["href"].split("?")[0]).resolve().as_uri()
        for name, tree in trees.items()
        for link in tree.select("link[rel=stylesheet]")
    )
    parts = [part(root, name, tree, names, numbers) for name, tree in trees.items()]
    links = "".join(f'<link rel="stylesheet" href="{sheet}">' for sheet in sheets)
    styles = "".join(f"<style>{part.style}</style>" for part in parts if part.style)
    return (
        '<!DOCTYPE html><html lang="en" data-theme="light" data-mode="light"><head><meta charset="utf-8">'
        f"<title>{html.escape(title)}</title>{links}{styles}"
        f"<style>{SHEET.read_text(encoding='utf-8')}</style></head><body>"
        f'<div id="title"><p>{html.escape(title)}</p></div>'
        f'<nav id="contents"><h1>Contents</h1><ol>{"".join(part.rows for part in parts)}</ol></nav>'
        f'<main class="bd-main"><div class="bd-content"><div class="bd-article-container">'
        f"{''.join(part.text for part in parts)}</div></div></main></body></html>"
    )


def part(root: Path, name: str, tree: BeautifulSoup, names: list[str], numbers: dict[str, int]) -> Part:
    """Return one page as a part of the whole."""
    folder, article, own = (root / name).parent, tree.select_one("article"), key(name)
    for moving in article.select(".lrx"):
        words = moving.select_one("noscript")
        if words:
            text = words.decode_contents().replace(explorer.NEEDS_SCRIPT, "On the page, a figure to draw in.")
            moving.insert_before(BeautifulSoup(text, "html.parser"))
    for gone in article.select(LEFT_OUT):
        gone.decompose()
    for tag in article.find_all(True):
        rename(tag, own)
    for tag in article.select("a[href]"):
        lead_within(tag, name, names)
    for image in article.select("img[src]"):
        if not image["src"].startswith("data:"):
            image["src"] = (folder / image["src"]).resolve().as_uri()
        image.attrs.pop("loading", None)
    for fold in article.select("details"):
        fold["open"] = ""
    rows = [row(heading, own, numbers) for heading in article.select("h1, h2")]
    first, sections = rows[0], "".join(f"<li>{section}</li>" for section in rows[1:])
    # Classes of drawings are counted anew on each page, so a page's rules are nested in its own name.
    rules = "".join(style.get_text() for style in tree.select("head style, article style"))
    for style in article.select("style"):
        style.decompose()
    return Part(
        f"<li>{first}{f'<ol>{sections}</ol>' if sections else ''}</li>",
        f"#{own}{{{rules}}}" if rules else "",
        f'<article class="bd-article" id="{own}">{article.decode_contents()}</article>',
    )


def rename(tag: Tag, own: str) -> None:
    """Put the page's name before the names that an element has and uses."""
    if tag.get("id"):
        tag["id"] = f"{own}--{tag['id']}"
    for attribute in NAMES:
        value = tag.get(attribute)
        if value and attribute == "clip-path":
            tag[attribute] = value.replace("url(#", f"url(#{own}--")
        elif value:
            words = value if isinstance(value, list) else value.split()
            tag[attribute] = " ".join(f"{own}--{word}" for word in words)
    if tag.name == "use" and tag.get("href", "").startswith("#"):
        tag["href"] = f"#{own}--{tag['href'][1:]}"


def lead_within(link: Tag, name: str, names: list[str]) -> None:
    """Lead a link between pages to its place in the one page; one to a file of the site is only text."""
    path, _, place = link["href"].partition("#")
    if re.match(r"[a-z]+:", path):
        return
    target = posixpath.normpath(posixpath.join(posixpath.dirname(name), path)) if path else name
    target = target.removesuffix(".html")
    if target in names:
        link["href"] = f"#{key(target)}--{place}" if place else f"#{key(target)}"
    else:
        del link["href"]


def row(heading: Tag, own: str, numbers: dict[str, int]) -> str:
    """Return a line of the contents."""
    section = heading.find_parent("section")
    place = own if heading.name == "h1" or section is None else section["id"]
    text = html.escape(" ".join(heading.get_text().split()))
    number = numbers.get(place, UNKNOWN)
    return f'<a class="line" href="#{place}"><span>{text}</span><i></i><b>{number}</b></a>'


def places(pdf: Path) -> dict[str, int]:
    """Return the page of each named place of a PDF, counted from 1."""
    reader = PdfReader(pdf)
    found = {}
    for name, place in reader.named_destinations.items():
        number = reader.get_destination_page_number(place)
        if number is not None and number >= 0:
            found[name.lstrip("/")] = number + 1
    return found


def name_bookmarks(pdf: Path, titles: list[str], *, title: str) -> None:
    """Give the bookmarks the words of the headings: Chromium drops spaces at line ends and repeats some."""
    writer = PdfWriter(clone_from=pdf)
    item, left = writer.root_object["/Outlines"]["/First"], list(titles)
    todo = [item]
    while todo:
        item = todo.pop()
        words = re.sub(r"\s", "", item["/Title"])
        if not left or not words.startswith(re.sub(r"\s", "", left[0])[:ALIKE]):
            raise RuntimeError(f"a bookmark that is no heading: {item['/Title']!r}, not {left[:1]}")
        item[NameObject("/Title")] = TextStringObject(left.pop(0))
        todo += [item[way] for way in ("/Next", "/First") if way in item]
    writer.add_metadata({"/Title": title})
    writer.write(pdf)
    pdf.write_bytes(without_dates(pdf.read_bytes()))


def print_book(root: Path, names: list[str], out: Path, *, title: str) -> int:
    """Print pages into one PDF; return how many pages it has.

    Raises
    ------
    RuntimeError
        If there is no Chromium, or the page numbers do not come to rest.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    numbers: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "book.html"
        for _ in range(PRINTS):
            source.write_text(one_page(root, names, title=title, numbers=numbers), encoding="utf-8")
            if not print_pdf(source, out, outline=True):
                raise RuntimeError(f"make pdf needs Chromium; none of these is here: {', '.join(BROWSERS)}")
            before, numbers = numbers, places(out)
            if numbers == before:
                heads = BeautifulSoup(source.read_text(encoding="utf-8"), "html.parser").select(HEADINGS)
                name_bookmarks(out, [" ".join(head.get_text().split()) for head in heads], title=title)
                return len(PdfReader(out).pages)
    raise RuntimeError(f"after {PRINTS} prints the page numbers still move")


def main() -> None:
    """Print the built book."""
    parser = argparse.ArgumentParser(prog="make pdf", description="Print the built book as one PDF.")
    parser.add_argument("--html", type=Path, default=ROOT / "_build/html")
    parser.add_argument("--out", type=Path, default=ROOT / "_build/book.pdf")
    parser.add_argument("pages", nargs="*", help="pages without .html; all by default")
    arguments = parser.parse_args()
    if not (arguments.html / "book/index.html").is_file():
        sys.exit(f"There is no built book in {arguments.html}: run 'make book' first.")
    title = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["title"]
    names = arguments.pages or names_of(ROOT / "_toc.yml")
    try:
        pages = print_book(arguments.html, names, arguments.out, title=title)
    except RuntimeError as error:
        sys.exit(str(error))
    print(f"{arguments.out}: {pages} pages, {arguments.out.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
