"""The built pages as trees, and the steps over them."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable
from pathlib import Path

from bs4 import BeautifulSoup, NavigableString

#: Beside the pages once they are light: a second pass would find nothing to work on and could do harm.
DONE = ".light"
KEEPS_SPACE = ["pre", "textarea", "script", "style", "math"]


class Site:
    """All pages of a folder.

    Parameters
    ----------
    out : Path
        The folder with the built pages.
    base : str
        The address at which they will be published, or "" where that is not known.

    Attributes
    ----------
    every : dict of Path to BeautifulSoup
        All pages, those that only lead to another one among them.
    pages : dict of Path to BeautifulSoup
        The pages with a ``<main>``.
    script : str
        The text of all scripts that stay, which the style sheet has to serve too.
    warnings : list of str
        What no step knew what to do with.
    """

    def __init__(self, out: Path, *, base: str = "") -> None:
        self.out, self.static, self.base = out, out / "_static", base.rstrip("/")
        self.every = {
            path: BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
            for path in sorted(out.rglob("*.html"))
            if self.static not in path.parents
        }
        self.pages = {path: soup for path, soup in self.every.items() if soup.select_one("main")}
        self.script = ""
        self.warnings: list[str] = []

    def warn(self, text: str, page: Path | None = None) -> None:
        """Note what a step does not know."""
        self.warnings.append(f"{page.relative_to(self.out)}: {text}" if page else text)

    def file(self, page: Path, address: str) -> Path:
        """Return the file that a page's address means."""
        return Path(os.path.normpath(page.parent / re.split("[?#]", address)[0]))

    def address(self, page: Path, target: str) -> str:
        """Return the address, seen from a page, of a target given from the top of the site."""
        return os.path.relpath(self.out / target, page.parent).replace(os.sep, "/")

    def publish(self, name: str, data: bytes) -> str:
        """Write a file into _static; return its address from the top, which changes when its content does."""
        (self.static / name).write_bytes(data)
        return f"_static/{name}?v={hashlib.sha256(data).hexdigest()[:8]}"

    def any(self, selector: str) -> bool:
        """Tell whether an element on any page matches."""
        return any(soup.select_one(selector) for soup in self.pages.values())

    def remove(self, names: Iterable[str]) -> None:
        """Remove files of _static, by glob patterns, that no page asks for any more."""
        for name in names:
            for path in self.static.glob(name):
                path.unlink()

    def write(self) -> None:
        """Write all pages back, without white space that shows nowhere."""
        for path, soup in self.every.items():
            for text in soup.find_all(string=re.compile(r"\n\s*\n|\n {2,}")):
                if type(text) is NavigableString and not text.find_parent(KEEPS_SPACE):
                    text.replace_with(re.sub(r"\s*\n\s*", "\n", text))
            # In SVG, unlike in HTML, a tag may close itself; figures have thousands of them.
            page = re.sub(r"<(path|use|rect|circle|line)\b([^<>]*)></\1>", r"<\1\2/>", str(soup))
            path.write_text(page, encoding="utf-8")


def make_light(out: Path, *, base: str = "") -> list[str]:
    """Go over the built pages of a folder once; return the warnings.

    Raises
    ------
    FileExistsError
        If these pages are light already.
    """
    from tools.light.access import mend
    from tools.light.figures import fit_figures
    from tools.light.formulas import set_formulas
    from tools.light.head import write_heads
    from tools.light.icons import plain_icons
    from tools.light.scripts import join_scripts
    from tools.light.sheets import join_sheets

    if (out / DONE).exists():
        raise FileExistsError(f"{out} is light already: build the pages again first")
    site = Site(out, base=base)
    # Scripts before sheets: a class that only a script sets still needs its rules.
    for step in (plain_icons, set_formulas, join_scripts, mend, join_sheets, fit_figures, write_heads):
        step(site)
    site.write()
    (out / DONE).touch()
    return site.warnings
