"""Where the survey's table comes from: equal columns, sampling, and findings that fall with their numbers."""

from __future__ import annotations

import json
from importlib.resources import files

import pytest
from bs4 import BeautifulSoup

import findings as rules
from findings import constants, lines_of, measured, swapped
from lrbook.chapters import table_source
from lrbook.chapters.table_source import at_odds, origin, origin_table
from lrbook.finding import NotBorneOut, Records
from lrlib.plots.two_widths import COLOR
from lrlib.runs.published import published
from lrlib.schedules.recipes import SURVEY as EIGHT
from run_page import rows, run_page

CIFAR10, DIGITS, MAP = "survey-laptop", "survey-digits", "laptop-map-gpu"
AGAIN = "source-gpu"

PUBLISHED = json.loads((files("lrlib") / "recorded/published.json").read_text())
LOGS = {row["schedule"]: row for row in PUBLISHED["source"]["rows"]}
TABLE = {row["schedule"]: row for row in PUBLISHED["survey"]["rows"]}


def edited(column, schedule, value, *, table="source"):
    """The published numbers with one of them changed."""
    raw = published().model_dump(mode="json")
    (row,) = [row for row in raw[table]["rows"] if row["schedule"] == schedule]
    row[column] = value
    return type(published()).model_validate(raw)


def printed(column, schedule, value, *, table="source"):
    """An alteration: other numbers were printed."""
    other = edited(column, schedule, value, table=table)
    return constants(table_source, published=lambda: other)


def first_tries(**last):
    """An alteration: the cut runs have other numbers in their last epoch."""
    runs = {}
    for name, run in table_source.cut_runs().items():
        *before, end = run.epochs
        runs[name] = run.model_copy(update={"epochs": (*before, end.model_copy(update=last))})
    return constants(table_source, cut_runs=lambda: runs)


def again(labels, column, value):
    """An alteration: our run of the source's experiment, seed 0, measured something else."""
    return measured(AGAIN, labels, column, value, seeds=[0])


ALTERATIONS = {
    "the survey prints a test loss": printed("loss", "time", 0.9210, table="survey"),
    "the survey prints a high loss": printed("loss", "time", 0.2, table="survey"),
    "the survey cut nothing": printed("accuracy", "poly5", 0.85, table="survey"),
    "the survey cut two": printed("accuracy", "constant", 0.85, table="survey"),
    "constant near linear": printed("test_accuracy", "constant", 0.8710),
    "constant far behind": printed("test_accuracy", "constant", 0.75),
    "linear far ahead": printed("test_accuracy", "linear", 0.9),
    "time level with constant": printed("test_accuracy", "time", 0.8414),
    "drop low": printed("test_accuracy", "drop", 0.80),
    "drop's test loss is high": printed("test_loss", "drop", 0.93),
    "linear's test loss is high": printed("test_loss", "linear", 0.95),
    "constant's test loss is low": printed("test_loss", "constant", 0.9),
    "poly5 forgets": printed("train_accuracy", "poly5", 0.99),
    "the networks are alike": constants(table_source, _size=lambda network: 1_000_000),
    "again: another loss": again("linear", "train_loss", lambda e, x: x + 0.01),
    "again: nearly no penalty": again("constant linear", "penalty", lambda e, x: x / 100),
    "again: linear poor": again("linear", "test_accuracy", lambda e, x: x - 0.02),
    "again: constant good": again("constant", "test_accuracy", lambda e, x: x + 0.012),
    "again: constant a bit better": again("constant", "test_accuracy", lambda e, x: x + 0.007),
    "again: time as logged": again("time", "test_accuracy", lambda e, x: x - 0.015),
    "again: time above constant": again("time", "test_accuracy", lambda e, x: x + 0.01),
    "again: time far behind": again("time", "test_accuracy", lambda e, x: x - 0.03),
    "again: twice": lambda records: records.update({AGAIN: 2 * records[AGAIN]}),
    "the first tries ended otherwise": first_tries(test_accuracy=0.8),
    "no penalty": measured(CIFAR10, " ".join(EIGHT), "penalty", lambda e, x: 0.0),
    "constant nearly without cross-entropy": measured(
        CIFAR10, "constant", "train_loss", lambda e, x: x / 1000
    ),
    "time has a large penalty": measured(CIFAR10, "time", "penalty", lambda e, x: 3 * x, seeds=[3]),
    "time and linear swapped": swapped(CIFAR10, "time", "linear"),
    "time and constant swapped": swapped(CIFAR10, "time", "constant"),
    "linear and drop swapped": swapped(CIFAR10, "linear", "drop"),
    "linear and constant swapped": swapped(CIFAR10, "linear", "constant"),
    "a run is missing": rules.without(CIFAR10, "cosine", 4),
    "drop scattered": measured(CIFAR10, "drop", "test_accuracy", lambda e, x: x - 0.06, seeds=[2]),
    "map: constant at 0.01 poor": measured(
        MAP, "constant", "test_accuracy", lambda e, x: x - 0.1, peak_lr=0.01
    ),
    "digits: a run is missing": rules.without(DIGITS, "constant", 2),
    "digits: all alike": measured(DIGITS, "constant", "test_accuracy", lambda e, x: 0.95),
}

