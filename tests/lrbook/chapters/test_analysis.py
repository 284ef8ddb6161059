"""The analysis: every finding stands on the records, and falls when they change; tables, figures by hand."""

from __future__ import annotations

import contextlib
import functools
import io
import json
import re
from collections import Counter
from itertools import product
from statistics import fmean, stdev
from types import SimpleNamespace

import pytest

import findings as rules
from findings import constants, lines_of, measured, swapped, without
from grids import grids
from lrbook.chapters import analysis, analysis_decisions, map_plan
from lrbook.finding import Records
from lrlib import load_runs
from lrlib.plots.two_widths import COLOR
from lrlib.runs.published import published
from lrlib.runs.store import RECORDED
from lrlib.schedules.recipes import SURVEY
from lrlib.stats import FAMILY, compare_all
from synthetic import two_epochs

CIFAR10, DIGITS = "survey-laptop", "survey-digits"
RESNET50, MAP, DIGITS_MAP, MORE_SEEDS = "resnet50-gpu", "laptop-map-gpu", "peak-digits", "rates-digits"
FIVE = ("constant", "time", "drop", "linear", "poly5")
MINUS = "\N{MINUS SIGN}"


loaded = functools.cache(load_runs)  # a figure has hundreds of points


def accuracies(study: str, label: str, **config) -> list[float]:
    """After the last epoch, by seed, read without the book's helpers."""
    runs = [
        run
        for run in loaded(study)
        if run.label == label and all(getattr(run.config, k) == v for k, v in config.items())
    ]
    return [run.epochs[-1].test_accuracy for run in sorted(runs, key=lambda run: run.config.seed)]


# Table 7.2


def test_decisions_are_those_of_the_plan():
    # differences 0.04, 0.05, 0.06: mean 5 points, sd 1; family of 1: 5 -+ 4.30265 / sqrt(3) = 2.52 to 7.48
    values = {"constant": {1: 0.77, 2: 0.78, 3: 0.76}, "linear": {1: 0.81, 2: 0.83, 3: 0.82}}
    compared = compare_all(values, pairs=[("linear", "constant")])
    ((_, rows),) = grids(analysis.decision_table(compared).html)
    assert rows == [
        ["schedule", "against constant", "by the plan"],
        ["linear", "+5.0 +2.5 to +7.5", "better"],
    ]
    down = compare_all(values, pairs=[("constant", "linear")])
    ((_, rows),) = grids(analysis.decision_table(down).html)
    assert rows[1] == ["constant", f"{MINUS}5.0 {MINUS}7.5 to {MINUS}2.5", "worse"]


def test_a_row_for_each_schedule_and_two_columns_for_each_reference():
    compared = compare_all({"constant": {1: 0.5}, "linear": {1: 0.75}})
    ((_, rows),) = grids(analysis.decision_table(compared).html)
    assert rows[0] == ["schedule", *("against constant", "by the plan"), *("against linear", "by the plan")]
    assert [row[0] for row in rows[1:]] == list(dict.fromkeys(schedule for schedule, _ in FAMILY))
    by_name = {row[0]: row[1:] for row in rows[1:]}
    assert by_name["linear"] == ["+25.0", "not decidable", "–", "–"]  # from one seed, without an interval
    assert by_name["drop"] == ["–", "–", "–", "–"]


def test_table_7_3_has_the_survey_and_the_rates_that_others_chose():
    ((_, (head, *rows)),) = grids(analysis.rates_table().html)
    assert head[1:3] == ["the survey", "CIFAR-10, all at 0.1"]
    by_name = {row[0]: row[1:] for row in rows}
    assert list(by_name) == list(SURVEY)
    assert {name: row[0] for name, row in by_name.items() if row[0] != "–"} == {
        name: f"{100 * value:.0f}" for name, value in PRINTED.items()
    }
    of_triangle = [
        run.epochs[-1].test_accuracy
        for run in load_runs("laptop-map-gpu")
        if run.label == "triangle" and run.config.peak_lr == 0.3
    ]
    half = 4.3027 * stdev(of_triangle) / 3**0.5  # the 0.975 quantile of t with 2 degrees of freedom
    assert by_name["triangle"][2] == f"{100 * fmean(of_triangle):.1f} ± {100 * half:.1f}, at 0.3"
    assert by_name["drop"][2].endswith("at 0.03 or 0.1")
    for run in load_runs("fair-digits"):
        if run.label in by_name:
            assert by_name[run.label][3].endswith(f"at {run.config.peak_lr:g}")


