"""What the page "What the valley cannot explain" prints: one figure, and findings over all CIFAR-10 runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import log
from statistics import fmean

from matplotlib.figure import Figure

from lrbook.chapters.drawn import draw_mean, epochs_of
from lrbook.finding import (
    Finding,
    Records,
    comparison,
    count,
    finals,
    finding,
    means,
    percent,
    points,
    rounded,
)
from lrlib.plots.two_widths import COLOR, NARROW, WIDE, Label, TwoWidths, label_ends
from lrlib.runs import Run
from lrlib.schedules.recipes import SURVEY
from lrlib.stats import final_accuracy

CIFAR10 = "survey-laptop"


def _falling(records: Records) -> list[Run]:
    """Return the runs of all schedules but the constant rate."""
    return [run for run in records[CIFAR10] if run.label != "constant"]


def _lowest(run: Run) -> int:
    """Return the epoch with the lowest test loss, from 1."""
    losses = run.column("test_loss")
    return losses.index(min(losses)) + 1


def _spent(run: Run) -> float:
    """Return the mean of a run's rates over the peak rate: what a constant rate would have spent is 1."""
    schedule, total = run.config.schedule(), run.config.total_steps
    return fmean(schedule(t) for t in range(total))


def _range(values: Iterable[float], write: Callable[[float], str]) -> str:
    values = list(values)
    return f"{write(min(values))} to {write(max(values))}"


# --- Figure 5.6: gap and penalty --------------------------------------------------------------------------


def gap_figure(records: Records | None = None) -> TwoWidths:
    """Draw the gap between test and training loss, and the penalty on the weights, for each schedule."""
    records = Records() if records is None else records
    groups = {name: records.runs(CIFAR10, name) for name in SURVEY}
    epochs = len(groups["linear"][0].epochs)

    def draw(wide: bool) -> Figure:
        figure = Figure(figsize=(WIDE, 3.3) if wide else (NARROW, 6.6))
        panels = figure.subplots(1, 2) if wide else figure.subplots(2, 1, sharex=True)
        gap, penalty = panels
        gap.set_title("test minus training cross-entropy")
        gap.set_ylim(-0.3, 1.3)
        gap.set_yticks([0, 0.5, 1])
        penalty.set_title("penalty on the weights")
        penalty.set_ylim(0, 0.27)
        penalty.set_yticks([0, 0.1, 0.2])
        ends = {axes: [] for axes in panels}
        for name, runs in groups.items():
            style = {"linewidth": 1.6}
            gaps = means(
                [b - a for a, b in zip(run.column("train_loss"), run.column("test_loss"), strict=True)]
                for run in runs
            )
            gap.plot(epochs_of(runs[0], 0.0), gaps, color=COLOR[name], **style)
            weights = draw_mean(penalty, runs, "penalty", COLOR[name], style, seeds=False)
            for axes, values in ((gap, gaps), (penalty, weights)):
                ends[axes].append(Label(values[-1], name, COLOR[name]))
        for axes in panels:
            axes.set_xlim(0, epochs)
            label_ends(axes, ends[axes])
        for axes in panels if wide else panels[1:]:
            axes.set_xlabel("epoch")
        return figure

    return TwoWidths(
        draw,
        alt="Two panels over 30 epochs with one line per schedule. The gap between test and training cross- "
        "entropy begins at zero or below, rises for all schedules and ends between about 0.8 and 1. The "
        "penalty on the weights starts at 0.05 for all. At the constant rate it climbs to 0.25; under "
        "linear and cosine decay and warm-up it rises to a hump in the middle and comes down to 0.13; "
        "with cosine restarts it climbs in steps to 0.18; under drops, power 5 and time-based decay it "
        "soon stays level, between 0.06 and 0.1.",
    )


# --- The findings -----------------------------------------------------------------------------------------


@finding(heading="Test loss turns early, test accuracy does not")
def test_loss_turns_text(records: Records) -> Finding:
    """Say when test loss is lowest, how far it rises, and what test accuracy does in the meantime."""
    runs, falling = records[CIFAR10], _falling(records)
    turns = [_lowest(run) for run in runs]
    rise = [run.column("test_loss")[-1] / min(run.column("test_loss")) for run in runs]
    gain = [final_accuracy(run) - run.column("test_accuracy")[_lowest(run) - 1] for run in falling]
    return Finding(
        """
        In all {runs} recorded runs on CIFAR-10, test loss is lowest between epochs {first} and
        {last} of {epochs}. Then it rises, to {rise} times that value at the end. Test accuracy goes
        the other way. In all {falling} runs with a falling rate it ends higher than it was where
        the loss was lowest, by up to {gain} points.
        """,
        {
            "runs": len(runs),
            "first": min(turns),
            "last": max(turns),
            "epochs": len(runs[0].epochs),
            "rise": _range(rise, rounded),
            "falling": len(falling),
            "gain": points(max(gain)),
        },
        {
            "test loss turns in the first third of every run": 3 * max(turns) <= len(runs[0].epochs),
            "it ends at least a tenth above its lowest value in each": min(rise) > 1.1,
            "with a falling rate test accuracy ends higher in each": min(gain) > 0,
            "every schedule has its five runs": len(runs) == 5 * len(SURVEY),
        },
    )


