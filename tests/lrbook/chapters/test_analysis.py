"""What the analysis prints: decisions of a plan and a fairer comparison, with numbers by hand."""

from types import SimpleNamespace

import pytest

import findings as rules
from findings import constants, measured, swapped
from grids import grids
from lrbook.chapters import analysis
from lrlib import load_runs
from lrlib.runs.published import published
from lrlib.schedules.recipes import SURVEY
from lrlib.stats import FAMILY, compare_all


def test_decisions_are_those_of_the_plan():
    # differences 0.04, 0.05, 0.06: mean 5 points, sd 1; family of 1: 5 -+ 4.30265 / sqrt(3) = 2.52 to 7.48
    values = {"constant": {1: 0.77, 2: 0.78, 3: 0.76}, "linear": {1: 0.81, 2: 0.83, 3: 0.82}}
    compared = compare_all(values, pairs=[("linear", "constant")])
    ((caption, rows),) = grids(analysis.decision_table(compared))
    assert caption == "Against constant"
    # t = 5 / (1 / sqrt(3)) = 8.66 with 2 degrees of freedom: p = 1 - t / sqrt(t^2 + 2) = 0.0131
    assert rows == [
        ["schedule", "points", "n", "verdict"],
        ["linear", "+5.00 +2.52 to +7.48", "3", "better p = 0.013"],
    ]


def test_the_p_below_as_good_as_is_that_of_equivalence():
    # d = 0.01, 0, 0, 0.01 points, far inside the margin of one point; it may be no difference at all
    compared = compare_all({"linear": HIGH, "cosine": NEAR}, pairs=[("cosine", "linear")])
    assert compared[0].verdict_p == compared[0].equivalence_holm_p < 1e-4 < compared[0].holm_p
    ((_, rows),) = grids(analysis.decision_table(compared))
    assert rows[1][-1] == "as good as p < 0.0001"
    assert "Holm p < 0.0001 of equivalence, n = 4" in compared[0].sentence()


def test_a_difference_whose_interval_holds_zero_is_explained():
    # d = 4, 1, 3, 2 points (test_paired.py): p = 0.030466 alone; two intervals reach 4.1765 standard
    # errors of 0.6455 points, past zero. Holm asks for 0.05 of it once drop, with its tiny p, is settled.
    values = {
        "constant": dict.fromkeys(range(4), 0.7),
        "time": {0: 0.74, 1: 0.71, 2: 0.73, 3: 0.72},
        "drop": {0: 0.8, 1: 0.803, 2: 0.806, 3: 0.803},
    }
    compared = compare_all(values, pairs=[("drop", "constant"), ("time", "constant")])
    assert [c.verdict for c in compared] == ["better", "better"]
    assert [c.interval[0] > 0 for c in compared] == [True, False]
    said = analysis.past_zero(compared)
    assert said.startswith("Told apart though its interval holds zero: time against constant. An interval is")
    assert analysis.past_zero(compared[:1]) == ""
    down = compare_all(values, pairs=[("constant", "drop"), ("constant", "time")])
    assert "zero: constant against time." in analysis.past_zero(down)  # worse counts as well as better
    alone = {name: values[name] for name in ("constant", "time")}
    assert (
        analysis.past_zero(compare_all(alone, pairs=[("time", "constant")])) == ""
    )  # one question, one rule
    both = compare_all(
        {**values, "linear": values["time"]},
        pairs=[("drop", "constant"), ("time", "constant"), ("linear", "drop"), ("linear", "constant")],
    )
    assert [c.verdict for c in both][1] == "not decidable"  # two such p, each doubled
    assert analysis.past_zero(both) == ""


def test_a_table_for_each_reference_with_every_pair():
    compared = compare_all({"constant": {1: 0.5}, "linear": {1: 0.75}})
    found = dict(grids(analysis.decision_table(compared)))
    assert list(found) == ["Against constant", "Against linear"]
    assert [row[0] for rows in found.values() for row in rows[1:]] == [pair[0] for pair in FAMILY]
    by_name = {row[0]: row[1:] for row in found["Against constant"]}
    assert by_name["linear"] == ["+25.00", "1", "not decidable"]
    assert by_name["drop"] == ["–", "0", "not decidable"]


UP = {1: 0.504, 2: 0.505, 3: 0.506, 4: 0.505}  # better than LEVEL, by half a point
LEVEL = {1: 0.5, 2: 0.5, 3: 0.501, 4: 0.5}
HIGH = {1: 0.91, 2: 0.92, 3: 0.93, 4: 0.92}
NEAR = {1: 0.9101, 2: 0.92, 3: 0.93, 4: 0.9201}  # within 0.01 points of HIGH


