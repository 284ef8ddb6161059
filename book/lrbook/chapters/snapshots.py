"""What the chapter on snapshots prints: a cyclical run's networks averaged, beside a long run and short ones.

A figure function returns a `TwoWidths`; a function that ends in ``_text`` returns Markdown. What is a finding
has the decorator, and its claims stand below its words. The answers of the networks to CIFAR-10's test
images come from ``lrlib/recorded/snapshot-answers.json`` (``studies/snapshots.py``), predictions from
``studies/snapshots.toml``.
"""

from __future__ import annotations

import base64
import functools
import json
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import sqrt
from statistics import fmean

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from lrbook.chapters._write import listed
from lrbook.finding import Finding, Records, count, finding, means, percent, points, rounded
from lrlib.plots.style import in_per_cent
from lrlib.plots.two_widths import COLOR, GRAY, INK, NARROW, SEED, WIDE, Label, TwoWidths, label_ends
from lrlib.runs.store import RECORDED
from lrlib.stats import interval

SEEDS, GROUPS, NETWORKS, EPOCHS = (1, 2, 3), (1, 2, 3), 5, 30
CYCLE = EPOCHS // NETWORKS
FIRST_SHORT = 301  # the seed of the first short run
GAIN, NEAR = 0.005, 0.01  # H1 says: more than half a point; H2: within a point


@dataclass(frozen=True)
class Answers:
    """The classes that networks answer to the test images, by name, and those that are right."""

    labels: np.ndarray
    classes: dict[str, np.ndarray]

    def right(self, name: str) -> np.ndarray:
        """Return for each image whether the answer is right."""
        return self.classes[name] == self.labels

    def accuracy(self, name: str) -> float:
        return float(self.right(name).mean())

    def differ(self, one: str, other: str) -> float:
        """Return the part of the images to which two networks answer differently."""
        return float((self.classes[one] != self.classes[other]).mean())

    def error_of_gap(self, one: str, other: str) -> float:
        """Return the standard error of a difference in accuracy, from the same images.

        With b images that only the first has right, c that only the other has, of n: the root of
        b + c - (b - c)^2 / n, over n.
        """
        gaps = self.right(one).astype(float) - self.right(other)
        return float(gaps.std() / sqrt(len(gaps)))


@functools.cache
def answers() -> Answers:
    """Read what the networks answered."""
    found = json.loads((RECORDED / "snapshot-answers.json").read_text(encoding="utf-8"))
    classes = {name: _unpacked(text) for name, text in found["answers"].items()}
    return Answers(_unpacked(found["labels"]), classes)


def _unpacked(text: str) -> np.ndarray:
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), dtype=np.uint8)


def snapshot(seed: int, number: int) -> str:
    """Return the name of a snapshot, from 1 to 5."""
    return f"cosine5-seed{seed}-epoch{number * CYCLE}"


def last(seed: int, networks: int) -> str:
    """Return the name of the mean probability of a run's last snapshots; of one, that snapshot's own."""
    return snapshot(seed, NETWORKS) if networks == 1 else f"cosine5-seed{seed}-last{networks}"


def weights(seed: int, networks: int) -> str:
    """Return the name of the network with the mean weights of a run's last snapshots."""
    return snapshot(seed, NETWORKS) if networks == 1 else f"cosine5-seed{seed}-weights{networks}"


def long(seed: int) -> str:
    """Return the name of the network of linear decay over all epochs."""
    return f"linear-seed{seed}-epoch{EPOCHS}"


def short(group: int) -> list[str]:
    """Return the names of a group's five independent networks, each of a fifth of the epochs."""
    first = FIRST_SHORT + NETWORKS * (group - 1)
    return [f"linear-seed{seed}-epochs{CYCLE}-epoch{CYCLE}" for seed in range(first, first + NETWORKS)]


def first(group: int, networks: int) -> str:
    """Return the name of the mean probability of a group's first networks."""
    return short(group)[0] if networks == 1 else f"group{group}-first{networks}"


def pairs_differ(names: Sequence[str]) -> float:
    """Return the mean over all pairs of networks of the part of the images on which they differ."""
    return fmean(answers().differ(*pair) for pair in combinations(names, 2))


