"""Links to the glossary: each of its terms leads there where a page first uses it.

    python -m tools.glossary                   # which pages use which terms without a link
    python -m tools.glossary --write PAGE...   # set the links in these pages

Links are plain Markdown, ``[noise floor](../reference/glossary.md#noise-floor)``, as Colab shows a role such
as ``{term}`` as raw text. `book_rules.glossary_anchors` makes the anchors known to the build.

A use counts in prose: not in headings, captions, tables, links, code, formulas, exercises or what is folded.
A term that a page sets in bold where it first uses it is explained there and needs no link.
"""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Iterator
from pathlib import Path

import nbformat

ROOT = Path(__file__).parents[2]
GLOSSARY = ROOT / "book" / "reference" / "glossary.md"

#: Entries that no page has to link: ordinary words too ("a drop of 2 points"), or schedules with a chapter.
NOT_ASKED = {
    *("decay", "distance", "diverged", "drop", "factor", "gradient", "loss", "per epoch", "points", "run"),
    *("constant rate", "cosine annealing", "linear decay", "polynomial decay", "staircase"),
    *("time-based decay", "triangle"),
}

NO_PROSE = "|".join(
    (
        r"\A---\n.*?\n---\n",  # front matter
        r"^(?P<fence>`{3,})[^\n]*\n.*?^(?P=fence)[^\n]*$",  # cells, containers
        r"`[^`]+`",
        r"^%[^\n]*",  # a comment
        r"\$\$.*?\$\$|\$[^$]+\$",
        r"^#[^\n]*",  # a heading
        r"^\*\*(?:Figure|Table) .*?(?=\n\n|\Z)",  # a caption
        r"^\|[^\n]*",  # a row of a table
        r"<details>.*?</details>|</?\w[^>\n]*>",  # what is folded: outcomes are compared word for word
        r"!?\[[^\]]*\]\([^)]*\)|https?://\S+",
        r'"[^"]{1,99}"',  # what others wrote
    )
)
TO_GLOSSARY = re.compile(r"\[[^\]]*\]\([^)]*glossary\.md#([\w-]+)\)\Z")
WIDTH = 125
TOO_LONG = re.compile(rf".{{{WIDTH + 1}}}")
GAPS = re.compile(r"\[[^\]]*\]\([^)]*\)|`[^`]*`|\$[^$]*\$| ")


def entries(text: str) -> dict[str, str]:
    """Return each word of a glossary and its entry, which is the last word above the explanation.

    >>> entries("```{glossary}\\nbatch\\nmini-batch\\n  Some images.\\n\\nseed\\n  A number.\\n```")
    {'batch': 'mini-batch', 'mini-batch': 'mini-batch', 'seed': 'seed'}
    """
    (body,) = re.findall(r"^```\{glossary\}\n(.*?)^```", text, re.M | re.S)
    blocks = re.findall(r"((?:^\S[^\n]*\n)+)(?:^ +\S[^\n]*\n)+", body, re.M)
    return {word: block.splitlines()[-1] for block in blocks for word in block.splitlines()}


def anchor(word: str) -> str:
    """Return the anchor of a term on the glossary's page, as Sphinx makes it without its ``term-``.

    >>> anchor("Holm's correction"), anchor("p-value")
    ('holm-s-correction', 'p-value')
    """
    return re.sub(r"[^a-z0-9]+", "-", word.lower()).strip("-")


def unlinked(text: str, words: dict[str, str], known: set[str]) -> Iterator[tuple[int, int, str]]:
    """Yield where a text first uses an entry without a link: start, end, the word as the glossary has it.

    Parameters
    ----------
    text : str
        Markdown.
    words : dict
        Of `entries`.
    known : set of str
        Entries that are linked or explained already; those that the text uses are added.

    >>> words = {"batch": "batch", "seed": "seed", "batch size": "batch size"}
    >>> list(unlinked("# One seed\\n\\nThe batch size of 5 seeds, and the seed.", words, set()))
    [(16, 26, 'batch size'), (32, 37, 'seed')]
    >>> list(unlinked("A **seed**, [a batch](../glossary.md#batch). The batch of this seed.", words, set()))
    []
    """
    spelled = {re.sub(r"[\s-]+", " ", word.lower()): word for word in words}
    one_of = "|".join(
        re.escape(word).replace(r"\ ", r"[\s-]+") for word in sorted(spelled, key=len, reverse=True)
    )
    pattern = rf"(?P<no>{NO_PROSE})|(?P<bold>\*\*)?\b(?P<word>{one_of})(?:e?s)?\b(?(bold)(?:\*\*)?)"
    anchors = {anchor(word): entry for word, entry in words.items()}
    for found in re.finditer(pattern, text, re.M | re.S | re.I):
        if found["no"]:
            link = TO_GLOSSARY.match(found["no"])
            known |= {anchors[link[1]]} if link else set()
            continue
        word = spelled[re.sub(r"[\s-]+", " ", found["word"].lower())]
        if words[word] in known or words[word] in NOT_ASKED:
            continue
        known.add(words[word])
        if not (found["bold"] and found[0].endswith("**")):
            yield found.start("word"), found.end(), word


