"""A chapter run as it is, its live trainings cut short: the figures by their numbers, and what it says."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import matplotlib as mpl
import nbformat
import pytest
from bs4 import BeautifulSoup
from IPython.display import HTML, Markdown
from matplotlib.figure import Figure

import lrlib.training.run
from lrbook.finding import Finding
from lrlib.plots.two_widths import TwoWidths

BOOK = Path(__file__).parents[2] / "book"


class Page(NamedTuple):
    """Figures by number, such as "1.8" (`number_of`); what cells said, in order; the names they left."""

    figures: dict[str, Figure]
    said: list[str]
    names: dict


def run_page(name: str, *, cut: bool = True) -> Page:
    """Run the code cells of a chapter, in order; if `cut`, a training has one epoch of 25 pictures."""
    (path,) = [path for part in ("survey", "beyond") for path in (BOOK / part).glob(f"{name}.ipynb")]
    cells = nbformat.read(path, as_version=4).cells
    page, whole = Page({}, [], {}), lrlib.training.run.train

    def short(config, **options):
        config = config.changed(epochs=1, train_images=25, test_images=50)
        return whole(config, **{**options, "progress": False})

    with mpl.rc_context(), pytest.MonkeyPatch.context() as patch, TemporaryDirectory() as folder:
        patch.chdir(folder)  # what a live cell keeps belongs to this reading alone
        if cut:
            patch.setattr(lrlib.training.run, "train", short)
        for cell, following in zip(cells, [*cells[1:], None], strict=True):
            if cell.cell_type != "code":
                continue
            result = value_of(cell.source, page.names)
            if isinstance(result, (Figure, TwoWidths)):
                page.figures[number_of(following.source)] = getattr(result, "wide", result)
            elif isinstance(result, Finding):
                page.said.append(result.text)
            elif isinstance(result, (Markdown, HTML)):
                page.said.append(result.data)
    return page


def number_of(caption: str) -> str:
    """Return the number of a figure: the survey's, where the caption names one, or its own."""
    own, survey = re.match(
        r"\*\*Figure (\d+\.\d+[a-z]?)\.\*\*(?: \*\(survey: figure (\d+\.\d+)\))?", caption
    ).groups()
    return survey or own


def value_of(code: str, names: dict) -> object:
    """Run a cell in `names` and return the value of its last line, if that is an expression."""
    tree = ast.parse(code)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), names)
    return eval(compile(ast.Expression(last.value), "cell", "eval"), names) if last else None


def line(axes, label: str):
    """Return the one line of this label."""
    (found,) = [line for line in axes.lines if line.get_label() == label]
    return found


def rows(html: str) -> list[list[str]]:
    """Return the texts of a table's cells, row by row."""
    found = BeautifulSoup(html, "html.parser").find_all("tr")
    return [[cell.get_text(" ") for cell in row.find_all(["th", "td"])] for row in found]
