"""What it depends on: every finding of the chapter stands on the records, and falls when they change."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from statistics import fmean

import pytest

import findings as rules
from findings import constants, measured, swapped, without
from lrbook.chapters import factors, factors_valley, map_plan
from lrbook.finding import NotBorneOut, Records
from lrlib.schedules.recipes import DropRecipe
from plain_valley import valley_loss

RECORDED = Path(__file__).parents[3] / "lrlib" / "recorded"

CIFAR10, BUDGETS, MAP, RESNET50 = "survey-laptop", "horizon", "laptop-map-gpu", "resnet50-gpu"
DIGITS, LENGTHS, PEAKS = "survey-digits", "horizon-digits", "peak-digits"
IMAGES, QUESTIONS, NETWORKS, RULE = "data-digits", "task-digits", "network-digits", "warmup-rule"
EIGHT = "constant time drop linear poly5 triangle cosine cosine5"


def accuracy(study: str, labels: str, value, **which):
    """Test accuracies of some runs are others: `value` is called with the old one."""
    return measured(study, labels, "test_accuracy", lambda e, x: value(x), **which)


def also_constant(records: Records) -> None:
    """One run of the warm-up study had a constant rate."""
    first = records.runs(RULE, "linear")[0]
    recipe = records.runs(DIGITS, "constant")[0].config.recipe
    other = first.model_copy(update={"config": first.config.model_copy(update={"recipe": recipe})})
    records[RULE] = [*records[RULE], other]


def set_to(study: str, **changes) -> Callable[[Records], None]:
    """All runs of a study were made with another setting."""

    def alter(records: Records) -> None:
        records[study] = [
            run.model_copy(update={"config": run.config.changed(**changes)}) for run in records[study]
        ]

    return alter


def shortened(study: str, epochs: int, to: int) -> Callable[[Records], None]:
    """Runs of one length were shorter ones."""

    def alter(records: Records) -> None:
        records[study] = [
            run.model_copy(update={"config": run.config.changed(epochs=to), "epochs": run.epochs[:to]})
            if run.config.epochs == epochs
            else run
            for run in records[study]
        ]

    return alter


def by_path(study: str, path: str, seeds=range(1, 99)) -> Callable[[Records], None]:
    """Runs of a study were computed by another path."""

    def alter(records: Records) -> None:
        records[study] = [
            run.model_copy(update={"provenance": run.provenance.model_copy(update={"path": path})})
            if run.config.seed in seeds
            else run
            for run in records[study]
        ]

    return alter


ALTERATIONS = {
    "budgets: drop and constant swapped": swapped(BUDGETS, "drop", "constant"),
    "budgets: drop and linear swapped": swapped(BUDGETS, "drop", "linear"),
    "budgets: linear and constant swapped": swapped(BUDGETS, "linear", "constant"),
    "budgets: drop better at 5": accuracy(BUDGETS, "drop", lambda x: x + 0.05, epochs=5),
    "budgets: linear worse at 5": accuracy(BUDGETS, "linear", lambda x: x - 0.04, epochs=5),
    "budgets: linear better at 5": accuracy(BUDGETS, "linear", lambda x: x + 0.02, epochs=5),
    "budgets: linear better at 40": accuracy(BUDGETS, "linear", lambda x: x + 0.12, epochs=40),
    "budgets: drop worse at 10": accuracy(BUDGETS, "drop", lambda x: x - 0.06, epochs=10),
    "budgets: drop better at 10": accuracy(BUDGETS, "drop", lambda x: x + 0.02, epochs=10),
    "budgets: drop worse at 20": accuracy(BUDGETS, "drop", lambda x: x - 0.03, epochs=20),
    "budgets: drop worse at 40": accuracy(BUDGETS, "drop", lambda x: x - 0.06, epochs=40),
    "budgets: linear better at 10": accuracy(BUDGETS, "linear", lambda x: x + 0.02, epochs=10),
    "budgets: seeds far apart at 5": accuracy(BUDGETS, "linear", lambda x: x + 0.03, epochs=5, seeds=[2]),
    "budgets: a run is missing": without(BUDGETS, "drop", 2, epochs=10),
    "budgets: forty are thirty-five": shortened(BUDGETS, 40, 35),
    "budgets: drops by half": lambda records: other_drop(records),
    "everywhere: constant poor": lambda records: constant_poor_everywhere(records),
    "everywhere: another peak rate": lambda records: other_rates(records),
    "map: another common rate": constants(map_plan, COMMON=0.3),
    "map: constant at 0.01 poor": accuracy(MAP, "constant", lambda x: x - 0.05, peak_lr=0.01),
    "CIFAR-10: linear poor at 30": accuracy(CIFAR10, "linear", lambda x: x - 0.03),
    "CIFAR-10: seeds far apart": accuracy(CIFAR10, "constant", lambda x: x + 0.03, seeds=[2]),
    "CIFAR-10: constant as good": accuracy(CIFAR10, "constant", lambda x: x + 0.06),
    "CIFAR-10: constant much worse": accuracy(CIFAR10, "constant", lambda x: x - 0.1),
    "CIFAR-10: triangle poor": accuracy(CIFAR10, "triangle", lambda x: x - 0.06),
    "CIFAR-10: time good": accuracy(CIFAR10, "time", lambda x: x + 0.02),
    "lengths: drop and constant swapped": swapped(LENGTHS, "drop", "constant"),
    "lengths: linear and constant swapped": swapped(LENGTHS, "linear", "constant"),
    "lengths: constant good at 2": accuracy(LENGTHS, "constant", lambda x: x + 0.1, epochs=2),
    "lengths: constant poor at 16": accuracy(LENGTHS, "constant", lambda x: x - 0.2, epochs=16),
    "lengths: a run is missing": without(LENGTHS, "drop", 2, epochs=2),
    "rates: constant poor at 0.0003": accuracy(PEAKS, "constant", lambda x: x - 0.05, peak_lr=0.0003),
    "rates: linear poor at 0.0003": accuracy(PEAKS, "linear", lambda x: x - 0.2, peak_lr=0.0003),
    "rates: linear poor at 0.003": accuracy(PEAKS, "linear", lambda x: x - 0.02, peak_lr=0.003),
    "rates: linear better at 0.003": accuracy(PEAKS, "linear", lambda x: x + 0.006, peak_lr=0.003),
    "rates: constant learns at 0.3": accuracy(PEAKS, "constant", lambda x: 0.9, peak_lr=0.3),
    "rates: constant excellent at 0.03": accuracy(PEAKS, "constant", lambda x: 0.999, peak_lr=0.03),
    "rates: a run with drops is missing": without(PEAKS, "drop", 2, peak_lr=0.03),
    "rates: drop poor": accuracy(PEAKS, "drop", lambda x: x - 0.05),
    "digits: linear and constant swapped": swapped(DIGITS, "linear", "constant"),
    "digits: linear poor with one seed": accuracy(DIGITS, "linear", lambda x: 0.9, seeds=[2]),
    "digits: drop and linear swapped": swapped(DIGITS, "drop", "linear"),
    "digits: constant good": accuracy(DIGITS, "constant", lambda x: min(1, x + 0.025)),
    "digits: a run fails": accuracy(DIGITS, "constant", lambda x: 0.5, seeds=[4]),
    "digits: a run is missing": without(DIGITS, "linear", 2),
    "digits: triangle poor": accuracy(DIGITS, "triangle", lambda x: x - 0.06),
    "digits: time poor": accuracy(DIGITS, "time", lambda x: x - 0.025),
    "digits: constant much worse": accuracy(DIGITS, "constant", lambda x: x - 0.3),
    "map: constant good at 0.1": accuracy(MAP, "constant", lambda x: x + 0.05, peak_lr=0.1),
    "map: linear poor": accuracy(MAP, "linear", lambda x: x - 0.02),
    "map: one block": rules.of_seeds(MAP, 1),
    "map: constant and linear swapped": swapped(MAP, "constant", "linear"),
    "race: drop poor": accuracy("fair-digits", "drop", lambda x: x - 0.05, seeds=range(201, 221)),
    "images: linear as good with 50": accuracy(IMAGES, "linear", lambda x: 0.97, train_images=50),
    "images: linear and drop swapped": swapped(IMAGES, "linear", "drop", train_images=200),
    "images: a certain lead with 50": accuracy(IMAGES, "linear", lambda x: 0.86, train_images=50),
    "images: other batches": set_to(IMAGES, batch_size=10),
    "images: a run is missing": without(IMAGES, "linear", 3, train_images=50),
    "questions: linear and constant swapped": swapped(QUESTIONS, "linear", "constant"),
    "questions: linear good": accuracy(QUESTIONS, "linear", lambda x: x + 0.01),
    "questions: constant poor": accuracy(QUESTIONS, "constant", lambda x: x - 0.05),
    "networks: a good constant run": accuracy(NETWORKS, "constant", lambda x: 0.9, peak_lr=0.1, seeds=[1]),
    "networks: two good linear runs": accuracy(NETWORKS, "linear", lambda x: 0.95, peak_lr=0.1, seeds=[1]),
    "networks: a run fails at 0.01": accuracy(NETWORKS, "drop", lambda x: 0.2, peak_lr=0.01, seeds=[1]),
    "networks: a clear lead at 0.01": accuracy(NETWORKS, "linear", lambda x: x + 0.015, peak_lr=0.01),
    "networks: drop ahead at 0.01": swapped(NETWORKS, "linear", "drop", peak_lr=0.01),
    "networks: as small as the other": lambda records: of_one_size(records),
    "ResNet-50: constant good": accuracy(RESNET50, "constant", lambda x: x + 0.08),
    "ResNet-50: constant poorer": accuracy(RESNET50, "constant", lambda x: x + 0.02),
    "ResNet-50: no augmentation": set_to(RESNET50, augmentation="none", weight_decay=1e-4),
    "ResNet-50: a run is missing": lambda records: add_copy(records, RESNET50),
    "rule: calm and restless change places at 0.01": accuracy(
        RULE, "linear", lambda x: 0.999, peak_lr=0.01, momentum=0.0, batch_size=80
    ),
    "rule: calm fails at 0.3": accuracy(
        RULE, "linear", lambda x: 0.1, peak_lr=0.3, momentum=0.0, batch_size=80
    ),
    "rule: restless learns at 0.3": accuracy(PEAKS, "linear", lambda x: 0.9, peak_lr=0.3),
    "rule: one setting poor": accuracy(RULE, "linear", lambda x: x - 0.03, momentum=0.0, batch_size=20),
    "rule: a constant run": also_constant,
    "paths: fast far behind": accuracy("path-fast", "linear", lambda x: x - 0.03),
    "paths: fast ahead": accuracy("path-fast", "linear", lambda x: x + 0.004),
    "paths: another path": by_path("path-fast", "plain"),
    "paths: two lengths": shortened("path-plain", 5, 4),
    "paths: all runs fast": by_path(CIFAR10, "fast"),
    "valley: from a high rate": constants(factors_valley, _best_constant_rate=lambda: 0.6),
    "valley: nothing changes": constants(
        factors_valley, CHANGES={"rate": 1, "updates": 300, "noise": 0.1, "directions": 64}
    ),
    "valley: a handle that is too short": constants(
        factors_valley, HANDLES=factors_valley.HANDLES | {"noise": (0.1, 0.15, 0.2)}
    ),
    "another staircase": constants(
        factors, RECIPES=factors.RECIPES | {"drop": DropRecipe(drop_factor=0.9, drop_fraction=0.5)}
    ),
    "valley: another staircase": constants(
        factors_valley, RECIPES=factors.RECIPES | {"drop": DropRecipe(drop_factor=0.9, drop_fraction=0.5)}
    ),
}


def other_drop(records: Records) -> None:
    recipe = DropRecipe(drop_factor=0.5)
    records[BUDGETS] = [
        run.model_copy(update={"config": run.config.model_copy(update={"recipe": recipe})})
        if run.label == "drop"
        else run
        for run in records[BUDGETS]
    ]


def of_one_size(records: Records) -> None:
    for study in (DIGITS, NETWORKS):
        records[study] = [run.model_copy(update={"parameters": 100}) for run in records[study]]


def add_copy(records: Records, study: str) -> None:
    first = records.runs(study, "constant")[0]
    records[study] = [
        *records[study],
        first.model_copy(update={"config": first.config.model_copy(update={"seed": 9})}),
    ]


def constant_poor_everywhere(records: Records) -> None:
    for study in factors.ALL:
        accuracy(study, "constant", lambda x: min(x, 0.51))(records)


def other_rates(records: Records) -> None:
    for study in (BUDGETS, LENGTHS, IMAGES):
        set_to(study, peak_lr=0.2)(records)


# What may stand in an author's words with a number: logic, and what the panel of a figure holds.
ALLOWED = (
    r"But the two settings|where two are level|Two networks at \*one\* rate differ in two things|"
    r"these two change|the first two are within|In all four panels|act on these four|\(1 is the same order\)|"
    r"The survey's five factors|the three then lie within|ResNet-50|figure 10\.\d"
)


test_it_holds_for_the_records, test_each_of_its_claims_can_fail, test_no_measured_number_is_typed = (
    rules.finding_tests(factors, ALTERATIONS, ALLOWED)
)


def test_headings_findings_and_code_of_the_page():
    plain = {
        "One setting, and five ways to leave it",
        "Predict: which change puts linear decay ahead?",
        "Why: each change leaves less distance, or more shaking",  # computed in the valley
        "The code: a plan for each length, a difference for each seed",
        "Try it: two epochs on digits",
    }
    rules.check_page(factors, plain_headings=plain, inside={"two_epochs_text"})


test_a_figure_has_two_widths_one_name_and_ids_of_its_own = rules.figure_test(factors)


def test_a_finding_that_fell_is_not_printed_and_says_why():
    records = Records()
    ALTERATIONS["budgets: drop better at 5"](records)
    with pytest.raises(NotBorneOut, match="every short run with drops is below every constant one"):
        factors.budgets_text(records)


# --- The figures, from the files of the records -----------------------------------------------------------

KINDS = {"constant_recipe": "constant", "drop_recipe": "drop", "linear_recipe": "linear"}


def ends(level: Callable[[dict], object], *studies: str, **wanted) -> dict:
    """Level -> schedule -> seed -> last test accuracy, read from the files."""
    found: dict = defaultdict(lambda: defaultdict(dict))
    for study in studies:
        for path in sorted((RECORDED / study).glob("*.json")):
            record = json.loads(path.read_text())
            config = {"task": "classes", **record["config"]}  # records that are older than the field
            name = KINDS.get(config["recipe"]["kind"])
            if name and all(config[key] == v for key, v in wanted.items()):
                found[level(config)][name][config["seed"]] = record["epochs"][-1]["test_accuracy"]
    return found


def rate_of(config: dict) -> float:
    return config["peak_lr"]


def check_panel(axes, wanted: dict, *, error: bool = False) -> None:
    """A panel has each level's mean in a line, and each seed as a dot, for the three schedules."""
    for name in KINDS.values():
        lines = rules.lines_of(axes, factors.COLOR[name])
        mean = [fmean(wanted[level][name].values()) for level in sorted(wanted)]
        (drawn,) = (
            line
            for line in lines
            if line.get_linestyle() == "-" and len(line.get_xdata()) > 1 and line.get_linewidth() == 2.2
        )
        assert list(drawn.get_xdata()) == sorted(wanted)
        assert drawn.get_ydata() == pytest.approx([1 - x if error else x for x in mean])
        dots = sorted(
            (x, y)
            for line in lines
            if line.get_marker() == "o"
            for x, y in zip(line.get_xdata(), line.get_ydata(), strict=True)
        )
        seeds = sorted(
            (level, 1 - x if error else x) for level in wanted for x in wanted[level][name].values()
        )
        for one, other in zip(dots, seeds, strict=True):
            assert one == pytest.approx(other)