# What may stand in an author's words with a number: names, and "two" networks.
ALLOWED = (
    r"ResNet-50|ResNet50|power 5|four decimals|The two losses|the two losses"
    r"|more than two errors|less than two standard errors|twice|the two runs of each"
)


test_it_holds_for_the_records, test_each_of_its_claims_can_fail, test_no_measured_number_is_typed = (
    rules.finding_tests(table_source, ALTERATIONS, ALLOWED)
)


def test_headings_findings_and_code_of_the_page():
    plain = {
        "Five accuracies, and the logs behind them",
        "Predict: a lower loss, and a lower accuracy?",
        "Try it: one schedule, two seeds",
        "How to read such a table",
    }
    rules.check_page(table_source, plain_headings=plain, inside={"seeds_on_digits_text"})


test_a_figure_has_two_widths_one_name_and_ids_of_its_own = rules.figure_test(table_source)


def test_a_finding_that_fell_is_not_printed_and_says_why():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(table_source, "published", lambda: edited("test_accuracy", "constant", 0.8710))
        with pytest.raises(NotBorneOut, match="linear leads by more than five errors"):
            table_source.what_stands_text()


# The figures, from the files


def test_figure_11_1_has_the_sources_accuracies_their_intervals_and_the_surveys():
    (axes,) = table_source.accuracies_figure().wide.axes
    squares = lines_of(axes, "#000000")
    for row, (name, log) in enumerate(LOGS.items()):
        p = log["test_accuracy"]
        half = 1.96 * (p * (1 - p) / 10_000) ** 0.5
        interval, dot = lines_of(axes, COLOR[name])
        assert list(interval.get_xdata()) == pytest.approx([p - half, p + half])
        assert (list(dot.get_xdata()), list(dot.get_ydata())) == ([p], [row])
        assert (list(squares[row].get_xdata()), list(squares[row].get_ydata())) == (
            [TABLE[name]["accuracy"]],
            [row],
        )


def test_figure_11_2_has_both_losses_of_the_source_and_its_accuracies():
    losses, order = table_source.losses_figure().wide.axes
    assert [tick.get_text() for tick in losses.get_xticklabels()] == ["training images", "test images"]
    for name, log in LOGS.items():
        (line,) = lines_of(losses, COLOR[name])
        assert list(line.get_ydata()) == [log["train_loss"], log["test_loss"]]
        assert log["train_loss"] == TABLE[name]["loss"]
        (dot,) = lines_of(order, COLOR[name])
        assert (dot.get_xdata()[0], dot.get_ydata()[0]) == (log["test_loss"], log["test_accuracy"])


def test_figure_11_3_has_the_parts_of_the_last_loss_from_the_files():
    loss, accuracy = table_source.penalty_figure().wide.axes
    bars = [(bar.get_x(), bar.get_width()) for bar in loss.patches]
    for number, name in enumerate(EIGHT):
        ends = []
        for path in sorted((files("lrlib") / "recorded" / CIFAR10).glob(f"{name}-seed*.json")):
            ends.append(json.loads(path.read_text())["epochs"][-1])
        assert len(ends) == 5
        entropy, penalty, mean = (
            sum(end[key] for end in ends) / 5 for key in ("train_loss", "penalty", "test_accuracy")
        )
        assert bars[2 * number] == (pytest.approx(entropy), pytest.approx(penalty))
        assert bars[2 * number + 1] == (0, pytest.approx(entropy))
        dots, stroke = lines_of(accuracy, COLOR[name])
        assert sorted(dots.get_xdata()) == sorted(end["test_accuracy"] for end in ends)
        assert stroke.get_xdata()[0] == pytest.approx(mean)


