"""What the page on asking runs for a schedule prints: what recorded gradient norms ask for, by the bound.

A figure function returns a `TwoWidths`; a function that ends in ``_text`` returns Markdown. What is a finding
has the decorator, and its claims stand below its words.
"""

from __future__ import annotations

from statistics import fmean, stdev

import numpy as np
from matplotlib.figure import Figure

from lrbook.finding import Finding, Records, count, finding, percent, rounded
from lrlib import LinearDecay
from lrlib.plots.style import note
from lrlib.plots.two_widths import COLOR, INK, NARROW, WIDE, TwoWidths
from lrlib.runs import Run
from lrlib.theory import asked_for, worst_case

CIFAR10, DIGITS = "survey-laptop", "survey-digits"
SCHEDULED = ("linear", "triangle", "cosine")


def norms_of(run: Run) -> np.ndarray:
    """Return a mean squared gradient norm for each update: the record has the mean over its epoch."""
    return np.repeat(run.column("grad_norm_sq"), run.config.steps_per_epoch)


def asked(records: Records, study: str, name: str) -> list[np.ndarray]:
    """Return what each run of a schedule asks for by its own norms: factors, means over an epoch each."""
    return [
        asked_for(norms_of(run)).reshape(-1, run.config.steps_per_epoch).mean(1)
        for run in records.runs(study, name)
    ]


def _mean(factors: list[np.ndarray]) -> np.ndarray:
    return np.mean(factors, axis=0)


def _line(epochs: int) -> np.ndarray:
    """Return the factors of linear decay in a long run, means over an epoch each."""
    return 1 - (np.arange(epochs) + 0.5) / epochs


def _close(factors: np.ndarray) -> float:
    """Return the correlation with linear decay."""
    return float(np.corrcoef(factors, _line(len(factors)))[0, 1])


def asked_figure(records: Records | None = None) -> TwoWidths:
    """Draw what constant runs ask for beside linear decay, and what runs with a schedule ask for."""
    records = Records() if records is None else records
    flat = asked(records, CIFAR10, "constant")
    others = {name: _mean(asked(records, CIFAR10, name)) for name in SCHEDULED}
    middles = np.arange(len(flat[0])) + 0.5

    def draw(wide: bool) -> Figure:
        figure = Figure(figsize=(WIDE, 3.2) if wide else (NARROW, 5.8))
        panels = figure.subplots(1, 2, sharey=True) if wide else figure.subplots(2, 1, sharex=True)
        for factors in flat:
            panels[0].plot(middles, factors, color=COLOR["constant"], linewidth=0.9, alpha=0.7)
        panels[0].plot(middles, _mean(flat), color=INK, linewidth=2.4)
        panels[0].plot([0, len(middles)], [1, 0], color=COLOR["linear"], linewidth=1.6, linestyle=(0, (5, 2)))
        note(panels[0], "asked for", (7.5, 0.62), (-4, -14), color=INK, ha="right")
        note(panels[0], "linear decay", (17, 0.46), color=COLOR["linear"])
        for name, factors in others.items():
            panels[1].plot(middles, factors, color=COLOR[name], linewidth=1.8)
            note(panels[1], name, (6, 0.5 - 0.1 * SCHEDULED.index(name)), color=COLOR[name])
        panels[0].set_title("asked by runs at a constant rate")
        panels[1].set_title("asked by runs with a schedule")
        for axes in panels:
            axes.set_ylim(0, 1.08)
            axes.set_xlim(0, len(middles))
        for axes in panels if wide else panels[1:]:
            axes.set_xlabel("epoch")
        return figure

    return TwoWidths(
        draw,
        alt="Two panels of factors over 30 epochs. First: five runs at a constant rate ask for nearly the "
        "same, a rise within the first epoch, a peak in epochs two and three, and a fall to zero that lies "
        "a little below linear decay in the middle. Second: runs with linear decay, triangle and cosine ask "
        "for almost no rate until epoch 20, and a peak after it.",
    )


@finding()
def what_we_found_text(records: Records) -> Finding:
    """Open the page: what a constant run asks for, what others ask for."""
    flat = _mean(asked(records, CIFAR10, "constant"))
    scheduled = [_mean(asked(records, CIFAR10, name)) for name in SCHEDULED]
    digits = [_close(factors) for factors in asked(records, DIGITS, "constant")]
    seeds = len(records.runs(CIFAR10, "constant"))
    return Finding(
        """
        > **What we found**
        >
        > 1. **A run without any schedule asks for one.** By its own gradient norms, a constant rate on
        >    CIFAR-10 wants a warm-up of an epoch and then a fall to zero. That is close to linear decay
        >    (correlation {close}), and alike in {seeds} seeds.
        > 2. **A run with a schedule asks for a useless one.** Its norms collapse when the training set is
        >    known by heart, and then it wants nearly no rate for most of training.
        > 3. **It depends on the run that is asked.** On the digits even the constant rate asks for something
        >    else, and each seed for its own: correlations with linear decay from {least} to {most}.
        """,
        {
            "close": rounded(_close(flat), 2),
            "seeds": count(seeds),
            "least": rounded(min(digits), 2),
            "most": rounded(max(digits), 2),
        },
        {
            "the constant run asks for a warm-up": flat[0] < 0.75 and np.argmax(flat) in (1, 2),
            "and a fall that hugs linear decay": _close(flat) > 0.9 and flat[-1] < 0.1,
            "runs with a schedule ask for next to nothing at first": all(
                max(each[:15]) < 0.05 and np.argmax(each) > 19 for each in scheduled
            ),
            "the digits are another case": fmean(digits) < 0.8,
            "and their seeds differ": max(digits) - min(digits) > 0.3,
        },
    )


