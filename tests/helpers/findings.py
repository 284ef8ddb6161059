"""What every written finding is asked: it holds, each of its claims can fail, and no number in it is typed.

A chapter's test file has a list of alterations, which are what another day's records might have said. It
takes its tests from `finding_tests` and `figure_test`, and calls `check_page` for its module.
"""

from __future__ import annotations

import ast
import inspect
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from myst_nb.core.read import read_myst_markdown_notebook

from lrbook.finding import FINDINGS, Records
from lrlib import load_runs
from lrlib.runs.store import studies

BOOK = Path(__file__).parents[2] / "book"
Alteration = Callable[[Records], None]

BASE = {study: load_runs(study) for study in studies()}
# A number with digits, or a small one as a word: neither may stand in an author's words if it was measured.
NUMBER = re.compile(r"\d|\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)\b", re.I)
# A line that begins with "1." ends the paragraph before it and begins a list.
STRAY_LIST = re.compile(r"(?<=\n)(?![ >]*\d+\. )[^\n]*[^\s>][^\n]*\n1[.)] [^\n]*")
PATCH = pytest.MonkeyPatch()


def findings(module: ModuleType) -> list[str]:
    """Return the names of a chapter's findings, as keys of `FINDINGS`; its parts are named `chapter_part`."""
    chapter = module.__name__.rpartition(".")[2]
    return [name for name in FINDINGS if name.startswith((f"{chapter}.", f"{chapter}_"))]


def cells(chapter: str) -> list[dict]:
    """Return the cells of a chapter's notebook, or of its page in Markdown."""
    (page,) = [path for part in ("survey", "beyond") for path in (BOOK / part).glob(f"{chapter}.*")]
    text = page.read_text(encoding="utf-8")
    return read_myst_markdown_notebook(text).cells if page.suffix == ".md" else json.loads(text)["cells"]


# Alterations


def swapped(study: str, one: str, other: str, **config) -> Callable[[Records], None]:
    """Each run of one schedule gets what the other's run of the same seed measured."""

    def alter(records: Records) -> None:
        ones, others = records.runs(study, one, **config), records.runs(study, other, **config)
        pairs = dict(zip(map(id, ones + others), others + ones, strict=True))
        records[study] = [
            run.model_copy(update={"epochs": pairs[id(run)].epochs, "final": pairs[id(run)].final})
            if id(run) in pairs
            else run
            for run in records[study]
        ]

    return alter


def measured(
    study: str, labels: str, column: str, value, *, seeds=range(1, 99), **config
) -> Callable[[Records], None]:
    """A column of some runs is another: `value` is called with the epoch, from 1, and the old value."""

    def alter(records: Records) -> None:
        chosen = {id(run) for label in labels.split() for run in records.runs(study, label, **config)}
        records[study] = [
            run.model_copy(
                update={
                    "epochs": tuple(
                        each.model_copy(update={column: value(number, getattr(each, column))})
                        for number, each in enumerate(run.epochs, 1)
                    )
                }
            )
            if id(run) in chosen and run.config.seed in seeds
            else run
            for run in records[study]
        ]

    return alter


def without(study: str, label: str, seed: int, **config) -> Callable[[Records], None]:
    """One run was never made."""

    def alter(records: Records) -> None:
        gone = {id(run) for run in records.runs(study, label, seed=seed, **config)}
        records[study] = [run for run in records[study] if id(run) not in gone]

    return alter


def of_seeds(study: str, *seeds: int) -> Callable[[Records], None]:
    """Only these seeds were recorded."""

    def alter(records: Records) -> None:
        records[study] = [run for run in records[study] if run.config.seed in seeds]

    return alter


def configured(study: str, label: str, **changes) -> Callable[[Records], None]:
    """One run was made with another setting."""

    def alter(records: Records) -> None:
        first = records.runs(study, label)[0]
        other = first.model_copy(update={"config": first.config.model_copy(update=changes)})
        records[study] = [other if run is first else run for run in records[study]]

    return alter


