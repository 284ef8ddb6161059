"""Rules for the notebooks as they are committed: clean, plain, and built alike."""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path

import nbformat
import pytest
import yaml

from tools.notebooks import TRAINS

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted(
    path.relative_to(ROOT).as_posix()
    for path in ROOT.glob("book/**/*.ipynb")
    if ".ipynb_checkpoints" not in path.parts
)
every_notebook = pytest.mark.parametrize("name", NOTEBOOKS)

# What Jupyter Book understands and Colab shows as raw text.
NOT_PLAIN = {
    "a directive": re.compile(r"^\s*(```+|~~~+|:::+)\s*\{", re.M),
    "a role": re.compile(r"\{[a-zA-Z][\w:.+-]*\}`"),
    "a target": re.compile(r"^\([\w:.-]+\)=\s*$", re.M),
    "a substitution": re.compile(r"\{\{.*?\}\}"),
    "a block break or comment": re.compile(r"^(\+\+\+|% )", re.M),
}
CAPTION = re.compile(r"\*\*Figure \d+\.\d+[a-z]?\.\*\* ")
TABLE_CAPTION = re.compile(r"\*\*Table \d+\.\d+[a-z]?\.\*\* ")
SHORTEST_ALT = 60
HIDDEN = {"hide-input", "hide-cell", "remove-input", "remove-cell"}


def cells(name: str, kind: str | None = None) -> list[nbformat.NotebookNode]:
    notebook = nbformat.read(ROOT / name, as_version=4)
    return [cell for cell in notebook.cells if kind in (None, cell.cell_type)]


def text(name: str) -> str:
    return "\n\n".join(cell.source for cell in cells(name, "markdown"))


def alt(cell: nbformat.NotebookNode) -> str | None:
    return cell.metadata.get("mystnb", {}).get("image", {}).get("alt")


def is_figure(cell: nbformat.NotebookNode) -> bool:
    return "figure" in cell.metadata.get("tags", []) or alt(cell) is not None


def not_plain(markdown: str) -> list[str]:
    # Code may hold anything. The back-tick of a role follows a brace, so roles are left standing.
    prose = re.sub(r"(?<![`}])(`+)(?!`).+?(?<!`)\1(?!`)", "", markdown, flags=re.S)
    return [
        name
        for name, pattern in NOT_PLAIN.items()
        if pattern.search(markdown if name == "a directive" else prose)
    ]


def definitions(code: str) -> list[str]:
    """Names of the functions and classes that a cell defines; lines of IPython's own syntax are left out."""
    python = "\n".join(line for line in code.splitlines() if not line.lstrip().startswith(("%", "!")))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return [node.name for node in ast.walk(ast.parse(python)) if isinstance(node, kinds)]


def written_as_findings(name: str) -> bool:
    """Whether a chapter's sentences are findings of its module, `lrbook.chapters.NAME`."""
    imported = f"from lrbook.chapters import {Path(name).stem} as chapter"
    return any(imported in cell.source for cell in cells(name, "code"))


def findings_of(name: str) -> str:
    """The words of the findings that a chapter shows."""
    module = importlib.import_module(f"lrbook.chapters.{Path(name).stem}")
    shown = re.findall(r"\bchapter\.(\w+_text)\(\)", "\n".join(cell.source for cell in cells(name, "code")))
    return "\n".join(getattr(module, each)().text for each in shown)


def test_figures_and_tables_are_numbered_in_the_order_of_the_contents():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    found = {"Figure": [], "Table": []}
    for page in (chapter["file"] for part in toc["parts"] for chapter in part["chapters"]):
        (path,) = (path for end in ("md", "ipynb") if (path := ROOT / f"{page}.{end}").exists())
        for kind, chapter, number in re.findall(r"\*\*(Figure|Table) (\d+)\.(\d+)", path.read_text()):
            found[kind].append((int(chapter), int(number)))
    for kind, numbers in found.items():
        assert numbers == sorted(set(numbers)), kind
    assert len(found["Figure"]) > 40


def test_the_toc_names_every_notebook():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    listed = [toc["root"], *(chapter["file"] for part in toc["parts"] for chapter in part["chapters"])]
    assert NOTEBOOKS
    assert {name.removesuffix(".ipynb") for name in NOTEBOOKS} <= set(listed)
    for name in listed:
        assert sum((ROOT / f"{name}{kind}").is_file() for kind in (".ipynb", ".md")) == 1, name


@every_notebook
def test_committed_without_outputs(name):
    for number, cell in enumerate(cells(name)):
        if cell.cell_type == "code":
            assert cell.outputs == [], f"cell {number} has outputs; run nbstripout --keep-id {name}"
            assert cell.execution_count is None, (
                f"cell {number} has an execution count; run nbstripout --keep-id {name}"
            )


@every_notebook
def test_valid_with_one_kernel_name(name):
    notebook = nbformat.read(ROOT / name, as_version=4)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "python3"


@every_notebook
def test_plain_markdown_only(name):
    found = {number: not_plain(cell.source) for number, cell in enumerate(cells(name, "markdown"))}
    assert not any(found.values()), f"Colab shows these as raw text: {found}"