def test_figure_10_4_is_every_recorded_length():
    left, right = factors.budgets_figure().wide.axes
    check_panel(left, ends(lambda config: config["epochs"], BUDGETS, CIFAR10))
    check_panel(right, ends(lambda config: config["epochs"], LENGTHS))
    (best,) = (line for line in left.lines if line.get_linestyle() == ":")
    every = ends(lambda config: 0, BUDGETS, CIFAR10)
    budgets = ends(lambda config: config["epochs"], BUDGETS, CIFAR10)
    assert best.get_ydata()[0] == max(max(each["constant"].values()) for each in budgets.values())
    assert set(every) == {0}


def test_figure_10_5_is_nine_rates_and_four():
    left, right = factors.rates_figure().wide.axes
    digits = ends(rate_of, PEAKS)
    digits[0.1] = ends(rate_of, DIGITS)[0.1]
    check_panel(left, digits, error=True)
    check_panel(right, ends(rate_of, MAP), error=True)
    assert len(digits) == 9


def test_own_rates_are_those_that_the_other_seeds_find_best():
    """From the files: of the seeds that have every rate, each has no say in its own."""
    digits, cifar10 = (ends(rate_of, *studies) for studies in ((DIGITS, PEAKS), (MAP,)))
    own: dict[str, list[float]] = {"digits": [], "CIFAR-10": []}
    for where, levels in (("digits", digits), ("CIFAR-10", cifar10)):
        for name in KINDS.values():
            whole = [s for s in levels[0.1][name] if all(s in levels[rate][name] for rate in levels)]
            assert len(whole) == 3
            best = {
                s: max(sorted(levels), key=lambda r: sum(levels[r][name][o] for o in whole if o != s))
                for s in whole
            }
            own[where].append(100 * fmean(levels[rate][name][s] for s, rate in best.items()))
    words = " ".join(factors.rates_text().text.split())
    assert f"the three then lie within {max(own['digits']) - min(own['digits']):.1f} points" in words
    constant, _, linear = own["CIFAR-10"]
    assert list(KINDS.values()) == ["constant", "drop", "linear"]
    assert f"goes to 0.01 and ends at {constant:.1f}%, linear decay stays at 0.1 with {linear:.1f}%" in words