def gains() -> list[float]:
    """Return by seed what the mean probability of five snapshots gains on the last snapshot."""
    return [answers().accuracy(last(seed, NETWORKS)) - answers().accuracy(last(seed, 1)) for seed in SEEDS]


def leads() -> list[float]:
    """Return by seed how far the mean probability of five snapshots is above the run of linear decay."""
    return [answers().accuracy(last(seed, NETWORKS)) - answers().accuracy(long(seed)) for seed in SEEDS]


def weights_behind() -> list[float]:
    """Return by seed how far the mean of five weights is behind the mean of five probabilities."""
    found = answers().accuracy
    return [found(last(seed, NETWORKS)) - found(weights(seed, NETWORKS)) for seed in SEEDS]


def came_true() -> dict[str, bool]:
    """Return each prediction of the plan, in short, and whether it came true."""
    of_snapshots = [pairs_differ(snapshots_of(seed)) for seed in SEEDS]
    of_short = [pairs_differ(short(group)) for group in GROUPS]
    weakest_last = min(answers().accuracy(last(seed, 1)) for seed in SEEDS)
    best_short = max(answers().accuracy(name) for group in GROUPS for name in short(group))
    return {
        "five beat the last by more than half a point, each seed": min(gains()) > GAIN,
        "within a point of linear decay, in the mean": abs(fmean(leads())) < NEAR,
        "independent runs differ more, and each is weaker": min(of_short) > max(of_snapshots)
        and best_short < weakest_last,
        "mean weights are worse than mean probabilities, each seed": min(weights_behind()) > 0,
    }


# --- Figure 19.1: averages over one to five networks ------------------------------------------------------

NUMBERS = range(1, NETWORKS + 1)
SNAPSHOTS, SHORT, MEAN_WEIGHTS = COLOR["cosine5"], GRAY, COLOR["drop"]


def averaged(name: Callable[[int, int], str], groups: Sequence[int]) -> list[list[float]]:
    """Return the accuracies of averages over 1, 2, ... networks, a list for each run or group."""
    return [[answers().accuracy(name(group, n)) for n in NUMBERS] for group in groups]


def averages_figure() -> TwoWidths:
    """Draw test accuracy over the number of networks averaged: snapshots, short runs, mean weights."""
    lines = {
        "snapshots": (averaged(last, SEEDS), SNAPSHOTS),
        "mean weights": (averaged(weights, SEEDS), MEAN_WEIGHTS),
        "short runs": (averaged(first, GROUPS), SHORT),
    }
    whole = [answers().accuracy(long(seed)) for seed in SEEDS]

    def draw(wide: bool) -> Figure:
        figure = Figure(figsize=(0.78 * WIDE, 3.9) if wide else (NARROW, 4.2))
        axes = figure.subplots()
        axes.axhline(fmean(whole), color=COLOR["linear"], linewidth=1.6)
        ends = [Label(fmean(whole), "one long run", COLOR["linear"])]
        for name, (each, color) in lines.items():
            for one in each:
                axes.plot(NUMBERS, one, color=color, **SEED)
            mean = means(each)
            axes.plot(NUMBERS, mean, "o-", color=color, linewidth=2, markersize=4)
            ends.append(Label(mean[-1], name, color))
        axes.set_xlim(0.85, NETWORKS + 0.1)
        axes.set_xticks(NUMBERS)
        axes.set_xlabel("networks averaged")
        axes.set_title("test accuracy")
        in_per_cent(axes.yaxis)
        label_ends(axes, ends)
        return figure

    said = "; ".join(
        f"{name} from {percent(fmean(one[0] for one in each))} to {percent(fmean(one[-1] for one in each))}"
        for name, (each, _) in lines.items()
    )
    return TwoWidths(
        draw,
        alt=f"Test accuracy over the number of networks averaged, from one to five: {said}. A level line at "
        f"{percent(fmean(whole))} is one run of linear decay over all epochs.",
    )


# --- Figure 19.2: how often two networks differ -----------------------------------------------------------


def differences(names: Sequence[str]) -> np.ndarray:
    """Return the parts of the images on which networks differ, [networks, networks]."""
    return np.array([[answers().differ(one, other) for other in names] for one in names])


