"""What every notebook of _toc.yml has beside its text: a badge, its first cell, the numbers on its card.

`make first-cells` writes all three; it may be run again at any time. They come from one place each:
the repository from _config.yml (`make set-repository` writes it there), the tag from the version in
pyproject.toml, the numbers from book/cards.json (`make cards` measures them, `make test-gpu` a GPU's).
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import nbformat
import yaml

ROOT = Path(__file__).parents[2]

COLAB = "https://colab.research.google.com"
# The image that readers know. The book's own pages show a copy of their own (see tools/book_rules.py).
BADGE = f"{COLAB}/assets/colab-badge.svg"
BADGE_LINE = re.compile(rf"\[!\[[^]]*\]\({re.escape(BADGE)}\)\]\([^)]*\)\n*")
CARD_LINE = re.compile(r"^\d+ minutes? to read\b.*$", re.M)
# What `card` writes anew; all other parts of the line are the author's.
WRITTEN = re.compile(
    r"to read$|to run on a CPU$|of memory$|^nothing to download( \(.*\))?$|^\d+ \w+ on a GPU \("
)
# In the source of a cell that trains a network.
TRAINS = re.compile(r"\btrain(?:_or_resume)?\(")
# What a live cell downloads once where there is a GPU: CIFAR-10 as the Hub has it.
DOWNLOAD_MB = 140

FIRST_ID = "c01ab001"
FIRST_TAGS = ["colab", "remove-cell"]
FIRST_CELL = """\
# On Colab: get lrlib, say what is here.
import sys
from importlib.util import find_spec

if "google.colab" in sys.modules:
    url = "git+https://github.com/{repository}@{tag}"
    if not find_spec("lrlib"):
        %pip install -q --no-deps {{url}}
    from lrbook.colab import hello

    hello()"""
FIRST_CELL_UNSET = """\
# On Colab: say what is missing.
import sys

if "google.colab" in sys.modules:
    print(
        "This copy of the book does not say where lrlib is: "
        "run make set-repository in it."
    )"""


def listed(root: Path = ROOT) -> list[str]:
    """Return the notebooks of _toc.yml, in its order, as paths from `root`."""

    def files(part: object) -> Iterator[str]:
        if isinstance(part, list):
            for item in part:
                yield from files(item)
        elif isinstance(part, dict):
            yield from (part[key] for key in ("root", "file") if key in part)
            for value in part.values():
                yield from files(value)

    names = (
        f"{name}.ipynb" for name in files(yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8")))
    )
    return [name for name in names if (root / name).is_file()]


def repository(root: Path = ROOT) -> str | None:
    """Return the owner/name that _config.yml names, or None."""
    settings = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    url = settings.get("repository", {}).get("url")
    return None if url is None else url.removeprefix("https://github.com/")


def tag(root: Path = ROOT) -> str:
    """Return the tag of this version: links and lrlib come from it, so that they fit together."""
    return "v" + tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]


def colab_link(name: str, *, repository: str, tag: str) -> str:
    """Return the address at which Colab opens a notebook of this tree."""
    return f"{COLAB}/github/{repository}/blob/{tag}/{name}"


def cards(root: Path = ROOT) -> dict:
    """Return what `make cards` has measured."""
    path = root / "book/cards.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {"notebooks": {}}


def duration(seconds: float) -> str:
    """Return a time for a card, rounded up: "15 seconds", "1 minute", "4 minutes".

    >>> [duration(seconds) for seconds in (11.2, 50, 56, 61, 840)]
    ['15 seconds', '50 seconds', '1 minute', '2 minutes', '14 minutes']
    """
    fives = 5 * -(-seconds // 5)
    if fives < 60:
        return f"{fives:.0f} seconds"
    minutes = -(-seconds // 60)
    return f"{minutes:.0f} minute{'' if minutes == 1 else 's'}"


def card(line: str, measured: dict, on_gpus: dict[str, dict] | None = None) -> str:
    """Return the line of a card with its measured parts written anew.

    `measured` is the notebook's entry in cards.json. `on_gpus` has, for each card on which the notebook was
    timed, its "seconds" there, and how many notebooks ran "together". Where nothing was timed, the line
    gives no time.
    """
    parts = line.split(" · ")
    memory = 0.1 * -(-measured["memory_mb"] // 100)
    download = f" (with a GPU: {DOWNLOAD_MB} MB)" if measured["gpu_runs"] else ""
    new = [
        parts[0],
        f"{duration(measured['cpu_seconds'])} to run on a CPU",
        f"{memory:.1f} GB of memory",
        f"nothing to download{download}",
        *(part for part in parts if not WRITTEN.search(part)),
    ]
    for gpu, found in (on_gpus or {}).items():
        company = f", {found['together']} notebooks at a time" if found["together"] > 1 else ""
        new.append(f"{duration(found['seconds'])} on a GPU ({gpu}{company})")
    return " · ".join(new)


def timed_on_gpus(name: str, known: dict) -> dict[str, dict]:
    """Return what cards.json knows of a notebook's time on each GPU, for `card`."""
    return {
        gpu: {"seconds": found["seconds"][name], "together": found["together"]}
        for gpu, found in known.get("gpu", {}).items()
        if name in found["seconds"]
    }


def first_cell(*, repository: str | None, tag: str) -> str:
    """Return the code of the first cell."""
    if repository is None:
        return FIRST_CELL_UNSET
    return FIRST_CELL.format(repository=repository, tag=tag)


def dressed(notebook: nbformat.NotebookNode, name: str, root: Path = ROOT) -> nbformat.NotebookNode:
    """Return a notebook with its badge, first cell and card as they have to be."""
    where, version, known = repository(root), tag(root), cards(root)
    cells = [cell for cell in notebook.cells if cell.id != FIRST_ID]
    head = cells[0]
    if head.cell_type != "markdown" or not head.source.startswith("# "):
        raise ValueError(f"{name}: its first cell must be Markdown that begins with '# ' and a title")
    source = BADGE_LINE.sub("", head.source)
    if where is not None:
        title, _, rest = source.partition("\n")
        link = colab_link(name, repository=where, tag=version)
        source = f"{title}\n\n[![Open in Colab]({BADGE})]({link})\n\n{rest.lstrip()}"
    if name in known["notebooks"]:
        measured, on_gpus = known["notebooks"][name], timed_on_gpus(name, known)
        source = CARD_LINE.sub(lambda line: card(line[0], measured, on_gpus), source, count=1)
    head.source = source
    first = nbformat.v4.new_code_cell(
        first_cell(repository=where, tag=version), id=FIRST_ID, metadata={"tags": FIRST_TAGS}
    )
    notebook.cells = [head, first, *cells[1:]]
    return notebook


def dress(root: Path = ROOT) -> list[str]:
    """Write badge, first cell and card into every notebook of _toc.yml; return those that changed."""
    changed = []
    for name in listed(root):
        path = root / name
        before = path.read_text(encoding="utf-8")
        after = nbformat.writes(dressed(nbformat.reads(before, as_version=4), name, root)) + "\n"
        if after != before:
            path.write_text(after, encoding="utf-8")
            changed.append(name)
    return changed


if __name__ == "__main__":
    try:
        print("\n".join(f"written: {name}" for name in dress()) or "All notebooks are as they have to be.")
    except ValueError as error:
        sys.exit(str(error))
