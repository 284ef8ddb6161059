"""The exit question of a lesson: two rates to compute and one conclusion to judge; the numbers vary."""

from __future__ import annotations

import random
from dataclasses import dataclass

from lrlib import TimeDecay


@dataclass(frozen=True)
class ExitQuestion:
    """A question and its answer; `seed` 0 has the survey's own numbers."""

    initial_lr: float
    epochs: int
    steps_per_epoch: int

    @property
    def decay(self) -> float:
        """The survey's convention: initial rate / number of epochs."""
        return self.initial_lr / self.epochs

    @property
    def per_update(self) -> float:
        """The rate of the last update, t = T - 1, if t counts updates."""
        return self.initial_lr * TimeDecay(decay=self.decay)(self.epochs * self.steps_per_epoch - 1)

    @property
    def per_epoch(self) -> float:
        """The rate of the last epoch, t = epochs - 1, if t counts epochs."""
        return self.initial_lr * TimeDecay(decay=self.decay)(self.epochs - 1)

    def question(self) -> str:
        """Return the question in Markdown."""
        a, n = f"{self.initial_lr:g}", self.epochs
        return (
            f"A tutorial uses time-based decay, $\\eta = {a} / (1 + d \\cdot t)$ with $d = {a} / {n}$, for "
            f"{n} epochs of {self.steps_per_epoch} updates.\n\n"
            "1. $t$ begins at 0. Which rate does the last update have if $t$ counts **updates**? And if it "
            "counts **epochs**?\n"
            "2. One run of each schedule ends at 87.2% and 86.8%. Somebody writes: *the first is better*. "
            "What is missing, and what would you do to find out?"
        )

    def answer(self) -> str:
        """Return the answer in Markdown, with what a full answer has to hold."""
        above, d = f"{self.initial_lr:g}", f"{self.decay:.4g}"
        return (
            f"1. Updates: {above} / (1 + {d} · {self.epochs * self.steps_per_epoch - 1:,}) = "
            f"**{self.per_update:.3g}**. Epochs: {above} / (1 + {d} · {self.epochs - 1}) = "
            f"**{self.per_epoch:.3g}**, "
            "much closer to where it began. The unit of $t$ makes the schedule.\n"
            "2. One run each says nothing about how far a second seed would fall from the first: the spread "
            "between seeds is missing. Repeat both with the *same* several seeds, take the differences pair "
            "by pair, give an interval, and fix the rule before looking. (A larger test set alone would not "
            "do: it removes the error of testing, not the luck of training.)"
        )


def exit_question(seed: int = 0) -> ExitQuestion:
    """Return the question of a seed, an integer >= 0."""
    if seed == 0:
        return ExitQuestion(initial_lr=0.1, epochs=100, steps_per_epoch=391)
    draw = random.Random(f"exit question {seed}")  # noqa: S311  to be drawn again by seed, not a secret
    return ExitQuestion(
        initial_lr=draw.choice([0.05, 0.2, 0.3, 0.4]),
        epochs=draw.choice([40, 50, 60, 80, 120, 150]),
        steps_per_epoch=draw.randrange(200, 900, 25),
    )