def test_figure_10_6_is_three_sizes_and_two_questions():
    left, right = factors.data_figure().wide.axes
    check_panel(left, ends(lambda config: config["train_images"] or 1000, IMAGES, DIGITS))
    asked = ends(lambda config: config["task"], DIGITS, QUESTIONS)
    for place, task in enumerate(("classes", "parity")):
        for name in KINDS.values():
            lines = rules.lines_of(right, factors.COLOR[name])
            at = [line for line in lines if abs(fmean(line.get_xdata()) - place) < 0.3]
            (bar,) = (line for line in at if line.get_marker() != "o")
            (dots,) = (line for line in at if line.get_marker() == "o")
            values = asked[task][name].values()
            assert bar.get_ydata() == pytest.approx([fmean(values)] * 2)
            assert sorted(dots.get_ydata()) == sorted(values)
    assert [tick.get_text() for tick in right.get_xticklabels()] == ["which digit?", "even or odd?"]


def test_figure_10_7_has_a_panel_for_each_network():
    left, right = factors.networks_figure().wide.axes
    small = ends(rate_of, PEAKS)
    small[0.1] = ends(rate_of, DIGITS)[0.1]
    check_panel(left, {rate: each for rate, each in small.items() if 0.001 <= rate <= 0.3}, error=True)
    large = ends(rate_of, NETWORKS)
    assert sorted(large) == [0.01, 0.1]
    check_panel(right, large, error=True)