def again_from_the_file(name):
    return json.loads((files("lrlib") / "recorded" / AGAIN / f"{name}-seed0.json").read_text())["epochs"]


def test_figure_11_4_has_our_runs_of_the_experiment_and_the_ends_of_its_logs():
    loss, accuracy = table_source.again_figure().wide.axes
    for name in LOGS:
        epochs = again_from_the_file(name)
        curve, square = lines_of(loss, COLOR[name])
        sums = [epoch["train_loss"] + epoch["penalty"] for epoch in epochs]
        assert list(curve.get_ydata()) == pytest.approx(sums)
        assert (square.get_xdata()[0], square.get_ydata()[0]) == (100, LOGS[name]["train_loss"])
        curve, square = lines_of(accuracy, COLOR[name])
        assert list(curve.get_ydata()) == [epoch["test_accuracy"] for epoch in epochs]
        assert (square.get_xdata()[0], square.get_ydata()[0]) == (100, LOGS[name]["test_accuracy"])


def test_table_11_2_has_our_last_epochs_and_the_logs():
    found = rows(table_source.again_table().text)
    assert found[0] == ["schedule", "training loss", "test loss", "test accuracy"]
    for row, (name, log) in zip(found[1:], LOGS.items(), strict=True):
        end = again_from_the_file(name)[-1]
        mine = (
            end["train_loss"] + end["penalty"],
            end["test_loss"] + end["penalty"],
            end["test_accuracy"],
        )
        logged = (log["train_loss"], log["test_loss"], log["test_accuracy"])
        assert row[0] == name
        for cell, ours, theirs in zip(row[1:], mine, logged, strict=True):
            assert cell.split() == [f"{ours:.4f}", "log:", f"{theirs:.4f}"]


# The sentences, by hand


def test_run_again_column_by_column():
    text = " ".join(table_source.again_text().text.split())
    # Ours end at 83.81, 83.02, 86.91, 87.61, 85.75 %, the logs at 84.14, 81.51, 86.80, 87.24, 86.51 %. The
    # survey prints 0.84, 0.82, 0.87, 0.87, 0.86. 83.02 - 81.51 = 1.51 over
    # sqrt(0.8302 * 0.1698 + 0.8151 * 0.1849) / 100 = 0.540: 2.8 errors.
    assert "Rounded as the survey rounds, three accuracies are those of its table, and two are 0.01" in text
    assert "four accuracies within 0.8 points" in text
    assert "Time-based decay alone ends 1.5 points above its log, 2.8 errors." in text
    cut = json.loads((files("lrlib") / "recorded" / f"{AGAIN}-cut.json").read_text())
    for name, run in cut.items():
        whole = again_from_the_file(name.removesuffix("-seed0"))
        assert [epoch["batches"] for epoch in run["epochs"]] == [epoch["batches"] for epoch in whole[:98]]
    # 86.87 against 86.57 % and 85.66 against 85.88 % after 98 epochs
    assert "by epoch 98 the two runs of each were 0.3 and 0.2 points apart" in text


def test_the_lead_and_the_pairs_that_sampling_cannot_tell_apart():
    text = " ".join(table_source.what_stands_text().text.split())
    # 3.10 points over sqrt(0.8414 * 0.1586 + 0.8724 * 0.1276) / 100 = 0.4947 points: 6.3 errors. Errors of
    # the differences are near 0.48 points: 0.44 and 0.29 and 0.73 points are less than two, all others more.
    assert text.startswith("A lead of 3.1 points is 6.3 standard errors, of 0.49 points each.")
    assert "Of ten pairs, seven are more than two errors apart." in text
    assert "0.29 to 0.73 points apart" in text
    # 84.14 - 81.51 = 2.63 over sqrt(0.8151 * 0.1849 + 0.8414 * 0.1586) / 100 = 0.533: 4.9 errors
    assert "2.6 points *below* the constant rate, 4.9 errors" in text


def test_the_two_losses_order_one_pair_differently():
    text = " ".join(table_source.two_losses_text().text.split())
    assert text.startswith("On test images time-based decay falls behind drops: the only pair, of ten,")
    assert "three pairs contradict the accuracies, and two of them still do by test loss" in text
    assert "time-based decay against the constant rate, and power 5 against drops. Each time" in text
    assert "In four of the five runs" in text


