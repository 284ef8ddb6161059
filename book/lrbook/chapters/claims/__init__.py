"""What the page on the survey's sentences prints: its figures, one verdict a sentence, and what decides it.

The sentences, the rules that judge them and the rule that makes one verdict of several experiments stand in
the modules of this folder and know no result. Here stands what an author says about the result, as findings:
the verdict is one of the claims of each.
"""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean
from typing import TYPE_CHECKING

from lrbook.chapters.claims import definitions
from lrbook.chapters.claims.curve_rules import (
    QUANTITIES,
    curve_of,
    dropping_at_the_end,
    fall_at_the_end,
    fall_between,
    jags,
)
from lrbook.chapters.claims.definitions import CANNOT_BE_TOLD, FAILS, HOLDS, IN_PART, NOT_SEEN, OPEN, SEEN
from lrbook.chapters.claims.sentences import CLAIMS
from lrbook.chapters.claims.verdicts import (
    card,
    decide,
    decide_all,
    deciding,
    evidence,
    judge,
    number_of,
    overall,
    words_table,
)
from lrbook.finding import (
    Finding,
    Records,
    between,
    comparison,
    count,
    finals,
    finding,
    percent,
    points,
    rounded,
    verdict,
)
from lrlib.runs import Run, published
from lrlib.runs.experiments import EXPERIMENTS
from lrlib.stats import final_accuracy
from lrlib.stats.curves import drops, largest_fall, plateau_start
from lrlib.stats.rankings import by_peak

if TYPE_CHECKING:
    from lrbook.chapters.claims.sentences import Rule
    from lrlib.plots.two_widths import TwoWidths

CIFAR10, RESNET50, DIGITS, MAP = "survey-laptop", "resnet50-gpu", "survey-digits", "laptop-map-gpu"
SOURCE = "source-gpu"
#: Sentences that count epochs, which only runs of the source's experiment may judge -> their schedule.
COUNT_EPOCHS = {"drop, 15-20": "drop", "linear, 70-80": "linear", "poly5, 25": "poly5"}


# --- Figure 12.1, and the box -----------------------------------------------------------------------------


def verdicts_figure(records: Records | None = None) -> TwoWidths:
    """Draw the verdict on each sentence, and what each experiment says."""
    from lrbook.chapters.claims.figure import draw_verdicts  # matplotlib loads here: no rule needs it

    return draw_verdicts(decide_all(evidence(records)))


def curves_figure(records: Records | None = None) -> TwoWidths:
    """Draw the curves that the sentences describe, from our runs of the survey's experiment."""
    from lrbook.chapters.claims.figure import draw_curves  # matplotlib loads here: no rule needs it

    return draw_curves((Records() if records is None else records)[SOURCE])


@finding()
def what_we_found_text(records: Records) -> Finding:
    """Open the page: how many sentences have which verdict, with the examples that matter most."""
    said, by_rate = _by_verdict(records), records.by_rate(MAP)["constant"]
    peak = records.runs(CIFAR10, "constant")[0].config.peak_lr
    (drop,), (poly5,) = (records.runs(SOURCE, name) for name in ("drop", "poly5"))
    gain, time, apart = (
        comparison(records, *pair)
        for pair in (("linear", "constant"), ("time", "constant"), ("drop", "linear"))
    )
    return Finding(
        """
        > **What we found**
        >
        > 1. **{Held} of {all} sentences hold.** A rate can be too high and too low, and lowering it pays:
        >    linear decay ends {gain} points above a constant rate. But the shared rate of {peak} is too high
        >    for a constant one.
        > 2. **{Failed} do not hold, {part} in part.** Time-based decay, "a little worse" than constant, ends
        >    {time} points *above* it. Linear and drop-based decay, "similar", end {apart} points apart.
        > 3. **{Counting} count epochs of one curve**, and only runs of the survey's own experiment may judge
        >    them. Ours show two: the huge drop, where the rate first drops, at epoch {first}, and the level
        >    stretch from epoch {level} on. The third, a steep fall of the test loss, they miss by a hair.
        """,
        {
            "Held": count(len(said[HOLDS])).capitalize(),
            "all": len(CLAIMS),
            "gain": points(gain.mean_difference),
            "peak": f"{peak:g}",
            "Failed": count(len(said[FAILS])).capitalize(),
            "part": count(len(said[IN_PART])),
            "time": points(time.mean_difference),
            "apart": points(apart.mean_difference),
            "Counting": count(len(COUNT_EPOCHS)).capitalize(),
            "first": _first_drop(drop),
            "level": _level_from(poly5),
        },
        {
            "these examples hold": {"rates", "decaying", "linear"} <= said[HOLDS],
            "these do not": {"time", "linear, drop"} <= said[FAILS],
            "time-based decay ends above the constant rate": time.mean_difference > 0,
            "several fail, and one holds in part": len(said[FAILS]) > 1 == len(said[IN_PART]),
            "none is left that cannot be told": not said[OPEN],
            "two of those that count epochs hold": set(COUNT_EPOCHS) & said[HOLDS]
            == {"drop, 15-20", "poly5, 25"},
            "the rate first drops within the survey's epochs": 15 <= _first_drop(drop) <= 20,
            "the third misses by a hair": 0.95 * definitions.PACE < _pace_late(records) < definitions.PACE,
            "a constant rate does better at a lower one": max(by_rate, key=by_rate.__getitem__) < peak,
        },
    )


