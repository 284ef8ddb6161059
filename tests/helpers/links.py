"""Links within built pages that lead nowhere."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup


def broken_links(
    folder: Path, read: Callable[[Path], BeautifulSoup], *, site: str = ""
) -> tuple[list[str], int]:
    """Return what is wrong with the links and assets of a folder of pages, and how many were looked at.

    Parameters
    ----------
    folder : Path
        The top of the site. What lies in its ``_static`` is no page.
    read : callable
        Returns a page as a tree.
    site : str
        Where the site will be published. The 404 page, which is shown at any depth, links from the top.
    """
    found, seen = [], 0

    @functools.cache
    def places(page: Path) -> set[str]:
        return {
            tag[name] for tag in read(page).select("[id], [name]") for name in ("id", "name") if tag.get(name)
        }

    for path in sorted(folder.rglob("*.html")):
        if "_static" in path.relative_to(folder).parts:
            continue
        name = path.relative_to(folder).as_posix()
        for tag in read(path).select("[href], [src]"):
            address = tag.get("href") if tag.has_attr("href") else tag["src"]
            parts = urlsplit(address)
            if parts.scheme or parts.netloc or address == "#":
                continue
            seen += 1
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if parts.path.startswith("/"):
                if name != "404.html":
                    found.append(f"{name}: from the top of the host: {address}")
                    continue
                target = folder / unquote(parts.path).removeprefix(urlsplit(site).path).lstrip("/")
            if target.is_dir():
                target /= "index.html"
            if not target.is_file():
                found.append(f"{name}: leads nowhere: {address}")
            elif (
                target.suffix == ".html" and parts.fragment and unquote(parts.fragment) not in places(target)
            ):
                found.append(f"{name}: no such place: {address}")
    return found, seen
