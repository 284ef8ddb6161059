"""What is said of the table follows from published.json."""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path

import nbformat
import pytest

from run_page import SURVEY, line, rows, run_page

RECORDED = Path(__file__).parents[2] / "lrlib" / "recorded"
page = functools.cache(run_page)


# ---------------------------------------------------------------- where the table comes from

PUBLISHED = json.loads((RECORDED / "published.json").read_text())
LOGS = {row["schedule"]: row for row in PUBLISHED["source"]["rows"]}
TABLE = {row["schedule"]: row for row in PUBLISHED["survey"]["rows"]}


def said(words: str) -> str:
    (text,) = [text for text in page("table_source").said if words in text]
    return text


def test_it_opens_with_what_stands():
    first = page("table_source").said[0]
    # 3.10 points over sqrt(0.8414 * 0.1586 + 0.8724 * 0.1276) / 100 = 0.4947 points: 6.3 errors.
    assert "linear is ahead by 3.1 points" in first
    assert "0.49 points" in first
    assert "6.3 standard errors" in first


def test_figure_1_15_has_the_sources_accuracies_their_intervals_and_the_surveys():
    (axes,) = page("table_source").figures["1.15"].axes
    for row, (name, log) in enumerate(LOGS.items()):
        p = log["test_accuracy"]
        half = 1.96 * (p * (1 - p) / 10_000) ** 0.5
        assert line(axes, name).get_xdata()[0] == p
        assert line(axes, name).get_ydata()[0] == row
        assert line(axes, f"{name}, sampling").get_xdata() == pytest.approx([p - half, p + half])
        assert line(axes, f"{name}, printed").get_xdata()[0] == TABLE[name]["accuracy"]


def test_figure_1_15b_has_both_losses_of_the_source():
    (axes,) = page("table_source").figures["1.15b"].axes
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["training", "test"]
    for name, log in LOGS.items():
        assert line(axes, name).get_ydata().tolist() == [log["train_loss"], log["test_loss"]]
        assert log["train_loss"] == TABLE[name]["loss"]


def test_the_pairs_that_sampling_cannot_tell_apart():
    # Errors of the differences, by hand, are near 0.48 points: 0.44, 0.29 and 0.73 points are less than two.
    text = said("more than two errors apart")
    assert text.startswith("Of 10 pairs, 7 are more than two errors apart.")
    assert re.findall(r"(\w+) and (\w+) \((\d\.\d\d) points", text) == [
        ("drop", "linear", "0.44"),
        ("drop", "poly5", "0.29"),
        ("linear", "poly5", "0.73"),
    ]


def test_which_column_and_which_order():
    assert "5 of 5 numbers are the source's *training* loss" in said("no other column")
    assert "4 of 5 are its *test* accuracy, rounded. The rest: poly5: 0.8651 is printed as 0.86." in said(
        "no other column"
    )
    assert "1 of 10 pairs differently: time and drop." in said("The two losses order")
    assert "With 4 of 5 schedules" in said("The two losses order")


def test_the_network_is_no_resnet50():
    # The source's count is in its own summary; ResNet-50 with 10 classes is torchvision's 25,557,032 less the
    # 990 * 2048 weights and 990 biases of the classes that are not there.
    text = said("Trainable numbers")
    assert "873,872" in text
    assert f"{25_557_032 - 990 * 2049:,}" in text


def test_the_penalty_stands_apart_in_our_records():
    table = rows(said("test cross-entropy</th>"))
    for path in (RECORDED / "pilot-laptop").glob("*.json"):
        end = json.loads(path.read_text())["epochs"][-1]
        shown = [f"{end[name]:.4f}" for name in ("train_loss", "penalty", "test_loss")]
        assert shown in [cells for _, *cells in table]


def test_the_loss_as_keras_would_print_it_is_cross_entropy_plus_penalty():
    first = page("table_source").names["twice"][0].epochs[-1]
    text = said("as Keras would print it")
    assert (
        f"print it: {first.train_loss + first.penalty:.4f}, of which {first.penalty:.4f} is penalty" in text
    )
    assert [run.config.seed for run in page("table_source").names["twice"]] == [7, 8]


@pytest.mark.parametrize("name", ["introduction", "table_source"])
def test_prose_types_no_measured_percentage(name):
    prose = [cell.source for cell in nbformat.read(SURVEY / f"{name}.ipynb", as_version=4).cells]
    kinds = [cell.cell_type for cell in nbformat.read(SURVEY / f"{name}.ipynb", as_version=4).cells]
    text = "\n".join(source for source, kind in zip(prose, kinds, strict=True) if kind == "markdown")
    assert set(re.findall(r"\d+(?:\.\d+)?\s?%", text)) <= {"95 %", "95%"}  # the level of an interval