# --- The sentences that hold ------------------------------------------------------------------------------


@finding(heading="Nine sentences hold")
def nine_hold_text(records: Records) -> Finding:
    """Say where the sentences that hold are decided, and what most of them owe to the shared rate."""
    said = _by_verdict(records)[HOLDS]
    decided = {name: _deciding(records, name) for name in said}
    on_cifar10 = [name for name in decided if decided[name] == ["laptop"]]
    single = sorted(number_of(CLAIMS[name]) for name in decided if decided[name] == ["source"])
    by_rate, seeds = records.by_rate(MAP), len(records.whole_seeds(MAP))
    best = {name: max(by_rate[name].values()) for name in ("linear", "constant")}
    shared = {name: by_rate[name][0.1] for name in best}
    own, gap = best["linear"] - best["constant"], shared["linear"] - shared["constant"]
    return Finding(
        """
        {Many} of them are decided by our small network on CIFAR-10, with {n} seeds at one rate for all. That
        rate is too high for a constant one. With each schedule at the best of {rates} rates, linear decay
        leads by {own} points, against {gap} at the shared rate ([{runs} runs each](analysis.ipynb)): ahead,
        but no longer "huge".

        Sentences {single} count epochs of one curve of the survey's experiment. [Our runs of
        it](table_source.ipynb), one a schedule, decide alone. They can show what a curve did; no more is
        asked here.
        """,
        {
            "Many": count(len(on_cifar10)).capitalize(),
            "n": count(len(records.runs(CIFAR10, "constant"))),
            "rates": count(len(by_rate["linear"])),
            "runs": count(seeds),
            "own": points(own),
            "gap": points(gap),
            "single": " and ".join(map(str, single)),
        },
        {
            "there are nine": len(said) == 9,
            "two are left to single runs of the source's experiment": len(single) == 2
            and all(len(records.runs(SOURCE, name)) == 1 for name in COUNT_EPOCHS.values()),
            "most are decided on CIFAR-10 alone": len(on_cifar10) > len(said) / 2,
            "the constant rate is best at another rate": best["constant"] > shared["constant"],
            "each has several runs at a rate": seeds > 1,
            "tuned, the lead is there and is not huge": 0 < 100 * own < definitions.HUGE_POINTS < 100 * gap,
        },
    )


