"""What the chapter on the source of the survey's table prints: its figures and tables, and the sentences.

A figure function returns a `TwoWidths`; a function that ends in ``_text`` returns Markdown. What is a finding
has the decorator, and its claims stand below its words. Most numbers are not ours: `published` has them.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from itertools import combinations
from statistics import fmean

from matplotlib.figure import Figure

from lrbook.chapters import drawn, map_plan
from lrbook.chapters._write import results_table
from lrbook.chapters.claims.curve_rules import curve_of
from lrbook.chapters.table_source_cut import AGAIN, cut_runs
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
)
from lrlib._checks import no_such
from lrlib.plots.style import in_per_cent, note
from lrlib.plots.two_widths import COLOR, INK, NARROW, WIDE, Label, TwoWidths, label_ends, plain
from lrlib.runs import Run
from lrlib.runs.published import Published, published
from lrlib.schedules.recipes import SURVEY
from lrlib.stats import final_accuracy
from lrlib.stats.sampling import Gap, gap, sampling_error

__all__ = ["at_odds", "origin", "origin_table"]

CIFAR10, DIGITS = "survey-laptop", "survey-digits"
BEST = ("drop", "linear", "poly5")
IMAGES = 10_000  # CIFAR-10's test images
#: What table 11.2 shows of a log's last line.
COLUMNS = {"train_loss": "training loss", "test_loss": "test loss", "test_accuracy": "test accuracy"}
NAMES = {
    "constant": "the constant rate",
    "time": "time-based decay",
    "drop": "drops",
    "linear": "linear decay",
    "poly5": "power 5",
}


# --- Figure 11.1: the accuracies --------------------------------------------------------------------------


def accuracies_figure() -> TwoWidths:
    """Draw the source's test accuracies with what sampling leaves open, and what the survey prints."""
    both = published()
    ours, printed = both.source.column("test_accuracy"), both.survey.column("accuracy")

    def draw(wide: bool) -> Figure:
        figure = Figure(figsize=(WIDE, 2.3) if wide else (NARROW, 2.7))
        axes = figure.subplots()
        for row, (name, value) in enumerate(ours.items()):
            # 1.96 and no t: with thousands of images the binomial is normal, and p gives its variance.
            half = 1.96 * sampling_error(value, images=IMAGES)
            axes.plot([value - half, value + half], [row, row], color=COLOR[name], linewidth=2.4)
            axes.plot([value], [row], "o", color=COLOR[name], markersize=7)
            axes.plot([printed[name]], [row], "s", color=INK, markersize=10, markerfacecolor="none")
            text = f"{percent(value, 2)} \N{PLUS-MINUS SIGN} {points(half, 2)}"
            note(
                axes,
                text,
                (1, row),
                (5, 0),
                xycoords=("axes fraction", "data"),
                va="center",
                color=COLOR[name],
            )
        axes.set_title("test accuracy, one run each")
        axes.set_yticks(range(len(ours)), list(ours))
        axes.set_ylim(len(ours) - 0.4, -0.6)
        axes.grid(visible=False, axis="y")
        axes.grid(visible=True, axis="x")
        axes.set_xticks(
            [0.81, 0.82, 0.83, 0.84, 0.85, 0.86, 0.87, 0.88] if wide else [0.82, 0.84, 0.86, 0.88]
        )
        in_per_cent(axes.xaxis)
        return figure

    return TwoWidths(
        draw,
        alt="Five rows, one for each schedule of the survey's table: the source's test accuracy as a dot "
        "with its sampling interval, and the survey's printed value as an open square. The intervals of "
        "drop, linear and power 5 overlap; constant and time-based decay lie far to the left. Squares lie "
        "on their dots to within the rounding, but for power 5, whose square is too low.",
    )


# --- The box ----------------------------------------------------------------------------------------------