def test_figure_10_1_is_the_mean_lead_seed_by_seed():
    panels = factors.overview_figure().wide.axes
    rates = ends(rate_of, PEAKS)
    rates[0.1] = ends(rate_of, DIGITS)[0.1]
    networks = ends(lambda config: config["network"], PEAKS, NETWORKS, peak_lr=0.01)
    wanted = [
        {rate: rates[rate] for rate in sorted(rates) if 0.0003 <= rate <= 0.1},
        dict(sorted(ends(lambda config: config["train_images"] or 1000, IMAGES, DIGITS).items())),
        ends(lambda config: config["task"], DIGITS, QUESTIONS),
        {name: networks[name] for name in ("resnet8", "resnet10")},
        dict(sorted(ends(lambda config: config["epochs"], LENGTHS).items())),
    ]
    for axes, levels in zip(panels, wanted, strict=True):
        for name in ("drop", "linear"):
            (drawn,) = rules.lines_of(axes, factors.COLOR[name])
            lead = [
                100 * fmean(each[name][seed] - each["constant"][seed] for seed in each["constant"])
                for each in levels.values()
            ]
            assert drawn.get_ydata() == pytest.approx(lead)
        (zero,) = rules.lines_of(axes, factors.GRAY)
        assert set(zero.get_ydata()) == {0}
        low, high = axes.get_ylim()
        assert all(
            low < y < high for line in axes.lines if line.get_marker() == "o" for y in line.get_ydata()
        )