@finding()
def rates_text(records: Records) -> Finding:
    """Sentence 1: a rate can be too high and too low."""
    runs = [run for study in EXPERIMENTS["rates"].studies for run in records[study]]
    by_rate = {rate: list(ends.values()) for rate, ends in sorted(by_peak(runs)["constant"].items())}
    mean = {rate: fmean(ends) for rate, ends in by_rate.items()}
    best, low, high = max(mean, key=mean.__getitem__), min(mean), max(mean)
    return _sentence(
        """
        On the digits we have {n} seeds at each of {rates} constant rates. The best is {best}: {top} right.
        A rate of {low} is too low: in the same {epochs} epochs it gets to {slow}. A rate of {high} is too
        high: it ends at {guess}, no better than guessing.
        """,
        {
            "n": count(len(by_rate[best])),
            "rates": count(len(mean)),
            "best": f"{best:g}",
            "top": percent(mean[best]),
            "low": f"{low:g}",
            "epochs": count(runs[0].config.epochs),
            "slow": percent(mean[low]),
            "high": f"{high:g}",
            "guess": percent(mean[high]),
        },
        {
            "as many seeds at each rate": len({len(ends) for ends in by_rate.values()}) == 1,
            "every run at the best rate beats every one at the lowest": min(by_rate[best])
            > max(by_rate[low]),
            "at the highest it is guessing among ten classes": 0.05 < mean[high] < 0.15,
        },
        name="rates",
        says=HOLDS,
        records=records,
    )


@finding()
def faster_text(records: Records) -> Finding:
    """Sentence 2: much faster convergence."""
    digits, cifar10 = (decide("faster", evidence(records)).findings[name] for name in ("digits", "laptop"))
    return _sentence(
        """
        "Can" is the word: on the digits some schedule gets to where the constant rate ends in half of its
        epochs or fewer, with each of {n} seeds. On CIFAR-10 the seeds disagree.
        """,
        {"n": count(digits.n)},
        {
            "the digits decide": digits.verdict == SEEN,
            "on CIFAR-10 the seeds disagree": cifar10.verdict == CANNOT_BE_TOLD,
            "five seeds each": digits.n == cifar10.n == 5,
        },
        name="faster",
        says=HOLDS,
        records=records,
    )


@finding()
def drop_text(records: Records) -> Finding:
    """Sentence 4: a significant increase by drops."""
    compared, printed = comparison(records, "drop", "constant"), _printed("drop") - _printed("constant")
    return _sentence(
        """
        Drops gain {gain} points over the constant rate in our {n} seeds. The survey's source has {printed},
        from one run of each.
        """,
        {"gain": between(compared), "n": count(compared.n), "printed": points(printed)},
        {
            "drop is better by the plan": compared.verdict == "better",
            "the source says so too": printed > 0,
        },
        name="drop",
        says=HOLDS,
        records=records,
    )


@finding()
def jump_text(records: Records) -> Finding:
    """Sentence 6: a huge drop around epochs 15 to 20."""
    runs, (one,), (own,) = (records.runs(study, "drop") for study in (CIFAR10, RESNET50, SOURCE))
    fell = {largest_fall(run.column("train_loss"), skip=definitions.START).epoch for run in runs}
    loss, test, accuracy = (abs(_fall_in_heights(own, name, *definitions.DROP_EPOCHS)) for name in QUANTITIES)
    return _sentence(
        """
        In our run of the survey's experiment the rate drops first at the start of epoch {first}. In epochs 15
        to 20 training loss falls by {loss} of its height, test loss by {test}, and test accuracy rises by
        {accuracy}.

        The drop of the curve belongs to the drop of the rate. In our small network it comes after {part} of
        the training, and in all {n} seeds training loss falls most [right there](drop_based.ipynb). Our
        ResNet-50 halves the rate every {every} epochs, as the survey's example does, and epochs 15 to 20 hold
        no huge drop.
        """,
        {
            "first": _first_drop(own),
            "loss": percent(loss, 0),
            "test": percent(test, 0),
            "accuracy": percent(accuracy, 0),
            "part": percent(runs[0].config.recipe.drop_fraction, 0),
            "n": count(len(runs)),
            "every": count(int(drops(one)[0])),
        },
        {
            "the first drop is within the survey's epochs": definitions.DROP_EPOCHS[0]
            <= _first_drop(own)
            <= definitions.DROP_EPOCHS[1],
            "training loss falls most in the first whole epoch after the drop": fell
            == {int(drops(runs[0])[0]) + 2},
            "the rule sees no huge drop in ResNet-50": judge("drop, 15-20", [one]).verdict == NOT_SEEN,
        },
        name="drop, 15-20",
        says=HOLDS,
        records=records,
    )


