"""Exercises without a checker: two sentences to write, and a project; a reader judges them by criteria."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from typing import Literal

from lrbook.exercises.task import Level

__all__ = ["QUESTIONS", "OpenExercise"]


@dataclass(frozen=True, kw_only=True)
class OpenExercise:
    """An exercise whose answer is a text, with a model answer and criteria to judge one's own by.

    Attributes
    ----------
    name, chapter, title : str
    kind : "explain" or "project"
    level : "easy", "medium" or "hard"
    prompt, model : str
        Markdown.
    criteria : tuple of str
        What a full answer has; each is met or not.

    Examples
    --------
    >>> [(question.name, question.kind) for question in QUESTIONS if question.chapter == "constant"]
    [('one_run', 'explain')]
    """

    name: str
    chapter: str
    kind: Literal["explain", "project"]
    level: Level
    title: str
    prompt: str = field(repr=False)
    model: str = field(repr=False)
    criteria: tuple[str, str, str] = field(repr=False)

    def __post_init__(self) -> None:
        for name in ("prompt", "model"):
            object.__setattr__(self, name, inspect.cleandoc(getattr(self, name)))


QUESTIONS = (
    OpenExercise(
        name="one_run",
        chapter="constant",
        kind="explain",
        level="medium",
        title="What one run tells",
        prompt="""
            One run at a constant rate ends at a test accuracy of 78%, after ten epochs between 75% and 79%.
            A run with another schedule ends at 79%. (The numbers are made up.) Explain in two sentences
            what the first run tells you by itself, and what the two runs do not tell you together.
        """,
        model="""
            The run by itself shows that training has stopped improving although it still moves: the weights
            shake on a noise floor that belongs to the rate. The two runs do not tell which schedule is
            better, since a gap of one point is smaller than what a single curve moves by from epoch to
            epoch, and how far a second seed would end from the first cannot be seen in one run.
        """,
        criteria=(
            "It names something that one run does show: a plateau that shakes, or the noise floor.",
            "It compares the gap of one point with a spread: over epochs, or over seeds.",
            "It says that another seed would end elsewhere, and ranks nothing.",
        ),
    ),
    OpenExercise(
        name="loss_and_accuracy",
        chapter="time_based",
        kind="explain",
        level="medium",
        title="A lower loss, and more errors",
        prompt="""
            On CIFAR-10, our runs with time-based decay end with a training loss of 0.003, and those with
            drop-based decay with 0.016. Both have more than 99.8% of the training images right. The runs
            with the lower loss have the *lower* test accuracy. Explain in two sentences how that can be.
        """,
        model="""
            Both networks have learned the training images nearly by heart, so that the training loss only
            measures how sure they are of images that they know. How many *new* images they get right
            depends on which of the many networks that fit the training images was found, and a training
            loss near zero does not tell them apart.
        """,
        criteria=(
            "It says that both networks fit the training images nearly completely.",
            "It separates what the training loss measures from what happens on new images.",
            "It does not take the lower loss for the better network, nor a guess for the cause.",
        ),
    ),
    OpenExercise(
        name="wrong_moment",
        chapter="cosine",
        kind="explain",
        level="medium",
        title="Stopped at the wrong moment",
        prompt="""
            A run with five cosine cycles is killed one epoch after its third restart. Its test accuracy is
            several points below that of a run with a single cycle, after as many epochs. A colleague
            concludes that restarts do harm. Explain in two sentences what is wrong with that, and what you
            would compare instead.
        """,
        model="""
            Right after a restart the rate is back at its peak, so the weights shake and the accuracy is
            low; the same run was higher a moment before, and it would have been at the end of the cycle.
            Compare both schedules at the end of their plans, with as many updates for each and with several
            shared seeds.
        """,
        criteria=(
            "It explains the low accuracy by the rate after a restart.",
            "It compares at the end of a cycle or of a plan, and not at the moment of the stop.",
            "It asks for the same number of updates, and for more than one seed.",
        ),
    ),
    OpenExercise(
        name="twenty_runs",
        chapter="factors",
        kind="project",
        level="hard",
        title="Twenty runs for two schedules",
        prompt="""
            You have twenty runs on the digits, a few seconds each, and one question: for eight epochs, is
            linear decay better than a constant rate *if each has a peak rate that suits it*? Write a plan
            first: how many runs are for finding the two rates, how many for comparing, with which seeds,
            and which outcome would make you say "not decidable". Then run it, and write one page.

            ```python
            from lrlib import preset, train

            config = preset("digits", recipe="linear", seed=21, peak_lr=0.03)
            run = train(config)
            print(run.epochs[-1].test_accuracy)
            ```
        """,
        model="""
            One plan that is fair: three rates for each schedule with one seed (six runs), chosen on the
            training loss, so that no test image chooses; then seven new seeds for both schedules at their
            chosen rates (fourteen runs). State the seven differences, their mean, and the 95% t interval
            of the mean (exercise "Plus or minus what?" of [the analysis](analysis.ipynb)). If the interval
            contains zero, the answer is *not decidable with seven pairs*. Say what you would need to decide
            it.
        """,
        criteria=(
            "Both schedules get as many runs for tuning, and the seeds that tuned do not count later.",
            "All twenty runs are accounted for, those that failed too.",
            "The conclusion has a difference with its interval, or says what is not decidable.",
        ),
    ),
)