def test_captions_tell_how_the_runs_were_made():
    records = Records()
    assert {run.config.peak_lr for study in (BUDGETS, CIFAR10, LENGTHS) for run in records[study]} == {0.1}
    assert {run.config.epochs for run in records[PEAKS] + records[DIGITS] + records[NETWORKS]} == {8}
    assert {run.config.epochs for run in records[MAP]} == {30}
    assert {run.provenance.path for run in records[MAP]} == {"graph"}  # the GPU's
    for study, seeds in ((PEAKS, 3), (DIGITS, 5), (IMAGES, 5), (QUESTIONS, 5), (NETWORKS, 5), (LENGTHS, 3)):
        found = {run.config.seed for run in records[study]}
        assert len(found) == seeds, study
    accuracies = {run.epochs[-1].test_accuracy for run in records[DIGITS]}
    assert all(797 * x == pytest.approx(round(797 * x), abs=1e-6) for x in accuracies)
    for network in (
        small := records.runs(PEAKS, "linear", peak_lr=0.01)[0],
        records.runs(NETWORKS, "linear")[0],
    ):
        assert network.config.batch_size == small.config.batch_size


def test_runs_of_one_seed_share_start_and_batches():
    """The page: so we subtract seed by seed."""
    records = Records()
    for study in (DIGITS, BUDGETS, NETWORKS):
        groups = defaultdict(list)
        for run in records[study]:
            groups[run.config.model_dump_json(exclude={"recipe"})].append(run)
        for runs in groups.values():
            assert len({run.start for run in runs}) == 1
            assert len({tuple(run.column("batches")) for run in runs}) == 1