@finding()
def what_we_found_text(records: Records) -> Finding:
    """Open the chapter: three findings, a line each. The texts below check them at length."""
    both, gaps = published(), _gaps()
    loss, accuracy = both.survey.column("loss"), both.survey.column("accuracy")
    lead, among = gaps["linear", "constant"], [gaps[pair] for pair in gaps if set(pair) <= set(BEST)]
    small, large = _size("source_resnet"), _size("resnet50")
    gaps_again = _gaps_again(records)
    close = [name for name, each in gaps_again.items() if abs(each.errors) < 2]
    return Finding(
        """
        > **What we found**
        >
        > 1. **Its Loss is a training loss with a weight penalty in it, beside a test accuracy.** So
        >    time-based decay has a lower loss than drops, {time_loss} against {drop_loss}, and a lower
        >    accuracy, {time} against {drop}.
        > 2. **Run again, its logs come back.** The network is no ResNet-50: it has {small} parameters, not
        >    {large} million. With it, all {again} schedules end in the order of the logs, their training
        >    losses within {loss}, {close} of their accuracies within {near} points.
        > 3. **Linear over constant stands**, at their shared rate: {lead} points, or {errors} standard errors
        >    of test sampling. The order of drops, linear and power 5 does not: {apart} points, one run each.
        """,
        {
            "time_loss": f"{loss['time']:.4f}",
            "drop_loss": f"{loss['drop']:.4f}",
            "time": f"{accuracy['time']:.2f}",
            "drop": f"{accuracy['drop']:.2f}",
            "small": f"{small:,}",
            "large": rounded(large / 1e6),
            "again": count(len(records[AGAIN])),
            "close": count(len(close)),
            "near": points(max(abs(gaps_again[name].difference) for name in close)),
            "loss": percent(_off(records, "train_loss")),
            "lead": points(lead.difference),
            "errors": rounded(lead.errors),
            "apart": points(max(abs(each.difference) for each in among), 2),
        },
        {
            "each loss is the source's training loss, and nothing else": set(origin("loss").values())
            == {("train_loss",)},
            "time-based decay has the lower loss and the lower accuracy": loss["time"] < loss["drop"]
            and accuracy["time"] < accuracy["drop"],
            "the networks differ more than twentyfold": large > 20 * small,
            "run again, they end in the order of the logs": _in_the_order_of_the_logs(records),
            "all but one are within two errors": len(close) == len(both.source.rows) - 1,
            "the losses within one and a half percent": _off(records, "train_loss") < 0.015,
            "linear leads constant by more than five errors": lead.errors > 5,
            "the three are within two errors of each other": all(abs(each.errors) < 2 for each in among),
        },
    )


# --- Table 11.1: which column is it? ----------------------------------------------------------------------


@finding()
def prediction_text(records: Records) -> Finding:
    """Answer the chapter's prediction: which images, and what else is in the loss."""
    rows = {name: published().source.row(name) for name in ("time", "drop")}
    return Finding(
        """
        <details>
        <summary>Think, then open</summary>

        *Training* images: {time} and {drop} are the losses that the source's logs print for its last epoch
        of training. On the test images it prints {time_test} and {drop_test}, and drops are ahead, as they
        are in accuracy. What else is in it: a penalty on large weights, which Keras adds to every loss.

        </details>
        """,
        {
            **{name: f"{row.train_loss:.4f}" for name, row in rows.items()},
            **{f"{name}_test": f"{row.test_loss:.4f}" for name, row in rows.items()},
        },
        {
            "the survey's losses are the training losses": all(
                published().survey.row(name).loss == row.train_loss for name, row in rows.items()
            ),
            "drops are ahead in test loss and in accuracy": rows["drop"].test_loss < rows["time"].test_loss
            and rows["drop"].test_accuracy > rows["time"].test_accuracy,
        },
    )


def origin_tables() -> Finding:
    """Return both rows of the survey's table with the source's columns, equal numbers in bold."""
    return Finding("{loss}\n\n{accuracy}", {name: origin_table(name) for name in ("loss", "accuracy")}, {})


@finding(heading="The Loss is a training loss, the Accuracy a test accuracy")
def origin_text(records: Records) -> Finding:
    """Say which columns the survey copied, and where its digits differ."""
    both, loss, accuracy = published(), origin("loss"), origin("accuracy")
    same = sum(found == ("train_loss",) for found in loss.values())
    rounded_so = [name for name, found in accuracy.items() if "test_accuracy" in found]
    odd = next(name for name in accuracy if name not in rounded_so)
    log, printed = both.source.row(odd).test_accuracy, both.survey.row(odd).accuracy
    return Finding(
        """
        All {losses} losses are the source's *training* loss, to four decimals, and equal to nothing else that
        it prints. Of the {accuracies} accuracies, {same} are its *test* accuracy, rounded; {odd} has {log} in
        the log and {printed} in the table. So under one caption stand numbers of different images: the loss
        of those that the network has trained on, the accuracy on those that it has not.
        """,
        {
            "losses": count(same),
            "accuracies": count(len(accuracy)),
            "same": count(len(rounded_so)),
            "odd": NAMES[odd],
            "log": f"{log:.4f}",
            "printed": f"{printed:.2f}",
        },
        {
            "all losses are the training loss and nothing else": same == len(loss),
            "all accuracies but one are the test accuracy": len(rounded_so) == len(accuracy) - 1,
            "the odd one is cut, not rounded": int(100 * log) / 100 == printed,
        },
    )