@finding()
def huge_text(records: Records) -> Finding:
    """Sentence 8: a huge increase by a schedule."""
    compared, printed = comparison(records, "linear", "constant"), published().survey.column("accuracy")
    called = printed["linear"] - printed["constant"]
    return _sentence(
        """
        Linear decay gains {gain} points over the constant rate: more than the {huge} that the survey calls
        huge. In our ResNet-50, with one run of each, it is {one}.
        """,
        {
            "gain": between(compared),
            "huge": points(called, 0),
            "one": points(_gap(records, "linear", "constant")),
        },
        {
            "linear is better by the plan": compared.verdict == "better",
            "by more than the survey's gap": compared.mean_difference > called,
            "ResNet-50's gap is as large": _gap(records, "linear", "constant") > called,
        },
        name="huge",
        says=HOLDS,
        records=records,
    )


@finding()
def decaying_text(records: Records) -> Finding:
    """Sentence 12: a decreasing rate goes with better performance."""
    given = {name: records[name] for name in (CIFAR10, DIGITS)}
    each = [verdict(records, name, "constant") for name in definitions.DECAYING]
    gain = {
        study: fmean(fmean(finals(records.runs(study, name))) for name in definitions.DECAYING)
        - fmean(finals(records.runs(study, "constant")))
        for study in given
    }
    digits = decide("decaying", evidence(records)).findings["digits"].verdict
    return _sentence(
        """
        On CIFAR-10 the {schedules} schedules of the table that lower the rate end {gain} points above the
        constant one on average, and each of them is better by itself. On the digits it is {less} points,
        too few for the spread of the seeds to decide.
        """,
        {
            "schedules": count(len(each)),
            "gain": points(gain[CIFAR10]),
            "less": points(gain[DIGITS]),
        },
        {
            "each is better than the constant rate by the plan": set(each) == {"better"},
            "the digits point the same way": gain[DIGITS] > 0,
            "and do not decide": digits == CANNOT_BE_TOLD,
        },
        name="decaying",
        says=HOLDS,
        records=records,
    )


@finding()
def plateau_text(records: Records) -> Finding:
    """Sentence 14: the training loss of polynomial decay is level from epoch 25 on."""
    (one,), (own,) = (records.runs(study, "poly5") for study in (RESNET50, SOURCE))
    runs = records.runs(CIFAR10, "poly5")
    parts = {_level_from(run) / len(run.epochs) for run in runs}
    return _sentence(
        """
        In our run of the survey's experiment training loss is level from epoch {level} of {epochs} on:
        around 25, by our rule.

        With the same power, our ResNet-50 run is level from epoch {start} on, and the small network, in all
        {n} seeds, from {part} of its training on. So the place seems to belong to the network and its data,
        not to the schedule.
        """,
        {
            "level": _level_from(own),
            "start": _level_from(one),
            "epochs": own.config.epochs,
            "n": count(len(runs)),
            "part": percent(min(parts), 0),
        },
        {
            "the small network is level from one epoch on, in all seeds": len(parts) == 1,
            "it is level far later in its training than ResNet-50, and the source's network between them": 2
            * _level_from(one)
            / len(one.epochs)
            < min(parts)
            and _level_from(one) < _level_from(own) < min(parts) * len(own.epochs),
        },
        name="poly5, 25",
        says=HOLDS,
        records=records,
    )


@finding()
def best_text(records: Records) -> Finding:
    """Sentence 15: linear decay is the best."""
    others = [name for name in ("constant", *definitions.DECAYING) if name != "linear"]
    mean = {name: fmean(finals(records.runs(CIFAR10, name))) for name in (*others, "linear", "triangle")}
    closest = max(others, key=mean.__getitem__)
    return _sentence(
        """
        Of the {n} in its table, linear decay is better than each other one; {closest} comes closest, {gap}
        points below. Among the schedules that the survey lists and never ran, [warm-up](triangle.ipynb)
        ends higher on average, and [one cosine](cosine.ipynb) as high.
        """,
        {
            "n": count(len(others) + 1),
            "closest": "drop-based decay" if closest == "drop" else closest,
            "gap": points(mean["linear"] - mean[closest]),
        },
        {
            "linear beats each of the others by the plan": {_against_linear(records, name) for name in others}
            == {"better"},
            "drop-based decay comes closest": closest == "drop",
            "warm-up ends higher on average": mean["triangle"] > mean["linear"],
            "one cosine is as good by the plan": verdict(records, "cosine", "linear") == "as good as",
        },
        name="best",
        says=HOLDS,
        records=records,
    )