def test_which_column():
    text = " ".join(table_source.origin_text().text.split())
    assert text.startswith("All five losses are the source's *training* loss, to four decimals")
    assert "four are its *test* accuracy, rounded; power 5 has 0.8651 in the log and 0.86" in text


def test_the_network_is_no_resnet50():
    # The source's count is in its own summary; ResNet-50 with 10 classes is torchvision's 25,557,032 less the
    # 990 * 2048 weights and 990 biases of the classes that are not there.
    text = table_source.network_text().text
    assert "873,872" in text
    assert f"{25_557_032 - 990 * 2049:,}" in text
    assert "23.5 million" in table_source.what_we_found_text().text


def test_what_the_records_would_print_as_keras_does():
    ends = {}
    for name in ("time", "linear"):
        last = [run.epochs[-1] for run in Records().runs(CIFAR10, name)]
        ends[name] = sum(end.train_loss + end.penalty for end in last) / 5
    text = " ".join(table_source.penalty_text().text.split())
    assert f"printed loss of all eight, {ends['time']:.3f}," in text
    assert f"Linear decay would print {ends['linear']:.3f}" in text


def test_captions_tell_how_the_runs_were_made():
    for name in EIGHT:
        runs = Records().runs(CIFAR10, name)
        assert len(runs) == 5
        assert {run.config.penalty for run in runs} == {"uniform"}


# The live cell


def test_the_two_runs_differ_in_the_seed_alone_and_their_loss_is_keras_own():
    names = run_page("table_source").names
    first, second = names["mine"].values()
    assert [first.config.seed, second.config.seed] == [7, 8]
    assert first.config.changed(seed=8) == second.config
    end = first.epochs[-1]
    text = " ".join(table_source.live_text(names["mine"]).text.split())
    assert f"print it, is {end.train_loss + end.penalty:.4f}, of which {end.penalty:.4f} is penalty" in text


def test_the_readers_runs_are_laid_over_those_of_their_own_setting():
    digits = {f"seed {n}": Records().runs(DIGITS, "constant", seed=n)[0] for n in (1, 2)}
    assert "Our five recorded runs" in table_source.live_text(digits).text
    cifar = {f"seed {n}": Records().runs(CIFAR10, "constant", seed=n)[0] for n in (1, 2)}
    assert "recorded runs" not in table_source.live_text(cifar).text
    for mine in (digits, cifar):
        lines = table_source.live_figure(mine).wide.axes[0].lines
        assert len(lines) == 2 * (5 + 1)


# Equal columns


def test_the_losses_are_training_losses_and_nothing_else():
    for name, row in TABLE.items():
        same = [column for column in ("train_loss", "test_loss") if LOGS[name][column] == row["loss"]]
        assert same == ["train_loss"]
        assert origin("loss")[name] == ("train_loss",)


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


def test_another_source_gives_another_origin():
    assert origin("loss", edited("test_loss", "drop", 0.1821))["drop"] == ("train_loss", "test_loss")
    assert origin("loss", edited("train_loss", "drop", 0.1822))["drop"] == ()
    # Half goes up, by the printed digits: 0.865 is 0.86499... to a float, and still 0.87.
    assert "test_accuracy" not in origin("accuracy", edited("test_accuracy", "poly5", 0.865))["poly5"]
    assert "test_accuracy" in origin("accuracy", edited("test_accuracy", "poly5", 0.8649))["poly5"]
    with pytest.raises(ValueError, match="did you mean 'loss'"):
        origin("los")


def test_the_tables_mark_what_agrees():
    def marked(column):
        found = BeautifulSoup(origin_table(column), "html.parser").find_all("tr")
        return [[str(cell.decode_contents()) for cell in row.find_all(["th", "td"])] for row in found]

    assert marked("loss")[:3] == [
        ["schedule", "survey: Loss", "loss", "val_loss"],
        ["constant", "0.5328", "<strong>0.5328</strong>", "0.9788"],
        ["time", "0.1732", "<strong>0.1732</strong>", "0.9210"],
    ]
    assert marked("accuracy")[0] == ["schedule", "survey: Accuracy", "accuracy", "val_accuracy", "report"]
    assert marked("accuracy")[-1] == ["poly5", "0.86", "1.0000", "0.8651", "0.87"]
    assert rows(table_source.origin_tables().text) == rows(origin_table("loss") + origin_table("accuracy"))
