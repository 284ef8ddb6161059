"""The bibliography: every paper that a page links to is in it, and every entry can be reached from a page."""

from __future__ import annotations

import re

import pytest
from pybtex.database import parse_file

from tools import glossary

BOOK = glossary.ROOT / "book"
PAGES = sorted(path for path in BOOK.rglob("*") if path.suffix in {".md", ".ipynb"})
CODE = sorted((BOOK / "lrbook").rglob("*.py"))  # findings link to papers too
ENTRIES = parse_file(BOOK / "references.bib").entries
CITED = set(
    re.findall(r"\{cite:?\w*\}`([\w,]+)`", "\n".join(path.read_text(encoding="utf-8") for path in PAGES))
)
LINK = re.compile(r"arxiv\.org/(?:abs|pdf)/(\d{4}\.\d{4,5})|doi\.org/(10\.[^\s)\"'\\>]+)")


def links(text: str) -> set[str]:
    """The arXiv numbers and DOIs that a text links to."""
    return {arxiv or doi.rstrip(".,") for arxiv, doi in LINK.findall(text)}


def numbers(key: str) -> set[str]:
    fields = ENTRIES[key].fields
    return {fields[name] for name in ("eprint", "doi") if name in fields}


@pytest.mark.parametrize("page", [*PAGES, *CODE], ids=lambda page: page.name)
def test_each_paper_that_a_page_links_to_has_an_entry(page):
    known = set().union(*map(numbers, ENTRIES))
    missing = links(page.read_text(encoding="utf-8")) - known
    assert not missing, f"not in book/references.bib: {missing}"


@pytest.mark.parametrize("key", ENTRIES)
def test_each_entry_is_cited_on_a_page(key):
    assert key in CITED


@pytest.mark.parametrize("key", ENTRIES)
def test_an_entry_has_author_title_year_and_a_number(key):
    entry = ENTRIES[key]
    assert entry.persons["author"]
    assert entry.fields["title"]
    assert re.fullmatch(r"(19|20)\d\d", entry.fields["year"])
    assert key.endswith(entry.fields["year"])
    assert numbers(key) or key == "krizhevsky2009"  # a report without a number
    if "eprint" in entry.fields:
        assert entry.fields["archiveprefix"] == "arXiv"
        number = entry.fields["eprint"]
        submitted = 2000 + int(number[:2])
        assert re.fullmatch(r"\d{4}\.\d{4,5}", number)
        assert 0 <= int(entry.fields["year"]) - submitted <= 2  # published with its number, or soon after


def test_no_two_entries_are_one_work():
    seen = [number for key in ENTRIES for number in numbers(key)]
    assert len(seen) == len(set(seen))


def test_links_are_found_in_all_their_forms():
    text = "[a](//arxiv.org/abs/1907.04164), arxiv.org/pdf/2603.10301, doi.org/10.1214/aoms/1177729586."
    assert links(text) == {"1907.04164", "10.1214/aoms/1177729586", "2603.10301"}