@finding()
def linear_text(records: Records) -> Finding:
    """Sentence 16: linear decay is better than the constant rate."""
    ends = {name: finals(records.runs(CIFAR10, name)) for name in ("linear", "constant")}
    compared = comparison(records, "linear", "constant")
    return _sentence(
        """
        The worst of our {n} linear runs ends at {worst}, the best at the constant rate at {best}.
        *Significant*, in the sense of the plan: p = {p} after Holm's correction.
        """,
        {
            "n": count(compared.n),
            "worst": percent(min(ends["linear"])),
            "best": percent(max(ends["constant"])),
            "p": f"{compared.holm_p:.1g}",
        },
        {
            "linear is better by the plan": compared.verdict == "better",
            "its worst run ends above the best constant one": min(ends["linear"]) > max(ends["constant"]),
        },
        name="linear",
        says=HOLDS,
        records=records,
    )


# --- The one that holds in part ---------------------------------------------------------------------------


@finding(heading="One holds in part")
def one_in_part_text(records: Records) -> Finding:
    """Say what holding in part means here."""
    (name,) = _by_verdict(records)[IN_PART]
    parts = [overall(_each(rule, name, records)) for rule in CLAIMS[name].parts]
    return Finding(
        """
        It sets linear decay against drops, and is right about linear decay only.
        """,
        {},
        {"what it says of one side is one part, and holds": parts == [HOLDS]},
    )


@finding()
def smooth_loss_text(records: Records) -> Finding:
    """Sentence 9: unlike drop-based decay, a smooth training loss."""
    worst = {
        name: max(
            max(jags(curve_of(run, "training loss")).values())
            for study in (CIFAR10, RESNET50, SOURCE)
            for run in records.runs(study, name)
        )
        for name in ("linear", "drop")
    }
    return _sentence(
        """
        The training loss under linear decay is smooth in each of our runs: no epoch is out of line with its
        neighbors by more than {linear} of the curve's height. But drop-based decay, with {drop} at most,
        stays below the {limit} that we call a jag, too.
        """,
        {
            "linear": percent(worst["linear"]),
            "drop": percent(worst["drop"]),
            "limit": percent(definitions.JAG, 0),
        },
        {
            "linear is smooth in each run": worst["linear"] <= definitions.JAG,
            "drop is smooth too": worst["drop"] <= definitions.JAG,
            "and bends at least twice as much": worst["drop"] > 2 * worst["linear"],
        },
        name="linear, loss",
        says=IN_PART,
        records=records,
    )


# --- Those that do not ------------------------------------------------------------------------------------


@finding(heading="Six do not hold")
def six_fail_text(records: Records) -> Finding:
    """Say what decides the sentences that do not hold."""
    decided = {name: _deciding(records, name) for name in _by_verdict(records)[FAILS]}
    own = [name for name, experiments in decided.items() if experiments == ["source"]]
    single = [name for name, experiments in decided.items() if experiments == ["source", "resnet50"]]
    return Finding(
        """
        {Many} are decided by our {n} seeds on CIFAR-10. For sentence {which}, these seeds disagree, and two
        single runs decide: one of ResNet-50, one of the experiment behind the survey's figures. Sentence
        {epochs} counts epochs of that experiment, so our one run of it decides alone.
        """,
        {
            "Many": count(len(decided) - len(single) - len(own)).capitalize(),
            "n": count(len(records.runs(CIFAR10, "constant"))),
            "which": " and ".join(str(number_of(CLAIMS[name])) for name in single),
            "epochs": " and ".join(str(number_of(CLAIMS[name])) for name in own),
        },
        {
            "there are six": len(decided) == 6,
            "one is left to two single runs": len(single) == 1,
            "and one to the source's experiment": len(own) == 1 and own[0] in COUNT_EPOCHS,
            "there is one run of each": len(records.runs(RESNET50, "linear"))
            == len(records.runs(SOURCE, "linear"))
            == 1,
        },
    )


