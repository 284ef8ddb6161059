"""What the theme and Sphinx write that a screen reader stumbles over.

tests/book/test_browser.py runs axe on all pages.
"""

from __future__ import annotations

from bs4 import BeautifulSoup, Tag

from tools.light.site import Site


def mend(site: Site) -> None:
    """Put landmarks, table headers and the bibliography right."""
    for soup in site.pages.values():
        for tag in soup.select(".sidebar-primary-item:has(> .navbar-brand)"):
            tag["role"] = "banner"  # the name of the book stands in no landmark
        for tag in soup.select("th"):
            _name_header(soup, tag)
        # No role of an entry may stand in a list of role "list", and that of an entry is deprecated.
        for tag in soup.select(".citation-list[role], .citation[role]"):
            del tag["role"]
        for tag in soup.select("summary[aria-label]"):
            if tag.get_text(strip=True):  # a name other than what is read on the screen
                del tag["aria-label"]


def _name_header(soup: BeautifulSoup, header: Tag) -> None:
    """Make an empty header an empty cell; a formula alone is no name, so its text stands beside it."""
    text, formula = header.get_text(strip=True), header.find("math")
    if not text and not header.find("img"):
        header.name = "td"
    elif formula and text == formula.get_text(strip=True):
        formula["aria-hidden"] = "true"
        name = soup.new_tag("span", attrs={"class": "visually-hidden"})
        name.string = text
        formula.insert_after(name)