def snapshots_of(seed: int) -> list[str]:
    """Return the names of a run's snapshots, in the order of the run."""
    return [snapshot(seed, number) for number in NUMBERS]


def _draw_pairs(axes: Axes, table: np.ndarray, accuracies: Sequence[float], *, most: float) -> None:
    """Write a table of differences, the larger the darker, with accuracies on its diagonal."""
    for row, column in np.ndindex(table.shape):
        own = row == column
        if not own:
            alpha = 0.6 * table[row, column] / most
            axes.add_patch(Rectangle((column, row), 1, 1, color=SNAPSHOTS, alpha=alpha, linewidth=0))
        value = accuracies[row] if own else table[row, column]
        how = {"ha": "center", "va": "center", "fontsize": 9.5, "color": GRAY if own else INK}
        axes.text(column + 0.5, row + 0.5, rounded(100 * value), **how)
    axes.set_xlim(0, len(table))
    axes.set_ylim(len(table), 0)
    axes.set_aspect("equal")
    names = [str(number) for number in NUMBERS]
    axes.set_xticks(np.arange(len(table)) + 0.5, names)
    axes.set_yticks(np.arange(len(table)) + 0.5, names)
    axes.tick_params(length=0)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("network")


def differ_figure() -> TwoWidths:
    """Draw for each pair of five networks the part of the images on which they differ, two tables."""
    sets = {
        "snapshots of one run": [snapshots_of(seed) for seed in SEEDS],
        "independent short runs": [short(group) for group in GROUPS],
    }
    tables = {title: np.mean([differences(names) for names in each], axis=0) for title, each in sets.items()}
    right = {
        title: np.mean([[answers().accuracy(name) for name in names] for names in each], axis=0)
        for title, each in sets.items()
    }

    def draw(wide: bool) -> Figure:
        figure = Figure(figsize=(0.9 * WIDE, 3.6) if wide else (NARROW, 7.2))
        panels = figure.subplots(1, 2) if wide else figure.subplots(2, 1)
        most = max(table.max() for table in tables.values())
        for axes, title in zip(panels, sets, strict=True):
            _draw_pairs(axes, tables[title], right[title], most=most)
            axes.set_title(title)
        return figure

    off = ~np.eye(NETWORKS, dtype=bool)
    said = "; ".join(
        f"{title}: from {percent(table[off].min())} to {percent(table[off].max())}"
        for title, table in tables.items()
    )
    return TwoWidths(
        draw,
        alt=f"Two tables of five by five networks with the part of the test images on which two of them "
        f"differ. {said}. On the diagonal stands the accuracy of each network.",
    )


# --- Findings ---------------------------------------------------------------------------------------------


def _accuracy(names: Iterable[str]) -> float:
    """Return the mean accuracy of some networks or averages."""
    return fmean(answers().accuracy(name) for name in names)


def ends() -> dict[str, float]:
    """Return mean accuracies over seeds or groups of what the chapter compares."""
    return {
        "last": _accuracy(last(seed, 1) for seed in SEEDS),
        "five": _accuracy(last(seed, NETWORKS) for seed in SEEDS),
        "weights": _accuracy(weights(seed, NETWORKS) for seed in SEEDS),
        "long": _accuracy(map(long, SEEDS)),
        "one short": _accuracy(name for group in GROUPS for name in short(group)),
        "five short": _accuracy(first(group, NETWORKS) for group in GROUPS),
    }