@finding()
def time_text(records: Records) -> Finding:
    """Sentence 3: time-based decay is a little worse."""
    compared, printed = comparison(records, "time", "constant"), _printed("time") - _printed("constant")
    return _sentence(
        """
        Time-based decay ends {gain} points *above* the constant rate over our {n} seeds, and {one} above it
        in our one ResNet-50 run of each. In the survey's own logs it is {printed} below, and in our runs of
        that experiment {again}, again one run of each. So it hangs on the experiment.
        """,
        {
            "gain": points(compared.mean_difference),
            "n": count(compared.n),
            "one": points(_gap(records, "time", "constant")),
            "printed": points(printed),
            "again": points(_gap(records, "time", "constant", study=SOURCE)),
        },
        {
            "time is better by the plan": compared.verdict == "better",
            "ResNet-50 points the same way": _gap(records, "time", "constant") > 0,
            "the source the other way, and so do our runs of it": max(
                printed, _gap(records, "time", "constant", study=SOURCE)
            )
            < 0,
        },
        name="time",
        says=FAILS,
        records=records,
    )


@finding()
def dropping_text(records: Records) -> Finding:
    """Sentence 5: both losses drop at the end."""
    runs = [run for study in (CIFAR10, RESNET50, SOURCE) for run in records.runs(study, "drop")]
    falls = {q: [fall_at_the_end(curve_of(run, q)) for run in runs] for q in ("training loss", "test loss")}
    risen = min(run.column("test_loss")[-1] / min(run.column("test_loss")) for run in runs)
    return _sentence(
        """
        Neither does, in any of {n} runs. In the last tenth of the training the rate is so low that the
        training loss moves by {still} of its height at most. The test loss creeps up, and without the
        penalty it ends at least a tenth above its lowest value.
        """,
        {
            "n": count(len(runs)),
            "still": percent(max(map(abs, falls["training loss"])), 2),
        },
        {
            "the training loss moves by less than a hair": max(map(abs, falls["training loss"]))
            < definitions.HAIR,
            "the test loss rises in each run": max(falls["test loss"]) < 0,
            "without the penalty it ends a tenth or more above its lowest": risen >= 1.1,
        },
        name="drop, end",
        says=FAILS,
        records=records,
    )


@finding()
def linear_similar_text(records: Records) -> Finding:
    """Sentence 7: linear decay is similar to drop-based decay."""
    compared = comparison(records, "drop", "linear")
    return _sentence(
        """
        Linear decay ends {gap} points above drop-based decay in our {n} seeds: told apart, and by more than
        the point within which we call accuracies similar. Our one ResNet-50 run of each points the same
        way.
        """,
        {"gap": between(compared), "n": count(compared.n)},
        {
            "drop is worse by the plan": compared.verdict == "worse",
            "by more than a point as measured": -100 * compared.mean_difference > definitions.MARGIN_POINTS,
            "ResNet-50 points the same way": _gap(records, "linear", "drop") > 0,
        },
        name="linear, drop",
        says=FAILS,
        records=records,
    )


@finding()
def steep_late_text(records: Records) -> Finding:
    """Sentence 10: a steep drop of the test loss between epochs 70 and 80."""
    (run,) = records.runs(SOURCE, "linear")
    loss = curve_of(run, "test loss")
    fall, pace = fall_between(loss, *definitions.LINEAR_EPOCHS)[0], _pace_late(records)
    return _sentence(
        """
        Our run of the survey's experiment can judge this one. Its test loss does fall between these epochs,
        by {part} of the curve's height, and is nearly level after them. That is {times} times its average
        pace; what we call steep begins at {steep}. It misses by so little that another run may well pass.
        """,
        {
            "part": percent(fall / (max(loss) - min(loss)), 0),
            "times": rounded(pace, 2),
            "steep": f"{definitions.PACE:.2f}",
        },
        {
            "the run has as many epochs": len(run.epochs) == definitions.SURVEY_EPOCHS,
            "the fall can be seen": fall > definitions.JAG * (max(loss) - min(loss)),
            "it is not steep, by a hair": 0.95 * definitions.PACE < pace < definitions.PACE,
            "after it, less than half as much": loss[definitions.LINEAR_EPOCHS[1] - 1] - loss[-1] < fall / 2,
        },
        name="linear, 70-80",
        says=FAILS,
        records=records,
    )