@every_notebook
def test_figures_have_a_tag_alt_text_and_a_caption(name):
    page = cells(name)
    figures = [number for number, cell in enumerate(page) if is_figure(cell)]
    assert figures, "a chapter without a figure"
    for number in figures:
        cell = page[number]
        assert "figure" in cell.metadata.get("tags", []), f"cell {number} draws a figure: tag it 'figure'"
        # a figure in two widths brings its own, which lrlib.plots.two_widths and the findings' tests check
        if not re.search(r"\bchapter\.\w+_figure\(", cell.source):
            assert len(alt(cell) or "") >= SHORTEST_ALT, f"cell {number}: say what is seen in its alt text"
            assert alt(cell).endswith("."), f"cell {number}: alt text is made of sentences"
        caption = page[number + 1].source if number + 1 < len(page) else ""
        assert CAPTION.match(caption), f"the cell after {number} does not begin with **Figure 1.1.**"


@every_notebook
def test_tables_with_a_tag_have_a_caption(name):
    page = cells(name)
    for number, cell in enumerate(page):
        if "table" in cell.metadata.get("tags", []):
            caption = page[number + 1].source if number + 1 < len(page) else ""
            assert TABLE_CAPTION.match(caption), f"the cell after {number} does not begin with **Table 1.1.**"


@every_notebook
def test_numbers_of_figures_and_tables_are_used_once(name):
    numbers = re.findall(r"^\*\*((?:Figure|Table) \d+\.\d+[a-z]?)\.\*\*", text(name), re.M)
    assert len(numbers) == len(set(numbers))


CHAPTERS = [name for name in NOTEBOOKS if name.startswith(("book/survey/", "book/beyond/"))]


@pytest.mark.parametrize("name", CHAPTERS)
def test_the_last_line_leads_to_the_next_page(name):
    parts = yaml.safe_load((ROOT / "_toc.yml").read_text())["parts"]
    pages = [chapter["file"] for part in parts for chapter in part["chapters"]]
    (target,) = re.findall(r"^Next: \[[^]]+\]\(([\w./]+)\.(?:ipynb|md)\)", text(name), re.M)
    led = (ROOT / name).parent / target
    assert led.resolve() == ROOT / pages[pages.index(name.removesuffix(".ipynb")) + 1]


@every_notebook
def test_the_parts_of_a_chapter(name):
    first = cells(name)[0]
    assert first.cell_type == "markdown"
    assert re.match(r"# \S", first.source), "begins with its title"
    card = re.search(
        r"\d+ minutes? to read .* \d+ (second|minute)s? to run on a CPU .* download", first.source
    )
    assert card, "the card is missing: minutes to read, seconds to run, what is downloaded"
    assert "You will be able to" in text(name), "the learning goals are missing"
    assert any(TRAINS.search(cell.source) for cell in cells(name, "code")), "no live training cell"
    if written_as_findings(name):
        assert "> **What we found**" in findings_of(name), "a chapter opens with what was found"
        assert "](../data.md)" in text(name), "no figure leads to the data"
    else:
        reads = re.compile(r"\b(load_runs|recorded|first_with)\(")
        assert any(reads.search(cell.source) for cell in cells(name, "code")), "no recorded run"
        provenance = re.compile(r"\bprovenance_line\(\)|\bstudy_line\(")  # of one run, of many
        assert any(provenance.search(cell.source) for cell in cells(name, "code")), "no provenance line"
    assert re.search(r"^## .*Remember", text(name), re.M), "what to remember is missing"


@every_notebook
def test_no_helpers_in_hidden_cells(name):
    for number, cell in enumerate(cells(name)):
        if cell.cell_type == "code" and HIDDEN & set(cell.metadata.get("tags", [])):
            assert not definitions(cell.source), f"cell {number} hides helpers; they belong in lrlib"


@pytest.mark.parametrize(
    ("markdown", "found"),
    [
        ("```{note}\nHello\n```", ["a directive"]),
        (":::{figure} a.svg\n:::", ["a directive"]),
        ("as {cite}`li2019` says", ["a role"]),
        ("see {py:class}`lrlib.Constant`", ["a role"]),
        ("(here)=\n# Title", ["a target"]),
        ("the value is {{ value }}", ["a substitution"]),
        ("+++\n\nmore", ["a block break or comment"]),
        ("```python\nx = {1: 2}\n```\n\n`{a}` and `{{ b }}`\n\n<details></details>", []),
        ("$\\mathbb{E}_{i}[x]$ and $$\\frac{1}{2}$$ and `code`", []),
    ],
)
def test_the_rule_for_plain_markdown_bites(markdown, found):
    assert not_plain(markdown) == found


def test_the_rule_for_hidden_helpers_bites():
    assert definitions("%matplotlib inline\nx = 1\ndef helper():\n    pass\nclass A:\n    pass") == [
        "helper",
        "A",
    ]
    assert definitions("x = [f(y) for y in z]") == []