@finding()
def what_we_found_text(records: Records) -> Finding:
    """Open the chapter: three findings, a line each. The texts below check them at length."""
    found = ends()
    return Finding(
        """
        > **What we found**
        >
        > 1. **The average of {n} snapshots beats the last of them by {gain} points, and one run of linear
        >    decay of the same length by {lead}.** {Five} networks for the price of training one.
        > 2. **It is not the restarts.** Each of {n} independent runs of a fifth of the length is weaker, by
        >    {weaker} points in the mean. Their average is as good: {short} against {five}.
        > 3. **The mean of the weights keeps about half of the gain**, and it is one network. Weights of
        >    independent runs must not be averaged: that leaves {chance}.
        """,
        {
            "n": count(NETWORKS),
            "Five": count(NETWORKS).capitalize(),
            "gain": points(fmean(gains())),
            "lead": points(fmean(leads())),
            "weaker": points(found["last"] - found["one short"]),
            "short": percent(found["five short"]),
            "five": percent(found["five"]),
            "chance": percent(_accuracy(f"group{group}-weights{NETWORKS}" for group in GROUPS), 0),
        },
        {
            "five beat the last in each seed": min(gains()) > 0,
            "and linear decay in each seed": min(leads()) > 0,
            "a short run is weaker": found["one short"] < found["last"] - GAIN,
            "short runs average to the same": abs(found["five short"] - found["five"]) < GAIN,
            "mean weights keep about half": 0.35
            < (found["weights"] - found["last"]) / (found["five"] - found["last"])
            < 0.65,
            "those of independent runs are lost": max(
                answers().accuracy(f"group{group}-weights{NETWORKS}") for group in GROUPS
            )
            < 0.3,
        },
    )


@finding()
def answer_text(records: Records) -> Finding:
    """Answer the chapter's prediction."""
    found = ends()
    return Finding(
        """
        <details>
        <summary>Think, then open</summary>

        Yes, twice. The last network has {last}, the average of {n} has {five}, linear decay has {long}. The
        last network alone is no better than linear decay: what the average adds is the lead.

        </details>
        """,
        {
            "n": count(NETWORKS),
            "last": percent(found["last"]),
            "five": percent(found["five"]),
            "long": percent(found["long"]),
        },
        {
            "the average is better than both": found["five"] > max(found["last"], found["long"]),
            "the last alone is level with linear decay": abs(found["last"] - found["long"]) < GAIN,
        },
    )


@finding(heading="Five snapshots beat one long run")
def averages_text(records: Records) -> Finding:
    """Say what the average of five snapshots gains, on whom, and judge H1 and H2."""
    found = ends()
    low, high = interval(leads())
    per_images = fmean(answers().error_of_gap(last(seed, NETWORKS), long(seed)) for seed in SEEDS)
    two = _accuracy(last(seed, 2) for seed in SEEDS)
    first_true, second_true, *_ = came_true().values()
    return Finding(
        """
        On CIFAR-10 the last of {n} snapshots has {last}. Averaged with the one before it, it has {two}; all
        {n} have {five}. The plan had two predictions about this.

        - *The average beats the last snapshot by more than {bar} points in each of {seeds} seeds.* It does
          by {gains}: **came true**.
        - *In the mean it is within a point of linear decay.* It is {lead} points above: **failed**, and in
          the better direction.

        *How sure?* The lead over linear decay is {leads} points, seed by seed; a t interval over {seeds} is
        {low} to {high}. The test images alone give each of these a standard error of {error}.
        """,
        {
            "n": count(NETWORKS),
            "seeds": count(len(SEEDS)),
            "last": percent(found["last"]),
            "two": percent(two),
            "five": percent(found["five"]),
            "bar": points(GAIN),
            "gains": listed(points(gain, 2) for gain in gains()),
            "lead": points(fmean(leads())),
            "leads": listed(points(lead, 2) for lead in leads()),
            "low": rounded(100 * low, 1),
            "high": rounded(100 * high, 1),
            "error": rounded(100 * per_images, 2),
        },
        {
            "two are better than one": two > found["last"],
            "five are better than two": found["five"] > two,
            "the first prediction came true": first_true,
            "the second failed": not second_true,
            "each lead is above zero": min(leads()) > 0,
        },
    )