def prose(page: Path) -> list[str]:
    """Return what a reader reads of a page: a page in Markdown, or the cells of a notebook that hold text."""
    if page.suffix == ".md":
        return [page.read_text(encoding="utf-8")]
    cells = nbformat.read(page, as_version=4).cells
    return [cell.source for cell in cells[1:] if _is_prose(cell)]  # the first is the title and the card


def missing(page: Path) -> list[str]:
    """Return the terms that a page uses without a link or an explanation at their first use, in its order."""
    words, known = entries(GLOSSARY.read_text(encoding="utf-8")), set()
    return [word for text in prose(page) for _, _, word in unlinked(text, words, known)]


def linked(text: str, words: dict[str, str], known: set[str], to: str) -> str:
    """Return a text with a link to the glossary, at the path `to`, at each use that `unlinked` finds.

    >>> linked("A batch.", {"batch": "batch"}, set(), "../reference/glossary.md")
    'A [batch](../reference/glossary.md#batch).'
    """
    before = text
    for start, end, word in reversed(list(unlinked(text, words, known))):
        text = f"{text[:start]}[{text[start:end]}]({to}#{anchor(word)}){text[end:]}"
    pairs = zip(before.split("\n\n"), text.split("\n\n"), strict=True)
    return "\n\n".join(new if new == old else _wrapped(new) for old, new in pairs)


def write(page: Path) -> None:
    """Set the links that a page lacks."""
    words, known = entries(GLOSSARY.read_text(encoding="utf-8")), set()
    to = os.path.relpath(GLOSSARY, page.resolve().parent)
    text = page.read_text(encoding="utf-8")
    if page.suffix == ".md":
        page.write_text(linked(text, words, known, to), encoding="utf-8")
        return
    notebook = nbformat.reads(text, as_version=4)
    for cell in notebook.cells[1:]:
        if _is_prose(cell):
            cell.source = linked(cell.source, words, known, to)
    page.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")


def _is_prose(cell: nbformat.NotebookNode) -> bool:
    return cell.cell_type == "markdown" and "exercise" not in cell.metadata.get("tags", [])


def _wrapped(text: str) -> str:
    """Break the lines of a paragraph that are too long; what is over goes into the next line."""
    done, over = [], ""
    for line in text.split("\n"):
        if over and re.match(r"\s*(?:[-*] |[|#>%<]|\$\$|```|\d+\. |$)", line):
            done.append(over)
        elif over:
            line = f"{over} {line.lstrip()}"
        over = ""
        indent = " " * len(re.match(r"\s*(?:[-*] |\d+\. )?", line)[0])
        if TOO_LONG.search(line):
            gaps = [found.start() for found in GAPS.finditer(line) if found[0] == " "]
            gap = max((gap for gap in gaps if len(indent) < gap <= WIDTH), default=None)
            if gap:
                line, over = line[:gap], indent + line[gap + 1 :]
        done.append(line)
    return "\n".join([*done, over] if over else done)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tools.glossary", description=__doc__.partition("\n")[0])
    parser.add_argument("pages", nargs="*", type=Path, help="all pages of the survey if none")
    parser.add_argument("--write", action="store_true", help="set the links")
    arguments = parser.parse_args()
    for path in arguments.pages or sorted((ROOT / "book" / "survey").glob("*.[im]*")):
        if arguments.write:
            write(path)
        print(f"{path.name}: {', '.join(missing(path)) or 'every term is linked at its first use'}")
