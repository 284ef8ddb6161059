"""No measured number is typed into prose: sentences with numbers are made from records by a cell.

What looks like a percentage, a difference in points or an accuracy may stand in a chapter's text only if it
is a definition, listed below with its reason, or is what the survey or its source printed, in a paragraph
that says whose number it is.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import nbformat
import pytest

from lrlib.runs.published import published

ROOT = Path(__file__).parents[2]
# plan.md was fixed before the runs; tests/lrlib/stats/test_paired.py holds its numbers to the code.
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in [*ROOT.glob("book/survey/*.ipynb"), *ROOT.glob("book/beyond/*.ipynb"), ROOT / "book/index.md"]
    if ".ipynb_checkpoints" not in path.parts
)

#: Numbers that nobody measured, without a space before the sign -> why they may be typed.
DEFINITIONS = {
    "95%": "the level of every interval",
    "100%": "the whole",
    "10%": "what a diverged run counts as (lrlib.stats.CHANCE): guessing among ten classes",
    "50%": "a half",
    "15%": "the part of a run from one drop to the next (DropRecipe)",
    "1%": "the part of a run by which the source's drops come early (SOURCE_RECIPES)",
    "1points": "the margin of the plan",
    "1.0points": "the margin of the plan",
}
OWNERS = re.compile(r"\b(survey|source|tutorial)", re.I)

UNIT = r"\s?(?:%|per ?cent\b|(?:percentage )?points?\b)"
NUMBER = re.compile(
    rf"(?<![\w.,/])[+-]?\d[\d,]*(?:\.\d+)?{UNIT}"  # 87%, 3.1 points
    r"|(?<![\w.,/])0\.[5-9]\d{1,3}(?![.\d]*\d)(?! million)"  # 0.87, 0.8724
)
NO_PROSE = re.compile(r"```.*?```|`[^`]*`|\$\$.*?\$\$|\$[^$]*\$|\]\([^)]*\)|https?://\S+", re.S)


def plain(text: str) -> str:
    """A number as the lists below have it: no sign, no blank, "%" and "points" only."""
    text = re.sub(r"per ?cent\b", "%", text.lstrip("+-"))
    return re.sub(r"(percentage)?points?$", "points", text.replace(" ", ""))


def printed() -> set[str]:
    """What the survey and its source printed: accuracies as they stand and in per cent, and differences."""
    both, found = published(), set()
    columns = [both.survey.column("accuracy"), both.survey.column("loss")]
    columns += [both.source.column(name) for name in both.source.columns]
    for column in columns:
        for value in column.values():
            found |= {f"{value:.2f}", f"{value:.4f}"}
            found |= {f"{100 * value:.{decimals}f}%" for decimals in (0, 1, 2)}
        for a, b in combinations(column.values(), 2):
            found |= {f"{100 * abs(a - b):.{decimals}f}points" for decimals in (1, 2)}
    return found


PRINTED = printed()


def typed(paragraph: str) -> list[str]:
    """The numbers of a paragraph that look measured, and that nothing allows."""
    prose = NO_PROSE.sub(" ", paragraph)
    found = [plain(match.group()) for match in NUMBER.finditer(prose)]
    allowed = set(DEFINITIONS) | (PRINTED if OWNERS.search(prose) else set())
    return [number for number in found if number not in allowed]


def strings(code: str) -> Iterator[str]:
    """The texts in a cell's code; what an f-string computes and how it formats is no text."""
    nodes = list(ast.walk(ast.parse(code)))
    specs = [node.format_spec for node in nodes if isinstance(node, ast.FormattedValue) and node.format_spec]
    formats = {id(part) for spec in specs for part in ast.walk(spec)}
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in formats:
            yield node.value


def paragraphs(name: str) -> Iterator[str]:
    if name.endswith(".md"):
        yield from re.split(r"\n\s*\n", (ROOT / name).read_text(encoding="utf-8"))
        return
    for cell in nbformat.read(ROOT / name, as_version=4).cells:
        if "exercise" in cell.metadata.get("tags", []):
            continue  # tests/lrbook/exercises holds its numbers
        if cell.cell_type == "markdown":
            yield from re.split(r"\n\s*\n", cell.source)
        elif cell.cell_type == "code":
            yield from strings(cell.source)
            yield cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")


@pytest.mark.parametrize("name", PAGES)
def test_no_measured_number_is_typed(name):
    found = {paragraph[:60]: typed(paragraph) for paragraph in paragraphs(name) if typed(paragraph)}
    assert not found, (
        "make the sentence from the records in a cell; a definition goes into DEFINITIONS with its reason, "
        f"and a number of the survey or its source stands in a paragraph that says so: {found}"
    )


@pytest.mark.parametrize(
    ("paragraph", "found"),
    [
        ("Our linear run reached 82.4%.", ["82.4%"]),
        ("It gained +3.3 points, or 3.3 percentage points.", ["3.3points", "3.3points"]),
        ("It ends at 81 per cent and at 81 percent.", ["81%", "81%"]),
        ("Test accuracy 0.8724 beats 0.84.", ["0.8724", "0.84"]),
        ("It ends at 0.87.", ["0.87"]),
        # the same numbers, said to be the survey's or its source's; the difference is 0.8724 - 0.8414
        ("In its source, linear reached 0.8724 and constant 84.14%, 3.1 points less.", []),
        ("The survey prints 0.87 for linear, 87% in other words.", []),
        ("The survey prints 0.88 for linear.", ["0.88"]),
        ("The source gains 3.2 points.", ["3.2points"]),
        # definitions, code, formulas, addresses, and what is no accuracy
        ("The line is a 95 % interval; the shares sum to 100%.", []),
        ("`lr = 0.55`, $\\eta = 0.855$ and [a paper](https://a.org/0.8724)", []),
        ("Momentum 0.9, rate 0.1, factor 0.25, 0.87 million parameters, version 1.0.55.", []),
        ("Rate 0.003 to 1.0 over 30 epochs; see 1.1.7 and figure 1.10.", []),
    ],
)
def test_the_rule_bites(paragraph, found):
    assert typed(paragraph) == found


def test_texts_in_code_are_read_and_formats_are_not():
    code = 'text = "ends at 82.4%"\nother = f"{x:.1%} of {n} and 97.5% more {y:5.2f}"'
    assert [typed(text) for text in strings(code) if typed(text)] == [["82.4%"], ["97.5%"]]


def test_every_definition_has_its_reason():
    assert all(len(reason) > 5 and plain(text) == text for text, reason in DEFINITIONS.items())
