"""Exercises of the chapter "Snapshots and averages": what a mean can gain, how to take it, what spoils it."""

from __future__ import annotations

from lrbook.exercises.judges import Function, Number, choice
from lrbook.exercises.task import Draw, Mistake, Task, exercise

CHAPTER = "snapshots"
# Six networks each, two or three classes. On these the right answers and the typical wrong ones part.
PROBES = (
    ((0.1, 0.9), (0.2, 0.8), (0.1, 0.9), (0.6, 0.4), (0.55, 0.45), (0.6, 0.4)),
    ((0.9, 0.1), (0.9, 0.1), (0.8, 0.2), (0.1, 0.9), (0.7, 0.3), (0.45, 0.55)),
    ((0.3, 0.7), (0.05, 0.95), (0.4, 0.6), (0.7, 0.3), (0.55, 0.45), (0.4, 0.6)),
    ((0.5, 0.5), (0.9, 0.1), (0.4, 0.6), (0.3, 0.7), (0.45, 0.55), (0.7, 0.3)),
    ((0.8, 0.2), (0.6, 0.4), (0.3, 0.7), (0.6, 0.4), (0.1, 0.9), (0.6, 0.4)),
    ((0.2, 0.5, 0.3), (0.2, 0.3, 0.5), (0.6, 0.2, 0.2), (0.1, 0.5, 0.4), (0.6, 0.3, 0.1), (0.1, 0.5, 0.4)),
    ((0.4, 0.3, 0.3), (0.2, 0.1, 0.7), (0.1, 0.6, 0.3), (0.9, 0.05, 0.05), (0.2, 0.5, 0.3), (0.3, 0.5, 0.2)),
    (
        (0.3, 0.3, 0.4),
        (0.8, 0.1, 0.1),
        (0.5, 0.3, 0.2),
        (0.0001, 0.5, 0.4999),
        (0.9, 0.05, 0.05),
        (0.4, 0.45, 0.15),
    ),
    (
        (0.2, 0.2, 0.6),
        (0.3, 0.4, 0.3),
        (0.1, 0.1, 0.8),
        (0.3, 0.3, 0.4),
        (0.001, 0.599, 0.4),
        (0.9, 0.05, 0.05),
    ),
    ((0.4, 0.6), (0.4, 0.6), (0.4, 0.6), (0.4, 0.6), (0.9, 0.1), (0.9, 0.1)),
)


def _mean_answer(probabilities: tuple[tuple[float, ...], ...], last: int) -> int:
    """Return the class with the largest sum over the last networks."""
    sums = [sum(values) for values in zip(*probabilities[-last:], strict=True)]
    return sums.index(max(sums))


@exercise(chapter=CHAPTER, kind="predict", level="medium", title="The most that two networks can have right")
def best_of_two(draw: Draw) -> Task:
    one, other, differ = draw(
        "networks", (80, 82, 16), [(78, 80, 14), (81, 84, 15), (76, 82, 18), (88, 90, 8), (70, 74, 24)]
    )
    most = (one + other + differ) / 200
    return Task(
        answer="my_part",
        prompt=f"""
            One network has {one} percent of the test images right, another {other} percent. On {differ}
            percent of the images their answers differ. Somebody who always knew which of the two to believe
            would have a larger part of the images right. Which part is it at most?
        """,
        starter="my_part = None  # from 0 to 1",
        solution=f"""
            # Where they agree, both are right or both are wrong. Let every
            # difference be one right answer against a wrong one. Then:
            both_right = ({one} + {other} - {differ}) / 2
            my_part = (both_right + {differ}) / 100
        """,
        reveal=f"""
            {most:g}. What two networks have in common no average can mend: the more they differ, at equal
            accuracy, the more there is to gain.
        """,
        judge=Number(expected=most, rel=0.002),
        mistakes=[
            Mistake(
                f"my_part = {(max(one, other) + differ) / 100}",
                "that adds all images on which they differ; the better network has some of these right "
                "itself, and they count twice.",
            ),
            Mistake(
                f"my_part = {(min(one, other) + differ) / 100}",
                "that adds all images on which they differ to the weaker network's; it has some of these "
                "right itself, and they count twice.",
            ),
            Mistake(f"my_part = {max(one, other) / 100}", "that is the better one alone."),
            Mistake(
                f"my_part = {1 - (1 - one / 100) * (1 - other / 100)}",
                "that takes their faults to be independent; they are not, and the part on which they "
                "differ is known.",
            ),
            Mistake(f"my_part = {(one + other) / 200}", "that is the mean of the two accuracies."),
        ],
    )


