"""The pages that the rules of the book's prose hold for: the first, the data, and all of parts I to III."""

from __future__ import annotations

from pathlib import Path

from tools.pdf import names_of

BOOK = Path(__file__).parents[2] / "book"


def _file(name: str) -> str:
    (found,) = [path for path in BOOK.parent.glob(f"{name}.*") if path.suffix in {".md", ".ipynb"}]
    return found.relative_to(BOOK).as_posix()


#: Their files, seen from `BOOK`.
PAGES = tuple(
    _file(name)
    for name in names_of(BOOK.parent / "_toc.yml")
    if name in ("book/index", "book/data") or name.startswith(("book/survey/", "book/beyond/"))
)