@pytest.mark.parametrize(
    ("values", "pairs", "sentence"),
    [
        (
            {"constant": {1: 0.5}, "linear": {1: 0.75}},
            [("linear", "constant"), ("drop", "constant")],
            "Of 2 comparisons, none can be tested yet: no pair shares two seeds. Nothing is decided.",
        ),
        (
            {"constant": {1: 0.5, 2: 0.5}, "linear": {1: 0.75, 2: 0.75}},
            [("linear", "constant")],
            "Of 1 comparison, none can be tested yet: the differences do not vary over the seeds. "
            "Nothing is decided.",
        ),
        (
            {"constant": LEVEL, "linear": HIGH},
            [("linear", "constant")],
            "Against constant, linear is *better*. On 4 seeds each.",
        ),
        (
            {"constant": LEVEL, "linear": HIGH, "cosine": NEAR, "drop": {1: 0.4, 2: 0.7, 3: 0.5}},
            [("linear", "constant"), ("cosine", "linear"), ("constant", "cosine"), ("drop", "linear")],
            "Against constant, linear is *better*. Against linear, 1 is *as good* and 1 *not decidable*. "
            "Against cosine, constant is *worse*. On between 3 and 4 shared seeds.",
        ),
        (
            {"constant": {1: 0.5, 2: 0.6}, "linear": {1: 0.7, 2: 0.5}, "drop": {1: 0.5, 2: 0.7}},
            [("linear", "constant"), ("drop", "linear")],
            "None of the 2 comparisons can be decided yet, on 2 seeds each.",
        ),
        (
            {"constant": LEVEL, "linear": HIGH, "cosine": NEAR},
            [("linear", "constant"), ("cosine", "constant")],
            "Against constant, all 2 are *better*. On 4 seeds each.",
        ),
        # by less than a point is decided too
        (
            {"constant": LEVEL, "linear": UP, "drop": UP},
            [("linear", "constant"), ("constant", "drop")],
            "Against constant, linear is *better*. Against drop, constant is *worse*. On 4 seeds each.",
        ),
    ],
)
def test_what_is_decided_is_said_from_the_comparisons(values, pairs, sentence):
    assert analysis.decided(compare_all(values, pairs=pairs)) == sentence


def test_what_sharing_a_seed_gained():
    # up with constant's seeds: differences 0.10, 0.10, 0.11; against them: 0.12, 0.10, 0.08
    values = {
        "constant": {1: 0.70, 2: 0.72, 3: 0.74},
        "up": {1: 0.80, 2: 0.82, 3: 0.85},
        "down": {1: 0.82, 2: 0.82, 3: 0.82 + 1e-9},
        "against": {1: 0.84, 2: 0.82, 3: 0.80},
    }
    compared = compare_all(values, pairs=[(name, "constant") for name in ("up", "down", "against")])
    assert analysis.pairing(compared) == (  # down does not vary: its sd with and without is constant's
        "Sharing a seed made the differences vary less than without it in 1 of 3 comparisons, and more in 1."
    )
    assert analysis.pairing(compared[:1]).endswith("in 1 of 1 comparison, and more in none.")
    assert analysis.pairing(compared[2:]).endswith("in none of 1 comparison, and more in 1.")
    one = compare_all({"constant": {1: 0.5}, "up": {1: 0.6}}, pairs=[("up", "constant")])
    assert analysis.pairing(one) == ""


def test_how_far_an_interval_reaches():
    # Of a family of 13: t(1 - 0.05 / 26) is 165.5 with 1 degree (the cotangent of 0.05 pi / 26), and 16.08
    # with 2, by (1 - t / sqrt(2 + t^2)) / 2 = 0.05 / 26. The plan has 2.69 for five seeds.
    comparisons = compare_all({"constant": {1: 0.5, 2: 0.6, 3: 0.5}, "linear": {1: 0.7, 2: 0.5}})
    assert analysis.reached(comparisons, planned=5) == (
        "An interval over 2 seeds reaches 117.0 standard deviations to each side, one over 5 seeds 2.7."
    )
    comparisons = compare_all({name: {1: 0.5, 2: 0.6, 3: 0.5} for name in ("constant", "linear")})
    assert "over 3 seeds reaches 9.3 standard" in analysis.reached(comparisons, planned=5)


