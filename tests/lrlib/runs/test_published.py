"""The published numbers against what was typed from print by hand, and damaged files of them."""

from __future__ import annotations

import json
from datetime import date

import pytest

from lrlib.runs.published import PublishedError, published
from lrlib.runs.store import RECORDED, studies
from printed_tables import SOURCE, SURVEY

FILE = RECORDED / "published.json"
# As printed, with every digit: schedule, then accuracy and loss of the survey's table 1.1.
ADDRESS = "https://pyimagesearch.com/2019/07/22/keras-learning-rate-schedules-and-decay/"


def shown(table):
    """The table as print has it, every number with its decimals."""
    lines = []
    for row in table.rows:
        numbers = [f"{getattr(row, name):.{column.decimals}f}" for name, column in table.columns.items()]
        lines.append([row.schedule, *numbers])
    return lines


@pytest.mark.parametrize(("name", "printed"), [("survey", SURVEY), ("source", SOURCE)])
def test_every_number_is_as_printed(name, printed):
    assert shown(getattr(published(), name)) == [line.split() for line in printed.strip().splitlines()]


def test_the_surveys_loss_is_the_training_loss_of_its_source():
    survey, source = published().survey, published().source
    assert survey.column("loss") == source.column("train_loss")
    # Accuracies agree as far as they are rounded, but for the polynomial's, which the survey has 0.01 lower.
    reported = source.column("report_accuracy")
    differ = [name for name, value in survey.column("accuracy").items() if value != reported[name]]
    assert differ == ["poly5"]
    assert all(round(source.column("test_accuracy")[name], 2) == value for name, value in reported.items())


def test_names_in_print():
    assert [row.printed_as for row in published().survey.rows] == [
        "Constant",
        "Time based decay",
        "Drop based decay",
        "Linear decay",
        "Polynomial decay",
    ]
    assert [row.printed_as for row in published().source.rows] == [
        "none",
        "standard",
        "step",
        "linear",
        "poly",
    ]


def test_citations():
    source, survey = published().source.citation, published().survey.citation
    assert (source.author, source.title) == ("Adrian Rosebrock", "Keras learning rate schedules and decay")
    assert (source.published, source.updated) == (date(2019, 7, 22), date(2020, 6, 11))
    assert source.url == ADDRESS
    assert "table 1.1" in survey.title
    assert (survey.author, survey.published, survey.url) == (None, None, None)
    assert "footnote 1" in survey.note
    assert str(survey) == survey.title


def test_columns_say_what_they_are():
    source, survey = published().source.columns, published().survey.columns
    for column in (source["train_loss"], source["test_loss"], survey["loss"]):
        assert "L2 penalty" in column.meaning
        assert column.unit == "nats"
    assert source["test_accuracy"].printed_as == "val_accuracy"
    for column in (source["test_accuracy"], source["test_loss"], survey["accuracy"]):
        assert "test set" in column.meaning
    assert survey["loss"].meaning.startswith("training loss")


def test_frozen_and_helpful():
    table = published().source
    assert table.row("drop").test_accuracy == 0.868
    with pytest.raises(ValueError, match="frozen"):
        table.row("drop").test_loss = 0.1
    with pytest.raises(ValueError, match=r"schedule must be one of .* got 'cosine'"):
        table.row("cosine")
    with pytest.raises(ValueError, match="did you mean 'test_loss'"):
        table.column("test_los")


def test_it_is_no_study():
    assert FILE.exists()
    assert "published.json" not in studies()


def damaged(change):
    content = json.loads(FILE.read_text(encoding="utf-8"))
    change(content)
    return json.dumps(content)


BAD = {
    "not JSON": (lambda: FILE.read_text(encoding="utf-8")[:-9], "not whole JSON"),
    "later schema": (
        lambda: damaged(lambda c: c.update(schema_version=2)),
        "schema_version: input should be 1",
    ),
    "a digit more": (
        lambda: damaged(lambda c: c["source"]["rows"][2].update(train_loss=0.18215)),
        "train_loss of 'drop' must have 4 decimals, got 0.18215",
    ),
    "percent": (
        lambda: damaged(lambda c: c["survey"]["rows"][0].update(accuracy=84.0)),
        "accuracy of 'constant' must be a number of 'fraction of the images', got 84.0",
    ),
    "text for a number": (
        lambda: damaged(lambda c: c["survey"]["rows"][0].update(loss="0.5328")),
        "survey.rows.0.loss: input should be a valid number, got '0.5328'",
    ),
    "unknown schedule": (
        lambda: damaged(lambda c: c["survey"]["rows"][1].update(schedule="warm")),
        "must be constant, time, drop, linear, poly5, got constant, warm, drop, linear, poly5",
    ),
    "twice the same": (
        lambda: damaged(lambda c: c["source"]["rows"][1].update(schedule="constant")),
        "must be constant, time, drop, linear, poly5, got constant, constant",
    ),
    "no citation": (
        lambda: damaged(lambda c: c["source"].pop("citation")),
        "source.citation: field required",
    ),
    "no address": (
        lambda: damaged(lambda c: c["source"]["citation"].update(url="a blog")),
        "source.citation.url: string should match pattern",
    ),
    "a column unexplained": (
        lambda: damaged(lambda c: c["source"]["columns"].pop("test_loss")),
        "the columns of 'Keras learning rate schedules and decay' must be",
    ),
}


@pytest.mark.parametrize(("text", "words"), BAD.values(), ids=BAD)
def test_damaged_files_are_one_sentence(text, words, tmp_path):
    path = tmp_path / "published.json"
    path.write_text(text(), encoding="utf-8")
    with pytest.raises(PublishedError) as caught:
        published(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