# --- Figure 11.2: two losses ------------------------------------------------------------------------------


def losses_figure() -> TwoWidths:
    """Draw a line from the training loss to the test loss of each schedule, and the accuracies beside."""
    rows = published().source.rows

    def draw(wide: bool) -> Figure:
        figure = Figure(figsize=(WIDE, 2.8) if wide else (NARROW, 5.4))
        losses, order = figure.subplots(1, 2) if wide else figure.subplots(2, 1)
        for row in rows:
            color = COLOR[row.schedule]
            losses.plot([0, 1], [row.train_loss, row.test_loss], "o-", color=color, markersize=5)
            order.plot([row.test_loss], [row.test_accuracy], "o", color=color, markersize=8)
            left = row.schedule in ("constant", "poly5")  # poly5 would touch drop
            note(
                order,
                row.schedule,
                (row.test_loss, row.test_accuracy),
                (-8, 0) if left else (8, 0),
                color=color,
                va="center",
                ha="right" if left else "left",
            )
        losses.set_title("loss, penalty included")
        losses.set_xlim(-0.12, 1.12)
        losses.set_xticks([0, 1], ["training images", "test images"])
        losses.set_ylim(0, 1.05)
        losses.set_yticks([0, 0.25, 0.5, 0.75, 1])
        plain(losses.yaxis)
        order.set_title("test accuracy")
        order.set_xlabel("test loss")
        order.set_xlim(0.56, 1.06)
        order.set_ylim(0.807, 0.88)
        in_per_cent(order.yaxis)
        label_ends(losses, [Label(row.test_loss, row.schedule, COLOR[row.schedule]) for row in rows])
        return figure

    return TwoWidths(
        draw,
        alt="Left: five lines from training loss to test loss, one for each schedule. All rise; the line of "
        "time-based decay crosses that of drops, lower on the training images, higher on the test images. "
        "Right: test accuracy over test loss, five dots that fall from linear decay at the top left to "
        "the constant rate and time-based decay, but not in a line.",
    )