@finding(heading="Independent short runs are weaker, differ more, and average to the same")
def differ_text(records: Records) -> Finding:
    """Say how often networks differ, judge H3, and compare the averages at one budget."""
    found = ends()
    of_snapshots = [pairs_differ(snapshots_of(seed)) for seed in SEEDS]
    of_short = [pairs_differ(short(group)) for group in GROUPS]
    neighbors = fmean(answers().differ(snapshot(seed, 4), snapshot(seed, 5)) for seed in SEEDS)
    best = max(answers().accuracy(name) for group in GROUPS for name in short(group))
    two = _accuracy(first(group, 2) for group in GROUPS)
    _, _, third_true, _ = came_true().values()
    return Finding(
        """
        An average can only mend what not all have wrong. So two things count: how good the networks are, and
        how often they differ. Two snapshots differ on {snapshots} of the images, the last two on
        {neighbors}. Two independent runs differ on {short}.

        - *Independent runs differ on more images, in each of {groups} groups, and the best of them is
          weaker than the last snapshot.* The best of all {runs} has {best}: **came true**.

        The two even out. {Five} runs of {cycle} epochs have {one} each and {together} together; {n}
        snapshots, {five}. Both are one budget of {epochs} epochs, on which one run of linear decay has
        {long}. Two short runs, {part} of that budget, already have {two}. So restarts are not what makes the
        average good. On this network a budget is better spent on several networks than on one.

        *How sure?* {groups_cap} groups of short runs and {seeds} runs with cycles. The averages lie within
        {apart} points of each other, and that order is not decided.
        """,
        {
            "snapshots": percent(fmean(of_snapshots)),
            "neighbors": percent(neighbors),
            "short": percent(fmean(of_short)),
            "groups": count(len(GROUPS)),
            "groups_cap": count(len(GROUPS)).capitalize(),
            "seeds": count(len(SEEDS)),
            "runs": NETWORKS * len(GROUPS),
            "best": percent(best),
            "Five": count(NETWORKS).capitalize(),
            "n": count(NETWORKS),
            "cycle": count(CYCLE),
            "epochs": EPOCHS,
            "one": percent(found["one short"]),
            "together": percent(found["five short"]),
            "five": percent(found["five"]),
            "long": percent(found["long"]),
            "part": percent(2 * CYCLE / EPOCHS, 0),
            "two": percent(two),
            "apart": points(abs(found["five short"] - found["five"]), 2),
        },
        {
            "the third prediction came true": third_true,
            "two short runs have what the long one has": abs(two - found["long"]) < 0.002,
            "neighbors differ least": neighbors < fmean(of_snapshots),
            "the averages are level": abs(found["five short"] - found["five"]) < GAIN,
            "five short runs beat a long one": min(
                answers().accuracy(first(group, NETWORKS)) for group in GROUPS
            )
            > max(answers().accuracy(long(seed)) for seed in SEEDS),
        },
    )


@finding(heading="The mean of the weights: one network, and half of the gain")
def weights_text(records: Records) -> Finding:
    """Say what averaging weights does, judge H4, and what it does to independent runs."""
    found = ends()
    over = [answers().accuracy(weights(seed, NETWORKS)) - answers().accuracy(last(seed, 1)) for seed in SEEDS]
    lost = _accuracy(f"group{group}-weights{NETWORKS}" for group in GROUPS)
    *_, fourth_true = came_true().values()
    return Finding(
        """
        Instead of the answers one can average the weights, and has one network in the end.

        - *The mean of {n} snapshots' weights is worse than the mean of their probabilities, in each seed.* It
          is, by {behind} points: **came true**.

        What we had not expected: it is better than the last snapshot, by {over} points, and better than
        linear decay, {weights} against {long}. So no hill stands between the snapshots of one run: the
        restarts did not throw them out of the basin. With independent runs it fails. They start from other
        random weights, and what one unit does in one network, another does in the next. The mean of {n} has
        {lost}, hardly better than a guess.

        *How sure?* {Seeds} seeds. That it beats the last snapshot we looked at afterwards; that it is behind
        the average of probabilities was written down before.
        """,
        {
            "n": count(NETWORKS),
            "behind": listed(points(each, 2) for each in weights_behind()),
            "over": listed(points(each, 2) for each in over),
            "weights": percent(found["weights"]),
            "long": percent(found["long"]),
            "lost": percent(lost),
            "Seeds": count(len(SEEDS)).capitalize(),
        },
        {
            "the fourth prediction came true": fourth_true,
            "better than the last, in each seed": min(over) > 0,
            "better than linear decay": found["weights"] > found["long"],
            "independent weights are lost": lost < 0.15,
        },
    )
