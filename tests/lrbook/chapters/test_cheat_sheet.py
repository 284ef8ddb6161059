"""The cheat sheet: findings that stand on the records, code that gives the rates of lrlib, one page of A4."""

from __future__ import annotations

import re
from itertools import combinations

import pytest
import torch

import findings as rules
from findings import configured, constants, measured, swapped, without
from lrbook.chapters import cheat_sheet
from lrlib.schedules.recipes import SURVEY, get_recipe

CIFAR10, BUDGETS, MAP = "survey-laptop", "horizon", "laptop-map-gpu"
ALTERATIONS = {
    "second look: triangle and linear swapped": swapped("triangle-laptop", "triangle", "linear"),
    "linear and constant swapped": swapped(CIFAR10, "linear", "constant"),
    "linear and time swapped": swapped(CIFAR10, "linear", "time"),
    "time and constant swapped": swapped(CIFAR10, "time", "constant"),
    "drop and constant swapped": swapped(CIFAR10, "drop", "constant"),
    "poly5 and linear swapped": swapped(CIFAR10, "poly5", "linear"),
    "triangle far ahead": measured(CIFAR10, "triangle", "test_accuracy", lambda e, x: x + 0.05),
    "triangle behind": measured(CIFAR10, "triangle", "test_accuracy", lambda e, x: x - 0.05),
    "cosine behind": measured(CIFAR10, "cosine cosine5", "test_accuracy", lambda e, x: x - 0.05),
    "a run is missing": without(CIFAR10, "linear", 5),
    "another peak": configured(CIFAR10, "linear", peak_lr=0.2),
    "another recipe": constants(cheat_sheet, POLY5=get_recipe("time")),
    "map: constant at 0.01 poor": measured(
        MAP, "constant", "test_accuracy", lambda e, x: x - 0.05, peak_lr=0.01
    ),
    "budgets: drop better at 5": measured(BUDGETS, "drop", "test_accuracy", lambda e, x: x + 0.2, epochs=5),
}
NAMES = rules.findings(cheat_sheet)


test_it_holds_for_the_records, test_each_of_its_claims_can_fail, test_no_measured_number_is_typed = (
    rules.finding_tests(cheat_sheet, ALTERATIONS, r"only 1/")
)


@pytest.mark.parametrize("name", SURVEY)
def test_the_line_of_code_gives_the_rates_of_the_library(name):
    """At every update of a run of 600; the letters are those of the recipe."""
    total = 600
    schedule = get_recipe(name).build(total_steps=total, steps_per_epoch=20)
    opt = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    letters = {"T": total, "d": 0.1 / 30, "q": 0.25, "s": 90, "W": 60, "L": 120}
    scheduler = eval(cheat_sheet.ROWS[name].code, {**vars(torch.optim.lr_scheduler), "opt": opt, **letters})
    for t in range(total):
        assert opt.param_groups[0]["lr"] == pytest.approx(0.1 * schedule(t), rel=1e-9, abs=1e-12), t
        opt.step()
        scheduler.step()


def test_the_letters_of_the_code_are_explained():
    for row in cheat_sheet.ROWS.values():
        for letter in re.findall(r"\b[TdqsWLt]\b", row.code):
            assert re.search(rf"\b{letter}\b", cheat_sheet.LETTERS), letter