@finding(heading="Even test loss and test accuracy order them differently")
def two_losses_text(records: Records) -> Finding:
    """Say where the two losses, and loss and accuracy, disagree on the order of the schedules."""
    source = published().source
    train, test, accuracy = (source.column(name) for name in ("train_loss", "test_loss", "test_accuracy"))
    flips = [(a, b) for a, b in combinations(train, 2) if (train[a] - train[b]) * (test[a] - test[b]) < 0]
    still, before = at_odds(test, accuracy), at_odds(train, accuracy)
    whole = [name for name, value in source.column("train_accuracy").items() if value == 1]
    return Finding(
        """
        On test images time-based decay falls behind drops: the only pair, of {pairs}, that the two losses
        order differently. By training loss {puzzles} pairs contradict the accuracies, and {left} of them
        still do by test loss: {first}, and {second}. Each time the former has the lower test loss and the
        lower accuracy. No column is wrong. Accuracy counts mistakes, [cross-entropy weighs
        them](beyond_the_valley.md): one wrong answer given with great confidence costs as much as many
        hesitant ones.

        In {full} of the {schedules} runs the network has learned every training image. Its training loss then
        says nothing of mistakes. What is left in it?
        """,
        {
            "pairs": count(len(train) * (len(train) - 1) // 2),
            "left": count(len(still)),
            "puzzles": count(len(before)),
            "first": _worse(still[0], accuracy),
            "second": _worse(still[1], accuracy),
            "full": count(len(whole)),
            "schedules": count(len(train)),
        },
        {
            "only time-based decay and drops change places": flips == [("time", "drop")],
            "of three contradictions that pair is the one that goes": [
                pair for pair in before if pair in still
            ]
            == still
            and len(before) == len(still) + 1,
            "two stay": len(still) == 2,
            "all but one have learned every training image": len(whole) == len(train) - 1,
        },
    )


def _worse(pair: tuple[str, str], accuracy: Mapping[str, float]) -> str:
    """Name a pair at odds, the one with the lower accuracy first."""
    low, high = sorted(pair, key=accuracy.__getitem__)
    return f"{NAMES[low]} against {NAMES[high]}"


# --- Figure 11.3: what is in a printed loss ---------------------------------------------------------------


def penalty_figure(records: Records | None = None) -> TwoWidths:
    """Draw the two parts of the last training loss, and the test accuracy, for the runs on CIFAR-10."""
    parts = _parts(Records() if records is None else records)

    def draw(wide: bool) -> Figure:
        figure = Figure(figsize=(WIDE, 2.9) if wide else (NARROW, 5.4))
        loss, accuracy = figure.subplots(1, 2, sharey=True) if wide else figure.subplots(2, 1)
        for row, (name, (entropy, penalty, ends)) in enumerate(parts.items()):
            color = COLOR[name]
            loss.barh([row], [penalty], left=[entropy], height=0.62, color=color, alpha=0.35)
            loss.barh([row], [entropy], height=0.62, color=color)
            note(
                loss,
                rounded(entropy + penalty, 3),
                (entropy + penalty, row),
                (4, 0),
                va="center",
                color=color,
            )
            accuracy.plot(ends, [row] * len(ends), "o", markersize=4, color=color, alpha=0.6)
            accuracy.plot([fmean(ends)], [row], "|", markersize=13, markeredgewidth=2, color=color)
        for axes in (loss, accuracy):
            axes.set_yticks(range(len(parts)), list(parts))
            axes.set_ylim(len(parts) - 0.4, -0.6)
            axes.grid(visible=False, axis="y")
            axes.grid(visible=True, axis="x")
        loss.set_title("last training loss: cross-entropy + penalty")
        loss.set_xlim(0, 0.39)
        loss.set_xticks([0, 0.1, 0.2, 0.3])
        plain(loss.xaxis)
        accuracy.set_title("test accuracy")
        in_per_cent(accuracy.xaxis)
        return figure

    return TwoWidths(
        draw,
        alt="Bars of eight schedules: the training loss that Keras would print in the last epoch, its "
        "cross-entropy dark and the weight penalty pale. The constant rate has the longest bar, a quarter "
        "of it dark; in the others nearly all is pale, and the bar of time-based decay is the shortest. "
        "Beside them test accuracies, where time-based decay is the lowest but for the constant rate.",
    )


@finding(heading="In our runs, most of such a loss is penalty")
def penalty_text(records: Records) -> Finding:
    """Say what a loss that is printed with its penalty tells, from runs that keep the two apart."""
    parts = _parts(records)
    printed = {name: entropy + penalty for name, (entropy, penalty, _) in parts.items()}
    share = {name: penalty / printed[name] for name, (_, penalty, _) in parts.items()}
    accuracy = {name: fmean(ends) for name, (_, _, ends) in parts.items()}
    others = [name for name in parts if name != "constant"]
    by_accuracy = sorted(accuracy, key=accuracy.__getitem__)
    n = {len(ends) for _, _, ends in parts.values()}
    return Finding(
        """
        The logs do not print the parts. Our records do. In {runs} runs on CIFAR-10 the penalty is {constant}
        of this sum at the constant rate, and {least} or more under the {others} other schedules. And the
        puzzle of the survey's table comes back: time-based decay would have the *lowest* printed loss of all
        {all}, {time}, and has the lowest test accuracy but one. Linear decay would print {linear}, with a
        cross-entropy of {entropy}. Where the training images are learned, a loss with its penalty tells how
        large the weights are, and hardly how well they fit.
        """,
        {
            "runs": sum(len(ends) for _, _, ends in parts.values()),
            "constant": percent(share["constant"], 0),
            "least": percent(min(share[name] for name in others), 0),
            "others": count(len(others)),
            "all": count(len(parts)),
            "time": rounded(printed["time"], 3),
            "linear": rounded(printed["linear"], 3),
            "entropy": rounded(parts["linear"][0], 4),
        },
        {
            "most is penalty everywhere": min(share.values()) > 0.5,
            "and the constant rate has the smallest share": min(share, key=share.__getitem__) == "constant",
            "time-based decay has the lowest sum, in each run": max(_sums(records, "time"))
            < min(value for name in parts if name != "time" for value in _sums(records, name)),
            "and the lowest accuracy but that of the constant rate": by_accuracy[:2] == ["constant", "time"],
            "of the same number of seeds": len(n) == 1,
            "linear decay has less cross-entropy than time-based decay": parts["linear"][0]
            < parts["time"][0],
        },
    )


def _parts(records: Records) -> dict[str, tuple[float, float, list[float]]]:
    """Return of each schedule: training cross-entropy and penalty of the last epoch, means; accuracies."""
    found = {}
    for name in SURVEY:
        runs = records.runs(CIFAR10, name)
        last = [run.epochs[-1] for run in runs]
        entropy, penalty = fmean(each.train_loss for each in last), fmean(each.penalty for each in last)
        found[name] = entropy, penalty, finals(runs)
    return found


def _sums(records: Records, name: str) -> list[float]:
    """Return the last training loss of each run as Keras would print it."""
    return [_as_logged(run)["train_loss"] for run in records.runs(CIFAR10, name)]


# --- Figure 11.4, table 11.2: the experiment, run again ----------------------------------------------------


def again_figure(records: Records | None = None) -> TwoWidths:
    """Draw our runs of the source's experiment over the epochs, and the last line of its logs as squares."""
    runs = (Records() if records is None else records)[AGAIN]

    def draw(wide: bool) -> Figure:
        figure = Figure(figsize=(WIDE, 2.9) if wide else (NARROW, 5.4))
        loss, accuracy = figure.subplots(1, 2) if wide else figure.subplots(2, 1)
        for run in runs:
            color, log = COLOR[run.label], published().source.row(run.label)
            epochs = range(1, len(run.epochs) + 1)
            loss.plot(epochs, curve_of(run, "training loss"), color=color)
            accuracy.plot(epochs, run.column("test_accuracy"), color=color)
            for axes, printed in ((loss, log.train_loss), (accuracy, log.test_accuracy)):
                axes.plot([run.config.epochs], [printed], "s", color=color, markersize=5, clip_on=False)
        loss.set_title("training loss, penalty included")
        loss.set_ylim(0, 1)
        plain(loss.yaxis)
        accuracy.set_title("test accuracy")
        accuracy.set_ylim(0.7, 0.9)
        in_per_cent(accuracy.yaxis)
        for axes in (loss, accuracy):
            axes.set_xlabel("epoch")
            axes.set_xmargin(0.02)
        for axes, ends in (
            (loss, [curve_of(run, "training loss")[-1] for run in runs]),
            (accuracy, [final_accuracy(run) for run in runs]),
        ):
            label_ends(
                axes,
                [Label(end, run.label, COLOR[run.label]) for run, end in zip(runs, ends, strict=True)],
            )
        return figure

    return TwoWidths(
        draw,
        alt="Five curves over 100 epochs, one for each schedule of the survey's table, and a square at the "
        "end of each for what the logs print. Left, the training loss: the constant rate levels off, the "
        "others go on to a third of it and less. Right, test accuracy: all shake; time-based decay, drops "
        "and power 5 grow still early, linear decay only at the end, above them, the constant rate never. "
        "The squares lie at the ends of their curves, but for time-based decay, which ends above its own.",
    )


def again_table(records: Records | None = None) -> Finding:
    """Return our last epochs beside those of the logs, by schedule."""
    ours = {run.label: run for run in (Records() if records is None else records)[AGAIN]}
    rows = []
    for log in published().source.rows:
        last = _as_logged(ours[log.schedule])
        cells = [(f"{last[each]:.4f}", f"log: {getattr(log, each):.4f}") for each in COLUMNS]
        rows.append([log.schedule, *cells])
    return Finding("{table}", {"table": results_table(["schedule", *COLUMNS.values()], rows)}, {})


@finding(heading="Run again, its logs come back")
def again_text(records: Records) -> Finding:
    """Set our runs of the source's experiment beside its logs, column by column."""
    runs = {run.label: run for run in records[AGAIN]}
    survey, far = published().survey.column("accuracy"), _gaps_again(records)
    rounding = {name: _round(_as_logged(run)["test_accuracy"], 2) for name, run in runs.items()}
    same = [name for name in runs if rounding[name] == survey[name]]
    others = [rounding[name] - survey[name] for name in runs if name not in same]
    near = [each for name, each in far.items() if name != "time"]
    share = {name: run.epochs[-1].penalty / _as_logged(run)["train_loss"] for name, run in runs.items()}
    rest = min(value for name, value in share.items() if name != "constant")
    twice = {
        name: abs(cut.epochs[-1].test_accuracy - runs[name].epochs[len(cut.epochs) - 1].test_accuracy)
        for name, cut in cut_runs().items()
    }
    return Finding(
        """
        We trained the tutorial's network by its own recipe, once with each schedule. All {all} end in the
        order of the logs. Rounded as the survey rounds, {same} accuracies are those of its table, and
        {others} are {above} higher. Training losses are within {loss} of the logs, {near_ones} accuracies
        within {near} points, less than two standard errors. Time-based decay alone ends {time} points above
        its log, {errors} errors.

        So the table's numbers can be trusted, and opened. Of the loss at the constant rate {share} is
        penalty; of each other loss {rest} or more.

        *How sure?* One run each, on a GPU in half precision, with another start and order of the images than
        the tutorial's. There not even a seed repeats itself: we began drops and power 5 twice, and by epoch
        {epoch} the two runs of each were {drop} and {poly5} points apart.
        """,
        {
            "all": count(len(runs)),
            "same": count(len(same)),
            "others": count(len(others)),
            "above": f"{max(others, default=0):.2f}",
            "loss": percent(_off(records, "train_loss")),
            "near_ones": count(len(near)),
            "near": points(max(abs(each.difference) for each in near)),
            "time": points(far["time"].difference),
            "errors": rounded(far["time"].errors),
            "share": percent(share["constant"], 0),
            "rest": percent(rest, 0),
            "epoch": min(len(cut.epochs) for cut in cut_runs().values()),
            **{name: points(value) for name, value in twice.items()},
        },
        {
            "each schedule, one run each": sorted(run.label for run in records[AGAIN])
            == sorted(each.schedule for each in published().source.rows),
            "they end in the order of the logs": _in_the_order_of_the_logs(records),
            "three accuracies are the survey's": len(same) == 3,
            "the others are a hundredth higher": {round(each, 9) for each in others} == {0.01},
            "the training losses within one and a half percent": _off(records, "train_loss") < 0.015,
            "all but one accuracy within two standard errors": all(abs(each.errors) < 2 for each in near),
            "that of time-based decay is above its log by more": far["time"].errors > 2,
            "most is penalty, and but for the constant rate nearly all": share["constant"] > 0.5
            and rest > 0.98,
            "two were begun twice with one seed, and differ": set(twice) == {"drop", "poly5"}
            and 0 < min(twice.values()) < max(twice.values()) < 0.005,
        },
    )


def _in_the_order_of_the_logs(records: Records) -> bool:
    """Return whether our runs of the source's experiment end as its schedules do, from worst to best."""
    ours = {run.label: final_accuracy(run) for run in records[AGAIN]}
    log = published().source.column("test_accuracy")
    return sorted(ours, key=ours.__getitem__) == sorted(log, key=log.__getitem__)


def _gaps_again(records: Records) -> dict[str, Gap]:
    """Return how far our runs of the source's experiment end above its logs, by schedule."""
    log = published().source.column("test_accuracy")
    return {run.label: gap(final_accuracy(run), log[run.label], images=IMAGES) for run in records[AGAIN]}


def _as_logged(run: Run) -> dict[str, float]:
    """Return the numbers of a run's last epoch as Keras prints them: losses with the penalty."""
    end = run.epochs[-1]
    return {
        "train_loss": curve_of(run, "training loss")[-1],
        "train_accuracy": end.train_accuracy,
        "test_loss": curve_of(run, "test loss")[-1],
        "test_accuracy": end.test_accuracy,
    }


def _off(records: Records, column: str) -> float:
    """Return how far our runs of the source's experiment are from a column of its logs, as a fraction."""
    return max(
        abs(_as_logged(run)[column] / getattr(published().source.row(run.label), column) - 1)
        for run in records[AGAIN]
    )


# --- What stands ------------------------------------------------------------------------------------------


@finding(heading="Linear beats constant; the order of the best three is open")
def what_stands_text(records: Records) -> Finding:
    """Say which differences of the source are beyond test sampling, and what other seeds did in our study."""
    gaps = _gaps()
    lead, late = gaps["linear", "constant"], gaps["time", "constant"]
    close = [pair for pair, each in gaps.items() if abs(each.errors) < 2]
    apart = sorted(points(gaps[pair].difference, 2) for pair in close)
    ours = {name: finals(records.runs(CIFAR10, name)) for name in NAMES}
    spread = {name: max(ends) - min(ends) for name, ends in ours.items()}
    drop, poly5 = (comparison(records, name, "linear") for name in ("drop", "poly5"))
    (time,), (constant,) = (finals(records.runs(AGAIN, name)) for name in ("time", "constant"))
    late_again = gap(time, constant, images=IMAGES)
    return Finding(
        """
        A lead of {lead} points is {errors} standard errors, of {error} points each. No chance in the choice
        of test images explains it. Of {pairs} pairs, {far} are more than two errors apart. The other {close}
        are drops, linear decay and power 5 among themselves, {least} to {most} points apart.

        Test images are one part of chance. The seed is another, and the source trained each schedule once,
        without fixing one. In our study on CIFAR-10, {n} seeds of one schedule end up to {spread} points
        apart, at the constant rate. Still, each run of linear decay ends above each constant one, and by [the
        plan](plan.md) linear decay leads drops by {drop} points and power 5 by {poly5}.

        Not every gap beyond sampling is confirmed. In the source, time-based decay ends {late} points *below*
        the constant rate, {late_errors} errors. In our own runs with that network it is {late_again} points,
        {again_errors} errors. In our study with another network each of its runs ends *above* each constant
        one. And all schedules share a peak rate of {peak}, too high for a constant rate.
        """,
        {
            "lead": points(lead.difference),
            "errors": rounded(lead.errors),
            "error": points(lead.error, 2),
            "pairs": count(len(gaps)),
            "far": count(len(gaps) - len(close)),
            "close": count(len(close)),
            "least": apart[0],
            "most": apart[-1],
            "n": count(len(ours["constant"])),
            "spread": points(max(spread.values())),
            "drop": between(drop),
            "poly5": between(poly5),
            "late": points(late.difference),
            "late_errors": rounded(-late.errors),
            "late_again": points(late_again.difference),
            "again_errors": rounded(-late_again.errors),
            "peak": f"{records.runs(CIFAR10, 'constant')[0].config.peak_lr:g}",
        },
        {
            "linear leads by more than five errors": lead.errors > 5,
            "the close ones are the three best": {frozenset(pair) for pair in close}
            == {frozenset(pair) for pair in combinations(BEST, 2)},
            "our runs spread most at the constant rate": max(spread, key=spread.__getitem__) == "constant",
            "each of our linear runs is above each constant one": min(ours["linear"]) > max(ours["constant"]),
            "linear leads drops and power 5 by the plan": (drop.verdict, poly5.verdict) == ("worse", "worse"),
            "in the source time-based decay is more than two errors behind": late.errors < -2,
            "run again it is less than two": -2 < late_again.errors < 0,
            "in our study each of its runs is ahead": min(ours["time"]) > max(ours["constant"]),
            "0.1 is too high: on a GPU each run at a tenth of it ends above each at it": map_plan.too_high(
                records
            ),
        },
    )


def _gaps() -> dict[tuple[str, str], Gap]:
    """Return how far the source's accuracy of one schedule is above that of another, earlier in its table."""
    accuracy = published().source.column("test_accuracy")
    return {(b, a): gap(accuracy[b], accuracy[a], images=IMAGES) for a, b in combinations(accuracy, 2)}


# --- The network ------------------------------------------------------------------------------------------


@finding(heading="The network is no ResNet-50")
def network_text(records: Records) -> Finding:
    """Set the number of parameters of the source's network beside that of the one that the survey names."""
    small, large = _size("source_resnet"), _size("resnet50")
    return Finding(
        """
        The survey's text says ResNet50, its caption "a ResNet model". The tutorial's code builds another
        network, made for small images: {small} parameters. A ResNet-50 for CIFAR-10 has {large}, {times}
        times as many. Both are residual networks; that is all they share. (What a real ResNet-50 makes of
        the same schedules stands in [the analysis](analysis.ipynb).)
        """,
        {
            "small": f"{small:,}",
            "large": f"{large:,}",
            "times": rounded(large / small, 0),
        },
        {"the networks differ more than twentyfold": large > 20 * small},
    )


@functools.cache
def _size(network: str) -> int:
    """Return the number of trainable parameters of a network for CIFAR-10."""
    from lrlib.training.networks import build

    made = build(network, in_channels=3, classes=10, seed=0)
    return sum(weights.numel() for weights in made.parameters())


# --- Figure 11.5: the reader's own two runs ---------------------------------------------------------------


def live_figure(mine: Mapping[str, Run], records: Records | None = None) -> TwoWidths:
    """Draw two runs of one schedule that differ in the seed, thick, over the recorded ones, thin."""
    return drawn.live_figure(
        mine,
        records,
        colors={min(mine): COLOR["constant"]},
        alt="Your two runs at the constant rate, one gray and one black, thick, over the recorded runs of "
        "other seeds, thin. Training loss falls alike in all; test accuracy jumps up and down, and the "
        "lines cross again and again.",
    )


def live_text(mine: Mapping[str, Run], records: Records | None = None) -> Finding:
    """Say how far apart the reader's runs ended, what Keras would print, and what recorded seeds did."""
    first, second = mine.values()
    ends = [final_accuracy(run) for run in (first, second)]
    on_digits = first.config.dataset == "digits"
    ours = seeds_on_digits_text(records) if on_digits else Finding("", {}, {})
    return Finding(
        "Your two runs ended at {one} and {other}, {apart} points apart. The loss of the first, as Keras "
        "would print it, is {printed}, of which {penalty} is penalty. {ours}",
        {
            "one": percent(ends[0]),
            "other": percent(ends[1]),
            "apart": points(ends[0] - ends[1]),
            "printed": rounded(_as_logged(first)["train_loss"], 4),
            "penalty": rounded(first.epochs[-1].penalty, 4),
            "ours": ours.text,
        },
        ours.holds,
    )


@finding()
def seeds_on_digits_text(records: Records) -> Finding:
    """Say how far apart the recorded seeds of the constant rate end on the digits."""
    ends = finals(records.runs(DIGITS, "constant"))
    gaps = [abs(each.difference) for pair, each in _gaps().items() if set(pair) <= set(BEST)]
    return Finding(
        """
        Our {n} recorded runs end anywhere from {low} to {high}: {spread} points, and nothing but the seed
        differs. The source's best {best} schedules lie within {close}.
        """,
        {
            "n": count(len(ends)),
            "low": percent(min(ends)),
            "high": percent(max(ends)),
            "spread": points(max(ends) - min(ends)),
            "best": count(len(BEST)),
            "close": points(max(gaps), 2),
        },
        {
            "there are several runs": len(ends) >= 5,
            "they spread more than three times as far": max(ends) - min(ends) > 3 * max(gaps),
        },
    )


# --- Equal columns ----------------------------------------------------------------------------------------


def at_odds(loss: Mapping[str, float], accuracy: Mapping[str, float]) -> list[tuple[str, str]]:
    """Return the pairs of schedules in which the one with the lower loss has the lower accuracy, too.

    Examples
    --------
    >>> at_odds({"time": 0.25, "drop": 0.5, "linear": 0.1}, {"time": 0.5, "drop": 0.75, "linear": 0.75})
    [('time', 'drop')]
    """
    pairs = combinations((name for name in loss if name in accuracy), 2)
    return [(a, b) for a, b in pairs if (loss[a] - loss[b]) * (accuracy[a] - accuracy[b]) > 0]


def origin(column: str, both: Published | None = None) -> dict[str, tuple[str, ...]]:
    """Return, for each number of a column of the survey's table, the source's columns that hold it.

    A column holds it if its number, rounded half up to the decimals that the survey prints, is equal. Only
    columns of the same unit are compared.

    Parameters
    ----------
    column : {"accuracy", "loss"}
    both : Published or None
        None takes the package's.

    Examples
    --------
    >>> origin("loss")["drop"]
    ('train_loss',)
    """
    both = both or published()
    if column not in both.survey.columns:
        raise ValueError(no_such("column", column, both.survey.columns))
    about = both.survey.columns[column]
    found = {}
    for schedule, printed in both.survey.column(column).items():
        row = both.source.row(schedule)
        same = [
            name
            for name in _candidates(column, both)
            if _round(getattr(row, name), about.decimals) == printed
        ]
        found[schedule] = tuple(same)
    return found


def origin_table(column: str, both: Published | None = None) -> str:
    """Return a table as HTML: the survey's numbers, and the source's columns, with equal ones in bold.

    Examples
    --------
    >>> "<td>0.5328</td><td><strong>0.5328</strong></td><td>0.9788</td>" in origin_table("loss")
    True
    """
    both = both or published()
    names = _candidates(column, both)
    heads = [both.source.columns[name].printed_as.partition(",")[0] for name in names]
    heads = ["report" if "report" in name else head for head, name in zip(heads, names, strict=True)]
    rows = []
    for schedule, same in origin(column, both).items():
        row, about = both.source.row(schedule), both.survey.columns[column]
        cells = [f"{getattr(row, name):.{both.source.columns[name].decimals}f}" for name in names]
        cells = [f"**{cell}**" if name in same else cell for cell, name in zip(cells, names, strict=True)]
        rows.append([schedule, f"{both.survey.column(column)[schedule]:.{about.decimals}f}", *cells])
    return results_table(["schedule", f"survey: {both.survey.columns[column].printed_as}", *heads], rows)


def _candidates(column: str, both: Published) -> list[str]:
    unit = both.survey.columns[column].unit
    return [name for name, about in both.source.columns.items() if about.unit == unit]


def _round(value: float, decimals: int) -> float:
    # Through the printed digits: 0.8650 is 0.86499... to a float, and would go the other way.
    return float(Decimal(repr(value)).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP))
