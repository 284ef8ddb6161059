"""Reading a printed table: which column it came from, and how far test sampling moves it."""

import json
import math
from importlib.resources import files

import numpy as np
import pytest
from bs4 import BeautifulSoup

from lrbook.chapters.reading import at_odds, gap, origin, origin_table, plot_sampling, sampling_error
from lrlib.runs.published import published


def test_the_sampling_error_is_the_spread_of_many_tests():
    # 10,000 pictures, 84.14 % of them right: sqrt(0.8414 * 0.1586 / 10,000) = 0.003653.
    assert sampling_error(0.8414, images=10_000) == pytest.approx(0.003653, abs=5e-7)
    tests = np.random.default_rng(0).binomial(10_000, 0.8414, size=20_000) / 10_000
    assert sampling_error(0.8414, images=10_000) == pytest.approx(tests.std(), rel=0.02)
    assert sampling_error(1.0, images=5) == 0.0


@pytest.mark.parametrize(
    ("accuracy", "images", "words"),
    [
        (84.1, 10, "accuracy must be a fraction in [0, 1], got 84.1"),
        (-0.1, 10, "accuracy must be a fraction in [0, 1], got -0.1"),
        (math.nan, 10, "accuracy must be a fraction in [0, 1], got nan"),
        (0.5, 0, "images must be >= 1, got 0"),
    ],
)
def test_bad_arguments_are_one_sentence(accuracy, images, words):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the words are compared below
        sampling_error(accuracy, images=images)
    assert str(caught.value) == words


def test_the_surveys_main_finding_stands_in_its_source():
    # 87.24 % and 84.14 %: 3.10 points; errors 0.3336 and 0.3653, together 0.4947; 3.10 / 0.4947 = 6.27.
    lead = gap(0.8724, 0.8414, images=10_000)
    assert lead.difference == 0.0310
    assert lead.error == pytest.approx(0.004947, abs=1e-6)
    assert lead.errors == pytest.approx(6.27, abs=0.005)
    assert gap(0.8414, 0.8724, images=10_000).errors == -lead.errors
    assert math.isnan(gap(1.0, 1.0, images=10).errors)


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


def line(figure, label):
    (found,) = [line for line in figure.axes[0].lines if line.get_label() == label]
    return found


def test_the_figure_has_dots_intervals_and_printed_values():
    figure = plot_sampling({"constant": 0.9, "linear": 0.8}, images=100, printed={"linear": 0.81})
    # sqrt(0.9 * 0.1 / 100) = 0.03 and sqrt(0.8 * 0.2 / 100) = 0.04; times 1.96.
    assert line(figure, "constant, sampling").get_xdata() == pytest.approx([0.8412, 0.9588])
    assert line(figure, "linear, sampling").get_xdata() == pytest.approx([0.7216, 0.8784])
    assert (*line(figure, "linear").get_xdata(), *line(figure, "linear").get_ydata()) == (0.8, 1)
    assert line(figure, "linear, printed").get_xdata()[0] == 0.81
    assert "constant, printed" not in [each.get_label() for each in figure.axes[0].lines]
    assert [text.get_text() for text in figure.axes[0].texts] == ["90.00% ± 5.88", "80.00% ± 7.84"]
    assert [tick.get_text() for tick in figure.axes[0].get_yticklabels()] == ["constant", "linear"]
    assert figure.axes[0].xaxis.get_major_formatter()(0.9) == "90%"
    with pytest.raises(ValueError, match="at least one value, got none"):
        plot_sampling({}, images=10)