@exercise(chapter=CHAPTER, kind="code", level="easy", title="Average, then answer")
def mean_answer(draw: Draw) -> Task:
    last = draw("last", 3, [2, 4, 5])
    form = "def mean_answer(probabilities):\n    "
    best = "max(range(len(p)), key=p.__getitem__)"

    def with_most(of: str) -> str:
        return f"{form}p = [sum(values) for values in zip(*probabilities{of})]\n    return {best}"

    return Task(
        answer="mean_answer",
        prompt=f"""
            `probabilities` has one tuple for each network of a run, in the order in which they were kept: the
            probability of each class for one image. Return the class, counted from 0, with the largest mean
            probability over the last {last} networks.
        """,
        starter="""
            def mean_answer(probabilities):
                return None  # a class
        """,
        solution=f"""
            def mean_answer(probabilities):
                columns = zip(*probabilities[-{last}:], strict=True)
                sums = [sum(values) for values in columns]
                return sums.index(max(sums))
        """,
        reveal="""
            a network that is sure counts for more than one that hesitates. A vote would count both alike.
        """,
        judge=Function(
            expected=lambda each: _mean_answer(each, last),
            probes=[(each,) for each in PROBES],
            unit="probabilities",
        ),
        mistakes=[
            Mistake(
                f"{form}votes = [{best} for p in probabilities[-{last}:]]\n    "
                "return max(range(len(probabilities[0])), key=votes.count)",
                "that is a vote: each network's first choice counts once, however sure it was.",
            ),
            Mistake(f"{form}p = probabilities[-1]\n    return {best}", "that is the last network alone."),
            Mistake(
                f"{form}p = max(probabilities[-{last}:], key=max)\n    return {best}",
                "that believes the network that is surest; the mean asks all.",
            ),
            Mistake(with_most(""), f"that is the mean over all networks; the last {last} are wanted."),
            Mistake(with_most(f"[:{last}]"), f"those are the first {last} networks, not the last."),
            Mistake(
                f"{form}from math import prod\n    "
                f"p = [prod(values) for values in zip(*probabilities[-{last}:])]\n    return {best}",
                "that is the largest product, as if logarithms were averaged: one network that is sure "
                "against a class all but forbids it.",
            ),
            Mistake(
                f"{form}return max(sum(values) / {last} for values in zip(*probabilities[-{last}:]))",
                "that is the largest mean probability; its class is wanted.",
            ),
        ],
    )


@exercise(
    chapter=CHAPTER,
    kind="diagnosis",
    level="medium",
    title="Weights averaged, and hardly better than a guess",
)
def stale_statistics(draw: Draw) -> Task:
    networks, before, after = draw("accuracies", (3, 14, 79), [(4, 11, 76), (2, 17, 81), (5, 12, 78)])
    return Task(
        prompt=f"""
            Over the last epochs of a run, where the rate is low, somebody keeps the weights {networks} times,
            averages them, and puts the mean into the network, together with the running means and variances
            of its batch norms as they were at the start of training. It has {before} percent right. With the
            same weights and one pass over the training images in training mode, before the test, it has
            {after} percent. What was wrong?
        """,
        reveal="""
            a batch norm scales by the mean and variance of its inputs, and these depend on the weights before
            it. New weights need new statistics: `torch.optim.swa_utils.update_bn` makes them.
        """,
        **choice(
            draw,
            0,
            ("The statistics of the batch norms belonged to other weights.", ""),
            (
                "The pass over the training images went on training the weights.",
                "nothing was updated in it: a forward pass in training mode changes the running statistics, "
                "no weights.",
            ),
            (
                "Weights that far apart must not be averaged.",
                "then the pass would have changed nothing; the weights are the same before and after.",
            ),
            (
                "Probabilities have to be averaged, not weights.",
                f"both are done, for other purposes; these mean weights have {after} percent in the end.",
            ),
        ),
    )