@finding(heading="The training set is learned by heart")
def by_heart_text(records: Records) -> Finding:
    """Say how much of the training set the last weights have right, and what that leaves open."""
    falling, constant = _falling(records), records.runs(CIFAR10, "constant")
    learned = [run.final.train_accuracy for run in falling]
    end = {name: fmean(finals(records.runs(CIFAR10, name))) for name in SURVEY if name != "constant"}
    return Finding(
        """
        With the last weights, all {falling} runs with a falling rate have more than {least} of
        their training images right, and {whole} of them have every one. (At the constant rate it is
        {constant}.) Little is left to learn there. Yet the schedules still differ on the test set,
        by up to {apart} points. Memorizing is what they have in common; it cannot be what sets them
        apart.
        """,
        {
            "falling": len(falling),
            "least": "99.9%",
            "whole": learned.count(1.0),
            "constant": _range((run.final.train_accuracy for run in constant), percent),
            "apart": points(max(end.values()) - min(end.values())),
        },
        {
            "each falling one has more than 99.9 %": min(learned) > 0.999,
            "more than half have all": 2 * learned.count(1.0) > len(learned),
            "no constant one has": max(run.final.train_accuracy for run in constant) < 0.99,
            "they still differ by more than two points": max(end.values()) - min(end.values()) > 0.02,
        },
    )


@finding(heading="Training loss does not order the schedules")
def loss_does_not_order_text(records: Records) -> Finding:
    """Say which schedules have a higher training loss than another, and a higher test accuracy."""
    time = records.runs(CIFAR10, "time")
    above = {name: records.runs(CIFAR10, name) for name in ("cosine5", "poly5", "drop")}
    others = [run for runs in above.values() for run in runs]

    def loss(runs):
        return fmean(run.epochs[-1].train_loss for run in runs)

    return Finding(
        """
        [Time-based decay](time_based.ipynb) ends with a training loss of {time_loss} and {time}
        test accuracy. [Cosine with restarts](cosine.ipynb) ends with a *higher* loss,
        {cosine5_loss}, and {cosine5}. So do power-{power} decay and drops. All {others} runs of
        these {schedules} schedules have a higher training loss than every run of time-based decay,
        and all have a higher test accuracy. A lower valley floor is not a better network.
        """,
        {
            "time_loss": rounded(loss(time), 4),
            "time": percent(fmean(finals(time))),
            "cosine5_loss": rounded(loss(above["cosine5"]), 4),
            "cosine5": percent(fmean(finals(above["cosine5"]))),
            "power": f"{above['poly5'][0].config.recipe.power:g}",
            "others": len(others),
            "schedules": count(len(above)),
        },
        {
            "each has a higher training loss than every run of time-based decay": min(
                run.epochs[-1].train_loss for run in others
            )
            > max(run.epochs[-1].train_loss for run in time),
            "each has a higher test accuracy": min(finals(others)) > max(finals(time)),
        },
    )


@finding(heading="Accuracy counts mistakes, cross-entropy weighs them")
def counts_and_weighs_text(records: Records) -> Finding:
    """Say what a mistake costs where test loss is lowest and at the end."""
    runs = records[CIFAR10]
    then = [
        run.column("test_loss")[_lowest(run) - 1] / (1 - run.column("test_accuracy")[_lowest(run) - 1])
        for run in runs
    ]
    end = [run.column("test_loss")[-1] / (1 - final_accuracy(run)) for run in runs]
    return Finding(
        """
        How can loss and accuracy rise together? Accuracy asks whether the right class got the
        highest probability. Cross-entropy asks how high: $-\\ln p$. Charge the whole test loss to
        the images that are wrong. Then a mistake costs {then} where test loss is lowest, and {end}
        at the end; blind guessing among ten classes costs {guess}. It grows dearer in every single
        run. A network that is sure of all it has memorized tends to be just as sure when it is
        wrong. This is *over-confidence*: with a falling rate the mistakes become fewer, and each
        weighs more.
        """,
        {
            "then": _range(then, rounded),
            "end": _range(end, rounded),
            "guess": rounded(log(10)),
        },
        {
            "a mistake costs more at the end in every run": all(
                a < b for a, b in zip(then, end, strict=True)
            ),
            "the cheapest at the end is dearer than the dearest before": min(end) > max(then),
            "more than guessing": min(then) > log(10),
            "with a falling rate mistakes become fewer in each": all(
                final_accuracy(run) > run.column("test_accuracy")[_lowest(run) - 1]
                for run in _falling(records)
            ),
        },
    )


def _by_spending(records: Records) -> tuple[list[str], list[str]]:
    """Return the schedules that spend half of what a constant rate does, and those that spend little."""
    spent = {name: _spent(records.runs(CIFAR10, name)[0]) for name in SURVEY if name != "constant"}
    half = [name for name, part in spent.items() if abs(part - 0.5) < 0.01]
    return half, [name for name, part in spent.items() if part < 0.201]