@finding(heading="A constant rate asks for a short warm-up and a line to zero")
def constant_text(records: Records) -> Finding:
    """Say what the constant runs ask for, how alike, and what it would gain by the bound."""
    runs = records.runs(CIFAR10, "constant")
    each = asked(records, CIFAR10, "constant")
    flat, half = _mean(each), len(each[0]) // 2
    gains = []
    for run in runs:
        norms_sq, steps = norms_of(run), run.config.total_steps
        factors = asked_for(norms_sq)
        best, line = (
            worst_case(shape, steps=steps, grad_norm_sq=norms_sq).best_value
            for shape in (lambda t, of=factors: float(of[t]), LinearDecay(total_steps=steps))
        )
        gains.append(line / best - 1)
    norms = [fmean(run.column("grad_norm_sq")[epoch] for run in runs) for epoch in (0, 1)]
    off = float(max(abs(flat - _line(len(flat)))[int(np.argmax(flat)) :]))
    spread = stdev(float(factors[half]) for factors in each)
    return Finding(
        """
        Of the first epoch it wants {first} of the peak, since gradients are large there: a mean squared norm
        of {norm} against {next} in the second. The peak is in epochs {peak} and {after}. From there on it
        stays within {off} of linear decay, and is down to {last} in the last epoch. {Seeds} seeds differ at
        half-time by a standard deviation of {spread}.

        There is little to gain from it: by the bound, for these norms, {gain} over linear decay on average.
        The bound sees nothing left to improve on a line.
        """,
        {
            "first": rounded(float(flat[0]), 2),
            "norm": rounded(norms[0], 1),
            "next": rounded(norms[1], 1),
            "peak": int(np.argmax(flat)),
            "after": int(np.argmax(flat)) + 1,
            "last": rounded(float(flat[-1]), 2),
            "off": rounded(off, 2),
            "Seeds": count(len(runs)).capitalize(),
            "spread": rounded(spread, 3),
            "gain": percent(fmean(gains)),
        },
        {
            "gradients are larger in the first epoch": norms[0] > 1.3 * norms[1],
            "the epochs around the peak are level": abs(flat[np.argmax(flat) - 1] - flat.max()) < 0.05,
            "from the peak on it is never far from linear decay": off < 0.12,
            "seeds agree": spread < 0.02,
            "the gain is under two percent": 0 < fmean(gains) < 0.02,
        },
    )


@finding(heading="A run that has learned its images by heart asks for no rate until the end")
def scheduled_text(records: Records) -> Finding:
    """Say why runs with a schedule cannot be asked, and that warm-up makes what asks for it."""
    linear, triangle, flat = (records.runs(CIFAR10, name) for name in ("linear", "triangle", "constant"))
    first, last = (fmean(run.column("grad_norm_sq")[epoch] for run in linear) for epoch in (0, -1))
    slow, fast = (fmean(run.column("grad_norm_sq")[0] for run in runs) for runs in (triangle, flat))
    factors = _mean(asked(records, CIFAR10, "linear"))
    return Finding(
        """
        With linear decay the squared norm falls from {first} to {last}, {times}-fold, as the training images
        are known by heart. The bound then wants its steps where they are nearly free: {middle} of the peak at
        half-time, and the peak in epoch {peak}.

        There is a circle in it, too. The triangle's first epoch has a squared norm of {slow}, the constant
        rate's {fast}: a network that starts slowly stays longer where gradients are large. So warm-up makes
        the very norms that ask for warm-up.
        """,
        {
            "first": rounded(first, 1),
            "last": rounded(last, 4),
            "times": round(first / last, -1 if first / last < 1000 else -2).__int__(),
            "middle": percent(float(factors[len(factors) // 2])),
            "peak": int(np.argmax(factors)) + 1,
            "slow": rounded(slow, 1),
            "fast": rounded(fast, 1),
        },
        {
            "the norm falls a hundredfold or more": first > 100 * last,
            "nearly no rate is wanted at half-time": factors[len(factors) // 2] < 0.05,
            "the peak is late": np.argmax(factors) > 19,
            "the triangle's first epoch has far larger gradients": slow > 3 * fast,
        },
    )