def test_table_7_3_is_counted_again_from_the_files():
    """Means and half intervals: at 0.1, at the rate that the other two seeds choose, and in the race."""
    t = {3: 4.302653, 20: 2.093024}  # the 0.975 quantiles with 2 and 19 degrees of freedom
    ends = {study: {} for study in ("laptop-map-gpu", "fair-digits")}
    for study, found in ends.items():
        for path in (RECORDED / study).glob("*.json"):
            record = json.loads(path.read_text(encoding="utf-8"))
            rates = found.setdefault(path.stem.partition("-")[0], {})
            at = rates.setdefault(record["config"]["peak_lr"], {})
            at[record["config"]["seed"]] = 100 * record["epochs"][-1]["test_accuracy"]
    ((_, (_, *rows)),) = grids(analysis.rates_table().html)
    assert len(rows) == 8
    for name, _, *cells in rows:
        grid, chosen = ends["laptop-map-gpu"][name], []
        for left_out in grid[0.1]:
            others = {rate: sum(at.values()) - at[left_out] for rate, at in grid.items()}
            chosen.append(max(others, key=others.get))
        own = [grid[rate][seed] for rate, seed in zip(chosen, grid[0.1], strict=True)]
        ((_, race),) = ends["fair-digits"][name].items()
        for cell, values in zip(cells, (list(grid[0.1].values()), own, list(race.values())), strict=True):
            shown, half = re.findall(r"\d+\.\d", cell)[:2]
            assert float(shown) == pytest.approx(fmean(values), abs=0.0501), name
            spread = t[len(values)] * stdev(values) / len(values) ** 0.5
            assert float(half) == pytest.approx(spread, abs=0.0501), name
        assert set(chosen) == set(map(float, re.findall(r"0\.\d+", cells[1].partition("at ")[2]))), name


def test_table_7_2_has_every_comparison_of_the_plan():
    ((_, (head, *rows)),) = grids(analysis.decisions_table().html)
    said = {
        (row[0], head[column].removeprefix("against ")): row[column : column + 2]
        for row in rows
        for column in (1, 3)
        if row[column] != "–"
    }
    assert set(said) == set(FAMILY)
    for each in compare_all(load_runs(CIFAR10)):
        text, verdict = said[each.schedule, each.reference]
        difference, low, _, high = text.replace(MINUS, "-").split()
        wanted = (each.mean_difference, *each.interval)
        for shown, value in zip((difference, low, high), wanted, strict=True):
            assert float(shown) == pytest.approx(100 * value, abs=0.0501)
        assert verdict == each.verdict
    assert "interval includes zero" in analysis.decisions_text().text


def test_the_fold_has_all_sentences_of_the_plan():
    text = analysis.details_text().text
    for each in compare_all(load_runs(CIFAR10)):
        assert f"\n- {each.sentence()}\n" in text


# Tables of single runs


def made_up(ends: dict[str, tuple[float, float]]) -> Records:
    """Two runs of each of the five, with these accuracies at the end."""
    records, runs = Records(), []
    for name, values in ends.items():
        for run, value in zip(Records().runs(CIFAR10, name)[:2], values, strict=True):
            last = run.epochs[-1].model_copy(update={"test_accuracy": value})
            runs.append(run.model_copy(update={"epochs": (*run.epochs[:-1], last)}))
    records["made up"] = runs
    return records


def test_places_by_hand():
    ends = {"constant": (0.1, 0.1), "time": (0.2, 0.4), "drop": (0.3, 0.3), "linear": (0.6, 0.6)}
    records = made_up({**ends, "poly5": (0.5, 0.5)})
    assert analysis.places(records, "made up") == {
        "constant": [0, 0, 0, 0, 1],
        "time": [0, 0, 0.5, 0.5, 0],
        "drop": [0, 0, 0.5, 0.5, 0],
        "linear": [1, 0, 0, 0, 0],
        "poly5": [0, 1, 0, 0, 0],
    }
    records = made_up({**ends, "drop": (0.2, 0.3), "poly5": (0.5, 0.5)})
    # time and drop: 0.2 and 0.2 end level, 0.2 and 0.3, 0.4 and 0.2, 0.4 and 0.3
    assert analysis.places(records, "made up")["time"] == [0, 0, 0.625, 0.375, 0]


