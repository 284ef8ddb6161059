"""All style sheets of the pages as one, without the rules that no page can match."""

from __future__ import annotations

import os
import re
from pathlib import Path

from tools.light import css, icons
from tools.light.site import Site

STRING = re.compile(r"\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`")
OWN = "link[rel=stylesheet]:not([href*='book-math.css'])"


def join_sheets(site: Site) -> None:
    """Link one sheet from every page in the place of all."""
    order: list[Path] = []
    for path, soup in site.pages.items():
        after = 0
        for link in soup.select(OWN):
            file = site.file(path, link["href"])
            if not file.is_file():
                site.warn(f"a style sheet that is not there: {link['href']}", path)
                continue
            if file not in order:
                order.insert(after or len(order), file)
            after = order.index(file) + 1
    done: set[Path] = set()

    def read(file: Path) -> str:
        if file in done:
            return ""
        done.add(file)

        def imported(address: str) -> str:
            target = Path(os.path.normpath(file.parent / address))
            if not target.is_file():
                site.warn(f"{file.name}: @import of {address}")
                return ""
            return read(target)

        text = css.without_comments(file.read_text(encoding="utf-8"))
        return css.follow_imports(css.rebase(text, os.path.relpath(file.parent, site.static)), imported)

    seen, styles = look(site)
    text = css.purge("\n".join(read(file) for file in order) + icons.CSS, seen)
    text = css.small(css.unused(css.small(text), site.script + styles))
    address = site.publish("book-all.css", icons.embed(site, text).encode())
    for path, soup in site.pages.items():
        sheet = soup.new_tag("link", rel="stylesheet", href=site.address(path, address))
        links = soup.select(OWN)
        # Before all others: what a page adds of its own counts.
        (links or soup.select("title"))[0].insert_before(sheet)
        for link in links:
            link.decompose()
    for file in done - {site.static / "book-all.css"}:
        file.unlink()


def look(site: Site) -> tuple[css.Seen, str]:
    """Return what stands on the pages, and the text of their style attributes and <style> elements."""
    words: set[str] = {"html", "body", "root"}
    elements: set[tuple[str, str, frozenset[str]]] = set()
    styles = []
    for soup in site.pages.values():
        for tag in soup.find_all(True):
            classes = tag.get("class") or []
            words |= {tag.name, *tag.attrs, *classes, tag.get("id", ""), tag.get("role", "")}
            elements.add((tag.name, tag.get("id", ""), frozenset(classes)))
            if tag.get("style"):
                styles.append(tag["style"])
            elif tag.name == "style":
                styles.append(tag.get_text())
    # Words in strings: names of variables such as "a" and "p" are in every script.
    dynamic = {word for string in STRING.findall(site.script) for word in css.WORD.findall(string)}
    return css.Seen(words | dynamic, elements, dynamic), " ".join(styles)
