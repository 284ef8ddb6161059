"""The page of notation has every letter that the pages use in formulas."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tools import glossary

BOOK = Path(__file__).parents[2] / "book"
#: Pages that are written; a page joins the list when it is.
PAGES = (
    "index.md",
    "data.md",
    *(
        f"survey/{name}.ipynb"
        for name in (
            "constant",
            "time_based",
            "drop_based",
            "linear",
            "introduction",
            "polynomial",
            "triangle",
            "cosine",
            "table_source",
            "claims",
            "analysis",
            "factors",
        )
    ),
    "survey/beyond_the_valley.md",
    "survey/plan.md",
    "beyond/one_bound.ipynb",
    "beyond/warmup_needed.ipynb",
    "beyond/asked_for.md",
    "beyond/which_schedule.md",
    "beyond/rosetta.md",
    "beyond/audit.ipynb",
)
FORMULA = re.compile(r"\$\$(.+?)\$\$|(?<!\\)\$([^$]+)\$", re.S)
NAMES = r"\\(eta|ell|lambda|ln|lfloor|lceil|bmod)(?![a-zA-Z])"
NO_LETTERS = r"\\(?:text|begin|end)\{[^}]*\}|\\[a-zA-Z]+"


def letters(formula: str) -> set[str]:
    """The letters of a formula, with their index, and the commands that are symbols."""
    found = set(re.findall(NAMES, formula))
    plain = re.sub(NO_LETTERS, " ", formula)
    return found | set(re.findall(r"[a-zA-Z]", plain))


def of(text: str) -> set[str]:
    text = re.sub(r"```.*?```|`[^`]*`", " ", text, flags=re.S)
    return set().union(*(letters(one or other) for one, other in FORMULA.findall(text)))


NOTATION = of((BOOK / "reference" / "notation.md").read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", PAGES)
def test_each_letter_of_a_page_is_in_the_table(page):
    assert of("\n".join(glossary.prose(BOOK / page))) <= NOTATION


@pytest.mark.parametrize("page", [page for page in PAGES if page.endswith("ipynb")])
def test_letters_that_a_chapter_owns_are_used_there(page):
    used = of("\n".join(glossary.prose(BOOK / page)))
    rows = re.findall(r"^\| (.*?) \| .* \| (.*?) \|$", (BOOK / "reference/notation.md").read_text(), re.M)
    own = [of(symbols) for symbols, where in rows if f"({'../' + page})" in where and ";" not in where]
    for symbols in own:
        assert symbols <= used | {"x"}, f"{page} does not use {symbols - used}"


def test_letters_by_hand():
    assert letters(r"\eta_{\text{peak}} \cdot f(t)") == {"eta", "f", "t"}
    assert letters(r"\frac{1}{2 - \eta\ell}") == {"eta", "ell"}
    assert of(r"`$x$` and $q^{\lfloor t/s \rfloor}$") == {"lfloor", "q", "t", "s"}