@finding()
def smooth_accuracy_text(records: Records) -> Finding:
    """Sentence 11: accuracy increases smoothly."""
    found = {
        study: [jags(curve_of(run, "test accuracy")) for run in records.runs(study, "linear")]
        for study in (CIFAR10, RESNET50, SOURCE)
    }
    seeds, (one,), (theirs,) = found.values()
    smooth = sum(max(each.values()) <= definitions.JAG for each in seeds)
    epochs = len(records.runs(CIFAR10, "linear")[0].epochs)
    late = max(jag for each in seeds for epoch, jag in each.items() if 3 * epoch > 2 * epochs)
    return _sentence(
        """
        Our {n} seeds disagree: {smooth} is smooth, and in the others some epoch is out of line by up to
        {worst} of the curve's height. In the two single runs that decide, the worst is by {one} (ResNet-50)
        and {theirs} (the survey's experiment). Smoothness comes with the low rate: in the last third of the
        training no epoch of the {n} is out of line by more than {late}.
        """,
        {
            "n": count(len(seeds)),
            "smooth": count(smooth),
            "worst": percent(max(max(each.values()) for each in seeds), 0),
            "one": percent(max(one.values()), 0),
            "theirs": percent(max(theirs.values()), 0),
            "late": percent(late),
        },
        {
            "one seed is smooth": smooth == 1 < len(seeds),
            "ResNet-50 is not": max(one.values()) > definitions.JAG,
            "nor is the source's experiment": max(theirs.values()) > definitions.JAG,
            "in the last third every seed is": late <= definitions.JAG,
            "the single runs decide": _deciding(records, "linear, accuracy") == ["source", "resnet50"],
        },
        name="linear, accuracy",
        says=FAILS,
        records=records,
    )


@finding()
def poly5_similar_text(records: Records) -> Finding:
    """Sentence 13: polynomial decay is similar to both."""
    compared = comparison(records, "poly5", "linear")
    ends = {name: fmean(finals(records.runs(CIFAR10, name))) for name in ("poly5", "drop")}
    similar = overall(_each(CLAIMS["poly5"].parts[0], "poly5", records))
    return _sentence(
        """
        Polynomial decay ends {gap} points below linear decay. From drop-based decay it is {close} points
        away: our {n} seeds can neither tell them apart nor show them to be similar.
        """,
        {
            "gap": between(compared),
            "close": points(ends["poly5"] - ends["drop"]),
            "n": count(compared.n),
        },
        {
            "poly5 is worse than linear by the plan": compared.verdict == "worse",
            "by more than a point as measured": -100 * compared.mean_difference > definitions.MARGIN_POINTS,
            "whether it is similar to drop is open": similar == OPEN,
        },
        name="poly5",
        says=FAILS,
        records=records,
    )


# --- Words, and the reader's own run ----------------------------------------------------------------------


def words_text() -> Finding:
    """Show in a fold what each word means, and what was changed when."""
    return Finding(
        """
        <details>
        <summary>What each word means here, why, and what was changed after runs were known</summary>

        {table}

        The numbers come from what a figure can show, from how the survey itself uses the word, and from
        [the plan](plan.md). None was chosen by looking at a verdict. Changed after runs had come in:

        - Rates that are too low or too high: the ends of the grid were at first compared with the rate 0.1
          alone, which asks whether 0.1 is a good rate. The grid also got lower rates, and later more seeds.
        - Runs of few epochs are no longer asked whether they are smooth: there the bend of the start is as
          large as a jag.
        - What a *no* to "similar" takes was written down when two such verdicts were known. They would be
          open if the plan's whole interval had to lie outside the margin.
        - The rule that makes one verdict of several experiments is the last: when it was written, most of
          these runs were known, and it follows from no plan.

        Another number may suit you better. They stand in `lrbook.chapters.claims.definitions`; a verdict
        that changes with any reasonable one was not worth much.

        </details>
        """,
        {"table": words_table()},
        {},
    )


def live_figure(mine: Run, records: Records | None = None) -> TwoWidths:
    """Draw both losses of the run that was just trained over the recorded ones of the same setting."""
    from lrbook.chapters.claims.figure import draw_run  # matplotlib loads here: no rule needs it

    return draw_run(mine, Records() if records is None else records)