# --- The valley, worked out by other means ----------------------------------------------------------------


def final_loss(name: str, *, rate: float = 1, updates: int = 300, noise=0.1, directions=64) -> float:
    peak = rate * factors_valley._best_constant_rate()
    drop = round(0.15 * updates)
    rates = {
        "constant": [peak] * updates,
        "drop": [peak * 0.25 ** (t // drop) for t in range(updates)],
        "linear": [peak * (updates - t) / updates for t in range(updates)],
    }[name]
    return valley_loss(rates, noise=noise, directions=directions)


def test_the_peak_is_the_best_for_a_constant_rate():
    assert factors_valley._best_constant_rate() == pytest.approx(0.279, abs=0.001)
    near = [final_loss("constant", rate=part) for part in (0.98, 1, 1.02)]
    assert min(near) == near[1]


def test_figure_10_2_is_four_handles_on_one_valley():
    panels = factors.valley_figure().wide.axes
    for axes, (handle, values) in zip(panels, factors_valley.HANDLES.items(), strict=True):
        for name in KINDS.values():
            (drawn,) = rules.lines_of(axes, factors.COLOR[name])
            assert list(drawn.get_xdata()) == list(values)
            for at in (0, len(values) // 2, -1):
                assert drawn.get_ydata()[at] == pytest.approx(
                    final_loss(name, **{handle: values[at]}), rel=1e-9
                )


def test_each_of_the_four_changes_turns_the_order_round():
    page = "\n".join("".join(cell["source"]) for cell in rules.cells("factors"))
    page = re.sub(r"\[(\w+)\]\([^)]*\)", r"\1", page)
    asked = (
        r"64 directions, take 300 updates .* three times the rate, ten times the updates, "
        r"ten times the noise, or 8 directions"
    )
    assert re.search(asked, page, re.S)
    assert final_loss("constant") < final_loss("linear")
    text = " ".join(factors.valley_answer_text().text.split())
    for change in ({"rate": 3}, {"updates": 3000}, {"noise": 1.0}, {"directions": 8}):
        assert factors_valley.CHANGES | change == factors_valley.CHANGES
        constant, linear = (final_loss(name, **change) for name in ("constant", "linear"))
        assert linear < constant
        assert f"{linear:.3f} against {constant:.3f}" in text


# --- The reader's own runs, and the code ------------------------------------------------------------------


def test_the_readers_runs_are_laid_over_those_of_their_own_setting():
    records = Records()
    short = {name: records.runs(LENGTHS, name, epochs=2)[0] for name in KINDS.values()}
    assert "Our recorded runs, three of each" in factors.live_text(short).text
    loss = factors.live_figure(short).wide.axes[0]
    assert len(loss.lines) == 3 * (3 + 1)
    longer = {name: records.runs(LENGTHS, name, epochs=4)[0] for name in KINDS.values()}
    assert "recorded runs" not in factors.live_text(longer).text
    one = {"linear": records.runs(CIFAR10, "linear")[0]}
    assert re.fullmatch(r"Your runs ended at [\d.]+% \(linear\)\. ", factors.live_text(one).text)


def test_the_plans_of_the_page_are_those_of_the_records(capsys):
    """PyTorch's classes, planned for 5 epochs, give the last rates that the optimizer had in our runs."""
    page = [cell for cell in rules.cells("factors") if cell["cell_type"] == "code"]
    code = ["".join(cell["source"]) for cell in page]
    names: dict = {}
    for source in code:
        if "def plans(T)" in source or "in plans(T=" in source:
            exec(source, names)
    printed = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [line[:2] for line in printed] == [
        [epochs, name] for epochs in ("5", "40") for name in ("StepLR", "LinearLR")
    ]
    for (_, _, rate), label in zip(printed[:2], ("drop", "linear"), strict=True):
        for run in Records().runs(BUDGETS, label, epochs=5):
            assert float(rate) == pytest.approx(run.epochs[-1].last_lr, rel=1e-6)
    assert float(printed[3][2]) == pytest.approx(0.1 * (1 - (391 * 5 - 1) / (391 * 40)))