# ---------------------------------------------------------------- each schedule at a rate of its own


def test_race_is_at_one_rate_and_at_its_own():
    # linear without 1: seed 2 chooses 0.1, where 1 has 0.5; without 2: seed 1 chooses 0.3, where 2 has 0.25
    grid = {
        "linear": {0.1: {1: 0.5, 2: 0.75}, 0.3: {1: 1.0, 2: 0.25}},
        "drop": {0.3: {1: 0.5}},
    }
    ((_, rows),) = grids(analysis.race_table(grid))
    assert rows == [
        ["schedule", "at 0.1", "at its own", "chosen"],
        ["linear", "62.5% n = 2", "37.5% n = 2", "0.1, 0.3"],
        ["drop", "no run yet", "no run yet", "–"],
    ]
    assert grids(analysis.race_table(grid, fixed=0.3))[0][1][1][:2] == ["linear", "62.5% n = 2"]


TIED = {0.1: {1: 0.5, 2: 0.5}, 0.3: {1: 0.5, 2: 0.5}}


@pytest.mark.parametrize(
    ("grid", "parts"),
    [
        # at 0.1: 0.9 and 0.5; each at its own: 0.9 and 0.75
        (
            {
                "linear": {0.1: {1: 0.9, 2: 0.9}, 0.3: {1: 0.5, 2: 0.5}},
                "constant": {0.1: {1: 0.5, 2: 0.5}, 0.01: {1: 0.75, 2: 0.75}},
            },
            [
                "of 2 schedules lie 40.0 points apart",
                "its own, 15.0 points. The gap is less than half",
                "+0.00 points",
            ],
        ),
        # at 0.1: 0.9 and 0.5; each at its own: 0.9 and 0.65
        (
            {
                "linear": {0.1: {1: 0.9, 2: 0.9}},
                "constant": {0.1: {1: 0.5, 2: 0.5}, 0.01: {1: 0.65, 2: 0.65}},
            },
            ["40.0 points apart", "its own, 25.0 points. The gap is narrower"],
        ),
        # at 0.1: 0.5 and 0.5; each at its own: 0.5 and 0.75
        (
            {"linear": TIED, "constant": {0.1: {1: 0.5, 2: 0.5}, 0.3: {1: 0.75, 2: 0.75}}},
            ["lie 0.0 points apart", "its own, 25.0 points. The gap does not shrink"],
        ),
        # linear: its best mean is 0.625; left out in turn, 0.5 and 0.25: 25 points, over two schedules 12.5
        (
            {"linear": {0.1: {1: 0.5, 2: 0.75}, 0.3: {1: 1.0, 2: 0.25}}, "constant": TIED},
            ["lie 12.5 points apart", "its own, 12.5 points. The gap does not shrink", "+12.50 points"],
        ),
        # a seed that one rate lacks counts in no mean: without 3, all are 0.5
        (
            {"linear": {0.1: {1: 0.5, 2: 0.5, 3: 1.0}, 0.3: {1: 0.5, 2: 0.5}}, "constant": TIED},
            ["lie 0.0 points apart", "its own, 0.0 points. The gap does not shrink", "+0.00 points"],
        ),
    ],
)
def test_what_the_race_says_is_chosen_from_the_data(grid, parts):
    sentence = analysis.raced(grid)
    for part in parts:
        assert part in sentence


def test_a_choice_at_the_edge_of_the_grid_is_said():
    level = {1: 0.5, 2: 0.5}
    grid = {
        "linear": {0.01: level, 0.1: {1: 0.75, 2: 0.75}, 1.0: level},
        "constant": {0.01: {1: 0.75, 2: 0.75}, 0.1: level, 1.0: level},
        "drop": {0.01: level, 0.1: level, 1.0: {1: 0.75, 2: 0.75}},
    }
    said = analysis.raced(grid)
    assert "chose the lowest rate of the grid for constant: a better one may lie outside." in said
    assert said.endswith("chose the highest rate of the grid for drop: a better one may lie outside.")
    assert "of the grid" not in analysis.raced({"linear": grid["linear"], "time": grid["linear"]})
    # one seed is enough: without 1, seed 2 chooses 0.1; without 2, seed 1 chooses 0.01
    one = {0.01: {1: 0.9, 2: 0.5}, 0.1: {1: 0.5, 2: 0.9}, 1.0: level}
    said = analysis.raced({"linear": one, "constant": one, "drop": grid["linear"]})
    assert "Some seeds chose the lowest rate of the grid for linear and constant: a better" in said
    assert "highest rate" not in said


