"""The glossary: each term once, in order, and linked where a page first uses it."""

from __future__ import annotations

import re

import pytest

from tools import glossary

#: Pages whose terms are linked. A page that is missing here is named by `python -m tools.glossary`.
LINKED = (
    "index.md",
    "data.md",
    "survey/constant.ipynb",
    "survey/time_based.ipynb",
    "survey/drop_based.ipynb",
    "survey/linear.ipynb",
    "survey/introduction.ipynb",
    "survey/polynomial.ipynb",
    "survey/triangle.ipynb",
    "survey/cosine.ipynb",
    "survey/table_source.ipynb",
    "survey/claims.ipynb",
    "survey/analysis.ipynb",
    "survey/factors.ipynb",
    "survey/beyond_the_valley.md",
    "survey/plan.md",
    "beyond/one_bound.ipynb",
    "beyond/warmup_needed.ipynb",
    "beyond/asked_for.md",
    "beyond/which_schedule.md",
    "beyond/rosetta.md",
    "beyond/audit.ipynb",
)
BOOK = glossary.ROOT / "book"
PAGES = sorted(path for path in BOOK.rglob("*") if path.suffix in {".md", ".ipynb"})
TEXT = glossary.GLOSSARY.read_text(encoding="utf-8")
ENTRIES = glossary.entries(TEXT)


@pytest.mark.parametrize("page", LINKED)
def test_terms_are_linked_where_a_page_first_uses_them(page):
    missing = glossary.missing(BOOK / page)
    assert not missing, f"python -m tools.glossary --write book/{page} sets these links: {missing}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_to_the_glossary_lead_to_a_term(page):
    anchors = {glossary.anchor(word) for word in ENTRIES}
    links = re.findall(r"\]\(([^)]*glossary\.md)#([\w-]+)\)", "\n".join(glossary.prose(page)))
    for path, anchor in links:
        assert (page.parent / path).resolve() == glossary.GLOSSARY
        assert anchor in anchors


def test_each_term_stands_once_and_entries_are_in_order():
    body = re.search(r"```\{glossary\}\n(.*?)^```", TEXT, re.M | re.S)[1]
    lines = [line for line in body.splitlines() if re.match(r"\S", line)]
    assert list(ENTRIES) == lines
    assert len({line.lower() for line in lines}) == len(lines)
    first = [block.splitlines()[0].lower() for block in body.strip().split("\n\n")]
    assert first == sorted(first)


def test_an_entry_is_one_to_three_sentences():
    for block in re.search(r"```\{glossary\}\n(.*?)^```", TEXT, re.M | re.S)[1].strip().split("\n\n"):
        said = " ".join(line.strip() for line in block.splitlines() if line.startswith(" "))
        assert said.endswith("."), block
        assert 1 <= len(re.findall(r"[.?!](?= [A-Z{]| \*|$)", said)) <= 4, block


def test_entries_that_no_page_must_link_are_entries():
    assert set(ENTRIES.values()) >= glossary.NOT_ASKED


def linked(text: str, *words: str) -> str:
    return glossary.linked(text, {word: word for word in words}, set(), "g/glossary.md")


@pytest.mark.parametrize(
    "text",
    [
        "# A seed",
        "## One seed, two seeds",
        "`seed` and $seed$ and $$\nseed\n$$",
        "```python\nseed = 1\n```",
        "[the seed](other.md)",
        "**Figure 1.1.** *One line\nper seed.* [Data](data.md)",
        "| seed | 1 |\n| --- | --- |\n| a seed | 2 |",
        '<details>\n<summary>A seed</summary>\n\nA seed.\n\n</details> <a title="seed">',
        'They write "a seed is random".',
        "A **seed** is a number. The seed of this run is 1.",
        "---\ntitle: seed\n---\n",
        "unseeded",
    ],
)
def test_what_is_no_use_in_prose(text):
    assert linked(text, "seed") == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Two seeds, one seed.", "Two [seeds](g/glossary.md#seed), one seed."),
        ("Each *seed* counts.", "Each *[seed](g/glossary.md#seed)* counts."),
        ("**Seeds.** Five.", "**[Seeds](g/glossary.md#seed).** Five."),
        ("# Seed\n\n- a seed", "# Seed\n\n- a [seed](g/glossary.md#seed)"),
        (
            "A batch-size and a batch.",
            "A [batch-size](g/glossary.md#batch-size) and a [batch](g/glossary.md#batch).",
        ),
        ("The batch\nsize.", "The [batch\nsize](g/glossary.md#batch-size)."),
    ],
)
def test_first_uses_by_hand(text, expected):
    assert linked(text, "seed", "batch", "batch size") == expected


def test_only_lines_of_a_paragraph_with_a_new_link_are_broken():
    long = "word " * 40 + "end."
    assert linked(f"{long}\n\nA seed.", "seed").startswith(long)
    lines = linked(f"- {'word ' * 23}seed word\n  and more", "seed").split("\n")
    assert max(map(len, lines)) <= glossary.WIDTH
    assert lines[1] == "  [seed](g/glossary.md#seed) word and more"


def test_writing_a_notebook_changes_its_prose_alone(tmp_path):
    import nbformat

    notebook = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_markdown_cell("# Seeds\n\n5 minutes"),
            nbformat.v4.new_code_cell("seed = 1  # the seed"),
            nbformat.v4.new_markdown_cell("An exercise about a seed.", metadata={"tags": ["exercise"]}),
            nbformat.v4.new_markdown_cell("One seed."),
        ]
    )
    page = tmp_path / "page.ipynb"
    nbformat.write(notebook, page)
    assert glossary.missing(page) == ["seed"]
    glossary.write(page)
    assert glossary.missing(page) == []
    before, after = notebook.cells, nbformat.read(page, as_version=4).cells
    assert [cell.source for cell in after[:3]] == [cell.source for cell in before[:3]]
    assert re.fullmatch(r"One \[seed\]\(.*glossary\.md#seed\)\.", after[3].source)