@pytest.mark.parametrize(("study", "n"), [(CIFAR10, 2), (DIGITS, 10)])
def test_rankings_whichever_way_ties_are_broken(study, n):
    """The headline: all 3,125 tables. Tables without a tie alone hold as many rankings as all."""
    ends = [accuracies(study, name) for name in FIVE]
    tables = list(product(*ends))
    assert len(tables) == 3125
    orders = Counter(
        tuple(sorted(FIVE, key=lambda name: -table[FIVE.index(name)]))
        for table in tables
        if len(set(table)) == 5
    )
    assert len(orders) == n
    backwards = tuple(reversed(FIVE))
    last_first = {tuple(sorted(backwards, key=lambda name: -t[FIVE.index(name)])) for t in tables}
    assert last_first == set(orders) == analysis.rankings(Records(), study)
    text = analysis.what_we_found_text().text
    assert "3,125 tables" in text
    assert {2: "two rankings", 10: "on the digits ten"}[n] in " ".join(text.replace(">", "").split())


def run_cell(word: str, **changes: str) -> list[str]:
    """What the page's cell with this word prints, after some changes of its code."""
    (code,) = [
        "".join(cell["source"])
        for cell in rules.cells("analysis")
        if cell["cell_type"] == "code" and word in "".join(cell["source"])
    ]
    for old, new in changes.items():
        code = code.replace(old, new)
    with contextlib.redirect_stdout(io.StringIO()) as out:
        exec(code, {"chapter": analysis})
    return out.getvalue().splitlines()


def test_the_loop_over_all_tables_finds_the_rankings():
    for name, study in (("laptop", CIFAR10), ("digits", DIGITS)):
        printed = run_cell("product(", laptop=name)
        assert {tuple(line.split(" > ")) for line in printed} == analysis.rankings(Records(), study)


def test_figure_7_1_is_all_recorded_runs_on_scales_of_one_width():
    for form in (analysis.seeds_figure().wide, analysis.seeds_figure().narrow):
        first, second = form.axes
        assert first.get_xlim()[1] - first.get_xlim()[0] == pytest.approx(
            second.get_xlim()[1] - second.get_xlim()[0]
        )
        for axes, study in ((first, CIFAR10), (second, DIGITS)):
            low, high = axes.get_xlim()
            for dots, name in zip(axes.collections, SURVEY, strict=True):
                assert list(dots.get_offsets()[:, 0]) == accuracies(study, name)
                assert all(low < x < high for x in dots.get_offsets()[:, 0])
            written = [text.get_text() for text in axes.texts]
            assert written == [f"{100 * fmean(accuracies(study, name)) + 1e-9:.1f}%" for name in SURVEY]


def test_figure_7_2_is_the_shares_of_all_tables():
    for axes, study in zip(analysis.places_figure().wide.axes, (CIFAR10, DIGITS), strict=True):
        names = [label.get_text() for label in axes.get_yticklabels()]
        for text in axes.texts:
            place, row = text.xy
            tables = [dict(zip(FIVE, t, strict=True)) for t in product(*(accuracies(study, n) for n in FIVE))]
            share = 0.0
            for table in tables:
                mine = table[names[row]]
                above = sum(x > mine for x in table.values())
                level = sum(x == mine for x in table.values())
                share += (above < place <= above + level) / level / len(tables)
            assert float(text.get_text().rstrip("%")) == pytest.approx(100 * share, abs=0.501)
        assert len(axes.texts) == {CIFAR10: 7, DIGITS: 13}[study]


def test_figure_7_3_is_the_last_third_and_the_standard_deviations():
    curves, dots = analysis.spread_figure().wide.axes
    for name in ("constant", "linear"):
        runs = [run for run in load_runs(CIFAR10) if run.label == name]
        drawn = [list(line.get_ydata()) for line in lines_of(curves, COLOR[name])]
        assert drawn == [run.column("test_accuracy")[-11:] for run in runs]
        assert all(list(line.get_xdata()) == list(range(20, 31)) for line in lines_of(curves, COLOR[name]))
    for row, name in enumerate(SURVEY):
        at = [
            line.get_xdata()[0]
            for line in dots.lines
            if line.get_marker() == "o" and line.get_ydata()[0] == row
        ]
        assert at == pytest.approx([100 * stdev(accuracies(study, name)) for study in (CIFAR10, DIGITS)])


# Peak rates