@finding(heading="Schedule and weight penalty act together")
def penalty_text(records: Records) -> Finding:
    """Say what the penalty is at the end for schedules that spend much and little."""
    half, little = _by_spending(records)
    end = {name: [run.epochs[-1].penalty for run in records.runs(CIFAR10, name)] for name in SURVEY}
    middle = [value for name in half for value in end[name]]
    low = [value for name in little for value in end[name]]
    column = means(run.column("penalty") for run in records.runs(CIFAR10, "linear"))
    hump = column.index(max(column)) + 1
    decay = records[CIFAR10][0].config.weight_decay
    alike = comparison(records, "cosine5", "linear")
    return Finding(
        """
        The loss that these runs lower has a second part, the weight penalty (*weight decay*
        $\\lambda$ = {decay}): half of $\\lambda$ times the sum of the squared weights. The valley
        has none. Large noisy steps tend to push weights outward, the penalty pulls them in. Its
        pull in one update is $\\eta_t \\lambda w$, so a schedule that lowers the rate turns the
        pull down too. Figure 5.6 shows the result. At the constant rate the penalty ends at
        {constant}. The {n_half} schedules that spend half as much rate in total end at {half}, the
        {n_little} that spend a fifth or less at {little}. Under linear decay it rises until epoch
        {hump} and then falls.

        Yet small weights are not the secret. [Cosine with restarts](cosine.ipynb) ends with a
        penalty of {cosine5}, linear decay with {linear}, and they are as good as each other to
        within a point.
        """,
        {
            "decay": f"{decay:g}",
            "constant": rounded(fmean(end["constant"]), 2),
            "n_half": count(len(half)),
            "half": _range(middle, lambda value: rounded(value, 2)),
            "n_little": count(len(little)),
            "little": _range(low, lambda value: rounded(value, 2)),
            "hump": hump,
            "cosine5": rounded(fmean(end["cosine5"]), 2),
            "linear": rounded(fmean(end["linear"]), 2),
        },
        {
            "each constant run is above all that spend half": min(end["constant"]) > max(middle),
            "each of these is above all that spend little": min(middle) > max(low),
            "every schedule is in one of the groups": len(half) + len(little) + 1 == len(SURVEY),
            "linear's penalty has its hump in the middle and falls after it": 0.4 < hump / len(column) < 0.7
            and column[-1] < 0.9 * max(column),
            "it is as good as linear decay by the plan": alike.verdict == "as good as",
            "with a penalty at least a third higher": min(end["cosine5"]) > 4 / 3 * max(end["linear"]),
        },
    )


@finding(heading="High rates, held long, may protect from memorizing")
def noise_text(records: Records) -> Finding:
    """Say that all schedules that spend half are above all that spend little, and what that might mean."""
    half, little = _by_spending(records)
    long, short = (
        [value for name in names for value in finals(records.runs(CIFAR10, name))] for names in (half, little)
    )
    constant = finals(records.runs(CIFAR10, "constant"))
    return Finding(
        """
        The same two groups stand apart on the test set. All {n_long} runs of the schedules that
        spend half end at {long_low} or more, all {n_short} of those that spend a fifth or less at
        {short_high} or less. One explanation is that noise is a **regularizer**: the shaking of
        large steps keeps the weights from settling where they fit only the training images. It
        cannot be all. The constant rate shakes longest and ends lowest, at {constant_high} or less.
        High rates first, calm at the end: both seem to be needed.
        """,
        {
            "n_long": len(long),
            "long_low": percent(min(long)),
            "n_short": len(short),
            "short_high": percent(max(short)),
            "constant_high": percent(max(constant)),
        },
        {
            "each run of the one group is above each of the other": min(long) > max(short),
            "every constant run is below all of these": max(constant) < min(short),
            "the groups hold all other schedules": len(half) + len(little) == len(SURVEY) - 1,
        },
    )


@finding(heading="What is not settled")
def not_settled_text(records: Records) -> Finding:
    """Say what these runs cannot tell apart, and what others have found."""
    runs = records[CIFAR10]
    decays, peaks, kinds = (
        {getattr(run.config, name) for run in runs} for name in ("weight_decay", "peak_lr", "augmentation")
    )
    return Finding(
        """
        Noise, penalty and the total rate spent change together in our {runs} runs, so they cannot
        say which of them matters. All have one weight decay, one peak rate of {peak}, and no
        augmentation. Runs without a penalty, or with flipped and shifted images, could separate the
        causes.

        Elsewhere too the question is open. [Naganuma and others](https://arxiv.org/abs/2603.10301)
        searched for the best shapes, on CIFAR-10 among others, and found that weight decay can
        change strongly which shape is best. [Yano and others](https://arxiv.org/abs/2603.16127)
        trained large language models with no decay at all. After fine-tuning these were better,
        although decay may look better before it. So the "better minimum" that the survey promises
        depends on what you measure, and when.
        """,
        {"runs": len(runs), "peak": f"{min(peaks):g}"},
        {
            "there is one weight decay": len(decays) == 1,
            "one peak rate": len(peaks) == 1,
            "and no augmentation": kinds == {"none"},
        },
    )