@pytest.mark.parametrize("name", SURVEY)
def test_the_formula_is_the_librarys(name):
    """Read as Python: a run of 600 updates, at every tenth."""
    from math import cos, floor, pi

    formula = cheat_sheet.ROWS[name].formula
    told = {
        "constant": lambda t: 1,
        "time": lambda t: 1 / (1 + 0.1 / 30 * t),
        "drop": lambda t: 0.25 ** floor(t / 90),
        "linear": lambda t: 1 - t / 600,
        "poly5": lambda t: (1 - t / 600) ** 5,
        "triangle": lambda t: min(t / 60, (600 - t) / (600 - 60)),
        "cosine": lambda t: (1 + cos(pi * t / 600)) / 2,
        "cosine5": lambda t: (1 + cos(pi * (t % 120) / 120)) / 2,
    }
    written = {
        "constant": "1",
        "time": r"\frac{1}{1 + d\,t}",
        "drop": r"q^{\lfloor t/s \rfloor}",
        "linear": "1 - t/T",
        "poly5": "(1 - t/T)^{5}",
        "triangle": r"\min\left(\frac{t}{W}, \frac{T - t}{T - W}\right)",
        "cosine": r"\frac{1}{2}\left(1 + \cos\frac{\pi\, t}{T}\right)",
        "cosine5": r"\frac{1}{2}\left(1 + \cos\frac{\pi\, (t\ \mathrm{mod}\ L)}{L}\right)",
    }
    assert formula == written[name]
    schedule = get_recipe(name).build(total_steps=600, steps_per_epoch=20)
    assert [schedule(t) for t in range(0, 600, 10)] == pytest.approx(list(map(told[name], range(0, 600, 10))))


def test_the_page_has_all_eight_with_picture_code_use_and_result():
    text = cheat_sheet.sheet().text
    assert list(cheat_sheet.ROWS) == list(cheat_sheet.TEXTS) == list(SURVEY)
    assert (
        text.count("<svg")
        == text.count("```python")
        == text.count("*Use:*")
        == text.count("*Measured:*")
        == 8
    )
    assert text.count("<div") == text.count("</div>")
    assert set(NAMES) == {f"cheat_sheet.{write.__name__}" for write in cheat_sheet.TEXTS.values()} | {
        "cheat_sheet.setting_text"
    }
    page = (rules.BOOK / "reference" / "cheat_sheet.md").read_text(encoding="utf-8")
    for name in ("setting_text", "sheet", "loop_text"):
        assert page.count(f"chapter.{name}()") == 1
    assert '<a href="cheat_sheet.pdf" download>' in page


def test_drawn_is_the_run_of_the_records():
    config = rules.Records().runs(CIFAR10, "time")[0].config
    (line, *_) = next(
        axes.lines for axes in cheat_sheet.sheet_figure().axes if axes.lines[0].get_color() == "#9f6a00"
    )
    schedule = config.schedule()
    assert list(line.get_ydata()) == pytest.approx([schedule(t) for t in range(0, config.total_steps, 10)])


def test_the_pdf_is_one_page_of_a4_and_the_same_each_time(tmp_path):
    first, second = tmp_path / "a.pdf", tmp_path / "b.pdf"
    cheat_sheet.write_pdf(first)
    cheat_sheet.write_pdf(second)
    data = first.read_bytes()
    assert data == second.read_bytes()
    assert len(re.findall(rb"/Type /Page\b(?!s)", data)) == 1
    (box,) = re.findall(rb"/MediaBox \[ ([\d. ]+)\]", data)
    assert [float(edge) for edge in box.split()] == pytest.approx([0, 0, 841.9, 595.3], abs=0.5)


def test_nothing_on_the_pdf_overlaps_or_leaves_the_page():
    figure = cheat_sheet.sheet_figure()
    figure.draw_without_rendering()
    boxes = {text.get_text(): text.get_window_extent() for text in figure.texts}
    assert len(boxes) == len(figure.texts)
    width, height = figure.bbox.size
    for words, box in boxes.items():
        assert 0.02 * width < box.x0 < box.x1 < 0.98 * width, words
        assert 0.01 * height < box.y0 < box.y1 < 0.99 * height, words
    for (one, a), (other, b) in combinations(boxes.items(), 2):
        assert not a.overlaps(b), f"{one!r} and {other!r}"
    for axes in figure.axes:
        assert not any(axes.get_window_extent().overlaps(box) for box in boxes.values())


def test_page_and_pdf_say_the_same():
    drawn = {" ".join(text.get_text().split()) for text in cheat_sheet.sheet_figure().texts}
    for name in SURVEY:
        assert set(cheat_sheet.use_and_result(name, rules.Records())) <= drawn
