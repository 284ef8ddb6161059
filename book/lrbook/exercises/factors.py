"""Exercises of the chapter "What it depends on": one thing at a time, seed by seed."""

from __future__ import annotations

from statistics import fmean

from lrbook.exercises.judges import Function, Number, choice
from lrbook.exercises.task import Draw, Mistake, Task, exercise

CHAPTER = "factors"


@exercise(chapter=CHAPTER, kind="predict", level="easy", title="Less data, and nothing else")
def same_updates(draw: Draw) -> Task:
    images, epochs, fewer, batch = draw(
        "sizes",
        (1000, 8, 200, 5),
        [(1200, 6, 300, 6), (2000, 4, 400, 10), (900, 10, 150, 5), (1600, 9, 200, 8)],
    )
    updates = epochs * -(-images // batch)
    wanted = updates / -(-fewer // batch)
    return Task(
        answer="my_epochs",
        prompt=f"""
            A run on {images:,} images has {epochs} epochs of batches of {batch}. You want to know what
            less data does, and train on {fewer} of the images, with the same batches. How many epochs
            keep the number of updates as it was?
        """,
        starter="my_epochs = None  # whole number",
        solution=f"""
            updates = {epochs} * {images} // {batch}
            per_epoch = {fewer} // {batch}
            my_epochs = updates // per_epoch
        """,
        reveal=f"""
            {updates:,} updates are {wanted:g} epochs of {fewer} images. With {epochs} epochs the small
            run would differ in two things, data and length, and nobody could say which of them it was.
        """,
        judge=Number(expected=wanted, rel=0.0),
        mistakes=[
            Mistake(
                f"my_epochs = {epochs}",
                "as many epochs are fewer updates here: an epoch has become shorter.",
            ),
            Mistake(
                f"my_epochs = {updates}",
                "that is the number of updates; by how many of them is an epoch made?",
            ),
            Mistake(
                f"my_epochs = {epochs} * {fewer} / {images}",
                "upside down: with fewer images an epoch has fewer updates, so it takes more epochs.",
            ),
            Mistake(
                f"my_epochs = {images} / {fewer}",
                "that is how many times as many it takes; now times the epochs that there were.",
            ),
        ],
    )


@exercise(chapter=CHAPTER, kind="code", level="easy", title="Seed by seed")
def paired(draw: Draw) -> Task:
    factor, unit = draw(
        "unit",
        (100, "percentage points"),
        [(n, f"images, of the {n:,} that are tested") for n in (797, 2_000, 10_000)],
    )
    pairs = "for x, y in zip(a, b)"
    return Task(
        answer="ahead",
        prompt=f"""
            `linear` and `constant` are tuples of final test accuracies between 0 and 1; entry by entry they
            have the same seed. Return the mean over the seeds of linear minus constant, in {unit}.
        """,
        starter="""
            def ahead(linear, constant):
                return None  # a number
        """,
        solution=f"""
            def ahead(linear, constant):
                d = sum(linear) - sum(constant)
                return {factor} * d / len(linear)
        """,
        reveal="""
            the mean of the differences is the difference of the means. The pairs matter for its interval:
            what a seed does to both schedules drops out of each difference.
        """,
        judge=Function(
            expected=lambda a, b: factor * fmean(x - y for x, y in zip(a, b, strict=True)),
            probes=[
                ((0.79,), (0.75,)),
                ((0.8, 0.77), (0.75, 0.78)),
                ((0.75, 0.76, 0.84), (0.78, 0.75, 0.77)),
            ],
            unit="accuracies",
        ),
        mistakes=[
            Mistake(
                f"def ahead(a, b):\n    return sum(x - y {pairs}) / len(a)",
                f"those are fractions of 1; wanted are {unit}.",
            ),
            Mistake(
                f"def ahead(a, b):\n    return {factor} * sum(y - x {pairs}) / len(a)",
                "the other way round: linear minus constant, so that more than zero speaks for linear.",
            ),
            Mistake(
                f"def ahead(a, b):\n    return {factor} * sum(x - y {pairs})",
                "that is the sum; with more seeds it would grow for no reason.",
            ),
            Mistake(
                f"def ahead(a, b):\n    return {factor} * (max(a) - max(b))",
                "that compares the luckiest seed of each, and not the same seed.",
            ),
            Mistake(
                f"def ahead(a, b):\n    return {factor} * sum((x - y) / y {pairs}) / len(a)",
                "that is relative to the constant schedule; wanted are differences of accuracies.",
            ),
        ],
    )


@exercise(chapter=CHAPTER, kind="diagnosis", level="easy", title="The larger network is worse")
def two_things(draw: Draw) -> Task:
    parts = choice(
        draw,
        1,
        (
            "the larger network once more at 0.1, with five other seeds",
            "more seeds tell how sure the gap at this one rate is, and nothing about its cause.",
        ),
        ("both networks over several rates, each judged at the rate that suits it", ""),
        (
            "the larger network at 0.01, beside the smaller at 0.1",
            "now both the network and the rate differ: the gap may have either cause.",
        ),
        (
            "both networks at 0.1 for twice as many epochs",
            "a rate that is too high for a network stays so, however long the run.",
        ),
    )
    return Task(
        prompt="""
            At rate 0.1 a small network ends far above one that is forty times as large. "Large networks do
            worse on these images", says a report. Which runs would tell whether it is the architecture?
        """,
        reveal="""
            at one common rate, two networks differ in two things: the architecture, and how far this rate is
            from the one that suits each. Only a grid of rates for both takes the second away.
        """,
        **parts,
    )
