"""Exercises of the chapter "A fair race": what a fair rate costs, how it is chosen, what flatters."""

from __future__ import annotations

from math import inf

from lrbook.exercises.judges import Function, Number, choice
from lrbook.exercises.task import Draw, Mistake, Task, exercise

CHAPTER = "fair_race"
RATES = (0.003, 0.01, 0.03, 0.1)
# A clear lowest loss; ties within and beyond each variant's margin, on either side; diverged rates.
PROBES = (
    (0.4, 0.2, 0.1, 0.3),
    (0.4, 0.1, 0.2, 0.3),
    (0.4, 0.1004, 0.1, 0.3),
    (0.4, 0.1, 0.1004, 0.3),
    *((0.4, second, 0.2, 0.3) for second in (0.2024, 0.2034, 0.2044, 0.2056, 0.208)),
    (0.1002, 0.2, 0.1, 0.3),
    (0.004, 0.0025, 0.002, 0.001),
    (2.012, 2.0, 2.5, inf),
    (2.4, 2.1, 2.005, 2.0),
    (inf, 0.2, 0.1, inf),
)


def _own(losses: tuple[float, ...], margin: float) -> float:
    """Return the smallest rate whose loss is within the margin of the lowest, as a part of it."""
    lowest = min(losses)
    return next(rate for rate, loss in zip(RATES, losses, strict=True) if loss <= (1 + margin) * lowest)


@exercise(chapter=CHAPTER, kind="predict", level="easy", title="What does fairness cost?")
def price(draw: Draw) -> Task:
    rates, folds, seeds = draw("runs", (7, 5, 20), [(6, 5, 20), (7, 5, 10), (9, 5, 20), (5, 4, 10)])
    fold, whole = 1600 * (folds - 1) / folds, 1600
    choosing, racing = rates * folds * fold, seeds * whole
    part = choosing / (choosing + racing)
    return Task(
        answer="my_part",
        prompt=f"""
            A schedule's rate is chosen among {rates} on {folds} folds: each run trains on all folds but one,
            8 epochs, in batches of 5, of 1,000 images in all. The race then trains {seeds} seeds on all
            1,000. Which part of a schedule's updates goes into choosing its rate?
        """,
        starter="my_part = None  # from 0 to 1",
        solution=f"""
            choosing = {rates} * {folds} * 1600 * {folds - 1} / {folds}
            racing = {seeds} * 1600
            my_part = choosing / (choosing + racing)
        """,
        reveal=f"{part:.2f}. A comparison that leaves the choice out is that much cheaper, and not fair.",
        judge=Number(expected=part, rel=0.01),
        mistakes=[
            Mistake(
                f"my_part = {rates * folds} / {rates * folds + seeds}",
                "those are runs; a run on a fold is shorter, as it trains on fewer images.",
            ),
            Mistake(f"my_part = {choosing / racing!r}", "that is over the race alone; the whole is both."),
            Mistake(f"my_part = {1 - part!r}", "that is the part of the race."),
            Mistake(
                f"my_part = {rates * fold / (rates * fold + racing)!r}",
                f"each rate is tried on all {folds} folds, not on one.",
            ),
        ],
    )


@exercise(chapter=CHAPTER, kind="code", level="medium", title="The rule, at a tie too")
def own_rate(draw: Draw) -> Task:
    margin = draw("margin", 1, [2, 3, 1.5, 2.5])
    part = margin / 100
    zipped = f"zip({RATES}, losses)"
    form = "def own_rate(losses):\n    "
    return Task(
        answer="own_rate",
        prompt=f"""
            `losses` holds the mean held-out losses at the peak rates 0.003, 0.01, 0.03 and 0.1, in this
            order; a diverged rate has an infinite one. Return the rate of the lowest loss. If a smaller rate
            has a loss within {margin:g} percent of the lowest, return the smallest such rate.
        """,
        starter="""
            def own_rate(losses):
                return None  # a rate
        """,
        solution=f"""
            def own_rate(losses):
                most = {1 + part:g} * min(losses)
                pairs = zip({RATES}, losses, strict=True)
                return min(rate for rate, loss in pairs if loss <= most)
        """,
        reveal="at a tie the smaller rate is the safer one: beyond the best rate losses rise more steeply.",
        judge=Function(
            expected=lambda losses: _own(losses, part), probes=[(each,) for each in PROBES], unit="losses"
        ),
        mistakes=[
            Mistake(
                f"{form}return min({zipped}, key=lambda pair: pair[1])[0]",
                "that is the lowest loss alone; losses so close to it are a tie.",
            ),
            Mistake(
                f"{form}return max(r for r, loss in {zipped} if loss <= {1 + part} * min(losses))",
                "at a tie that takes the largest rate.",
            ),
            Mistake(
                f"{form}return min(r for r, loss in {zipped} if loss <= {part} + min(losses))",
                "the margin is a part of the lowest loss, no number of its own: small losses would all tie.",
            ),
            Mistake(f"{form}return min(losses)", "that is the loss; its rate is wanted."),
            Mistake(
                f"{form}return max({zipped}, key=lambda pair: pair[1])[0]",
                "that is the highest loss; less is better.",
            ),
        ],
    )


@exercise(chapter=CHAPTER, kind="diagnosis", level="medium", title="A gap out of nothing")
def lucky_cell(draw: Draw) -> Task:
    many, few = draw("rates", (9, 2), [(7, 2), (12, 3), (8, 1), (10, 3)])
    return Task(
        prompt=f"""
            Two schedules are equally good at every rate. One is tuned over {many} peak rates, the other over
            only {few} of them. Each reports its best test accuracy, the mean over its seeds at that rate. The
            first leads by half a point. What made the gap?
        """,
        reveal=f"""
            the best of {many} numbers that scatter lies higher than the best of {few}. Choose on other
            images than those you report, and try the same rates for both.
        """,
        **choice(
            draw,
            1,
            (
                "With more rates the first one found a better rate.",
                "all its rates are equally good, so that none could be found.",
            ),
            ("The best of many cells is luckier than the best of few.", ""),
            (
                "Its runs had other seeds, and the difference is not paired.",
                "pairs make a difference sharper; without them it is as often below zero as above.",
            ),
            (
                "Its rates lay closer together.",
                "how close the rates lie changes nothing where all of them are equally good.",
            ),
        ),
    )