def test_the_loop_that_leaves_a_seed_out_chooses_as_the_finding_says():
    at = {rate: accuracies(DIGITS_MAP, "constant", peak_lr=rate) for rate in analysis.rates("constant")}
    assert len(at) == 9
    lines = []
    for seed in (1, 2, 3):
        best = max(at, key=lambda rate: sum(at[rate]) - at[rate][seed - 1])
        lines.append(f"{seed} {best} {at[best][seed - 1]}")
    assert run_cell("left_out in") == lines
    text = " ".join(analysis.own_rates_text().text.split())
    rates, reported = zip(*(map(float, line.split()[1:]) for line in lines), strict=True)
    assert "chose {:g}, {:g} and {:g}".format(*sorted(rates)) in text
    assert f"it reports {100 * fmean(reported):.1f}%" in text


def test_figure_7_4_is_the_records():
    for form in (analysis.digits_map_figure().wide, analysis.digits_map_figure().narrow):
        panels = [axes for axes in form.axes if axes.lines]
        assert [axes.get_title(loc="left") for axes in panels] == [n for n in SURVEY if n != "constant"]
        for axes in panels:
            for label in ("constant", axes.get_title(loc="left")):
                (line,) = lines_of(axes, COLOR[label])
                for rate, error in zip(line.get_xdata(), line.get_ydata(), strict=True):
                    assert 1 - error == pytest.approx(fmean(accuracies(DIGITS_MAP, label, peak_lr=rate)))
            assert [len(dots.get_offsets()) for dots in axes.collections[:2]] == [27, 27]


def test_captions_tell_how_the_runs_were_made():
    for study in (CIFAR10, DIGITS):
        assert {run.config.peak_lr for run in load_runs(study)} == {0.1}
        assert all(len(accuracies(study, name)) == 5 for name in SURVEY)
    assert {run.config.epochs for run in load_runs(CIFAR10) + load_runs(MAP)} == {30}
    assert {run.config.seed for run in load_runs(DIGITS_MAP)} == {1, 2, 3}
    assert {run.label for run in load_runs(MORE_SEEDS)} == {"constant"}
    assert {run.config.seed for run in load_runs(MORE_SEEDS)} == set(range(4, 11))


# The reader's run


def test_the_readers_run_is_placed_among_those_of_its_setting():
    for study in (CIFAR10, DIGITS):
        mine = {"linear": Records().runs(study, "linear")[0]}
        assert "inside the range of our five" in analysis.live_text(mine).text
        loss, accuracy = analysis.live_figure(mine).wide.axes
        assert len(loss.lines) == len(accuracy.lines) == 5 + 1
    short = {"linear": two_epochs("linear")}
    assert "No recorded run is like yours (differing: epochs)" in analysis.live_text(short).text


# Findings on a GPU's records -------------------------------------------------------------------------------


def test_schedule_panels_are_the_records():
    found = {}
    for run in load_runs("laptop-map-gpu"):
        found.setdefault((run.label, run.config.peak_lr), []).append(run.epochs[-1].test_accuracy)
    for form in (analysis.map_figure().wide, analysis.map_figure().narrow):
        panels = [axes for axes in form.axes if axes.lines]
        assert [axes.get_title(loc="left") or axes.get_title() for axes in panels] == [
            name for name in SURVEY if name != "constant"
        ]
        for axes in panels:
            gray, line = axes.lines
            name = axes.get_title(loc="left") or axes.get_title()
            for drawn, label in ((gray, "constant"), (line, name)):
                assert list(drawn.get_ydata()) == pytest.approx(
                    [fmean(found[label, rate]) for rate in drawn.get_xdata()]
                )


def lifted(study, label, by, **config):
    return measured(study, label, "test_accuracy", lambda e, x: x + by, seeds=range(99), **config)


def lost(study, label, factor, **config):
    """Multiply a schedule's last training loss."""

    def alter(records):
        records[study] = [
            run.model_copy(
                update={"final": run.final.model_copy(update={"train_loss": factor * run.final.train_loss})}
            )
            if run.label == label and all(getattr(run.config, k) == v for k, v in config.items())
            else run
            for run in records[study]
        ]

    return alter


def accuracy(study, labels, value, **which):
    """Test accuracies are others."""
    return measured(study, labels, "test_accuracy", value, **which)


def printed(**changes):
    """What was printed, with some values changed: survey={"loss": {"time": 0.2}}."""

    def table(name):
        def column(quantity):
            known = getattr(published(), name).column(quantity)
            return {**known, **changes.get(name, {}).get(quantity, {})}

        return SimpleNamespace(column=column)

    both = SimpleNamespace(survey=table("survey"), source=table("source"))
    return lambda: both