def learned_less(study: str, label: str) -> Callable[[Records], None]:
    """The last weights get one training image in ten wrong."""

    def alter(records: Records) -> None:
        records[study] = [
            run.model_copy(update={"final": run.final.model_copy(update={"train_accuracy": 0.9})})
            if run.label == label
            else run
            for run in records[study]
        ]

    return alter


def constants(module: ModuleType, **values) -> Alteration:
    """A number of a computed experiment is another (the valley has no records)."""

    def alter(records: Records) -> None:
        for name, value in values.items():
            PATCH.setattr(module, name, value)

    return alter


# Checks


def claims(name: str, alteration: Alteration | None = None) -> dict[str, bool] | None:
    """Return what a finding claims and whether it holds; None where such records leave no sentence at all."""
    records = Records(BASE)
    try:
        if alteration:
            alteration(records)
        return dict(FINDINGS[name].unchecked(records).holds)
    except (ValueError, StopIteration, IndexError, KeyError, ZeroDivisionError):
        return None
    finally:
        PATCH.undo()


def check_holds(name: str) -> None:
    """The records bear the finding out, and it claims something."""
    found = FINDINGS[name]()
    assert found.text
    assert found.holds
    assert all(found.holds.values())
    lost = STRAY_LIST.search(found.text)
    assert not lost, f"Markdown takes the number that begins this line for a list: {lost[0]!r}"


def check_each_claim_can_fail(name: str, alterations: Mapping[str, Alteration]) -> None:
    """Each claim is false under some alteration: a claim that cannot fail says nothing."""
    immortal = set(claims(name) or {})
    for alteration in alterations.values():
        if not immortal:
            return  # the rest would say nothing new
        immortal -= {claim for claim, holds in (claims(name, alteration) or {}).items() if not holds}
    assert not immortal, f"no alteration of the records makes these false: {immortal}"


def check_no_number_is_typed(name: str, allowed: str) -> None:
    """The author's words hold no number, but for names such as CIFAR-10; `allowed` is a pattern of these."""
    function = ast.parse(inspect.getsource(FINDINGS[name].unchecked)).body[0]
    returned = next(node for node in function.body if isinstance(node, ast.Return)).value
    words = re.sub(r"\{\w+\}", "", inspect.cleandoc(returned.args[0].value))
    words = re.sub(r"\s*\n(?:> ?)?\s*", " ", words)  # a phrase may run over the end of a line
    words = re.sub(rf"CIFAR-10|figure \d\.\d|section 1\.1\.\d| [123]\. (?=\*\*)|{allowed}", "", words)
    assert not NUMBER.search(words), words


def check_page(module: ModuleType, *, plain_headings: set[str], inside: set[str] = frozenset()) -> None:
    """Headings that state a finding are owned by one, each finding stands on the page once, code is short.

    `plain_headings` state none; findings in `inside` are part of another text.
    """
    chapter = module.__name__.rpartition(".")[2]
    page = [cell for cell in cells(chapter) if "exercise" not in cell["metadata"].get("tags", [])]
    sources = ["".join(cell["source"]) for cell in page]
    headings = {found[1] for source in sources for found in re.finditer(r"^## (.+)$", source, re.M)}
    owned = {FINDINGS[name].heading for name in findings(module)} - {None}
    assert headings - plain_headings - {"Exercises", "Remember"} == owned
    code = "\n".join(
        source for cell, source in zip(page, sources, strict=True) if cell["cell_type"] == "code"
    )
    for name in findings(module):
        function = name.partition(".")[2]
        if function not in inside:
            assert code.count(f"chapter.{function}(") == 1, name
    hidden = {"remove-input", "remove-cell"}
    shown = [
        source.splitlines()
        for cell, source in zip(page, sources, strict=True)
        if cell["cell_type"] == "code" and not hidden & set(cell["metadata"].get("tags", []))
    ]
    assert max(map(len, shown), default=0) <= 12
    assert sum(map(len, shown)) <= 60
    assert max((len(line) for lines in shown for line in lines), default=0) <= 72