def live_text(mine: Run, records: Records | None = None) -> Finding:
    """Judge the reader's run by the rule of sentence 5, whatever its schedule, beside the recorded ones."""
    found = dropping_at_the_end(mine.label, "training loss", "test loss")([mine])
    like_ours = mine.config.dataset == "digits" and mine.label == "drop"
    ours = end_on_digits_text(records) if like_ours else Finding("", {}, {})
    return Finding(
        "Of your run, “both losses are dropping at the end” is **{verdict}**: {because}. {ours}",
        {"verdict": found.verdict, "because": found.because, "ours": ours.text},
        ours.holds,
    )


@finding()
def end_on_digits_text(records: Records) -> Finding:
    """Say what the recorded runs with drops do at their end on the digits."""
    runs = records.runs(DIGITS, "drop")
    seen = [judge("drop, end", [run]).verdict == SEEN for run in runs]
    part = runs[0].config.peak_lr / runs[0].column("last_lr")[-1]
    return Finding(
        """
        Of our {n} recorded runs it is so of {seen}. At the end the peak is {part} times the rate: the
        weights hardly move, and neither loss can do much any more.
        """,
        {
            "n": count(len(runs)),
            "seen": "none" if not any(seen) else count(sum(seen)),
            "part": f"{part:,.0f}",
        },
        {
            "of none": not any(seen),
            "the rate is a thousandth or less": part >= 1000,
        },
    )


# --- What the functions above share -----------------------------------------------------------------------


def _sentence(
    words: str,
    numbers: Mapping[str, object],
    holds: Mapping[str, bool],
    *,
    name: str,
    says: str,
    records: Records,
) -> Finding:
    """Return a finding on one of the survey's sentences, set between its verdict and its experiments."""
    decided = decide(name, evidence(records))
    text = card(decided, Finding(words, numbers, {}).text)
    return Finding("{card}", {"card": text}, {f"it {says}": decided.verdict == says, **holds})


def _by_verdict(records: Records) -> dict[str, set[str]]:
    """Return verdict -> names of the sentences that have it."""
    decided = decide_all(evidence(records)).values()
    return {said: {each.claim for each in decided if each.verdict == said} for said in definitions.OVERALL}


def _first_drop(run: Run) -> int:
    """Return the first epoch, counted from 1, that begins below the peak rate."""
    return next(number for number, epoch in enumerate(run.epochs, 1) if epoch.first_lr < run.config.peak_lr)


def _level_from(run: Run) -> int:
    """Return the epoch from which on a run's training loss is level."""
    return plateau_start(curve_of(run, "training loss"), tolerance=definitions.JAG)


def _pace_late(records: Records) -> float:
    """Return how much faster than on average the source's test loss falls in the epochs of sentence 10."""
    (run,) = records.runs(SOURCE, "linear")
    fall, average = fall_between(curve_of(run, "test loss"), *definitions.LINEAR_EPOCHS)
    return fall / average


def _fall_in_heights(run: Run, quantity: str, first: int, last: int) -> float:
    """Return how far a curve falls from one epoch to another, as a fraction of its height."""
    curve = curve_of(run, quantity)
    return fall_between(curve, first, last)[0] / (max(curve) - min(curve))


def _each(rule: Rule, name: str, records: Records) -> dict[str, definitions.Finding]:
    """Return what a rule finds in each experiment that may judge a sentence."""
    given = evidence(records)
    return {experiment: rule(given[experiment]) for experiment in CLAIMS[name].experiments}


def _deciding(records: Records, name: str) -> list[str]:
    return deciding(decide(name, evidence(records)).findings)


def _against_linear(records: Records, name: str) -> str:
    """Return the plan's verdict on linear decay against another schedule."""
    if name == "constant":
        return verdict(records, "linear", name)
    return {"worse": "better", "better": "worse"}.get(found := verdict(records, name, "linear"), found)


def _printed(name: str) -> float:
    """Return the test accuracy in the last line of the source's log."""
    return published().source.row(name).test_accuracy


def _gap(records: Records, name: str, reference: str, *, study: str = RESNET50) -> float:
    """Return how far one single run ends above another."""
    (mine,), (other,) = (records.runs(study, each) for each in (name, reference))
    return final_accuracy(mine) - final_accuracy(other)