def test_a_race_without_seeds_says_so():
    one = {"linear": {0.1: {1: 0.5}}, "constant": {0.1: {1: 0.5}}}
    assert analysis.raced(one).endswith("they are not recorded yet.")
    assert analysis.raced({"linear": TIED}).endswith("they are not recorded yet.")


# Findings on a GPU's records -------------------------------------------------------------------------------


def test_schedule_panels_are_the_records():
    found = {}
    for run in load_runs("laptop-map-gpu"):
        if run.config.seed == 1:
            found[run.label, run.config.peak_lr] = run.epochs[-1].test_accuracy
    for form in (analysis.map_figure().wide, analysis.map_figure().narrow):
        panels = [axes for axes in form.axes if axes.lines]
        assert [axes.get_title(loc="left") or axes.get_title() for axes in panels] == [
            name for name in SURVEY if name != "constant"
        ]
        for axes in panels:
            gray, line = axes.lines
            name = axes.get_title(loc="left") or axes.get_title()
            for drawn, label in ((gray, "constant"), (line, name)):
                assert list(drawn.get_ydata()) == [found[label, rate] for rate in drawn.get_xdata()]


RESNET50, MAP = "resnet50-gpu", "laptop-map-gpu"


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


PRINTED = published().survey.column("accuracy")
SWAPPED = SimpleNamespace(
    survey=SimpleNamespace(
        column=lambda _: {**PRINTED, "constant": PRINTED["time"], "time": PRINTED["constant"]}
    )
)
ALTERATIONS = {
    "resnet: linear and constant swapped": swapped(RESNET50, "linear", "constant"),
    "resnet: linear poorer": lifted(RESNET50, "linear", -0.018),
    "resnet: linear at its number": lifted(RESNET50, "linear", -0.012),
    "resnet: drop far off": lifted(RESNET50, "drop", -0.03),
    "resnet: constant as printed": lifted(RESNET50, "constant", 0.05),
    "resnet: a run twice": lambda records: records.update(
        {RESNET50: [*records[RESNET50], records[RESNET50][0]]}
    ),
    "resnet: constant and time printed as each other": constants(analysis, published=lambda: SWAPPED),
    "resnet: drop and poly5 swapped": swapped(RESNET50, "drop", "poly5"),
    "laptop: time and constant swapped": swapped("survey-laptop", "time", "constant"),
    "map: constant better at 0.1": lifted(MAP, "constant", 0.05, peak_lr=0.1),
    "map: linear better at 0.01": lifted(MAP, "linear", 0.05, peak_lr=0.01),
    "map: triangle poor at 0.3": lifted(MAP, "triangle", -0.05, peak_lr=0.3),
    "map: linear better at 0.3": lifted(MAP, "linear", 0.02, peak_lr=0.3),
    "map: time better at 0.1": lifted(MAP, "time", 0.027, peak_lr=0.1),
    "map: constant level": lifted(MAP, "constant", 0.03),
    "map: a run twice": lambda records: records.update({MAP: [*records[MAP], records[MAP][0]]}),
    "map: constant worse at 0.1": lifted(MAP, "constant", -0.05, peak_lr=0.1),
    "map: fewer predictions": constants(
        analysis, PREDICTED={rate: order for rate, order in analysis.PREDICTED.items() if rate > 0.01}
    ),
    "map: linear's loss at 0.03": lost(MAP, "linear", 1000, peak_lr=0.03),
    "map: time first at 0.3": lambda records: [
        lost(MAP, name, 1e-6 * 10**k, peak_lr=0.3)(records)
        for k, name in enumerate(analysis.PREDICTED[0.3].split())
    ],
    "digits: time poor everywhere": measured("peak-digits", "time", "test_accuracy", lambda e, x: x - 0.03),
}


@pytest.mark.parametrize("name", rules.findings(analysis))
def test_a_finding_holds_and_each_of_its_claims_can_fail(name):
    rules.check_holds(name)
    rules.check_each_claim_can_fail(name, ALTERATIONS)


@pytest.mark.parametrize("name", rules.findings(analysis))
def test_a_finding_has_no_typed_number_and_stands_on_the_page(name):
    allowed = (
        "ResNet-50|power 5|[Oo]ne run|three of the rates|Two more|four predictions|best of four|the eight"
    )
    rules.check_no_number_is_typed(name, allowed)
    assert name.split(".")[-1] in "".join("".join(cell["source"]) for cell in rules.cells("analysis"))
