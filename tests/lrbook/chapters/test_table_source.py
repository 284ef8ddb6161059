"""Where the survey's table comes from: equal columns, and what another source would give."""

import json
from importlib.resources import files

import pytest
from bs4 import BeautifulSoup

from lrbook.chapters.table_source import at_odds, origin, origin_table
from lrlib.runs.published import published


def test_the_losses_are_training_losses_and_nothing_else():
    raw = json.loads((files("lrlib") / "recorded/published.json").read_text())
    logs = {row["schedule"]: row for row in raw["source"]["rows"]}
    for row in raw["survey"]["rows"]:
        same = [name for name in ("train_loss", "test_loss") if logs[row["schedule"]][name] == row["loss"]]
        assert same == ["train_loss"]
        assert origin("loss")[row["schedule"]] == ("train_loss",)


def test_the_accuracies_are_test_accuracies_with_one_that_is_cut():
    # 0.8414, 0.8151, 0.8680, 0.8724 round to what is printed; 0.8651 would be 0.87, and 0.86 is printed.
    both = ("test_accuracy", "report_accuracy")
    assert origin("accuracy") == {"constant": both, "time": both, "drop": both, "linear": both, "poly5": ()}


def test_lower_loss_with_lower_accuracy():
    # By hand, from the source's last lines, for constant, time, drop, linear and poly5: training loss 0.5328
    # 0.1732 0.1821 0.1040 0.1549, accuracy 0.8414 0.8151 0.8680 0.8724 0.8651, test loss 0.9788 0.9210 0.7220
    # 0.6094 0.6883.
    source = published().source
    accuracy = source.column("test_accuracy")
    by_training = [("constant", "time"), ("time", "drop"), ("drop", "poly5")]
    assert at_odds(source.column("train_loss"), accuracy) == by_training
    assert at_odds(source.column("test_loss"), accuracy) == [("constant", "time"), ("drop", "poly5")]
    assert at_odds({"a": 1.0, "b": 1.0}, {"a": 0.5, "b": 0.6}) == []  # level: nothing is at odds
    assert at_odds({"a": 1.0, "b": 2.0}, {"b": 0.5}) == []


def edited(column, schedule, value):
    """The published numbers with one of the source's changed."""
    raw = published().model_dump(mode="json")
    (row,) = [row for row in raw["source"]["rows"] if row["schedule"] == schedule]
    row[column] = value
    return type(published()).model_validate(raw)


def test_another_source_gives_another_origin():
    assert origin("loss", edited("test_loss", "drop", 0.1821))["drop"] == ("train_loss", "test_loss")
    assert origin("loss", edited("train_loss", "drop", 0.1822))["drop"] == ()
    # Half goes up, by the printed digits: 0.865 is 0.86499... to a float, and still 0.87.
    assert "test_accuracy" not in origin("accuracy", edited("test_accuracy", "poly5", 0.865))["poly5"]
    assert "test_accuracy" in origin("accuracy", edited("test_accuracy", "poly5", 0.8649))["poly5"]
    with pytest.raises(ValueError, match="did you mean 'loss'"):
        origin("los")


def test_the_table_marks_what_agrees():
    def rows(column):
        found = BeautifulSoup(origin_table(column), "html.parser").find_all("tr")
        return [[str(cell.decode_contents()) for cell in row.find_all(["th", "td"])] for row in found]

    assert rows("loss")[:3] == [
        ["schedule", "survey: Loss", "loss", "val_loss"],
        ["constant", "0.5328", "<strong>0.5328</strong>", "0.9788"],
        ["time", "0.1732", "<strong>0.1732</strong>", "0.9210"],
    ]
    assert rows("accuracy")[0] == ["schedule", "survey: Accuracy", "accuracy", "val_accuracy", "report"]
    assert rows("accuracy")[-1] == ["poly5", "0.86", "1.0000", "0.8651", "0.87"]