PRINTED = published().survey.column("accuracy")
ALTERATIONS = {
    "second look: triangle and linear swapped": swapped("triangle-laptop", "triangle", "linear"),
    "resnet: linear and constant swapped": swapped(RESNET50, "linear", "constant"),
    "resnet: linear poorer": lifted(RESNET50, "linear", -0.018),
    "resnet: linear at its number": lifted(RESNET50, "linear", -0.012),
    "resnet: drop far off": lifted(RESNET50, "drop", -0.03),
    "resnet: constant as printed": lifted(RESNET50, "constant", 0.05),
    "resnet: a run twice": lambda records: records.update(
        {RESNET50: [*records[RESNET50], records[RESNET50][0]]}
    ),
    "resnet: constant and time printed as each other": constants(
        analysis,
        published=printed(survey={"accuracy": {"constant": PRINTED["time"], "time": PRINTED["constant"]}}),
    ),
    "resnet: drop and poly5 swapped": swapped(RESNET50, "drop", "poly5"),
    "resnet: cosine and cosine5 swapped": swapped(RESNET50, "cosine", "cosine5"),
    "laptop: time and constant swapped": swapped(CIFAR10, "time", "constant"),
    "map: constant better at 0.1": lifted(MAP, "constant", 0.05, peak_lr=0.1),
    "map: linear better at 0.01": lifted(MAP, "linear", 0.05, peak_lr=0.01),
    "map: triangle poor at 0.3": lifted(MAP, "triangle", -0.05, peak_lr=0.3),
    "map: linear better at 0.3": lifted(MAP, "linear", 0.02, peak_lr=0.3),
    "map: time better at 0.1": lifted(MAP, "time", 0.027, peak_lr=0.1),
    "map: constant level": lifted(MAP, "constant", 0.03),
    "map: one block": rules.of_seeds(MAP, 1),
    "map: two blocks and no more": rules.of_seeds(MAP, 1, 2),
    "map: constant worse at 0.1": lifted(MAP, "constant", -0.05, peak_lr=0.1),
    "map: drop far ahead": lifted(MAP, "drop", 0.05),
    "map: time good everywhere": lifted(MAP, "time", 0.05),
    "map: constant poor": lifted(MAP, "constant", -0.02),
    "map: constant good at 0.01": lifted(MAP, "constant", 0.006, peak_lr=0.01),
    "race: drop poor": measured(
        "fair-digits", "drop", "test_accuracy", lambda e, x: x - 0.05, seeds=range(201, 221)
    ),
    "map: constant gains in each seed": lifted(MAP, "constant", 0.02, peak_lr=0.01),
    "map: time at a low rate": lifted(MAP, "time", 0.1, peak_lr=0.01),
    "map: linear at a high rate": lifted(MAP, "linear", 0.01, peak_lr=0.03),
    "map: linear's loss at 0.03": lost(MAP, "linear", 1000, peak_lr=0.03),
    "map: time first at 0.3": lambda records: [
        lost(MAP, name, 1e-6 * 10**k, peak_lr=0.3)(records)
        for k, name in enumerate(map_plan.ORDERS[0.3].split())
    ],
    "digits: time poor everywhere": accuracy(DIGITS_MAP, "time", lambda e, x: x - 0.03),
    "laptop: linear and poly5 swapped": swapped(CIFAR10, "linear", "poly5"),
    "laptop: drop poor": accuracy(CIFAR10, "drop", lambda e, x: x - 0.03),
    "laptop: linear poor": accuracy(CIFAR10, "linear", lambda e, x: x - 0.06),
    "laptop: linear scattered": accuracy(CIFAR10, "linear", lambda e, x: x - 0.03, seeds=[2]),
    "laptop: linear low for one seed": accuracy(CIFAR10, "linear", lambda e, x: x - 0.012, seeds=[2]),
    "laptop: time good for one seed": accuracy(CIFAR10, "time", lambda e, x: x + 0.03, seeds=[1]),
    "laptop: time far ahead of constant": accuracy(CIFAR10, "time", lambda e, x: x + 0.005),
    "laptop: time a little ahead of constant": accuracy(CIFAR10, "time", lambda e, x: x - 0.006),
    "laptop: triangle poor": accuracy(CIFAR10, "triangle", lambda e, x: x - 0.01),
    "laptop: triangle far ahead": accuracy(CIFAR10, "triangle", lambda e, x: x + 0.05),
    "laptop: a run is missing": without(CIFAR10, "linear", 5),
    "laptop: a constant run is missing": without(CIFAR10, "constant", 5),
    "laptop: constant calm": accuracy(CIFAR10, "constant", lambda e, x: 0.774),
    "laptop: constant calm, seeds apart": accuracy(CIFAR10, "constant", lambda e, x: 0.774 + 0.001 * (e % 2)),
    "laptop: linear restless": accuracy(CIFAR10, "linear", lambda e, x: x + 0.01 * (e % 2)),
    "laptop: all end better": accuracy(CIFAR10, " ".join(SURVEY), lambda e, x: 1 - (1 - x) / 4),
    "laptop: constant's twins": lambda records: [
        accuracy(CIFAR10, name, lambda e, x, s=seed: x + 0.02 * s, seeds=[seed])(records)
        for name in SURVEY
        for seed in (2, 3, 4, 5)
    ],
    "digits: time behind linear": accuracy(DIGITS, "time", lambda e, x: x - 0.01),
    "digits: time far behind": accuracy(DIGITS, "time", lambda e, x: x - 0.05),
    "digits: constant poor": accuracy(DIGITS, "constant", lambda e, x: x - 0.05),
    "digits: constant good": accuracy(DIGITS, "constant", lambda e, x: x + 0.03),
    "digits: constant calm": accuracy(DIGITS, "constant", lambda e, x: 0.96),
    "digits: linear near constant": accuracy(DIGITS, "linear", lambda e, x: x - 0.02),
    "digits: all end poorer": accuracy(DIGITS, " ".join(SURVEY), lambda e, x: x - 0.2),
    "digits map: constant good at 0.1": accuracy(DIGITS_MAP, "constant", lambda e, x: x + 0.03, peak_lr=0.1),
    "digits map: time poor at 0.1": accuracy(DIGITS_MAP, "time", lambda e, x: x - 0.06, peak_lr=0.1),
    "digits map: constant good at 0.03": accuracy(
        DIGITS_MAP, "constant", lambda e, x: x + 0.01, peak_lr=0.03
    ),
    "digits map: constant level": accuracy(DIGITS_MAP, "constant", lambda e, x: 0.96),
    "digits map: constant better": accuracy(DIGITS_MAP, "constant", lambda e, x: x + 0.01, peak_lr=0.01),
    "digits map: constant good at the lowest rate": accuracy(
        DIGITS_MAP, "constant", lambda e, x: 0.999, peak_lr=0.0001
    ),
    "rates: the seeds disagree": accuracy(
        MORE_SEEDS, "constant", lambda e, x: x + 0.03, peak_lr=0.03, seeds=[5]
    ),
    "rates: scattered at 0.01": accuracy(
        MORE_SEEDS, "constant", lambda e, x: x - 0.06, peak_lr=0.01, seeds=[5]
    ),
    "rates: none": lambda records: records.update({MORE_SEEDS: []}),
    "rates: good everywhere": lambda records: [
        accuracy(study, "constant", lambda e, x: x + 0.007, peak_lr=0.01)(records)
        for study in (DIGITS_MAP, MORE_SEEDS)
    ],
    "printed: another loss": constants(analysis, published=printed(survey={"loss": {"time": 0.2}})),
    "printed: another accuracy": constants(analysis, published=printed(survey={"accuracy": {"time": 0.88}})),
    "printed: another test loss": constants(analysis, published=printed(source={"test_loss": {"time": 0.5}})),
    "printed: linear best": constants(analysis, published=printed(survey={"accuracy": {"linear": 0.88}})),
    "printed: with a triangle": constants(
        analysis, published=printed(survey={"accuracy": {"triangle": 0.88}})
    ),
    "tiny test sets": constants(analysis_decisions, TEST_IMAGES={"cifar10": 100, "digits": 100}),
}

# What may stand in an author's words with a number: names, and what is said of the plan of a study.
ALLOWED = (
    r"ResNet-50|power 5|[Oo]ne run|Two more|other two seeds|the eight"
    r"|more than 2 points|decides one thing|[Aa]t three rates|above 0\.5"
    r"|it is 1|arxiv\.org/abs/\d+\.\d+"
)


test_it_holds_for_the_records, test_each_of_its_claims_can_fail, test_no_measured_number_is_typed = (
    rules.finding_tests(analysis, ALTERATIONS, ALLOWED)
)


def test_headings_findings_and_code_of_the_page():
    plain = {
        "Five seeds each, on two data sets",
        "Predict: what could one run of each have shown?",
        "Try it: one more draw",
    }
    rules.check_page(analysis, plain_headings=plain)


test_a_figure_has_two_widths_one_name_and_ids_of_its_own = rules.figure_test(analysis)