def check_figure(figure) -> None:
    """A figure has two forms, one text for both, and ids that no other figure of the page has."""
    code = figure._repr_html_()
    assert code.count("<svg") == 2
    assert code.count('role="img"') == 1
    assert len(figure.alt) >= 60
    ids = re.findall(r' id="([\w-]+)"', code)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'(?:href="|url\()#([\w-]+)', code)) <= set(ids)
    assert "<script" not in code


def finding_tests(
    module: ModuleType, alterations: Mapping[str, Alteration], allowed: str
) -> tuple[Callable, Callable, Callable]:
    """Return the tests of a module's findings for its test file, in which pytest finds them by name."""
    for_each = pytest.mark.parametrize("name", findings(module))

    @for_each
    def test_it_holds_for_the_records(name):
        check_holds(name)

    @for_each
    def test_each_of_its_claims_can_fail(name):
        check_each_claim_can_fail(name, alterations)

    @for_each
    def test_no_measured_number_is_typed(name):
        check_no_number_is_typed(name, allowed)

    return (
        test_it_holds_for_the_records,
        test_each_of_its_claims_can_fail,
        test_no_measured_number_is_typed,
    )


def figure_test(module: ModuleType) -> Callable:
    """Return the test of each figure that a module draws without being given something, such as live runs."""
    drawn = [
        name
        for name, function in vars(module).items()
        if name.endswith("_figure")
        and not name.startswith("_")
        and (function.__module__ == module.__name__ or function.__module__.startswith(f"{module.__name__}_"))
        and all(each.default is not each.empty for each in inspect.signature(function).parameters.values())
    ]

    @pytest.mark.parametrize("draw", drawn)
    def test_a_figure_has_two_widths_one_name_and_ids_of_its_own(draw):
        check_figure(getattr(module, draw)())

    return test_a_figure_has_two_widths_one_name_and_ids_of_its_own


def lines_of(axes, color: str) -> list:
    """The lines of one color in a panel."""
    return [line for line in axes.lines if line.get_color() == color]


def check_runs_are_drawn(lines: list, runs: list, quantity: str) -> None:
    """Among the lines stand the means of training and test over all runs, and each run's test."""
    drawn = [list(line.get_ydata()) for line in lines]
    for part in ("train", "test"):
        columns = [run.column(f"{part}_{quantity}") for run in runs]
        mean = [sum(values) / len(values) for values in zip(*columns, strict=True)]
        assert any(line == pytest.approx(mean) for line in drawn), (runs[0].label, part)
        assert part == "train" or all(column in drawn for column in columns)


def check_rate_is_the_optimizers(drawn, runs: list) -> None:
    """The line over epochs has the rates that the optimizer held in the first and last update of each."""
    for run in runs:
        for epoch in run.epochs:
            starts = [epoch.epoch, epoch.epoch + 390 / 391]  # of the first and the last update, in epochs
            wanted = np.interp(starts, drawn.get_xdata(), drawn.get_ydata())
            assert [epoch.first_lr, epoch.last_lr] == pytest.approx(wanted, rel=1e-9)


def rates_applied(framework: str, code: str, *, steps: int) -> list[float]:
    """The rates that a line of "PyTorch" or "Keras" gives to updates 0 to T - 1, and what would follow."""
    import torch
    from keras.optimizers import schedules as keras

    opt = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    room = torch.optim.lr_scheduler if framework == "PyTorch" else keras
    made = eval(code, {**vars(room), "opt": opt, "T": steps})
    if framework == "Keras":
        return [float(made(t)) for t in range(steps + 1)]
    found = []
    for _ in range(steps + 1):
        found.append(opt.param_groups[0]["lr"])
        opt.step()
        made.step()
    return found
