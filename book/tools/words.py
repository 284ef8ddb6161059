"""Count the words that a reader of a page sees: what is open, what is folded, and the captions.

    python -m tools.words                # all pages of the survey and beyond it
    python -m tools.words PAGE...        # these

Counted are the text of the page and the sentences that its hidden cells print from the records. Code,
formulas, figures, tables that a cell prints, exercises, the card under the title and what a live cell says
of the reader's own run are not.
"""

from __future__ import annotations

import argparse
import ast
import builtins
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import nbformat
from myst_nb.core.read import read_myst_markdown_notebook

ROOT = Path(__file__).parents[2]
LEFT_OUT = {"exercise", "colab", "figure", "table"}

NO_WORDS = re.compile(
    r"\A---\n.*?\n---\n"  # front matter
    r"|```.*?```|\$\$.*?\$\$|^%[^\n]*|^\([\w-]+\)=$"
    r"|^[^\n]*\bminutes? to read\b[^\n]*"  # the card
    r"|<svg.*?</svg>|<style.*?</style>|<[^>]+>|\]\([^)]*\)",
    re.M | re.S,
)
FOLD = re.compile(r"<details>.*?</details>", re.S)
CAPTION = re.compile(r"^\*\*(?:Figure|Table) [\d.]+\*\*.*?(?=\n\n|\Z)", re.M | re.S)


class Words(NamedTuple):
    """How many words of a page are in the open, folded, and in captions."""

    open: int
    folded: int
    captions: int


def words(text: str) -> int:
    """Return the number of words in a text in Markdown; a formula in a line is one.

    >>> words("A *rate* of $1 - t/T$: [see](plan.md#x), or `lr = 0.1`.")
    8
    """
    text = re.sub(r"\$[^$]+\$", "x", NO_WORDS.sub(" ", text))
    return sum(bool(re.search(r"\w", word)) for word in text.split())


def parts(text: str) -> Words:
    """Return the words of a text by where they stand.

    >>> parts("One two.\\n\\n<details>\\n<summary>Open</summary>\\n\\nme.\\n\\n</details>")
    Words(open=2, folded=2, captions=0)
    >>> parts("**Figure 1.1.** *A line.* [Data](data.md)\\n\\nBelow it.")
    Words(open=2, folded=0, captions=5)
    """
    folds = FOLD.findall(text)
    rest = FOLD.sub(" ", text)
    captions = CAPTION.findall(rest)
    return Words(words(CAPTION.sub(" ", rest)), sum(map(words, folds)), sum(map(words, captions)))


def page_words(page: Path) -> Words:
    """Return the words of a page, in Markdown or a notebook, with the sentences that its cells print."""
    return Words(*map(sum, zip(*map(parts, texts(page)), strict=True)))


def texts(page: Path) -> Iterator[str]:
    """Yield what a page says, cell by cell: its Markdown, and the sentences of its hidden cells."""
    text = page.read_text(encoding="utf-8")
    read = read_myst_markdown_notebook if page.suffix == ".md" else _notebook
    names: dict[str, object] = {}
    for cell in read(text).cells:
        tags = set(cell.metadata.get("tags", []))
        if cell.cell_type == "markdown" and not tags & LEFT_OUT:
            yield cell.source
        elif cell.cell_type == "code" and "remove-input" in tags:
            yield _printed(cell.source, names, show=not tags & LEFT_OUT)


def _notebook(text: str) -> nbformat.NotebookNode:
    return nbformat.reads(text, as_version=4)


def _printed(code: str, names: dict[str, object], *, show: bool) -> str:
    """Run the imports of a cell and, if wanted, return the text that its last line makes."""
    *before, last = ast.parse(code).body
    for line in before:
        if isinstance(line, ast.Import | ast.ImportFrom):
            exec(ast.unparse(line), names)  # noqa: S102  cells of the book
    needed = {node.id for node in ast.walk(last) if isinstance(node, ast.Name)}
    if not show or not needed <= names.keys() | vars(builtins).keys():  # a live cell's runs are not here
        return ""
    shown = eval(ast.unparse(last), names)  # noqa: S307  as above
    return shown._repr_markdown_() if hasattr(shown, "_repr_markdown_") else ""


def main() -> None:
    """Print a line for each page."""
    parser = argparse.ArgumentParser(prog="python -m tools.words", description=__doc__.partition("\n")[0])
    parser.add_argument("pages", nargs="*", type=Path, help="all of the survey and beyond it if none")
    every = sorted(page for part in ("survey", "beyond") for page in (ROOT / "book" / part).glob("*.[im]*"))
    print(f"{'open':>6} {'folded':>7} {'captions':>9}")
    for page in parser.parse_args().pages or every:
        found = page_words(page)
        print(f"{found.open:>6,} {found.folded:>7,} {found.captions:>9,}  {page.stem}", flush=True)


if __name__ == "__main__":
    main()
